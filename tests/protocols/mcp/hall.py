"""A served MCP door over the real call path; who calls is said by `Test` tokens that a verifier of ours believes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from moothall.calls.path import CallPath
from moothall.calls.ports import Connector
from moothall.calls.terms import Terms as CallTerms
from moothall.capability.registry import Registry
from moothall.clock import SystemClock
from moothall.identity.challenge import Challenger
from moothall.identity.server_nonces import ServerNonces
from moothall.policy.engine import PolicyEngine
from moothall.protocols.house import HouseTerms
from moothall.protocols.mcp.serving import McpRoom
from moothall.server.admission import Admission
from moothall.server.app import ServerApp
from moothall.server.doors import Doors
from moothall.server.language import accepted
from moothall.server.run import Address, serve
from moothall.server.sockets import Sockets
from moothall.server.streams import OpenStreams
from moothall.storage.store import Store
from tests.protocols.http.hall import ANNA, BEN, Believing, members, of

__all__ = ["ANNA", "BEN", "MODERN", "Hall", "hall", "of"]

MODERN = "2026-07-28"
HANDSHAKE = "2025-11-25"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@dataclass
class Hall:
    """What a test needs of the served door."""

    http: httpx.AsyncClient
    registry: Registry
    path: CallPath
    room: McpRoom
    address: Address
    streams: OpenStreams
    stop: asyncio.Event
    suspended: set[str]
    serving: asyncio.Task[None]

    @property
    def url(self) -> str:
        return f"{self.address.url}/mcp"

    @asynccontextmanager
    async def client(self, mode: str = MODERN, who: str = "", **more: Any) -> AsyncIterator[Client]:
        """The SDK's own client."""
        headers = of(who) if who else {}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=20, trust_env=False) as http,
            Client(streamable_http_client(self.url, http_client=http), mode=mode, **more) as client,
        ):
            yield client

    async def post(self, body: Any, *, headers: dict[str, str] | None = None) -> httpx.Response:
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        base = {**ACCEPT, "Content-Type": "application/json"}
        return await self.http.post("/mcp", headers={**base, **(headers or {})}, **content)

    async def modern(
        self, method: str, params: dict[str, Any] | None = None, *, who: str = "", call_id: Any = 1, **headers: str
    ) -> httpx.Response:
        """One request of the era without handshakes."""
        params = {**(params or {}), "_meta": {**META, **(params or {}).get("_meta", {})}}
        told = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
        if name := params.get("name", params.get("uri")):
            told["Mcp-Name"] = name
        body = {"jsonrpc": "2.0", "id": call_id, "method": method, "params": params}
        return await self.post(body, headers={**told, **(of(who) if who else {}), **headers})

    async def call(self, tool: str, arguments: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """The message that answers a call."""
        answer = await self.modern("tools/call", {"name": tool, "arguments": arguments or {}}, **more)
        return dict(answer.json())

    async def older(
        self, method: str, params: dict[str, Any] | None = None, *, who: str = "", session: str = "", call_id: Any = 1
    ) -> httpx.Response:
        """One request of the era of handshakes."""
        headers = {"MCP-Protocol-Version": HANDSHAKE, **(of(who) if who else {})}
        if session:
            headers["Mcp-Session-Id"] = session
        body = {"jsonrpc": "2.0", "id": call_id, "method": method, "params": params or {}}
        return await self.post(body, headers=headers)

    async def begin(self, who: str = "") -> str:
        """Shake hands; the id of the session."""
        hello = {"protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        answer = await self.older("initialize", hello, who=who)
        assert answer.status_code == 200
        return answer.headers["mcp-session-id"]


async def _elsewhere(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"elsewhere"})


@asynccontextmanager
async def hall(
    *functions: Callable[..., Any],
    agents: dict[str, list[Callable[..., Any]]] | None = None,
    connectors: Iterable[Connector] = (),
    calls: CallTerms | None = None,
    data: Path | None = None,
    sessions: int = 0,
    idle: float = 1800.0,
    max_body: int = 256 * 1024,
    streams: int = 20,
    heartbeat: float = 5.0,
) -> AsyncIterator[Hall]:
    """Serve functions as capabilities of the agent `node`, and those of further agents."""
    clock, registry, verifier = SystemClock(), Registry(), Believing()
    for agent, of_agent in {"node": list(functions), **(agents or {})}.items():
        registry.add(agent, members(of_agent))
    await registry.start()
    suspended: set[str] = set()
    store = None if data is None else await Store.open(data)
    path = CallPath(
        registry,
        PolicyEngine.usual(),
        verifier=verifier,
        connectors=connectors,
        store=store,
        clock=clock,
        terms=calls or CallTerms(),
    )
    room = McpRoom(
        gateway=lambda: path,
        on_change=registry.on_change,
        on_update=registry.on_update,
        suspended=suspended.__contains__,
        threads=registry.threads,
        secret=b"s" * 32,
        name="hall",
        version="1.2.3",
        sessions=sessions,
        idle=idle,
    )
    terms = HouseTerms(
        max_body=max_body,
        lang="en",
        accepted=accepted,
        welcome=verifier.welcome,
        challenge=Challenger("hall.example", ServerNonces(b"s" * 32), lambda: 1_700_000_000.0).of,
        heartbeat=heartbeat,
    )
    open_streams = OpenStreams(streams)
    admission = Admission.of(bound="127.0.0.1", public_url="", listed=frozenset())
    app = ServerApp(
        _elsewhere,
        Doors([room.door(terms)], admission, open_streams, clock, "en"),
        Sockets([], admission, clock, "en"),
        open_streams,
        dict,
    )
    stop = asyncio.Event()
    listening: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(app, host="127.0.0.1", port=0, on_ready=listening.set_result, stop=stop))
    address = await listening
    try:
        async with httpx.AsyncClient(base_url=address.url, trust_env=False, timeout=20) as http:
            yield Hall(http, registry, path, room, address, open_streams, stop, suspended, serving)
    finally:
        stop.set()
        await serving
        await room.aclose()
        await registry.stop()
        if store is not None:
            await store.close()
