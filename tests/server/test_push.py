"""What is sent without waiting, over real connections: the same bytes as what waits, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect

from moothall.protocols.house import PUSH, Push
from moothall.server.limited import LIMITS, limited
from moothall.server.run import bind
from moothall.server.socket_protocol import SocketProtocol

pytestmark = pytest.mark.timeout(30)
SIZES = (0, 1, 125, 126, 65_535, 65_536, 200_000)
GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@dataclass
class Pusher:
    """An application that pushes what it is told to as soon as an answer has begun."""

    push: Push | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        make: Callable[[], Push | None] = scope[PUSH]
        if scope["type"] == "websocket":
            await receive()
            self.push = make()
            assert self.push is not None
            assert not self.push(b"too early")
            await send({"type": "websocket.accept"})
            self.begun.set()
            await self.over.wait()
            await send({"type": "websocket.close"})
            return
        self.push = make()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun,", "more_body": True})
        self.begun.set()
        await self.over.wait()
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def served(app: Pusher) -> AsyncIterator[int]:
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # starlette's scopes are mappings of any kind
        loop="none",
        http=limited(LIMITS),
        ws=SocketProtocol,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
    )
    with bind("127.0.0.1", 0) as listener:
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve([listener]))
        yield int(listener.getsockname()[1])
        server.should_exit = True
        await running


async def test_parts_that_are_pushed_are_parts_of_the_answer_until_it_is_complete() -> None:
    app = Pusher()
    async with served(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET)
        await app.begun.wait()
        assert app.push is not None
        assert app.push(b"one,", b"two,")
        assert app.push(b"three")
        app.over.set()
        answer = await reader.readuntil(b"\r\n0\r\n\r\n")
        assert answer.endswith(b"6\r\nbegun,\r\n8\r\none,two,\r\n5\r\nthree\r\n0\r\n\r\n")
        assert not app.push(b"too late")
        writer.close()
        await writer.wait_closed()


async def test_nothing_is_pushed_to_who_takes_nothing_in() -> None:
    app = Pusher()
    async with served(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET)
        await app.begun.wait()
        assert app.push is not None
        count = 0
        while app.push(b"x" * 65_536):
            count += 1
        assert not app.push(b"y")
        app.over.set()
        answer = await _all(reader)
        assert answer.count(b"x") == count * 65_536
        assert count > 0
        assert b"y" not in answer.partition(b"\r\n\r\n")[2]
        writer.close()
        await writer.wait_closed()


async def _all(reader: asyncio.StreamReader) -> bytes:
    found = b""
    while not found.endswith(b"\r\n0\r\n\r\n"):
        found += await reader.read(1 << 20)
    return found


async def test_requests_in_one_piece_are_answered_without_pushing() -> None:
    app = Pusher()
    async with served(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET + GET)
        await app.begun.wait()
        assert app.push is None
        app.over.set()
        for _ in range(2):
            assert b"begun," in await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.close()
        await writer.wait_closed()


async def test_frames_that_are_pushed_are_frames_of_their_own_whatever_their_size() -> None:
    app = Pusher()
    async with served(app) as port, connect(f"ws://127.0.0.1:{port}/", proxy=None) as link:
        await app.begun.wait()
        assert app.push is not None
        assert app.push(*(b"a" * size for size in SIZES[:4]))
        for size in SIZES[4:]:
            while not app.push(b"a" * size):  # noqa: ASYNC110 - the connection takes in when it does
                await asyncio.sleep(0)
        assert [len(await link.recv()) for _ in SIZES] == list(SIZES)
        app.over.set()
        await link.wait_closed()
        assert not app.push(b"too late")
