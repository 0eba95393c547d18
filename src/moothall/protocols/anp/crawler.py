"""From a domain name to its agents: the well-known list, page by page, within limits (row WIRE-AD-05)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Literal
from urllib.parse import urljoin, urlsplit

from moothall.capability.spec import JsonObject
from moothall.errors import (
    CallTimeout,
    InvalidInput,
    MoothallError,
    Told,
    UpstreamError,
    UpstreamInvalid,
    ValidationError,
)
from moothall.identity.did import Did
from moothall.identity.egress import Egress
from moothall.identity.limited_body import Caps
from moothall.protocols.anp.acquaintances import Acquaintances
from moothall.protocols.anp.addresses import DISCOVERY
from moothall.protocols.anp.remote import RemoteAgent, text
from moothall.protocols.intake import read_json

End = Literal["complete", "loop", "elsewhere", "pages", "agents", "bytes", "time", "failed"]
"""Why a crawl ended: the list did, it led back to itself or to another place, a limit was reached, or a page failed."""

_LONGEST: Final = 2048
"""Characters of an address."""

_PAGE_SECONDS: Final = 15.0
_TOO_LONG: Final = "egress.long"
"""What the way out says of an answer with more bytes than it may have."""

_HEADERS: Final = {"accept": "application/json, application/ld+json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a crawl may take: pages, agents, bytes of all pages, and seconds."""

    pages: int = 100
    agents: int = 10_000
    bytes: int = 16 * 1024 * 1024
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Listed:
    """An agent as a list names it."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Crawl:
    """What a crawl found, all of it or a part.

    Attributes:
        domain: whose agents they are.
        agents: each once, in the order of the list.
        pages, bytes: that were read.
        end: why it ended.
        error: of the page that failed.
    """

    domain: str
    agents: tuple[Listed, ...]
    pages: int
    bytes: int
    end: End
    error: MoothallError | None = None

    @property
    def complete(self) -> bool:
        """Whether the list has no more than this."""
        return self.end == "complete"


@dataclass(slots=True)
class _Found:
    agents: dict[str, Listed] = field(default_factory=dict)
    visited: set[str] = field(default_factory=set)
    bytes: int = 0


class Crawler:
    """Finds agents.

    Args:
        egress: the way out.
        acquaintances: reads the descriptions that lists name.
    """

    def __init__(self, egress: Egress, acquaintances: Acquaintances) -> None:
        self._egress = egress
        self._acquaintances = acquaintances

    async def crawl(self, domain: str, limits: Limits | None = None) -> Crawl:
        """The agents that a domain lists; as many as the limits allow.

        Args:
            domain: ``HOST`` or ``HOST:PORT``.
            limits: what it may take.

        Raises:
            InvalidInput: it is no domain name, or may not be called.
            UpstreamError, UpstreamInvalid, CallTimeout: it has no such list: already the first page failed.
        """
        limits, found = limits or Limits(), _Found()
        start = self._start(domain)
        error: MoothallError | None = None
        try:
            async with asyncio.timeout(limits.seconds):
                end = await self._follow(start, limits, found)
        except CallTimeout as late:
            end, error = "failed", late
        except TimeoutError:
            end = "time"
        except MoothallError as failure:
            end, error = "failed", failure
        pages = len(found.visited)
        if error is not None and pages <= 1:
            raise error
        return Crawl(domain, tuple(found.agents.values()), pages, found.bytes, end, error)

    async def meet(self, listed: Listed, reader: str) -> RemoteAgent:
        """Read the description of an agent that was found; ``reader`` is the agent of this node that asks.

        Raises:
            MoothallError: as `Acquaintances.at`.
        """
        return await self._acquaintances.at(listed.url, reader)

    def _start(self, domain: str) -> str:
        host, colon, port = domain.partition(":")
        try:
            Did.at(domain)  # the grammar of domains that have agents: names only, no addresses
        except InvalidInput as error:
            raise InvalidInput("no domain", told=Told("anp.crawl_domain")) from error
        scheme = self._egress.scheme(host.lower(), int(port) if colon else 80)
        return f"{scheme}://{domain.lower()}{DISCOVERY}"

    async def _follow(self, start: str, limits: Limits, found: _Found) -> End:
        origin, url = urlsplit(start)[:2], start
        while True:
            if len(found.visited) >= limits.pages:
                return "pages"
            found.visited.add(url)
            room = limits.bytes - found.bytes
            page, size = await self._page(url, room)
            found.bytes += size
            if page is None:
                return "bytes"
            if not _collect(page, url, found.agents, limits.agents):
                return "agents"
            following = text(page.get("next"))
            if not following:
                return "complete"
            url = urljoin(url, following)
            if len(url) > _LONGEST or urlsplit(url)[:2] != origin:
                return "elsewhere"
            if url in found.visited:
                return "loop"

    async def _page(self, url: str, room: int) -> tuple[JsonObject | None, int]:
        """A page and its size; None where there is no room for it."""
        caps = Caps(most_bytes=max(room, 1), redirects=3, same_origin=True)
        try:
            answer = await self._egress.request("GET", url, headers=_HEADERS, seconds=_PAGE_SECONDS, caps=caps)
        except UpstreamInvalid as error:
            if error.told is None or error.told.why != _TOO_LONG:
                raise
            return None, 0
        if answer.status != HTTPStatus.OK:
            raise UpstreamError("there is no such list", told=Told("remote.status", {"status": answer.status}))
        return await _read(answer.body), len(answer.body)


async def _read(body: bytes) -> JsonObject:
    try:
        value = await read_json(body)
    except ValidationError as error:
        raise _unfit() from error
    if not isinstance(value, dict) or value.get("@type") != "CollectionPage":
        raise _unfit()
    return value


def _collect(page: JsonObject, url: str, agents: dict[str, Listed], most: int) -> bool:
    """Add the agents of a page; False as soon as there are more than may be."""
    items: Any = page.get("items", [])
    for each in items if isinstance(items, list) else []:
        where = text(each.get("@id")) if isinstance(each, dict) else ""
        address = urljoin(url, where)
        if not where or len(address) > _LONGEST or urlsplit(address).scheme not in {"http", "https"}:
            continue
        if address not in agents:
            if len(agents) >= most:
                return False
            agents[address] = Listed(text(each.get("name"))[:_LONGEST], address)
    return True


def _unfit() -> UpstreamInvalid:
    return UpstreamInvalid("no list of agents", told=Told("anp.crawl_list"))
