"""What catalogues tell (AI Catalog, ARD): the addresses of cards, descriptions and further catalogues.

What an entry says of itself is not kept: what its address answers with speaks for itself, or is not there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from moothall.capability.spec import JsonObject
from moothall.directory.finding.reading import Document, Reading, Room, joined
from moothall.protocols.catalogue.documents import CATALOGUE

ARD: Final = "/.well-known/ard.json"
"""Where later drafts have the same."""

_MOST: Final = 5_000
_SEARCHED: Final = "application/ai-registry"
"""The beginning of the type of what is searched, not read."""


class Catalogues:
    """Reads catalogues."""

    kind: Final = "catalogue"
    well_known: Final[tuple[str, ...]] = (CATALOGUE, ARD)

    def claims(self, url: str) -> bool:
        """None: catalogues are documents."""
        del url
        return False

    def knows(self, value: JsonObject) -> bool:
        """Whether it is a catalogue."""
        return isinstance(value.get("entries"), list)

    async def read(self, document: Document, room: Room) -> Reading:
        """Where its entries are."""
        del room
        return Reading(self.kind, links=tuple(dict.fromkeys(_links(document.value["entries"][:_MOST], document.uri))))


def _links(entries: Iterable[Any], base: str) -> Iterable[str]:
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        kind = entry.get("type", entry.get("mediaType"))
        url = entry.get("url")
        searched = isinstance(kind, str) and kind.startswith(_SEARCHED)
        if isinstance(url, str) and url and not searched and (where := joined(base, url)):
            yield where
