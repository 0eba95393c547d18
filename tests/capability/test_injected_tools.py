"""Tools that the framework gives a capability: ``tools: dict`` is filled by it, and by nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from moothall import Agent, Registry, capability
from moothall.capability.business_handler import wrap_business_handler
from moothall.capability.options import OptionError
from moothall.errors import InternalError, ValidationError


class Calls:
    """A context that keeps what is called through it."""

    def __init__(self) -> None:
        self.made: list[tuple[str, dict[str, Any]]] = []

    async def call(self, target: str, params: Mapping[str, Any], /) -> str:
        self.made.append((target, dict(params)))
        return "done"


def registered(function: Any) -> Any:
    registry = Registry()
    Agent("node", function).join(registry)
    return registry.snapshot.newest[0]


@capability
async def assistant(query: str, tools: dict) -> dict:
    """Help."""
    found = await tools["unified_crawler"](action="discover")
    return {"found": found, "result": await tools["unified_caller"](target="local:x", parameters={"q": query})}


@pytest.mark.requirement("LLM-07")
async def test_tools_are_no_argument_and_call_as_the_caller() -> None:
    entry, calls = registered(assistant), Calls()
    assert list(entry.input_schema["properties"]) == ["query"]
    assert entry.input_schema["additionalProperties"] is False
    assert entry.contextual
    assert await entry.invoke(entry.bind({"query": "?"}), calls) == {"found": "done", "result": "done"}
    assert calls.made == [
        ("local:unified_crawler", {"action": "discover"}),
        ("local:unified_caller", {"target": "local:x", "parameters": {"q": "?"}}),
    ]


@pytest.mark.requirement("LLM-07")
@pytest.mark.parametrize("params", [{"query": "?", "tools": {}}, ["?", {}]])
def test_tools_of_a_caller_are_refused(params: Any) -> None:
    with pytest.raises(ValidationError):
        registered(assistant).bind(params)


def test_a_table_of_another_kind_is_an_argument_like_any_other() -> None:
    @capability
    async def stock(tools: dict[str, int]) -> int:
        """Count."""
        return sum(tools.values())

    entry = registered(stock)
    assert list(entry.input_schema["properties"]) == ["tools"]
    assert not entry.contextual


def test_a_resource_has_no_variable_for_its_tools() -> None:
    @capability(kind="resource", uri="note://{name}")
    async def note(name: str, tools: dict) -> str:
        """Read."""
        return name

    assert registered(note).spec.uri == "note://{name}"
    with pytest.raises(OptionError):

        @capability(kind="resource", uri="note://{tools}")
        async def wrong(tools: dict) -> str:
            """Read."""
            return ""


async def test_a_wrapped_handler_takes_them_from_its_context() -> None:
    handler, calls = wrap_business_handler(assistant), Calls()
    assert (await handler({"params": {"query": "?"}}, calls))["result"] == "done"
    with pytest.raises(InternalError):
        await handler({"params": {"query": "?"}})
