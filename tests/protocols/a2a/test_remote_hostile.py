"""Agents that mean ill: every one of them ends in an error of the table, in time, and takes no memory without end."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from moothall.errors import CallTimeout, MoothallError, UpstreamError, UpstreamInvalid
from tests.protocols.a2a.remote_town import (
    card,
    chunk,
    connecting,
    listening,
    outgoing,
    reply,
    socket_server,
    status,
    task,
)

Write = Callable[[Any], Awaitable[None]]
MEBIBYTE = 1024 * 1024


class Hostile:
    """An agent with a good card; its answers are written raw."""

    def __init__(self, answer: Callable[[Any, Any], Awaitable[None]], *, streaming: bool) -> None:
        self.answer = answer
        self.streaming = streaming
        self.url = ""
        self.cancelled = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if scope["method"] == "GET":
            await reply(send, 200, card(f"{self.url}/a2a", streaming=self.streaming))
            return
        asked = json.loads(body)
        self.cancelled += asked["method"] == "CancelTask"
        if asked["method"] == "CancelTask":
            await reply(send, 200, {"jsonrpc": "2.0", "id": asked["id"], "result": task("CANCELED")})
            return
        await self.answer(asked, send)


async def started(send: Any, kind: str = "text/event-stream") -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind.encode())]})


async def wrote(send: Any, data: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})


def frame(asked: Any, result: Any) -> bytes:
    return b"data: " + json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}).encode() + b"\n\n"


async def never(_asked: Any, _send: Any) -> None:
    await asyncio.Event().wait()


async def silent_stream(asked: Any, send: Any) -> None:
    await started(send)
    await wrote(send, frame(asked, {"task": task("WORKING")}))
    await asyncio.Event().wait()


async def only_signs_of_life(asked: Any, send: Any) -> None:
    await started(send)
    await wrote(send, frame(asked, {"task": task("WORKING")}))
    while True:
        await wrote(send, b": alive\n\n")
        await asyncio.sleep(0.02)


async def works_for_ever(asked: Any, send: Any) -> None:
    await started(send)
    while True:
        await wrote(send, frame(asked, status("WORKING", "still")))
        await asyncio.sleep(0.02)


async def always_working(asked: Any, send: Any) -> None:
    result = task("WORKING") if asked["method"] == "GetTask" else {"task": task("WORKING")}
    await reply(send, 200, {"jsonrpc": "2.0", "id": asked["id"], "result": result})
    await asyncio.sleep(0.01)


async def floods(asked: Any, send: Any) -> None:
    await started(send)
    await wrote(send, frame(asked, {"task": task("WORKING")}))
    block = frame(asked, chunk("x" * 60_000))
    for _ in range(1000):
        await wrote(send, block)


async def fifty_megabytes(_asked: Any, send: Any) -> None:
    await started(send, "application/json")
    for _ in range(800):
        await wrote(send, b" " * 65_536)
    await wrote(send, b"1", more=False)


async def one_endless_event(_asked: Any, send: Any) -> None:
    await started(send)
    await wrote(send, b"data: ")
    for _ in range(800):
        await wrote(send, b"x" * 65_536)


async def another_id(asked: Any, send: Any) -> None:
    await reply(send, 200, {"jsonrpc": "2.0", "id": "other", "result": {"task": task("COMPLETED", 1)}})


async def both(asked: Any, send: Any) -> None:
    await reply(send, 200, {"jsonrpc": "2.0", "id": asked["id"], "result": {}, "error": {"code": 1}})


async def nested(asked: Any, send: Any) -> None:
    await started(send, "application/json")
    await wrote(send, b'{"result":' + b"[" * 50_000 + b"]" * 50_000 + b"}", more=False)


async def goes_on_after_the_end(asked: Any, send: Any) -> None:
    await started(send)
    await wrote(send, frame(asked, {"task": task("FAILED")}))
    await wrote(send, frame(asked, status("COMPLETED")), more=False)


async def redirects(_asked: Any, send: Any) -> None:
    await reply(send, 307, None, location="http://169.254.169.254/latest")


@pytest.mark.parametrize(
    ("answer", "streaming", "kind"),
    [
        (never, False, CallTimeout),
        (never, True, CallTimeout),
        (silent_stream, True, CallTimeout),
        (only_signs_of_life, True, CallTimeout),
        (works_for_ever, True, CallTimeout),
        (floods, True, UpstreamError),
        (fifty_megabytes, False, UpstreamInvalid),
        (one_endless_event, True, UpstreamInvalid),
        (another_id, False, UpstreamInvalid),
        (another_id, True, UpstreamInvalid),
        (both, False, UpstreamInvalid),
        (nested, False, UpstreamInvalid),
        (goes_on_after_the_end, True, UpstreamError),
        (redirects, False, UpstreamError),
    ],
)
async def test_whatever_an_agent_does_it_ends_as_the_table_says(
    answer: Callable[[Any, Any], Awaitable[None]], streaming: bool, kind: type[MoothallError]
) -> None:
    agent = Hostile(answer, streaming=streaming)
    async with listening(agent) as url, connecting() as near:
        agent.url = url
        seconds = 0.4 if kind is CallTimeout else 20.0
        tracemalloc.start()
        try:
            with pytest.raises(kind):
                await near.call(outgoing(f"a2a:{url}#forecast", timeout=seconds))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 80 * MEBIBYTE


async def test_a_stream_that_never_ends_is_given_up_as_well() -> None:
    agent = Hostile(works_for_ever, streaming=True)
    async with listening(agent) as url:
        agent.url = url
        async with connecting() as near:
            with pytest.raises(CallTimeout):
                assert [value async for value in near.stream(outgoing(f"a2a:{url}#forecast", timeout=0.4))] == []
    assert agent.cancelled == 1


async def test_a_task_that_works_for_ever_is_given_up_and_cancelled() -> None:
    agent = Hostile(always_working, streaming=False)
    async with listening(agent) as url:
        agent.url = url
        async with connecting() as near:
            with pytest.raises(CallTimeout):
                await near.call(outgoing(f"a2a:{url}#forecast", timeout=0.4))
    assert agent.cancelled == 1


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"", UpstreamError),
        (HEAD + b"Content-Length: 100\r\n\r\n{", UpstreamError),
        (b"nonsense\r\n\r\n", UpstreamError),
        (HEAD + b"Content-Length: 99999999999\r\n\r\n", UpstreamInvalid),
        (HEAD + b"Content-Encoding: br\r\n\r\nx", UpstreamInvalid),
        (HEAD + b"X: " + b"y" * 300_000 + b"\r\n\r\n{}", UpstreamError),
    ],
    ids=["nothing", "half", "nonsense", "announced", "packed", "headers"],
)
async def test_a_broken_answer_is_an_error_of_the_far_side(said: bytes, kind: type[MoothallError]) -> None:
    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()

    async with socket_server(speak) as url:
        for profile in ("legacy", "auto"):
            async with connecting({"it": {"url": url, "profile": profile}}) as near:
                with pytest.raises(kind):
                    await near.call(outgoing("a2a:it"))


@pytest.fixture
async def nowhere() -> AsyncIterator[list[str]]:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del receive
        seen.append(scope["path"])
        await reply(send, 200, card("http://127.0.0.1/a2a"))

    async with listening(app) as url:
        seen.append(url)
        yield seen


@pytest.mark.parametrize("status_code", [301, 302, 307, 308])
async def test_no_redirect_leads_a_search_for_a_card_elsewhere(nowhere: list[str], status_code: int) -> None:
    target = nowhere.pop()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del receive
        code = status_code if scope["method"] == "GET" else 200
        await reply(send, code, {"result": 1}, location=f"{target}/.well-known/agent-card.json")

    async with listening(app) as url, connecting() as near:
        assert await near.call(outgoing(f"a2a:{url}")) == 1
    assert nowhere == []
