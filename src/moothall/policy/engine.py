"""The engine: who may call what, decided in one place for every door (rows AUT-03 to AUT-05, POL-02, POL-03, SEC-03).

What was decided about a caller is kept with it where no policy that may speak of the call reads what changes from call
to call, until a revision says that something changed. `decide` does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Self

from moothall.capability.entry import Entry
from moothall.clock import Clock, SystemClock
from moothall.identity.apikeys import ADMIN
from moothall.identity.principal import ANONYMOUS, OWNER, Principal
from moothall.policy.decision import AccessRequest, PermissionResult, Subject
from moothall.policy.hearing import Asked
from moothall.policy.judgement import Judgement
from moothall.policy.knowledge import Knowledge
from moothall.policy.policies import PolicySet
from moothall.policy.ports import FixedRules, Granted, Policies, Sources
from moothall.policy.resources import Called, LogResource, Resource, called_agent, called_capability, called_log
from moothall.policy.sources import PolicyConfig
from moothall.policy.store import FixedPolicies
from moothall.policy.subjects import Kept, Subjects
from moothall.policy.world import World

_MOST_CALLED: Final = 8192
"""Capabilities that are kept as entities."""
_NO_BOOKS: Final[Mapping[str, LogResource]] = MappingProxyType({})
_PEOPLE, _GRANTS, _GROUPS = 0, 1, 2
NAMED: Final[Mapping[str, Principal]] = MappingProxyType({one.id: one for one in (OWNER, ADMIN, ANONYMOUS)})
"""Callers who are neither agents nor users: the node's operator, and who proves nothing."""


class PolicyEngine:
    """Decides; the `Authorizer` of a node.

    Args:
        policies: where they come from.
        sources: where facts come from; None: only from the principal and the capability.
        books: logs that capabilities give to read, by the capabilities' ids: who may read the log may (row UID-03).
    """

    def __init__(
        self,
        policies: Policies,
        sources: Sources | None = None,
        *,
        books: Mapping[str, LogResource] = _NO_BOOKS,
        clock: Clock | None = None,
        subjects: Subjects | None = None,
    ) -> None:
        sources = sources or Sources(settings=FixedRules())
        clock = clock or SystemClock()
        self._now = clock.now
        self._at: Callable[[], float] = lambda: clock.now().timestamp()
        if sources.delegations is not None:
            self._at = sources.delegations.now
        self._knowledge = Knowledge(policies, sources, subjects or Subjects())
        self._subjects = self._knowledge.subjects
        self._books = books
        self._called: dict[Entry, Called] = {}
        self._seen: World | None = None
        self.known = self._knowledge.known
        self.subject = self._knowledge.subject

    @classmethod
    def usual(cls, settings: Granted | None = None, config: PolicyConfig | None = None) -> Self:
        """The built-in policies, and no store: what a call path without a node decides by."""
        return cls(FixedPolicies.of(config), Sources(settings=settings or FixedRules()))

    @property
    def policies(self) -> PolicySet:
        """The policies that decide now."""
        self._knowledge.look()
        return self._knowledge.world.policies

    def decide(self, request: AccessRequest) -> PermissionResult:
        """Decide; anything that is not allowed is denied, and so is what cannot be decided."""
        entry, kept = request.entry, request.subject.made
        if type(kept) is not Kept:
            return (
                self._judgement(request)
                .decide(self._now(), self._at(), purpose=request.purpose, request=request)
                .result
            )
        if (settled := kept.settled.get(entry)) is not None:
            return settled
        if kept.timed and (timed := kept.timed.get(entry)) is not None and timed.since <= self._at() < timed.until:
            return timed.result
        judgement = self._subjects.judgement(kept, entry)
        if judgement is None:
            judgement = self._judgement(request)
            self._subjects.prepare(kept, entry, judgement)
        judged = judgement.decide(self._now(), self._at(), purpose=request.purpose, request=request)
        if judged.kept:
            self._subjects.keep(kept, entry, judged)
        return judged.result

    async def check(
        self,
        who: Subject | Principal | str,
        action: str,
        resource: Resource,
        *,
        purpose: str = "",
        trace: list[Asked] | None = None,
    ) -> PermissionResult:
        """Whether somebody may do something, asked outside of any call; of an id, as if it had proved who it is.

        Nothing is taken from what is kept, nor kept. ``trace`` takes all that was asked on the way.

        Raises:
            StorageError: the store cannot say.
        """
        subject = who if isinstance(who, Subject) else await self.subject(self.principal(who))
        called = await self._resource(resource)
        request = AccessRequest(subject, resource, "", purpose) if isinstance(resource, Entry) else None
        judgement = Judgement(world=self._knowledge.world, subject=subject, called=called, action=action)
        return judgement.decide(self._now(), self._at(), purpose=purpose, request=request, trace=trace).result

    def principal(self, who: Principal | str) -> Principal:
        """Somebody by an id, as if it had proved who it is: an agent by a signature over the request."""
        if isinstance(who, Principal):
            return who
        if who in NAMED:
            return NAMED[who]
        hosted = who in self._knowledge.world.hosted
        if who.startswith("user:"):
            return Principal(id=who, kind="user", binding="token")
        return Principal(id=who, kind="did", binding="request", owner=hosted)

    def people_changed(self, ids: frozenset[str] | None, number: int) -> None:
        """This process changed what is known of these; None: of anybody."""
        self._knowledge.changed(ids, number, _PEOPLE)

    def grants_changed(self, holders: frozenset[str], number: int) -> None:
        """This process changed the delegations of these."""
        self._knowledge.changed(holders, number, _GRANTS)

    def groups_changed(self, ids: frozenset[str] | None, number: int) -> None:
        """This process changed the groups of these; None: of anybody."""
        self._knowledge.changed(ids, number, _GROUPS)

    def _judgement(self, request: AccessRequest) -> Judgement:
        called, action = self._capability(request.entry), request.entry.spec.acts
        return Judgement(world=self._knowledge.world, subject=request.subject, called=called, action=action)

    def _capability(self, entry: Entry) -> Called:
        world = self._knowledge.world
        if world is not self._seen or len(self._called) >= _MOST_CALLED:
            self._called.clear()
            self._seen = world
        found = self._called.get(entry)
        if found is None:
            book = self._books.get(entry.id)
            provider = world.provider(entry.agent)
            facts, policies = provider.facts, world.policies
            found = self._called[entry] = called_capability(
                entry,
                facts,
                provider.groups,
                policies.config.resources,
                policies.inherits,
                suspended=world.suspended(facts.id, facts.person),
                log=book,
            )
        return found

    async def _resource(self, resource: Resource) -> Called:
        if isinstance(resource, Entry):
            return self._capability(resource)
        if isinstance(resource, LogResource):
            return called_log(resource)
        facts = (await self._knowledge.facts([resource.id]))[resource.id]
        world = self._knowledge.world
        return called_agent(
            facts,
            hosted=resource.id in world.hosted,
            inherits=world.policies.inherits,
            suspended=world.suspended(facts.id, facts.person),
        )
