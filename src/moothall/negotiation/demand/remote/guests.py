"""Agents elsewhere as they are let in: each once, by somebody of this node, as the profile that it had then."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

from moothall.clock import rfc3339
from moothall.directory.profiles import AgentProfile
from moothall.directory.registry import AgentRegistry, Also
from moothall.directory.rows import AgentRecord, Status
from moothall.directory.searching import Search
from moothall.negotiation.demand.remote.finding import Proposed, proposed
from moothall.negotiation.demand.remote.participant import Ask, Question
from moothall.negotiation.demand.remote.places import Place, place_of
from moothall.negotiation.demand.remote.reading import digest_of, read_profile
from moothall.negotiation.demand.remote.store import Bound, Places

PROFILE_SECONDS = 20.0


class Guest(BaseModel):
    """An agent elsewhere that takes part; ``digest`` is of its profile as it was allowed."""

    agent_id: str
    user_name: str
    target: str
    offer: str
    review: str
    tags: list[str]
    status: Status
    digest: str
    added_by: str
    updated_at: str


class Guests:
    """Lets agents elsewhere take part."""

    def __init__(
        self, registry: AgentRegistry, places: Places, ask: Ask, search: Callable[[], Search | None] = lambda: None
    ) -> None:
        """``search`` finds what other nodes list, where this node looks."""
        self._registry = registry
        self._places = places
        self._ask = ask
        self._search = search

    async def add(
        self, by: str, target: str, *, offer: str = "", review: str = "", profile: AgentProfile | None = None
    ) -> Guest:
        """Let an agent take part, as what it says it is; again: as what it says now.

        Raises:
            ValidationError: a target is none of somebody elsewhere.
            UpstreamInvalid: what it says of itself is no profile.
            MoothallError: it cannot be asked what it is.
        """
        return await self._let_in(by, place_of(target, offer, review), profile)

    async def refresh(self, by: str, agent_id: str) -> Guest:
        """Ask an agent what it is now; one that was disabled stays so.

        Raises:
            AgentNotFound: there is none of that id, or it was removed meanwhile.
            MoothallError: as `add`.
        """
        place = (await self._places.get(agent_id)).place
        profile = read_profile(await self._said(place), agent_id)
        record = await self._registry.update(profile, also=self._put(place, profile, by))
        return _guest(await self._places.get(agent_id), record)

    async def remove(self, agent_id: str) -> None:
        """Let an agent take part no more.

        Raises:
            AgentNotFound: there is none of that id.
        """
        await self._places.get(agent_id)
        await self._registry.remove(agent_id, lambda connection: self._places.drop(connection, agent_id))

    async def all(self) -> list[Guest]:
        """Those that take part."""
        records = {record.profile.agent_id: record for record in await self._registry.list(origin="remote")}
        return [
            _guest(bound, records[bound.agent_id]) for bound in await self._places.all() if bound.agent_id in records
        ]

    async def find(self, query: str, limit: int) -> list[Proposed]:
        """Those that were found and could take part.

        Raises:
            InvalidInput, StorageError: as `Search.search`.
        """
        search = self._search()
        if search is None:
            return []
        allowed = {bound.agent_id for bound in await self._places.all()}
        found = await proposed(search, query, limit)
        return [one.model_copy(update={"allowed": one.agent_id in allowed}) for one in found]

    async def _let_in(self, by: str, place: Place, given: AgentProfile | None) -> Guest:
        said = given.public() if given is not None else await self._said(place)
        profile = read_profile(said, place.agent_id)
        await self._registry.load([profile], origin="remote", also=self._put(place, profile, by))
        return _guest(await self._places.get(place.agent_id), await self._registry.get(place.agent_id))

    def _put(self, place: Place, profile: AgentProfile, by: str) -> Also:
        digest = digest_of(profile)
        return lambda connection: self._places.put(connection, place, digest, by)

    async def _said(self, place: Place) -> object:
        return await self._ask(Question(place.profile, {}, "", PROFILE_SECONDS))


def _guest(bound: Bound, record: AgentRecord) -> Guest:
    return Guest(
        agent_id=bound.agent_id,
        user_name=record.profile.user_name,
        target=bound.place.target,
        offer=bound.place.offer,
        review=bound.place.review,
        tags=list(record.profile.tags),
        status=record.status,
        digest=bound.digest,
        added_by=bound.added_by,
        updated_at=rfc3339(bound.updated_at),
    )
