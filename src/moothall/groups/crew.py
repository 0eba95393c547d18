"""The members of a group at work: what they offer to one who gives them a task, and their work itself.

Everything is called as whoever gives the task: being in a group with somebody is no right to call it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moothall.calls.call import LOCAL
from moothall.calls.ports import CallFacts, Gateway
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.capability.entry import Entry
from moothall.capability.handlers import GROUP, MESSAGE
from moothall.directory.listing import Listing
from moothall.directory.searching import Filters, Rights, Search
from moothall.groups.store import GroupStore
from moothall.groups.task_model import Offer
from moothall.identity.principal import Principal

_READS = frozenset({"read", "query", "audit"})
_MOST_FOUND = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewGround:
    """What it stands on.

    Attributes:
        store: who is in which group.
        gateway: the call path.
        agents: the DIDs of the hosted agents by their names.
        own: ids of the node's own capabilities, which are no work of a member.
        search: finds what members elsewhere offer; None: nothing is known of them.
    """

    store: GroupStore
    gateway: Callable[[], Gateway]
    agents: Callable[[], Mapping[str, str]]
    own: Callable[[], Collection[str]]
    search: Callable[[], tuple[Search, Rights] | None]


class NodeCrew:
    """The members of one group for one caller; ``run`` is the task, so that nothing of it is done twice."""

    def __init__(self, ground: CrewGround, group_id: str, principal: Principal, run: str) -> None:
        self._ground, self._group, self._principal, self._run = ground, group_id, principal, run

    async def offers(self) -> Sequence[Offer]:
        """What active members offer that the caller may call."""
        ground = self._ground
        dids = {member.member for member in await ground.store.members(self._group)}
        names = {name: did for name, did in ground.agents().items() if did in dids}
        own = ground.own()
        visible = await ground.gateway().visible(self._principal, LOCAL)
        here = [
            _offer(entry, names[entry.agent])
            for entry in visible
            if entry.agent in names and entry.id not in own and entry.spec.template not in {GROUP, MESSAGE}
        ]
        return [*here, *await self._elsewhere(dids - set(names.values()))]

    async def present(self, member: str) -> bool:
        """Whether somebody is an active member now."""
        seen = await self._ground.store.seen(self._group, {member})
        return seen is not None and member in seen.members

    async def perform(self, offer: Offer, params: Mapping[str, Any], key: str, seconds: float) -> Any:  # noqa: ANN401
        """Have it done; raises what it failed with."""
        facts = CallFacts(
            door=LOCAL,
            principal=self._principal,
            request_id=fresh(),
            timeout=seconds,
            hops=1,
            idempotency_key=f"{self._run}/{key}",
            inside=True,
        )
        reply = await self._ground.gateway().call(Target.parse(offer.target), params, facts)
        if reply.error is not None:
            raise reply.error
        return reply.data

    async def _elsewhere(self, dids: Collection[str]) -> list[Offer]:
        known = self._ground.search()
        if known is None or not dids:
            return []
        search, rights = known
        visible = await rights.visible(self._principal, LOCAL)
        found: list[Offer] = []
        for did in sorted(dids):
            hits = await search.search("", Filters(agent=did), visible, limit=_MOST_FOUND)
            found += [_listed(hit.listing, did) for hit in hits.hits if hit.listing.kind == "capability"]
        return found


def _offer(entry: Entry, did: str) -> Offer:
    spec = entry.spec
    reads = spec.annotations.read_only or spec.acts in _READS
    return Offer(
        member=did,
        target=f"local:{entry.key}",
        name=entry.id,
        description=spec.description,
        tags=spec.tags,
        harmless=reads or spec.idempotent,
        reads=reads,
        **_form(entry.input_schema),
    )


def _listed(listing: Listing, did: str) -> Offer:
    return Offer(
        member=did,
        target=listing.target,
        name=listing.name if "." in listing.name else f"{listing.agent}.{listing.name}",
        description=listing.description,
        tags=listing.tags,
        harmless=listing.read_only or listing.idempotent,
        reads=listing.read_only,
        **_form(listing.input_schema),
    )


def _form(schema: Mapping[str, Any]) -> dict[str, Any]:
    needs = tuple(str(name) for name in schema.get("required", ()))
    properties = schema.get("properties", {})
    one = (
        len(needs) == 1
        and isinstance(properties.get(needs[0]), Mapping)
        and properties[needs[0]].get("type") == "string"
    )
    return {"needs": needs, "takes": needs[0] if one else ""}
