"""What the tests of the A2A client stand on: a connector, an agent that does what a test wants, and raw sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from moothall.calls.ports import Outgoing
from moothall.calls.target import Target
from moothall.errors import UpstreamError
from moothall.identity.allowed import Allowed
from moothall.identity.document import DidDocument
from moothall.identity.egress import Egress
from moothall.identity.principal import Principal
from moothall.identity.transport import trust
from moothall.protocols.a2a.remote.connector import A2aConnector, Ground
from tests.support.clock import ManualClock

CALLER = "did:wba:near.example:agents:node:e1_x"
EXTENSION = "urn:moothall:a2a:capabilities:v1"


_trust = cache(trust)  # to read the certificates of all authorities takes longer than a test


class Documents:
    """The DID documents that there are."""

    def __init__(self, **known: DidDocument) -> None:
        self.known = dict(known)

    async def resolve(self, did: str, /, *, refresh: bool = False) -> DidDocument:
        if did not in self.known:
            raise UpstreamError("no such document")
        return self.known[did]


class HurriedClock(ManualClock):
    """Sleeping takes no time; the clock moves on by itself."""

    async def sleep_until(self, when: Any) -> None:
        await asyncio.sleep(0)
        self._now = max(self._now, when)


def ground(egress: Egress, aliases: Mapping[str, Any] | None = None, **more: Any) -> Ground:
    given: dict[str, Any] = {
        "aliases": aliases or {},
        "egress": egress,
        "sessions": lambda agent: egress,
        "resolver": Documents(),
        "principals": lambda agent: Principal(id=CALLER, kind="did", binding="request", owner=True),
        "clock": HurriedClock(),
    }
    return Ground(**{**given, **more})


@asynccontextmanager
async def connecting(
    aliases: Mapping[str, Any] | None = None, *, allow: str = "http://127.0.0.1", **more: Any
) -> AsyncIterator[A2aConnector]:
    """A connector of its own, closed at the end."""
    with patch("moothall.identity.egress.trust", _trust):
        egress = Egress(Allowed.parsed(allow))
    connector = A2aConnector(ground(egress, aliases, **more))
    try:
        yield connector
    finally:
        await connector.aclose()
        await egress.aclose()


def outgoing(target: str, /, params: dict[str, Any] | None = None, **more: Any) -> Outgoing:
    """A call of somebody else than a decorated function."""
    given: dict[str, Any] = {"agent": "node", "timeout": 10.0, "call_id": "5ab1c0de-0000-4000-8000-000000000001"}
    return Outgoing(target=Target.parse(target), params=params or {}, **{**given, **more})


def declared(endpoint: str, /, params: dict[str, Any] | None = None, name: str = "forecast", **remote: str) -> Outgoing:
    """A call of a function that was decorated with source="a2a"."""
    target = Target("a2a", endpoint, remote.get("method", name))
    given = {"endpoint": endpoint, "http_method": "POST", **remote}
    return Outgoing(target=target, params=params or {}, agent="node", timeout=10.0, call_id="c" * 36, remote=given)


def card(url: str, *, binding: str = "JSONRPC", streaming: bool = False, ours: bool = False, **more: Any) -> Any:
    """The card of an agent of version 1.0."""
    capabilities: dict[str, Any] = {"streaming": streaming}
    if ours:
        skills = {"forecast": {"input_schema": {"type": "object"}, "output_schema": {"type": "integer"}}}
        capabilities["extensions"] = [{"uri": EXTENSION, "params": {"skills": skills}}]
    return {
        "name": "Weather",
        "description": "Tells the weather.",
        "version": "2.1.0",
        "supportedInterfaces": [{"url": url, "protocolBinding": binding, "protocolVersion": "1.0"}],
        "capabilities": capabilities,
        "defaultInputModes": ["application/json"],
        "defaultOutputModes": ["application/json"],
        "skills": [{"id": "forecast", "name": "Forecast", "description": "of a city", "tags": ["weather"]}],
        **more,
    }


def task(state: str = "COMPLETED", *data: Any, said: Any = None, task_id: str = "t1") -> dict[str, Any]:
    """A task with one artifact, unless it has no data."""
    status: dict[str, Any] = {"state": f"TASK_STATE_{state}"}
    if said is not None:
        parts = [{"data": said}] if not isinstance(said, str) else [{"text": said}]
        status["message"] = {"messageId": "m", "role": "ROLE_AGENT", "parts": parts}
    made: dict[str, Any] = {"id": task_id, "contextId": "c1", "status": status}
    if data:
        made["artifacts"] = [{"artifactId": "result", "parts": [{"data": each} for each in data]}]
    return made


def status(state: str, said: Any = None, task_id: str = "t1") -> dict[str, Any]:
    return {"statusUpdate": {"taskId": task_id, "contextId": "c1", "status": task(state, said=said)["status"]}}


def chunk(*data: Any, append: bool = True, task_id: str = "t1", **artifact: Any) -> dict[str, Any]:
    made = {"artifactId": "result", "parts": [{"data": each} for each in data], **artifact}
    return {"artifactUpdate": {"taskId": task_id, "contextId": "c1", "artifact": made, "append": append}}


@dataclass
class Asked:
    """One request to the agent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    operation: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answers = Callable[[Asked], Any]
"""What an operation answers: a result, an exception-like dict {"error": …}, a list of events, or something to await."""


@dataclass
class ScriptedAgent:
    """An A2A agent over JSON-RPC at ``/a2a`` whose answers a test writes; `gate` is waited for within streams."""

    answers: dict[str, Any] = field(default_factory=dict)
    streaming: bool = False
    ours: bool = False
    more: dict[str, Any] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    awaited: str = ""
    url: str = ""
    card_headers: dict[str, str] = field(default_factory=dict)
    cards: int = 0

    def calls(self, operation: str) -> list[Asked]:
        return [each for each in self.asked if each.operation == operation]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        asked = Asked(scope["method"], scope["path"], headers, body)
        self.asked.append(asked)
        if scope["path"] == "/.well-known/agent-card.json":
            self.cards += 1
            await self._card(asked, send)
        elif scope["path"] == "/a2a" and scope["method"] == "POST":
            asked.operation = asked.json["method"]
            if asked.operation == self.awaited:
                self.heard.set()
            await self._operation(asked, send)
        else:
            await reply(send, 404, {"detail": "nothing here"})

    async def _card(self, asked: Asked, send: Any) -> None:
        tag = self.card_headers.get("etag")
        if tag and asked.headers.get("if-none-match") == tag:
            await reply(send, 304, None, **self.card_headers)
        else:
            made = card(f"{self.url}/a2a", streaming=self.streaming, ours=self.ours, **self.more)
            await reply(send, 200, made, **self.card_headers)

    async def _operation(self, asked: Asked, send: Any) -> None:
        answer = self.answers.get(asked.operation, {"error": {"code": -32601, "message": "SECRET no such method"}})
        if isinstance(answer, list) and answer and asked.operation == "GetTask":
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, list):
            await self._events(asked, answer, send)
            return
        if isinstance(answer, Awaitable):
            answer = await answer
        envelope = {"jsonrpc": "2.0", "id": asked.json["id"]}
        member = answer if set(answer) == {"error"} else {"result": answer}
        await reply(send, 200, {**envelope, **member})

    async def _events(self, asked: Asked, answer: list[Any], send: Any) -> None:
        head = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        for each in answer:
            if isinstance(each, asyncio.Event):
                await each.wait()
                continue
            envelope = {"jsonrpc": "2.0", "id": asked.json["id"]}
            member = each if set(each) == {"error"} else {"result": each}
            frame = b"data: " + json.dumps({**envelope, **member}).encode() + b"\n\n"
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    """Serve an ASGI application; its address. Unlike uvicorn's own server it ends at once."""
    config, state = uvicorn.Config(app, log_config=None, lifespan="off"), ServerState()
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: H11Protocol(config, state, {}), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        tasks = list(state.tasks)
        for task_of_request in tasks:
            task_of_request.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def reply(send: Any, code: int, value: Any, **headers: str) -> None:
    told = [(b"content-type", b"application/json")]
    told += [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    await send({"type": "http.response.start", "status": code, "headers": told})
    await send({"type": "http.response.body", "body": b"" if value is None else json.dumps(value).encode()})


@asynccontextmanager
async def socket_server(handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> Any:
    """A server of bytes; what it does with a connection ends with the block."""
    running: set[asyncio.Task[None]] = set()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made = asyncio.ensure_future(_handled(handle, reader, writer))
        running.add(made)
        made.add_done_callback(running.discard)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for made in running:
            made.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.wait_closed()


async def _handled(handle: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.readuntil(b"\r\n\r\n")
        await handle(reader, writer)
    except (ConnectionError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()
