"""What an agent card tells: the agent and its skills, each called at the card's own address.

A card that names an interface at another origin is refused, as it is when it is called: so nobody can list what is
another's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from moothall.calls.target import Target
from moothall.capability.spec import JsonObject
from moothall.directory.finding.reading import Document, Reading, Room
from moothall.directory.listing import Listing
from moothall.errors import Told, UpstreamInvalid
from moothall.protocols.a2a.remote.card import RemoteCard, is_card, read
from moothall.protocols.a2a.remote.places import WELL_KNOWN, origin_of
from moothall.protocols.a2a.remote.signatures import Resolves, verified


class A2aCards:
    """Reads agent cards; ``resolver`` finds the documents of DIDs that signed them."""

    kind: Final = "a2a"
    well_known: Final[tuple[str, ...]] = (WELL_KNOWN,)

    def __init__(self, resolver: Resolves) -> None:
        self._resolver = resolver

    def claims(self, url: str) -> bool:
        """None: cards are documents."""
        del url
        return False

    def knows(self, value: JsonObject) -> bool:
        """Whether it is a card."""
        return is_card(value)

    async def read(self, document: Document, room: Room) -> Reading:
        """The agent and its skills; raises as `Discoverer.read`."""
        del room
        if not document.uri.partition("?")[0].endswith(".json") or "#" in document.url:
            raise UpstreamInvalid("no card is called there", told=Told("finding.card_place"))
        home = origin_of(document.uri)
        origins = frozenset() if home is None else frozenset({home})
        card = read(document.value, document.url, origins, await verified(document.value, self._resolver))
        return Reading(self.kind, tuple(_listings(card)))


def _listings(card: RemoteCard) -> Iterable[Listing]:
    name = card.name.replace(".", "-")
    owner = card.signature.did if card.signature.verdict == "signed" else ""
    here = f"a2a:{card.url}"
    agent = owner or here  # one that is reached in several ways has one name
    yield Listing(
        target=here,
        kind="agent",
        way="a2a",
        name=name,
        description=card.description,
        agent=agent,
        owner=owner,
        version=card.version,
        public=True,
    )
    for skill in card.skills.values():
        says: Mapping[str, Any] = skill.get("annotations", {})
        yield Listing(
            target=str(Target("a2a", card.url, skill["id"])),
            way="a2a",
            name=f"{name}.{skill['name'] or skill['id']}",
            description=skill["description"],
            tags=tuple(skill["tags"]),
            agent=agent,
            owner=owner,
            input_schema=skill["input_schema"],
            output_schema=skill["output_schema"],
            read_only=says.get("readOnlyHint") is True,
            idempotent=says.get("idempotentHint") is True,
            destructive=says.get("destructiveHint") is True,
            streams=card.streaming and skill["output_schema"].get("type") == "array",
            public=True,
        )
