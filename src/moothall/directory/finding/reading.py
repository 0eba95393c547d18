"""The port of discovery: how a place elsewhere is read, and what came of it. Pure.

Everything in a reading was written by another party: it is tamed (`taming`) and judged (`judging`) before it is kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import urljoin

from moothall.canonical import sha256
from moothall.capability.spec import JsonObject
from moothall.directory.listing import Listing
from moothall.errors import MoothallError, Told

PLACE: Final = "place"
"""The kind of a source that is a whole host: its well-known addresses are looked at."""


LONGEST_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Tag:
    """What a server said of a document's state, for conditional requests."""

    etag: str = ""
    modified: str = ""

    def __bool__(self) -> bool:
        """Whether it said anything."""
        return bool(self.etag or self.modified)


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document as it was fetched.

    Attributes:
        url: as it was asked for.
        uri: where it came from, after redirects at the same origin.
        value: what it says.
    """

    url: str
    uri: str
    value: JsonObject = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a place says.

    Attributes:
        kind: what it is: the name of who read it.
        listings: what it offers; those with standing ``refused`` say why in ``why``.
        links: addresses of further places.
    """

    kind: str
    listings: tuple[Listing, ...] = ()
    links: tuple[str, ...] = ()


class Room(Protocol):
    """What a reading may still use: every document is counted."""

    async def get(self, url: str) -> Document:
        """A document.

        Raises:
            InvalidInput: an address that may not be called; nothing was sent.
            UpstreamError: nobody answers, or there is no such document.
            UpstreamInvalid: it is no JSON object, too long, or leads astray; or there is no room left.
            CallTimeout: it does not come in time.
        """
        ...


class Discoverer(Protocol):
    """Reads places of one kind."""

    @property
    def kind(self) -> str:
        """Its name."""
        ...

    @property
    def well_known(self) -> tuple[str, ...]:
        """Paths at which a host may have such a document."""
        ...

    def claims(self, url: str) -> bool:
        """Whether an address that is no document is its business, such as ``mcp:NAME``."""
        ...

    def knows(self, value: JsonObject) -> bool:
        """Whether a document is one that it reads."""
        ...

    async def read(self, document: Document, room: Room) -> Reading:
        """Read a document; of a claimed address its ``value`` is empty.

        Raises:
            MoothallError: as `Room.get`; or what it says makes no sense.
        """
        ...


def joined(base: str, link: str) -> str:
    """Where a link in a stranger's document leads; empty: nowhere, it is none."""
    try:
        return urljoin(base, link)
    except ValueError:  # such as http://[
        return ""


def digest_of(listing: Listing) -> str:
    """The hash of a description: of all that its author says, and of nothing that this node says of it."""
    text = json.dumps(said(listing), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode(errors="surrogatepass"))


def said(listing: Listing) -> JsonObject:
    """What the author of a listing says, as JSON."""
    return {
        "target": listing.target,
        "kind": listing.kind,
        "way": listing.way,
        "name": listing.name,
        "description": listing.description,
        "tags": list(listing.tags),
        "agent": listing.agent,
        "owner": listing.owner,
        "place": listing.place,
        "offers_from": listing.offers_from,
        "offers_until": listing.offers_until,
        "languages": list(listing.languages),
        "version": listing.version,
        "input_schema": dict(listing.input_schema),
        "output_schema": dict(listing.output_schema),
        "read_only": listing.read_only,
        "idempotent": listing.idempotent,
        "destructive": listing.destructive,
        "streams": listing.streams,
        "public": listing.public,
    }


def heard(value: Mapping[str, Any]) -> Listing:
    """The listing of which `said` gave this."""
    many = {name: tuple(value[name]) for name in ("tags", "languages")}
    return Listing(**{**value, **many})


def reason(error: MoothallError) -> str:
    """Why something failed, short enough to be kept: the name of the text that says it, and its values."""
    return reason_of(error.told)[:LONGEST_REASON] if error.told is not None else error.code


def reason_of(told: Told) -> str:
    """The same of a text."""
    plain = {name: value for name, value in told.values.items() if isinstance(value, str | int | float)}
    return f"{told.why} {json.dumps(plain, ensure_ascii=False)}" if plain else told.why
