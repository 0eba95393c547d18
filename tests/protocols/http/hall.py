"""A served HTTP door over the real call path; who calls is said by `Test` tokens that a verifier of ours believes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from moothall.calls.path import CallPath
from moothall.calls.ports import Connector
from moothall.calls.terms import Terms as CallTerms
from moothall.capability.compiling import Member
from moothall.capability.declaration import declared
from moothall.capability.registry import Registry
from moothall.clock import Clock, SystemClock
from moothall.identity.challenge import Challenger
from moothall.identity.principal import ANONYMOUS, OWNER, Principal
from moothall.identity.refusal import refused, suspended
from moothall.identity.request import HttpRequest
from moothall.identity.server_nonces import ServerNonces
from moothall.policy.decision import Authorizer
from moothall.policy.engine import PolicyEngine
from moothall.protocols.http.server import HttpDoor
from moothall.protocols.http.terms import Terms
from moothall.server.admission import Admission
from moothall.server.app import ServerApp
from moothall.server.doors import Doors
from moothall.server.language import accepted
from moothall.server.run import Address, serve
from moothall.server.sockets import Sockets
from moothall.server.streams import OpenStreams
from moothall.storage.store import Store

PREFIX = "/api/v1/capabilities"
ORIGIN = "https://page.example"
ANNA, BEN = "did:wba:anna.example", "did:wba:ben.example"


def of(who: str, *permissions: str) -> dict[str, str]:
    """The header that says who calls, and what it was granted."""
    return {"Authorization": f"Test {' '.join((who, *permissions))}"}


class Believing:
    """A verifier that believes `Test` tokens; `bad` and `suspended` are refused as the real one does."""

    def __init__(self) -> None:
        self.seen: list[HttpRequest] = []

    async def verify(self, request: HttpRequest) -> Principal:
        self.seen.append(request)
        shown = next(iter(request.values(b"authorization")), "")
        if not shown.startswith("Test "):
            return ANONYMOUS
        who, *permissions = shown.removeprefix("Test ").split()
        if who == "bad":
            raise refused("invalid_signature", "the signature does not hold")
        if who == "suspended":
            raise suspended()
        if who == "owner":
            return OWNER
        return Principal(id=who, kind="did", binding="request", permissions=frozenset(permissions))

    def welcome(self, principal: Principal) -> list[tuple[str, str]]:
        return [("Authentication-Info", f'access_token="for {principal.id}"')]


def members(functions: Iterable[Callable[..., Any]]) -> list[Member]:
    found = []
    for function in functions:
        declaration = declared(function)
        assert declaration is not None
        found.append(Member(function, declaration, {}))
    return found


@dataclass
class Hall:
    """What a test needs of the served door."""

    client: httpx.AsyncClient
    registry: Registry
    path: CallPath
    verifier: Believing
    address: Address
    streams: OpenStreams
    stop: asyncio.Event
    serving: asyncio.Task[None]

    async def post(self, name: str, json: Any = None, **more: Any) -> httpx.Response:
        return await self.client.post(f"{PREFIX}/{name}", **({} if json is None else {"json": json}), **more)


async def _elsewhere(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"elsewhere"})


@asynccontextmanager
async def hall(
    *functions: Callable[..., Any],
    agents: dict[str, list[Callable[..., Any]]] | None = None,
    connectors: Iterable[Connector] = (),
    clock: Clock | None = None,
    calls: CallTerms | None = None,
    data: Path | None = None,
    authorizer: Authorizer | None = None,
    **terms: Any,
) -> AsyncIterator[Hall]:
    """Serve functions as capabilities of the agent `node`, and those of further agents; `data` keeps their keys."""
    clock = clock or SystemClock()
    registry, verifier = Registry(), Believing()
    for agent, of_agent in {"node": list(functions), **(agents or {})}.items():
        registry.add(agent, members(of_agent))
    await registry.start()
    store = None if data is None else await Store.open(data)
    path = CallPath(
        registry,
        authorizer or PolicyEngine.usual(),
        verifier=verifier,
        connectors=connectors,
        store=store,
        clock=clock,
        terms=calls or CallTerms(),
    )
    streams = OpenStreams(10)
    door = HttpDoor(
        path,
        replace(
            Terms(
                clock=clock,
                max_body=256 * 1024,
                lang="en",
                accepted=accepted,
                origins=frozenset({ORIGIN}),
                welcome=verifier.welcome,
                challenge=Challenger("hall.example", ServerNonces(b"s" * 32), lambda: 1_700_000_000.0).of,
                taken=lambda path: path.startswith("/taken"),
                heartbeat=5.0,
            ),
            **terms,
        ),
    )
    admission = Admission.of(bound="127.0.0.1", public_url="", listed=frozenset({ORIGIN}))
    app = ServerApp(
        _elsewhere,
        Doors([door], admission, streams, clock, "en"),
        Sockets([], admission, clock, "en"),
        streams,
        dict,
    )
    stop = asyncio.Event()
    listening: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(app, host="127.0.0.1", port=0, on_ready=listening.set_result, stop=stop))
    address = await listening
    try:
        async with httpx.AsyncClient(base_url=address.url, trust_env=False, timeout=20) as client:
            yield Hall(client, registry, path, verifier, address, streams, stop, serving)
    finally:
        stop.set()
        await serving
        await registry.stop()
        if store is not None:
            await store.close()
