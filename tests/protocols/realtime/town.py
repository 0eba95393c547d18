"""A node whose capabilities and groups are told of in real time, and a second one whose agents connect to it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from moothall import Agent, CallContext, Node, capability
from moothall.identity.carriage import sign_payload
from moothall.identity.keys import Signer
from moothall.identity.signing import sign_request
from moothall.protocols.realtime.callers import CONNECT
from moothall.server.run import bind
from tests.doors.house import served

PEOPLE = ("anna", "ben", "carl")
STREAM = "/realtime/stream"
SOCKET = "/realtime/socket"


class Gate:
    """What holds a capability in the middle of its work."""

    def __init__(self) -> None:
        self.begun, self.open, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()


GATES: dict[str, Gate] = {}


@capability(access="public")
async def add(a: int, b: int = 1) -> int:
    """Add two numbers."""
    return a + b


@capability(permissions=["read"])
async def guarded() -> str:
    """For those who may."""
    return "welcome"


@capability(access="authenticated")
async def who(ctx: CallContext) -> str:
    """Who calls."""
    return ctx.principal.id


@capability(access="public")
async def tokens(text: str) -> AsyncIterator[str]:
    """Yield the words of a text one by one, as a language model does."""
    for word in text.split():
        yield word


@capability(access="public")
async def held(name: str) -> AsyncIterator[str]:
    """Yield something, then wait until the test lets go or the caller leaves."""
    gate = GATES[name]
    try:
        yield "begun"
        gate.begun.set()
        await gate.open.wait()
        yield "over"
    finally:
        gate.ended.set()


@capability(access="public")
async def steps(ctx: CallContext) -> str:
    """Tell how far it is."""
    await ctx.progress(1, 2, "half")
    return "done"


def hall() -> Agent:
    agent = Agent("hall")
    agent.include(add, guarded, who, tokens, held, steps)
    return agent


@dataclass
class Town:
    """The node, the other one, and what was opened."""

    near: Node
    far: Node
    client: httpx.AsyncClient
    stack: AsyncExitStack
    groups: int = 0

    async def close(self) -> None:
        """Stop both nodes while connections are open."""
        await self.stack.aclose()

    def did(self, name: str) -> str:
        found = self.far.host.office.did(name)
        assert found is not None
        return found

    def signer(self, name: str) -> Signer:
        identity = self.far.host.office.agent(name)
        assert identity is not None
        return identity.signer

    def signed(self, name: str, url: str) -> dict[str, str]:
        return sign_request(self.signer(name), "GET", url, b"", now=int(time.time()))

    def proof(self, name: str) -> dict[str, Any]:
        """A first frame that proves who it is."""
        message = sign_payload(
            self.signer(name), {"hello": name}, method=CONNECT, target=self.socket_url(), now=int(time.time())
        )
        return {"type": "auth", **message}

    def socket_url(self, query: str = "") -> str:
        return f"ws{self.near.url.removeprefix('http')}{SOCKET}{query}"

    async def token(self, name: str) -> str:
        """An access token, as every signed request is answered with."""
        url = f"{self.near.url}/api/v1/capabilities"
        answer = await self.client.get(url, headers=self.signed(name, url))
        return answer.headers["authentication-info"].split('"')[1]

    async def group(self, *members: str, **options: Any) -> str:
        self.groups += 1
        name = f"g{self.groups}-{id(self)}"
        await self.near.call("local:groups.create", group=name, members=[self.did(each) for each in members], **options)
        for each in members:  # agents of elsewhere are invited
            await self.call(each, "groups.join", group=name)
        return name

    async def say(self, group: str, who: str, text: str, **more: Any) -> Any:
        """Say something in a group as one of its members."""
        return await self.call(who, "groups.send", group=group, content={"text": text}, **more)

    async def call(self, who: str, target: str, **params: Any) -> Any:
        """Call the near node over HTTP as one of the far agents."""
        return await self.far.caller(who).call(f"{self.near.url}/api/v1/capabilities/{target}", params)

    @asynccontextmanager
    async def stream(
        self, name: str = "", query: str = "", *, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Stream]:
        url = f"{self.near.url}{STREAM}{query}"
        shown = self.signed(name, url) if name else {}
        async with self.client.stream("GET", url, headers={**shown, **(headers or {})}) as answer:
            yield Stream(answer)

    @asynccontextmanager
    async def socket(
        self, name: str = "", query: str = "", *, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Socket]:
        url = self.socket_url(query)
        shown = self.signed(name, f"http{url.removeprefix('ws')}") if name else {}
        async with connect(url, additional_headers={**shown, **(headers or {})}, proxy=None) as found:
            yield Socket(found)


@dataclass
class Stream:
    """Server-sent events as a client reads them: it knows the last id."""

    answer: httpx.Response
    token: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    ended: dict[str, Any] | None = None
    _lines: AsyncIterator[str] | None = None

    async def block(self) -> dict[str, str] | None:
        """The next block; None at the end."""
        if self._lines is None:
            self._lines = self.answer.aiter_lines()
        found: dict[str, str] = {}
        async for line in self._lines:
            if not line and found:
                self.token = found.get("id", self.token)
                return found
            name, _, value = line.partition(":")
            found[name] = value.removeprefix(" ")
        return None

    async def next(self) -> dict[str, Any] | None:
        """The next event; None at the end, when `ended` says why."""
        while (block := await self.block()) is not None:
            if block.get("event") == "end":
                self.ended = json.loads(block["data"])
            elif "data" in block:
                self.events.append(json.loads(block["data"]))
                return self.events[-1]
        return None

    async def begun(self) -> str:
        """Wait until the stream has begun; its first token."""
        await self.block()
        return self.token

    async def texts(self, count: int) -> list[str]:
        found = []
        for _ in range(count):
            event = await self.next()
            assert event is not None, self.ended
            found.append(said(event))
        return found


@dataclass
class Socket:
    """A WebSocket with frames of JSON."""

    link: ClientConnection
    token: str = ""

    async def send(self, **frame: Any) -> None:
        await self.link.send(json.dumps(frame))

    async def next(self, *kinds: str) -> dict[str, Any]:
        """The next frame of these types; of any without."""
        while True:
            frame: dict[str, Any] = json.loads(await self.link.recv())
            self.token = frame.get("resume", self.token)
            if not kinds or frame["type"] in kinds:
                return frame

    async def texts(self, count: int) -> list[str]:
        return [said((await self.next("event"))["event"]) for _ in range(count)]

    async def result(self, name: str) -> dict[str, Any]:
        while (frame := await self.next("result"))["id"] != name:
            pass
        return frame

    async def closed(self) -> tuple[int, str]:
        """Read to the end: how it was closed."""
        with suppress(ConnectionClosed):
            while True:
                await self.link.recv()
        return self.link.close_code or 0, self.link.close_reason or ""


def said(event: Mapping[str, Any]) -> str:
    return str(event["payload"]["content"]["text"])


@asynccontextmanager
async def town(folder: Path, **settings: Any) -> AsyncIterator[Town]:
    """Both nodes; the settings are those of the first one, which grants anna the permission ``read``."""
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(bind("127.0.0.1", 0))
        far = await stack.enter_async_context(served(folder / "far", *map(Agent, PEOPLE)))
        granted = {str(far.host.office.did("anna")): ("read",)}
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=20))
        serving = served(folder / "near", hall(), at=listener, permissions=granted, **settings)
        near = await stack.enter_async_context(serving)
        yield Town(near, far, client, stack)
