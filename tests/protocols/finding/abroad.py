"""Places elsewhere as the tests make them: servers with documents at paths, and a desk that looks around at them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moothall.directory.finding.desk import DeskGround, FindingDesk
from moothall.directory.finding.limits import Limits
from moothall.directory.finding.store import FindingStore
from moothall.directory.listing import Listing
from moothall.identity.allowed import Allowed
from moothall.identity.egress import Egress
from moothall.identity.resolver import Resolver
from moothall.protocols.a2a.finding import A2aCards
from moothall.protocols.anp.finding import AnpDescriptions, AnpLists
from moothall.protocols.catalogue.finding import Catalogues
from moothall.protocols.mcp.finding import McpCards
from moothall.storage.store import Store
from tests.identity.net.far_side import Asked, Authority, FarSide, Names, far_side, head
from tests.support.clock import ManualClock

CARD = "/.well-known/agent-card.json"
CATALOGUE = "/.well-known/ai-catalog.json"
LOOPBACK = ("127.0.0.1",)
INTERVAL = 60.0


@dataclass
class Site:
    """What a server has at its paths: JSON with an entity tag, or an answer of its own."""

    pages: dict[str, Any] = field(default_factory=dict)
    side: FarSide = field(default_factory=lambda: FarSide(0))
    statuses: list[tuple[str, int]] = field(default_factory=list)
    """What was answered: path and status."""

    def url(self, path: str = "", host: str = "node.example") -> str:
        return f"https://{host}:{self.side.port}{path}"

    def forget(self) -> None:
        self.statuses.clear()

    async def answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        path = asked.line.split(" ")[1]
        page = self.pages.get(path)
        if callable(page):
            self.statuses.append((path, 0))
            await page(asked, writer)
            return
        body = b"{}" if page is None else json.dumps(page).encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        status = "404 Not Found" if page is None else "200 OK"
        if page is not None and asked.headers.get("if-none-match") == tag:
            status, body = "304 Not Modified", b""
        self.statuses.append((path, int(status[:3])))
        fields = {"content-type": "application/json", "content-length": str(len(body)), "etag": tag}
        writer.write(head(status, fields) + body)


@asynccontextmanager
async def site(tls: ssl.SSLContext, pages: Mapping[str, Any] | None = None) -> AsyncIterator[Site]:
    """A server for the time of the block."""
    made = Site(dict(pages or {}))
    async with far_side(made.answer, tls) as side:
        made.side = side
        yield made


@dataclass
class Abroad:
    """A desk with its store and its way out."""

    desk: FindingDesk
    clock: ManualClock
    names: Names
    changes: list[None]

    @property
    def store(self) -> FindingStore:
        return self.desk.store

    async def listed(self) -> dict[str, Listing]:
        return {each.target: each for each in await self.store.listings()}

    async def whys(self) -> dict[str, str]:
        """The places that could not be read, and why."""
        return {each.url: each.why for each in await self.store.places() if each.why}


@asynccontextmanager
async def abroad(
    data: Path,
    authority: Authority,
    *,
    allow: str = "node.example",
    names: Names | None = None,
    limits: Limits | None = None,
    database_url: str = "",
    clock: ManualClock | None = None,
) -> AsyncIterator[Abroad]:
    """A desk that may call the hosts in ``allow``, on loopback."""
    made, looked_up = clock or ManualClock(), names or Names(node_example=LOOPBACK, other_example=LOOPBACK)
    egress = Egress(Allowed.parsed(allow), ca=authority.file, lookup=looked_up)
    resolver = Resolver(egress, lambda _did: None, made)
    store = await Store.open(data, database_url)
    changes: list[None] = []
    discoverers = (
        AnpLists(),
        AnpDescriptions(resolver, lambda _did: False),
        A2aCards(resolver),
        McpCards({}),
        Catalogues(),
    )
    ground = DeskGround(
        egress=egress,
        store=FindingStore(store),
        discoverers=discoverers,
        clock=made,
        limits=limits or Limits(seconds=20.0),
        interval=INTERVAL,
        changed=lambda: changes.append(None),
    )
    try:
        yield Abroad(FindingDesk(ground), made, looked_up, changes)
    finally:
        await resolver.aclose()
        await egress.aclose()
        await store.close()


def card(base: str, *skills: str, **more: Any) -> dict[str, Any]:
    """A card of an agent at a site, with these skills."""
    return {
        "name": "painter",
        "description": "Paints what is wanted",
        "version": "1",
        "supportedInterfaces": [{"url": f"{base}/a2a", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}],
        "capabilities": {},
        "skills": [skill(name) for name in skills],
        **more,
    }


def skill(name: str, description: str = "Paints a wall", **more: Any) -> dict[str, Any]:
    return {"id": name, "name": name, "description": description, "tags": ["painting"], **more}


def catalogue(*urls: str) -> dict[str, Any]:
    """A catalogue with entries at these addresses."""
    entries = [
        {"identifier": f"urn:air:node.example:x:{number}", "displayName": "x", "type": "application/json", "url": url}
        for number, url in enumerate(urls)
    ]
    return {"specVersion": "1.0", "entries": entries}
