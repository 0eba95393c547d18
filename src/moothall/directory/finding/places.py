"""Addresses of places: what somebody means who names one, and whose it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from moothall.directory.finding.limits import LONGEST_URL
from moothall.directory.finding.reading import Discoverer
from moothall.errors import InvalidInput, Told
from moothall.identity.egress import Egress

SCHEMES: Final = ("http://", "https://")
"""What addresses of documents begin with."""

_PORT: Final = re.compile(r"[0-9]{0,5}")


def place_of(text: str, egress: Egress, discoverers: Iterable[Discoverer]) -> str:
    """The address of a place as somebody names it: a URL, ``HOST``, ``HOST:PORT``, or what a discoverer claims.

    Raises:
        InvalidInput: it is none, or one that may not be called.
    """
    text = text.strip()
    if len(text) > LONGEST_URL:
        raise _unfit()
    if any(discoverer.claims(text) for discoverer in discoverers):
        return text
    if not text.startswith(SCHEMES):
        host, _, port = text.rpartition(":") if _has_port(text) else (text, "", "")
        if not host or not _PORT.fullmatch(port) or "/" in text or "@" in text:
            raise _unfit()
        text = f"{egress.scheme(host.lower(), int(port or 0))}://{text.lower()}"
    place = egress.destination(text)
    whole = str(place.url.copy_with(fragment=None))
    return whole.rstrip("/") if place.url.path in {"", "/"} and not place.url.query else whole


def is_place(url: str) -> bool:
    """Whether an address is a whole host."""
    return url.startswith(SCHEMES) and urlsplit(url).path in {"", "/"} and "?" not in url


def host_of(url: str) -> str:
    """Host and port of an address: whose it is; the address itself where it has none."""
    return urlsplit(url).netloc.lower() or url


def well_known(url: str, discoverers: Iterable[Discoverer]) -> tuple[str, ...]:
    """Where a host may tell what it has."""
    base = url.rstrip("/")
    return tuple(f"{base}{path}" for discoverer in discoverers for path in discoverer.well_known)


def _has_port(text: str) -> bool:
    return ":" in text and not text.endswith("]")


def _unfit() -> InvalidInput:
    return InvalidInput("no place", told=Told("finding.place"))
