"""Functions whose work is done at MCP servers and A2A agents: the specification's examples, and several lines over one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from moothall import capability
from moothall.errors import MoothallError, ServiceNotFoundError
from tests.doors import spec_examples
from tests.doors.doubles import JsonService, lead_to, mcp_server, serving
from tests.doors.house import served

HOSTS = ("weather.api.com", "private.api.com", "api.example.com")


def read_file(path: str) -> str:
    """Read a file."""
    return f"content of {path}"


async def answered(node: Any, name: str, **arguments: Any) -> Any:
    """What the owner is answered over plain HTTP."""
    owner = {"Authorization": f"Bearer {node.owner_token}"}
    async with httpx.AsyncClient(base_url=node.url, trust_env=False, timeout=20) as client:
        return (await client.post(f"/api/v1/capabilities/{name}", json=arguments, headers=owner)).json()


@pytest.mark.requirement("DEC-42")
async def test_the_seven_examples_of_the_specification_run_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[int] = []

    def query_users(limit: int) -> list[str]:
        """Find users."""
        limits.append(limit)
        return ["ada", "bob"]

    service = JsonService(lambda host, params: {"host": host, **params})
    async with (
        mcp_server("filesystem", read_file) as files,
        mcp_server("database", query_users) as users,
        serving(service) as backend,
    ):
        lead_to(monkeypatch, backend, *HOSTS)
        reach = {
            "mcp": {"filesystem": {"url": files}, "database": {"url": users}},
            "egress_allow": ", ".join(["http://localhost", *(f"http://{host}" for host in HOSTS)]),
        }
        async with served(tmp_path, **reach) as node:
            node.include(
                *(value for value in vars(spec_examples).values() if hasattr(value, "__capability__")),
            )
            assert spec_examples.add_numbers(1, 2) == 3
            assert await node.call("local:add_numbers", a=1, b=2) == 3
            assert await node.call("local:read_file", path="x.txt") == "content of x.txt"
            assert await node.call("local:get_users") == ["ada", "bob"]
            assert limits == [10]
            weather = await node.call("local:get_weather", city="Paris")
            assert weather == {"host": "weather.api.com", "city": "Paris"}
            assert (await node.call("local:private_service", data="x"))["host"] == "private.api.com"
            with pytest.raises(ServiceNotFoundError):
                await node.call("local:network_only_api", param="x")
            assert (await answered(node, "network_only_api", param="x"))["data"] == "Network response: x"
            advanced = await answered(node, "advanced_ai_service", prompt="hi")
            assert advanced["data"] == {"host": "api.example.com", "prompt": "hi", "model": "gpt-4"}


class Backends:
    """An MCP server and a JSON service that can be taken away, and a local body that can fail."""

    def __init__(self) -> None:
        self.local = True
        self.mcp, self.a2a = AsyncExitStack(), AsyncExitStack()


def price(item: str) -> str:
    """Tell a price."""
    return f"mcp: {item}"


@pytest.fixture
async def backends() -> AsyncIterator[Backends]:
    made = Backends()
    async with made.mcp, made.a2a:
        yield made


@pytest.mark.requirement("DEC-52", "SOA-10")
async def test_one_function_over_three_sources_lives_while_one_of_them_does(tmp_path: Path, backends: Backends) -> None:
    service = JsonService(lambda _, params: f"a2a: {params['item']}")
    shop = await backends.mcp.enter_async_context(mcp_server("shop", price))
    endpoint = await backends.a2a.enter_async_context(serving(service))

    @capability(source="mcp", server="shop", method="price", timeout=20)
    @capability(source="a2a", endpoint=endpoint)
    @capability(source="local")
    def cost(item: str) -> str:
        if not backends.local:
            raise RuntimeError("out of order")
        return f"local: {item}"

    async with served(tmp_path, mcp={"shop": {"url": shop}}) as node:
        node.include(cost)
        listed = [entry for entry in node.host.capabilities.snapshot.newest if entry.spec.name == "cost"]
        assert [(entry.spec.source, sorted(entry.spec.exposure)) for entry in listed] == [("mcp", ["local", "net"])]
        assert await node.call("local:cost", item="tea") == "mcp: tea"
        assert (await answered(node, "cost", item="tea"))["data"] == "mcp: tea"
        assert service.asked == []
        await backends.mcp.aclose()
        assert await node.call("local:cost", item="tea") == "a2a: tea"
        await backends.a2a.aclose()
        assert await node.call("local:cost", item="tea") == "local: tea"
        backends.local = False
        with pytest.raises(MoothallError):
            await node.call("local:cost", item="tea")
        async with mcp_server("shop", price) as again:
            assert again != shop
        backends.local = True
        assert await node.call("local:cost", item="tea") == "local: tea"
