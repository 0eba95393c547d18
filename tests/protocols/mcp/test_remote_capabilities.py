"""Capabilities whose work a tool of an MCP server does."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from moothall import capability as package
from moothall.capability.decorators import capability, mcp_service
from moothall.capability.options import OptionError
from moothall.identity.principal import Principal
from moothall.protocols.mcp.remote.connector import McpConnector
from tests.protocols.mcp.remote_town import STDIO, House, connecting, far, house

BOB = Principal(id="did:wba:bob.example", kind="did", binding="request")
EVE = Principal(id="did:wba:eve.example", kind="did", binding="request")
Made = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture
async def connector() -> AsyncIterator[McpConnector]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    away = {"url": "http://127.0.0.1:9/mcp"}
    async with far(port) as url, connecting({"far": {"url": url}, "away": away}) as made:
        yield made


@pytest.fixture
def with_(connector: McpConnector) -> Made:
    @asynccontextmanager
    async def made(*functions: Callable[..., Any]) -> AsyncIterator[House]:
        async with house(connector, functions) as built:
            yield built

    return made


@pytest.mark.requirement("DEC-22")
def test_the_server_is_named_where_the_function_is_decorated() -> None:
    with pytest.raises(OptionError, match="needs server"):

        @capability(source="mcp")
        def add(a: int, b: int) -> int: ...


@pytest.mark.requirement("DEC-22")
@pytest.mark.requirement("DEC-36")
async def test_without_a_method_the_tool_is_called_as_the_function_is(with_: Made) -> None:
    @capability(source="mcp", server="far")
    async def add(a: int, b: int) -> int: ...

    @capability(source="mcp", server="far", method="weather.today.get")
    async def weather(city: str = "Kiel") -> dict[str, Any]: ...

    async with with_(add, weather) as built:
        assert (await built.call("local:add", a=1, b=2)).data == 3
        assert (await built.call("local:weather")).data == {"city": "Kiel", "celsius": 21.5}
        assert (await built.call("mcp:far.weather.today.get", door="local", city="Ulm")).data == {
            "city": "Ulm",
            "celsius": 21.5,
        }


@pytest.mark.requirement("DEC-43")
@pytest.mark.requirement("TPL-15")
@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_the_shortcut_returns_the_answer_of_the_tool(transport: str, connector: McpConnector) -> None:
    @mcp_service(server_name="far", method="add", access="authenticated")
    async def total(a: int, b: int) -> int:
        """The sum."""

    assert (total.__name__, total.__doc__) == ("total", "The sum.")
    assert package.mcp_service is mcp_service
    if transport == "http":
        async with house(connector, [total]) as built:
            assert (await built.call("local:total", principal=BOB, a=1, b=2)).data == 3
            assert built.registry.snapshot.entries["node.total"].spec.exposure == frozenset({"net"})
    else:
        async with connecting({"far": STDIO}) as own, house(own, [total]) as built:
            assert (await built.call("local:total", principal=BOB, a=1, b=2)).data == 3


@pytest.mark.requirement("DEC-43")
@pytest.mark.parametrize("option", ["source", "template", "scope", "expose_to", "server"])
def test_what_the_shortcut_fixes_cannot_be_said(option: str) -> None:
    with pytest.raises(OptionError, match=option):
        mcp_service("far", **{option: "local"})


@pytest.mark.requirement("TPL-03")
async def test_arguments_are_bound_before_anything_is_sent_and_defaults_are_sent(with_: Made) -> None:
    @capability(source="mcp", server="far")
    async def echo(value: int, again: str = "default") -> dict[str, Any]: ...

    @capability(source="mcp", server="far", method="count")
    async def calls() -> int: ...

    @capability(source="mcp", server="far", method="add")
    async def add(a: int, b: int = 40) -> int: ...

    async with with_(echo, calls, add) as built:
        refused = await built.call("local:echo")
        assert refused.error is not None
        assert refused.error.code == "VALIDATION_ERROR"
        assert (await built.call("local:calls")).data == 0
        assert (await built.call("local:add", a=2)).data == 42


class Colour(Enum):
    RED = "red"


class Trip(BaseModel):
    day: date
    colour: Colour


@dataclass
class Bag:
    where: Path


@pytest.mark.requirement("TPL-04")
async def test_arguments_arrive_as_json_at_every_depth(with_: Made) -> None:
    @capability(source="mcp", server="far", method="echo")
    async def echo(value: dict[str, Any]) -> dict[str, Any]: ...

    @capability(source="mcp", server="far", method="echo", name="typed")
    async def typed(value: tuple[datetime, Path, Colour, list[Trip], dict[str, Bag]]) -> dict[str, Any]: ...

    moment = datetime(2026, 7, 28, 10, tzinfo=UTC)
    async with with_(echo, typed) as built:
        given = (moment, Path("/srv/x"), Colour.RED, [Trip(day=date(2026, 7, 28), colour=Colour.RED)],
                 {"bag": Bag(Path("/srv/y"))})  # fmt: skip
        reply = await built.call("local:typed", door="local", value=given)
        assert reply.error is None, reply.error
        assert reply.data == {
            "got": [
                "2026-07-28T10:00:00Z", "/srv/x", "red", [{"day": "2026-07-28", "colour": "red"}],
                {"bag": {"where": "/srv/y"}},
            ]
        }  # fmt: skip


@pytest.mark.requirement("TPL-07")
@pytest.mark.requirement("TPL-08")
async def test_results_become_what_the_annotation_says_and_nothing_else(with_: Made) -> None:
    @capability(source="mcp", server="far", method="when")
    async def moment() -> datetime: ...

    @capability(source="mcp", server="far", method="when")
    async def text() -> str: ...

    @capability(source="mcp", server="far", method="when")
    async def number() -> int: ...

    @capability(source="mcp", server="far", method="says", name="parsed")
    async def parsed(text: str) -> dict[str, int]: ...

    @capability(source="mcp", server="far", method="says", name="said")
    async def said(text: str) -> str: ...

    async with with_(moment, text, number, parsed, said) as built:
        when = await built.call("local:moment", door="local")
        assert when.data == datetime(2026, 7, 28, 10, tzinfo=UTC)
        assert (await built.call("local:text", door="local")).data == "2026-07-28T10:00:00Z"
        misfit = await built.call("local:number", door="local")
        assert misfit.error is not None
        assert (misfit.error.code, misfit.data) == ("UPSTREAM_INVALID", None)
        assert (await built.call("local:parsed", door="local", text='{"a": 1}')).data == {"a": 1}
        assert (await built.call("local:said", door="local", text='{"a": 1}')).data == '{"a": 1}'
        no_json = await built.call("local:parsed", door="local", text="well")
        assert no_json.error is not None
        assert no_json.error.code == "UPSTREAM_INVALID"


@pytest.mark.requirement("TPL-09")
async def test_equal_calls_of_one_caller_reach_the_server_once(with_: Made) -> None:
    @capability(source="mcp", server="far", enable_cache=True, access="authenticated")
    async def add(a: int, b: int) -> int: ...

    @capability(source="mcp", server="far")
    async def count() -> int: ...

    async with with_(add, count) as built:
        await asyncio.gather(*(built.call("local:add", principal=BOB, a=1, b=2) for _ in range(10)))
        assert (await built.call("local:add", principal=BOB, a=1, b=2)).data == 3
        assert (await built.call("local:count")).data == 1
        await built.call("local:add", principal=EVE, a=1, b=2)
        assert (await built.call("local:count")).data == 2


@pytest.mark.requirement("TPL-10")
@pytest.mark.requirement("TPL-12")
@pytest.mark.parametrize(("tool", "outcome"), [("says", "ok"), ("fails", "UPSTREAM_ERROR")])
async def test_a_call_leaves_one_record_without_what_was_said(
    tool: str, outcome: str, with_: Made, caplog: pytest.LogCaptureFixture
) -> None:
    @capability(source="mcp", server="far", method=tool, name="told")
    async def told(text: str) -> Any: ...

    caplog.set_level(logging.INFO, "moothall")
    async with with_(told) as built:
        reply = await built.call("local:told", text="my secret words")
    records = [record for record in caplog.records if getattr(record, "request_id", "") == reply.request_id]
    assert len(records) == 1
    assert {name: getattr(records[0], name) for name in ("server", "tool")} == {"server": "far", "tool": tool}
    assert records[0].seconds > 0  # type: ignore[attr-defined]
    assert outcome in records[0].getMessage()
    assert sum(reply.request_id in record.getMessage() for record in caplog.records) == 1
    ours = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("moothall"))
    assert "secret words" not in ours
    assert "hunter2" not in ours


@pytest.mark.requirement("TPL-11")
async def test_four_failures_have_four_codes(with_: Made) -> None:
    @capability(source="mcp", server="far", timeout=0.3)
    async def never() -> str: ...

    @capability(source="mcp", server="away", name="away", method="add")
    async def away() -> int: ...

    @capability(source="mcp", server="far", name="number", method="when")
    async def number() -> int: ...

    @capability(source="mcp", server="far")
    async def fails() -> str: ...

    async with with_(never, away, number, fails) as built:
        replies = [await built.call(f"local:{name}") for name in ("never", "away", "number", "fails")]
    codes = [reply.error.code for reply in replies if reply.error is not None]
    assert codes == ["TIMEOUT", "UNAVAILABLE", "UPSTREAM_INVALID", "UPSTREAM_ERROR"]


@pytest.mark.requirement("TPL-13")
async def test_a_fallback_answers_where_the_server_is_away_and_says_so(with_: Made) -> None:
    @capability(source="mcp", server="away", enable_fallback=True, enable_cache=True)
    async def add(a: int, b: int) -> int | None:
        return a + b

    @capability(source="mcp", server="away", enable_fallback=True)
    async def nothing(offered: int | None = None) -> int | None:
        return offered

    @capability(source="mcp", server="away", name="bare", method="add")
    async def bare(a: int, b: int) -> int: ...

    @capability(source="mcp", server="far", enable_fallback=True, name="near", method="add")
    async def near(a: int, b: int) -> int:
        return -1

    async with with_(add, nothing, bare, near) as built:
        for _ in range(2):
            reply = await built.call("local:add", a=1, b=2)
            assert (reply.data, reply.metadata and reply.metadata.degraded) == (3, True)
        whole = await built.call("local:near", a=1, b=2)
        assert (whole.data, whole.metadata and whole.metadata.degraded) == (3, False)
        for name, params in (("nothing", {}), ("bare", {"a": 1, "b": 2})):
            failed = await built.call(f"local:{name}", **params)
            assert failed.error is not None
            assert (failed.error.code, failed.metadata and failed.metadata.degraded) == ("UNAVAILABLE", False)


async def test_a_target_is_known_by_the_server_that_it_names(with_: Made) -> None:
    async with with_() as built:
        unknown = await built.call("mcp:nobody.add", door="local", a=1)
        assert unknown.error is not None
        assert unknown.error.code == "NOT_FOUND"
        described = await built.call("mcp:far", door="local")
        assert {"add", "weather.today.get"} <= {each["name"] for each in described.data["operations"]}
