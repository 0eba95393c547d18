"""Agents that could take part, among what was found elsewhere: those that list both capabilities."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel

from moothall.calls.target import Target
from moothall.directory.searching import MOST, Filters, Hit, Search
from moothall.errors import MoothallError
from moothall.negotiation.demand.remote.messages import OFFER, REVIEW
from moothall.negotiation.demand.remote.places import Place, place_of

_WORDS: Final = "demand offer"
_TOOL: Final = OFFER.replace(".", "_")


class Proposed(BaseModel):
    """An agent that could take part; everything but ``agent_id`` is what it, or its node, says."""

    agent_id: str
    target: str
    offer: str
    review: str
    name: str
    description: str
    source: str
    allowed: bool = False


async def proposed(search: Search, query: str, limit: int) -> list[Proposed]:
    """Agents elsewhere with both capabilities, those that fit the words best first.

    Raises:
        InvalidInput, StorageError: as `Search.search`.
    """
    found = await search.search(
        f"{query} {_WORDS}".strip(), Filters(kinds=frozenset({"capability"})), lambda one: not one.local, limit=MOST
    )
    agents: dict[str, Proposed] = {}
    for hit in found.hits:
        place = _offering(hit)
        if place is None or place.agent_id in agents or len(agents) >= limit:
            continue
        if await search.get(place.review) is None:
            continue
        about = await search.get(place.target)
        agents[place.agent_id] = Proposed(
            agent_id=place.agent_id,
            target=place.target,
            offer=place.offer,
            review=place.review,
            name=about.name if about else hit.listing.agent or hit.listing.name,
            description=about.description if about else hit.listing.description,
            source=hit.listing.provenance.source,
        )
    return list(agents.values())


def _offering(hit: Hit) -> Place | None:
    """The place of the agent whose offers a hit is about; None where it is about something else."""
    try:
        target = Target.parse(hit.listing.target)
        if target.scheme == "mcp":
            if not target.operation.endswith(_TOOL):
                return None
            agent = target.operation.removesuffix(_TOOL).rstrip("_")
            place = place_of(f"mcp:{target.address}" + (f".{agent}" if agent else ""))
        elif target.operation == OFFER:
            place = place_of(str(Target(target.scheme, target.address)))
        elif target.scheme in {"http", "https"} and target.address.endswith(f".{OFFER}"):
            place = place_of(target.address.removesuffix(f".{OFFER}"))
        else:
            return None
    except MoothallError:
        return None
    return place if place.offer == hit.listing.target and REVIEW.split(".")[-1] in place.review else None
