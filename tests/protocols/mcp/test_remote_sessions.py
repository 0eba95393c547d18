"""Servers of the older protocol, whose sessions end when they like."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from moothall.errors import MoothallError
from tests.protocols.mcp.remote_town import connecting, outgoing, served
from tests.protocols.mcp.test_remote_hostile import JSON, Send, answer


class Older:
    """Knows one session at a time; `status` is how it answers requests of any other, `code` what it says then."""

    def __init__(self, status: int, code: int | None = None) -> None:
        self.status = status
        self.code = code
        self.refusal = (400, -32602)
        self.refused = 0
        self.session = ""
        self.begun = 0
        self.calls = 0
        self.ended: list[str] = []
        self.given_up = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:  # noqa: C901, PLR0912 - one case for each method
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        shown = dict(scope["headers"]).get(b"mcp-session-id", b"").decode()
        if scope["method"] != "POST":
            if scope["method"] == "DELETE":
                self.ended.append(shown)
            await _sent(send, 405, b"")
            return
        request = json.loads(body)
        if request["method"] == "initialize":
            self.begun += 1
            self.session = f"session-{self.begun}"
            version = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}
            told = answer(request, result={**version, "serverInfo": {"name": "older", "version": "1"}})
            await _sent(send, 200, told, (b"mcp-session-id", self.session.encode()))
        elif request["method"] == "server/discover":
            await _sent(send, 200, answer(request, error={"code": -32601, "message": "no such method"}))
        elif shown != self.session:
            said = b"" if self.code is None else answer(request, error={"code": self.code, "message": "who?"})
            await _sent(send, self.status, said)
        elif "id" not in request:
            if request["method"] == "notifications/cancelled":
                self.given_up.set()
            await _sent(send, 202, b"")
        elif request["method"] == "tools/list":
            await _sent(send, 200, answer(request, result={"tools": []}))
        elif request["params"]["name"] == "refused":
            self.refused += 1
            status, code = self.refusal
            await _sent(send, status, answer(request, error={"code": code, "message": "no"}))
        elif request["params"]["name"] == "never":
            await self.given_up.wait()
        else:
            self.calls += 1
            await _sent(send, 200, answer(request, result={"content": [{"type": "text", "text": shown}]}))


async def _sent(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    head = [(b"content-type", JSON), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


@pytest.mark.requirement("TPL-05")
@pytest.mark.parametrize("code", [None, -32600, -32001])
async def test_a_session_that_the_server_forgot_is_begun_again_and_the_call_is_made_once(code: int | None) -> None:
    server = Older(404, code)
    async with served(server) as port:
        async with connecting({"far": {"url": f"http://127.0.0.1:{port}/mcp"}}) as connector:
            assert {await connector.call(outgoing("mcp:far.who")) for _ in range(10)} == {"session-1"}
            server.session = "of somebody else"
            assert await connector.call(outgoing("mcp:far.who")) == "session-2"
            assert (server.begun, server.calls) == (2, 11)
        assert "session-2" in server.ended


@pytest.mark.parametrize("code", [None, -32000])
async def test_a_session_that_may_have_been_forgotten_is_begun_again_for_the_next_call(code: int | None) -> None:
    server = Older(400, code)
    async with (
        served(server) as port,
        connecting({"far": {"url": f"http://127.0.0.1:{port}/mcp"}}) as connector,
    ):
        assert await connector.call(outgoing("mcp:far.who")) == "session-1"
        server.session = "of somebody else"
        with pytest.raises(MoothallError):
            await connector.call(outgoing("mcp:far.who"))
        assert await connector.call(outgoing("mcp:far.who")) == "session-2"


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize("code", [-32602, -32603])
async def test_a_call_that_the_server_refuses_is_not_made_again(status: int, code: int) -> None:
    server = Older(status)
    server.refusal = status, code
    async with (
        served(server) as port,
        connecting({"far": {"url": f"http://127.0.0.1:{port}/mcp"}}) as connector,
    ):
        assert await connector.call(outgoing("mcp:far.who")) == "session-1"
        with pytest.raises(MoothallError):
            await connector.call(outgoing("mcp:far.refused"))
        assert (server.begun, server.refused) == (1, 1)


@pytest.mark.parametrize("seconds", [0.2, 20.0], ids=["too late", "cancelled"])
async def test_the_server_is_told_that_nobody_waits_any_more(seconds: float) -> None:
    server = Older(404)
    async with (
        served(server) as port,
        connecting({"far": {"url": f"http://127.0.0.1:{port}/mcp"}}) as connector,
    ):
        await connector.call(outgoing("mcp:far.who"))
        call = asyncio.create_task(connector.call(outgoing("mcp:far.never", timeout=seconds)))
        await asyncio.wait([call], timeout=0.3)
        call.cancel()
        async with asyncio.timeout(10):
            await server.given_up.wait()
        await asyncio.wait([call])
        assert await connector.call(outgoing("mcp:far.who")) == "session-1"


async def test_a_server_that_forgets_every_session_is_an_error_after_one_more_try() -> None:
    class Forgetful(Older):
        async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
            await super().__call__(scope, receive, send)
            self.session = ""

    server = Forgetful(404)
    async with (
        served(server) as port,
        connecting({"far": {"url": f"http://127.0.0.1:{port}/mcp"}}) as connector,
    ):
        with pytest.raises(MoothallError):
            await connector.call(outgoing("mcp:far.who"))
    assert server.begun == 2
