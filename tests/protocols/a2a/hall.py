"""An A2A door behind the server's boundary, on a free port; who calls is what a test header says."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from pydantic import BaseModel, Field
from starlette.types import Receive, Scope, Send

from moothall.calls.path import CallPath
from moothall.calls.terms import Terms as CallTerms
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability, resource
from moothall.clock import SystemClock
from moothall.errors import Conflict
from moothall.identity.allowed import Allowed
from moothall.identity.challenge import Challenger
from moothall.identity.egress import Egress
from moothall.identity.server_nonces import ServerNonces
from moothall.policy.engine import PolicyEngine
from moothall.protocols.a2a.cards import Cards
from moothall.protocols.a2a.door import A2aDoor
from moothall.protocols.a2a.service import TaskService
from moothall.protocols.a2a.service import Terms as TaskTerms
from moothall.protocols.a2a.terms import Terms
from moothall.server.admission import Admission
from moothall.server.doors import Doors
from moothall.server.language import accepted
from moothall.server.run import bind
from moothall.server.streams import OpenStreams
from moothall.storage.store import Store
from tests.protocols.anp import hall as anp_hall
from tests.protocols.anp.desk import HeaderVerifier

ANNA = "did:wba:caller.example:agents:anna:e1_" + "A" * 43
BEN = "did:wba:caller.example:agents:ben:e1_" + "B" * 43
MAX_BODY = 65_536
RAN: Counter[str] = Counter()
"""How often what has effects was run."""


class Gates:
    """What holds a capability in the middle of its work."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()
        self.go = asyncio.Event()


GATES: dict[str, Gates] = {}


class Room(BaseModel):
    name: str
    beds: int = Field(2, ge=0, le=2**63)
    note: str = ""
    next: Room | None = None


@capability(access="public")
async def echo(value: Any = None) -> Any:
    """Give back what was given."""
    return value


@capability(access="authenticated")
async def add(a: int, b: int = 1) -> int:
    """Add two numbers."""
    return a + b


@capability(access="authenticated", tags=["rooms"])
async def room(room: Room) -> Room:
    """Give back a room with one bed more."""
    return room.model_copy(update={"beds": room.beds + 1})


@capability(access="authenticated")
async def count(to: int) -> AsyncIterator[int]:
    """Yield the numbers below one."""
    for each in range(to):
        yield each


@capability(access="authenticated")
async def rooms(to: int) -> AsyncIterator[Room]:
    """Yield rooms."""
    for each in range(to):
        yield Room(name=str(each))


@capability(access="authenticated")
async def held(ctx: CallContext, name: str) -> str:
    """Wait until the test lets go."""
    gates = GATES[name]
    gates.begun.set()
    await ctx.progress(1, 2, "half")
    try:
        await gates.go.wait()
    finally:
        gates.ended.set()
    return "done"


@capability(access="authenticated")
async def effect(name: str) -> int:
    """Do something that counts."""
    RAN[name] += 1
    return RAN[name]


@capability(access="authenticated")
async def leaky() -> str:
    """Fail with words that nobody may read."""
    raise RuntimeError("SECRET")


@capability(access="authenticated")
async def refuses() -> str:
    """Refuse."""
    raise Conflict("not now")


@capability(access="authenticated", permissions=["none.has.this"])
async def guarded() -> str:
    """For those who may."""
    return "welcome"


@resource("notes://all", access="authenticated")
async def notes() -> str:
    """A resource, which is no skill."""
    return "notes"


@capability(access="authenticated")
async def private() -> str:
    """What the quiet agent has."""
    return "private"


FUNCTIONS = (echo, add, room, rooms, count, held, effect, leaky, refuses, guarded, notes)


@dataclass
class Place:
    """The served door, and a client without identity."""

    url: str
    client: httpx.AsyncClient
    door: A2aDoor
    cards: Cards
    path: CallPath
    streams: OpenStreams

    def at(self, agent: str = "hall", rest: str = "") -> str:
        return f"{self.url}/agents/{agent}/a2a{rest}"

    async def rpc(
        self, method: str, params: object = None, *, who: str = ANNA, version: str | None = "1.0", **more: Any
    ) -> Any:
        """The response to a call."""
        answer = await self.post(call(method, params, **more), who=who, version=version)
        assert answer.status_code in {200, 401}, answer.text
        return answer.json()

    async def post(
        self,
        body: object,
        rest: str = "",
        *,
        agent: str = "hall",
        who: str = ANNA,
        version: str | None = "1.0",
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"content-type": "application/json"} | shown(who, version) | (headers or {})
        return await self.client.post(self.at(agent, rest), content=content, headers=given)

    async def get(
        self, rest: str, *, agent: str = "hall", who: str = ANNA, version: str | None = "1.0", **headers: str
    ) -> httpx.Response:
        return await self.client.get(self.at(agent, rest), headers=shown(who, version) | headers)

    def as_(self, who: str) -> httpx.AsyncClient:
        """A client for the official SDK."""
        return httpx.AsyncClient(headers={"x-test-caller": who} if who else {}, trust_env=False, timeout=20)


def shown(who: str, version: str | None) -> dict[str, str]:
    return ({"x-test-caller": who} if who else {}) | ({"a2a-version": version} if version else {})


def call(method: str, params: object = None, **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **more}


def message(skill: str, arguments: object = None, **more: Any) -> dict[str, Any]:
    """A ``SendMessageRequest`` that calls a skill."""
    data = {"skill": skill, "arguments": {} if arguments is None else arguments}
    return {"message": {"messageId": "m1", "role": "ROLE_USER", "parts": [{"data": data}]}, **more}


def value_of(task: dict[str, Any]) -> Any:
    """The one value in a task's artifact."""
    (artifact,) = task["artifacts"]
    (part,) = artifact["parts"]
    return part["data"]


def code_of(error: dict[str, Any]) -> str:
    """Our code in an error on the wire, as a moothall client reads it."""
    details = error["data"] if "data" in error else error["details"]
    (own,) = [each for each in details if each["@type"].endswith("protobuf.Struct")]
    return str(own["value"]["code"])


def frames(body: str) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in body.splitlines() if line.startswith("data: ")]


@asynccontextmanager
async def place(folder: Path, *, open_documents: bool = True, heartbeat: float = 15.0) -> AsyncIterator[Place]:
    """Serve it."""
    registry = anp_hall.registry({"hall": FUNCTIONS, "quiet": (private,)})
    clock = SystemClock()
    store = await Store.open(folder)
    path = CallPath(registry, PolicyEngine.usual(), verifier=HeaderVerifier(), store=store, terms=CallTerms())
    egress = Egress(Allowed.parsed("http://localhost"))
    tasks = TaskService(gateway=lambda: path, store=store, egress=egress, clock=clock, terms=TaskTerms(days=1))
    await tasks.start()
    with bind("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        agents = anp_hall.hosted("hall", "quiet")
        cards = Cards(path, lambda: agents, url, clock, default="hall")
        challenger = Challenger("hall.example", ServerNonces(b"s" * 32), lambda: clock.now().timestamp())
        terms = Terms(
            max_body=MAX_BODY,
            heartbeat=heartbeat,
            lang="en",
            accepted=accepted,
            welcome=lambda principal: [("Authentication-Info", f'access_token="for {principal.kind}"')],
            challenge=challenger.of,
            open_documents=open_documents,
        )
        door = A2aDoor(path, tasks, cards, terms)
        streams = OpenStreams(50)
        doors = Doors([door], Admission(), streams, clock, "en")

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            assert door.claims(scope["path"]), scope["path"]
            await doors.enter(door, scope, receive, send)

        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
                yield Place(url, client, door, cards, path, streams)
        finally:
            streams.close()
            server.should_exit = True
            await serving
            await tasks.aclose()
            await store.close()
