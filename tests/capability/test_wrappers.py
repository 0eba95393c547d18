"""The four kinds of decorators that the specification names."""

from __future__ import annotations

import pytest

from moothall.capability.agents import Agent
from moothall.capability.options import OptionError
from moothall.capability.registry import Registry
from moothall.capability.snapshot import describe
from moothall.capability.wrappers import (
    LocalMethodWrapper,
    MCPToolWrapper,
    NetworkServiceWrapper,
    RemoteAPIWrapper,
)


@LocalMethodWrapper()
def note(text: str) -> str:
    """Keep a note."""
    return text


@MCPToolWrapper(server="weather", method="forecast")
async def forecast(city: str) -> str:  # type: ignore[empty-body]
    """Ask an MCP server."""


@RemoteAPIWrapper(endpoint="https://api.example.com", timeout=5)
async def price(item: str) -> int:  # type: ignore[empty-body]
    """Ask an A2A agent."""


@NetworkServiceWrapper(access="public", name="hello")
def greet(name: str) -> str:
    """Greet somebody."""
    return f"hello {name}"


@pytest.mark.requirement("DEC-47")
def test_each_kind_is_listed_with_where_its_work_is_done_and_who_may_ask() -> None:
    registry = Registry()
    Agent("shop", note, forecast, price, greet).join(registry)
    listed = {row["name"]: (row["source"], row["expose_to"]) for row in map(describe, registry.snapshot.newest)}
    assert listed == {
        "note": ("local", ["local"]),
        "forecast": ("mcp", ["local", "net"]),
        "price": ("a2a", ["local", "net"]),
        "hello": ("local", ["net"]),
    }
    remote = {entry.spec.name: dict(entry.spec.remote) for entry in registry.snapshot.newest}
    assert (remote["forecast"]["server"], remote["forecast"]["method"]) == ("weather", "forecast")
    assert remote["price"]["endpoint"] == "https://api.example.com"


def test_functions_for_this_process_stay_functions() -> None:
    assert (note("x"), greet("you")) == ("x", "hello you")


@pytest.mark.parametrize("wrapper", [LocalMethodWrapper, MCPToolWrapper, RemoteAPIWrapper, NetworkServiceWrapper])
def test_what_a_kind_means_cannot_be_changed(wrapper: type[LocalMethodWrapper]) -> None:
    with pytest.raises(OptionError, match="source"):
        wrapper(source="llm")
