"""What is known now: the world that all decisions share, and the callers that were read from the store.

Everything read is stamped with the revisions before the reading, so that what somebody changed meanwhile is read again.
A change of this process is told by who made it and costs only those it speaks of; one of another process costs all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from moothall.identity.principal import Kind, Principal
from moothall.people.facts import PartyFacts
from moothall.policy.callers import Apart, facts_of, suspended
from moothall.policy.decision import Subject
from moothall.policy.ports import Policies, Sources
from moothall.policy.subjects import Kept, Subjects
from moothall.policy.world import Numbers, Provider, World

_KNOWN: Final[frozenset[Kind]] = frozenset({"did", "user"})
"""Of whom the store may know something; the others are the operator, nobody, or hold a token for one thing."""
_NAMES: Final = ("people", "grants", "groups")


class Knowledge:
    """Keeps the world and the callers, and reads both anew when they have changed."""

    def __init__(self, policies: Policies, sources: Sources, subjects: Subjects) -> None:
        self._policies, self._sources = policies, sources
        self._callers = sources.callers or Apart(sources.people, sources.delegations)
        self.subjects = subjects
        self._changes = 0
        self._complete = not sources.stored
        self._loading = asyncio.Lock()
        self.world = World(
            policies=policies.policies,
            rules=sources.settings.rules,
            dids=sources.agents(),
            providers={},
            numbers=(0, 0, 0),
        )

    def known(self, principal: Principal) -> Subject | None:
        """The caller as it is now, where that needs no look into the store."""
        self.look()
        if self._sources.stored:
            revisions = self._sources.revisions
            numbers = revisions.known if revisions is not None else {}
            if not self._complete or numbers is None or _numbers(numbers) != self.world.numbers:
                return None
        found = self.subjects.get(principal)
        return self._stranger(principal) if found is None and not self._in_store(principal) else found

    async def subject(self, principal: Principal) -> Subject:
        """The caller as it is now.

        Raises:
            StorageError: the store cannot say.
        """
        if (known := self.known(principal)) is not None:
            return known
        await self._catch_up()
        if not self._in_store(principal):
            return self._stranger(principal)
        found = self.subjects.get(principal)
        if found is not None:
            return found
        changes = self._changes
        read = await self._read(principal)
        if changes == self._changes:  # else it may be older than what is known by now
            self.subjects.put(read)
        return read

    def look(self) -> None:
        """Take over what can be seen without a look into the store."""
        world, policies, rules = self.world, self._policies.policies, self._sources.settings.rules
        dids = self._sources.agents()
        if dids is not world.dids and dids != world.dids:
            self._complete = not self._sources.stored
            self._become(replace(world, dids=dids))
        if policies is not world.policies or rules is not world.rules:
            self._become(replace(self.world, policies=policies, rules=rules))

    def changed(self, ids: frozenset[str] | None, number: int, place: int) -> None:
        """Take note of a change of this process.

        Args:
            ids: of whom it speaks; None: of anybody.
            number: the new revision; if another process made one between, all is read anew.
            place: of the revision among `Numbers`.
        """
        self._changes += 1
        numbers = list(self.world.numbers)
        if ids is None or number != numbers[place] + 1 or not ids.isdisjoint(self.world.hosted):
            self._complete = False
            return
        numbers[place] = number
        self.subjects.drop(ids)
        self.world = replace(self.world, numbers=(numbers[0], numbers[1], numbers[2]))

    async def facts(self, ids: Iterable[str]) -> Mapping[str, PartyFacts]:
        """What is known of these; nothing of whom the store does not know. Whom it knows wrongly is suspended.

        Raises:
            StorageError: the store cannot say.
        """
        return await facts_of(self._sources.people, tuple(ids))

    def _in_store(self, principal: Principal) -> bool:
        """Whether the store may know something of it; who proved nothing is nobody."""
        return self._sources.stored and principal.verified and principal.kind in _KNOWN

    def _stranger(self, principal: Principal) -> Subject:
        made = Subject(principal=principal, facts=PartyFacts(id=principal.id), made=Kept())
        self.subjects.put(made)
        return made

    async def _catch_up(self) -> None:
        """Read the agents of this node anew where anything changed."""
        revisions = self._sources.revisions
        numbers = _numbers(await revisions.current()) if revisions is not None else (0, 0, 0)
        if self._complete and numbers == self.world.numbers:
            return
        async with self._loading:
            if self._complete and numbers == self.world.numbers:
                return  # somebody else has read them meanwhile
            changes, dids = self._changes, self.world.dids
            facts = await self.facts(dids.values())
            found = await self._providers(facts, tuple(facts))
            providers = {name: found[did] for name, did in dids.items()}
            self._complete = changes == self._changes and dids is self.world.dids
            self._become(replace(self.world, providers=providers, numbers=numbers))

    async def _providers(self, facts: Mapping[str, PartyFacts], ids: tuple[str, ...]) -> Mapping[str, Provider]:
        """These agents by their DIDs; whose rows make no sense is found by halves, and nobody else is held up by it."""
        memberships = self._sources.memberships
        try:
            own = await memberships.own_of_each(ids) if memberships is not None and ids else {}
            return {did: Provider(facts=facts[did], groups=own.get(did, frozenset())) for did in ids}
        except ValueError:
            if len(ids) == 1:
                return {ids[0]: Provider(facts=suspended(ids[0]))}
        middle = len(ids) // 2
        return {**await self._providers(facts, ids[:middle]), **await self._providers(facts, ids[middle:])}

    async def _read(self, principal: Principal) -> Subject:
        try:
            return await self._read_whole(principal)
        except ValueError:
            return Subject(principal=principal, facts=suspended(principal.id), made=Kept())

    async def _read_whole(self, principal: Principal) -> Subject:
        found = await self._callers.look(principal.id)
        parties = sorted({party for chain in found.chains for party in chain.parties} - {principal.id})
        groups = {name: await self._groups(name) for name in parties}
        return Subject(
            principal=principal,
            facts=found.facts[principal.id],
            chains=found.chains,
            parties={name: found.facts[name] for name in parties},
            party_groups={name: held for name, held in groups.items() if held},
            collaborations=found.collaborations,
            groups=await self._groups(principal.id),
            made=Kept(),
        )

    async def _groups(self, identity: str) -> frozenset[str]:
        memberships = self._sources.memberships
        return await memberships.groups(identity) if memberships is not None else frozenset()

    def _become(self, world: World) -> None:
        self.world = world
        self._changes += 1
        self.subjects.clear()


def _numbers(known: Mapping[str, int]) -> Numbers:
    people, grants, groups = (known.get(name, 0) for name in _NAMES)
    return people, grants, groups
