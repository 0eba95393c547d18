"""`moot tools` and `moot call` with what the file lists elsewhere: MCP servers, A2A agents, plain JSON services."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from moothall.cli import nodefile
from moothall.cli.main import run
from moothall.cli.nodefile import NodeFile
from tests.doors.doubles import JsonService, mcp_server, serving
from tests.doors.house import served

Moot = Callable[..., Awaitable[tuple[int, str, str]]]


def forecast(city: str, days: int = 3) -> list[str]:
    """Say what the weather \x1b[31mwill be."""
    return [f"sunny in {city}"] * days


@asynccontextmanager
async def opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Moot]:
    """A command at a running node; its exit code, stdout and stderr."""
    plain = JsonService(lambda _, params: {"price": len(params["item"])})
    async with mcp_server("weather", forecast) as weather, serving(plain) as shop:
        tables = {"mcp": {"weather": {"url": weather}}, "a2a": {"shop": {"url": f"{shop}/price"}}}
        async with served(tmp_path, **tables) as node:  # type: ignore[arg-type]
            nodefile.write(tmp_path, NodeFile(node.url, 4711, node.owner_token))

            async def command(*words: str) -> tuple[int, str, str]:
                status = await asyncio.to_thread(run, [*words, "--data", str(tmp_path), "--lang", "en"])
                told = capsys.readouterr()
                return status, told.out, told.err

            yield command


async def test_what_is_elsewhere_is_listed_and_called_by_one_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened(tmp_path, capsys) as moot:
        code, out, told = await moot("tools", "mcp:weather")
        assert (code, told, "\x1b" in out) == (0, "", False)
        assert "forecast city, days? Say what the weather will be." in " ".join(out.split())
        listed = json.loads((await moot("tools", "mcp:weather", "--json"))[1])
        assert listed["operations"][0]["input_schema"]["required"] == ["city"]
        code, out, _ = await moot("call", "mcp:weather.forecast", "city=Rome", "days=1", "--json")
        assert (code, json.loads(out)) == (0, ["sunny in Rome"])
        assert json.loads((await moot("tools", "a2a:shop", "--json"))[1])["profile"] == "legacy"
        code, out, _ = await moot("call", "a2a:shop", "item=tea", "--json")
        assert (code, json.loads(out)) == (0, {"price": 3})


async def test_what_is_not_there_or_not_allowed_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {
        ("tools", "mcp:nobody"): 5,
        ("tools", "a2a:nobody"): 5,
        ("call", "mcp:weather.nothing"): 8,  # the server says so as an error of the tool
        ("call", "mcp:weather.forecast", "days=x"): 8,
        ("call", "a2a:https://elsewhere.example"): 3,
    }
    async with opened(tmp_path, capsys) as moot:
        for words, code in wrong.items():
            status, out, told = await moot(*words)
            assert (status, out) == (code, ""), words
            assert [line.partition(":")[0] for line in told.splitlines()] == ["error", "why", "try"]
