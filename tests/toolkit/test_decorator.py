"""`@mcp_tool`: a function as a tool for models."""

from __future__ import annotations

from typing import Any

import pytest

from moothall import Agent, Registry
from moothall.capability.options import OptionError
from moothall.toolkit.decorator import TOOL, mcp_tool


def entry_of(function: Any) -> Any:
    registry = Registry()
    Agent("node", function).join(registry)
    return registry.snapshot.newest[0]


@pytest.mark.requirement("MCP-06")
async def test_it_is_a_capability_for_models_under_its_name() -> None:
    @mcp_tool("forecast", access="authenticated", tags=["weather"])
    async def anything(city: str, days: int = 1) -> str:
        """Tell the weather."""
        return f"{city} {days}"

    entry = entry_of(anything)
    assert entry.spec.name == "forecast"
    assert entry.spec.exposure == {"local", "llm"}
    assert entry.spec.tags == ("weather", TOOL)
    assert await entry.invoke(entry.bind({"city": "x"}), None) == "x 1"
    assert await anything("y", days=2) == "y 2"


@pytest.mark.requirement("MCP-06", "MCP-02")
async def test_what_the_printed_example_collects_is_one_object() -> None:
    @mcp_tool("unified_caller")
    async def mcp_unified_caller(target: str, method: str = "", **params):  # noqa: ANN003, ANN202 - as printed
        """MCP封装的统一调用器"""
        return {"target": target, "method": method, **params}

    entry = entry_of(mcp_unified_caller)
    assert list(entry.input_schema["properties"]) == ["target", "method", "parameters"]
    assert entry.input_schema["properties"]["parameters"]["type"] == "object"
    arguments = entry.bind({"target": "local:x", "parameters": {"city": "北京"}})
    assert await entry.invoke(arguments, None) == {"target": "local:x", "method": "", "city": "北京"}
    assert await entry.invoke(entry.bind({"target": "local:x"}), None) == {"target": "local:x", "method": ""}


async def test_a_plain_function_stays_one() -> None:
    @mcp_tool("add")
    def add(a: int, **more: int) -> int:
        """Add."""
        return a + sum(more.values())

    entry = entry_of(add)
    assert await entry.invoke(entry.bind({"a": 1, "parameters": {"b": 2}}), None) == 3


@pytest.mark.parametrize("options", [{"expose_to": "net"}, {"name": "x"}, {"unknown": 1}])
def test_what_is_fixed_or_unknown_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises((OptionError, TypeError)):
        mcp_tool("tool", **options)(lambda: None)


def test_arguments_must_have_one_place() -> None:
    with pytest.raises(OptionError):

        @mcp_tool("twice")
        async def twice(parameters: dict, **more: Any) -> None:
            """Take both."""
