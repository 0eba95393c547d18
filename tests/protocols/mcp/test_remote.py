"""Our client with servers of the official SDK: as programs, and over HTTP."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from moothall.calls.reply import Progress
from moothall.calls.target import Target
from moothall.errors import CallTimeout, ServiceNotFoundError, Unavailable, UpstreamError
from moothall.protocols.mcp.remote.connector import McpConnector
from tests.protocols.mcp.remote_town import STDIO, Waiting, connecting, far, outgoing, served


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(params=["stdio", "http"])
async def connector(request: pytest.FixtureRequest, port: int) -> AsyncIterator[McpConnector]:
    if request.param == "stdio":
        async with connecting({"far": STDIO}) as made:
            yield made
    else:
        async with far(port) as url, connecting({"far": {"url": url}}) as made:
            yield made


@pytest.mark.requirement("CAL-05")
@pytest.mark.requirement("TPL-05")
@pytest.mark.requirement("TPL-06")
async def test_tools_are_called_on_one_connection_and_their_results_are_values(connector: McpConnector) -> None:
    assert await connector.call(outgoing("mcp:far.add", a=1, b=2)) == 3
    assert await connector.call(outgoing("mcp:far.weather.today.get", city="Bonn")) == {"city": "Bonn", "celsius": 21.5}
    assert await connector.call(outgoing("mcp:far.when")) == "2026-07-28T10:00:00Z"
    assert await connector.call(outgoing("mcp:far.says", text="as it is")) == "as it is"
    assert await connector.call(outgoing("mcp:far.echo", value=[2**60, None])) == {"got": [2**60, None]}
    told: list[Progress] = []

    async def report(progress: Progress) -> None:
        told.append(progress)

    assert await connector.call(outgoing("mcp:far.steps", n=3, report=report)) == 3
    assert told[-1] == Progress(3.0, 3.0, "step 3")
    with pytest.raises(UpstreamError) as raised:
        await connector.call(outgoing("mcp:far.fails"))
    assert "hunter2" not in repr((raised.value, raised.value.told, raised.value.details))
    with pytest.raises(CallTimeout):
        await connector.call(outgoing("mcp:far.never", timeout=0.2))
    alone = asyncio.create_task(connector.call(outgoing("mcp:far.never")))
    await asyncio.sleep(0)
    alone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await alone
    process = await connector.call(outgoing("mcp:far.who"))
    assert {await connector.call(outgoing("mcp:far.who")) for _ in range(100)} == {process}
    described = await connector.describe(Target.parse("mcp:far"), "node")
    operations = {each["name"]: each for each in described["operations"]}
    assert operations["add"]["input_schema"]["required"] == ["a", "b"]
    assert [value async for value in connector.stream(outgoing("mcp:far.echo", value=1))] == [{"got": 1}]


@pytest.mark.requirement("TPL-05")
async def test_a_server_that_the_file_does_not_list_is_not_found() -> None:
    async with connecting({}) as connector:
        with pytest.raises(ServiceNotFoundError):
            await connector.call(outgoing("mcp:far.add", a=1, b=2))
        with pytest.raises(ServiceNotFoundError):
            await connector.describe(Target.parse("mcp:far"), "node")


@pytest.mark.requirement("TPL-05")
async def test_a_program_that_was_killed_is_started_again_and_ends_with_the_client(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADMIN_SECRET", "s3cret")
    caplog.set_level(logging.DEBUG, "moothall.mcp")
    async with connecting({"far": STDIO}) as connector:
        first = await connector.call(outgoing("mcp:far.who"))
        environment = await connector.call(outgoing("mcp:far.environment"))
        assert environment["COLOUR"] == "green"
        assert set(environment) <= {"COLOUR", "PATH", "HOME", "LANG", "LC_CTYPE"}
        os.kill(first, signal.SIGKILL)
        await Waiting.until(lambda: _gone(first))
        second = await connector.call(outgoing("mcp:far.who"))
        assert second != first
    assert _gone(second)
    assert any("the program complains" in record.getMessage() for record in caplog.records)


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.requirement("TPL-05")
@pytest.mark.requirement("TPL-11")
async def test_a_server_over_http_is_found_again_after_it_was_away(port: int) -> None:
    async with connecting({"far": {"url": f"http://127.0.0.1:{port}/mcp"}}) as connector:
        async with far(port):
            assert await connector.call(outgoing("mcp:far.add", a=1, b=2)) == 3
        with pytest.raises(Unavailable):
            await connector.call(outgoing("mcp:far.add", a=1, b=2))
        async with far(port):
            assert await connector.call(outgoing("mcp:far.add", a=1, b=2)) == 3


async def test_a_change_of_the_tools_is_heard(connector: McpConnector) -> None:
    async def names() -> set[str]:
        described = await connector.describe(Target.parse("mcp:far"), "node")
        return {each["name"] for each in described["operations"]}

    assert "grown" not in await names()
    assert await connector.call(outgoing("mcp:far.grow", name="grown")) == "grown"
    assert "grown" in await names()
    assert await connector.call(outgoing("mcp:far.grown")) == "grown"


@pytest.mark.parametrize("program", ["no-such-program-anywhere", "/"])
async def test_a_program_that_does_not_start_is_unavailable(program: str) -> None:
    async with connecting({"far": {"command": program}}) as connector:
        with pytest.raises(Unavailable):
            await connector.call(outgoing("mcp:far.add", a=1, b=2))


class Seen:
    """An HTTP server that keeps what it is sent, and refuses it."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.headers: list[dict[str, str]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "UNAUTHENTICATED"), (403, "PERMISSION_DENIED"), (404, "NOT_FOUND"), (429, "RATE_LIMITED")],
)
async def test_a_server_that_refuses_says_so_by_its_status(status: int, code: str) -> None:
    seen = Seen(status)
    async with served(seen) as port:
        table = {"url": f"http://127.0.0.1:{port}/mcp", "auth": "bearer", "token_env": "FAR_TOKEN"}
        async with connecting({"far": table}, environ={"FAR_TOKEN": "t0ken"}) as connector:
            with pytest.raises(Exception) as raised:
                await connector.call(outgoing("mcp:far.add", a=1, b=2))
    assert getattr(raised.value, "code", "") == code
    assert {headers["authorization"] for headers in seen.headers} == {"Bearer t0ken"}
    assert "t0ken" not in repr(raised.value)
