"""The list of a domain's agents, page by page (ANP-08, row WIRE-AD-04). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from moothall.capability.spec import JsonObject
from moothall.protocols.anp.addresses import DISCOVERY, path_of

PAGE: Final = 100
"""Agents on a page."""

_CONTEXT: Final = {
    "@vocab": "https://schema.org/",
    "did": "https://w3id.org/did#",
    "ad": "https://agent-network-protocol.com/ad#",
}


def pages(agents: Sequence[str], base: str) -> tuple[JsonObject, ...]:
    """The pages that list these agents; one empty page where there is none."""
    starts = range(0, max(len(agents), 1), PAGE)
    return tuple(_page(agents, start, base) for start in starts)


def page_url(base: str, number: int) -> str:
    """The address of a page, counted from 1."""
    return f"{base}{DISCOVERY}" + (f"?page={number}" if number > 1 else "")


def _page(agents: Sequence[str], start: int, base: str) -> JsonObject:
    number = start // PAGE + 1
    page: JsonObject = {
        "@context": dict(_CONTEXT),
        "@type": "CollectionPage",
        "url": page_url(base, number),
        "items": [
            {"@type": "ad:AgentDescription", "name": name, "@id": f"{base}{path_of(name, 'ad.json')}"}
            for name in agents[start : start + PAGE]
        ],
    }
    if start + PAGE < len(agents):
        page["next"] = page_url(base, number + 1)
    return page
