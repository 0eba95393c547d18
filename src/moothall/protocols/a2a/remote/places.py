"""Addresses of agents: their origins, and where the card of one may be. Pure."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit, urlunsplit

import httpx

from moothall.identity.destination import Origin

WELL_KNOWN: Final = "/.well-known/agent-card.json"
_PORTS: Final = {"http": 80, "https": 443}


def origin_of(url: str) -> Origin | None:
    """Scheme, host and port of an address; None where nothing can be sent there."""
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL:
        return None
    if read.scheme not in _PORTS or not read.raw_host:
        return None
    return Origin(read.scheme, read.raw_host.decode("ascii"), read.port or _PORTS[read.scheme])


def card_places(url: str) -> list[str]:
    """Where the card of an endpoint may be, the nearest first: itself, below it, beside it, at its host."""
    parts = urlsplit(url)
    if parts.path.endswith(".json"):
        return [url]
    path = parts.path.rstrip("/")
    bases = dict.fromkeys((path, path.rpartition("/")[0], ""))
    return [urlunsplit((parts.scheme, parts.netloc, base + WELL_KNOWN, "", "")) for base in bases]


def names(interface: str, url: str) -> bool:
    """Whether the agent of a card that was found beside an endpoint is that endpoint: an interface at or below it."""
    if origin_of(interface) is None:  # a stranger wrote it, and parsers fail in ways of their own
        return False
    path = httpx.URL(url).path.rstrip("/")
    return f"{httpx.URL(interface).path.rstrip('/')}/".startswith(f"{path}/")
