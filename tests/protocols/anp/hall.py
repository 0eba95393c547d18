"""Agents with capabilities, for the tests of the ANP door."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, Field

from moothall.capability.compiling import Member
from moothall.capability.context import CallContext
from moothall.capability.declaration import declared
from moothall.capability.decorators import capability
from moothall.capability.registry import Registry
from moothall.identity.agent import AgentIdentity, new_identity
from moothall.protocols.anp.hosted import HostedAgent, Owner

BASE = "https://hall.example:8443"
WHEN = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Room(BaseModel):
    kind: Literal["single", "double"] = "single"
    price: float = Field(0.0, ge=0)
    next: Room | None = None


@capability(access="authenticated", idempotent=True)
def add(a: int, b: int = 1) -> int:
    """Add two numbers.

    Args:
        a: the first one.
        b: the second one.
    """
    return a + b


@capability(access="authenticated", approval=True)
def transfer(to: str, cents: int) -> str:
    """Send money."""
    return f"{cents} to {to}"


@capability(access="authenticated")
async def reserve(room: Room, nights: int) -> Room:
    """Reserve a room."""
    return room


@capability(access="public")
def hello(name: str = "world") -> str:
    """Greet somebody."""
    return f"hello {name}"


@capability(access="authenticated")
async def count(ctx: CallContext, to: int) -> AsyncIterator[int]:
    """Count up."""
    for number in range(1, to + 1):
        await ctx.progress(number, to, "counting")
        yield number


@capability(expose_to="local")
def secret() -> str:
    """Only for this process."""
    return "secret"


@capability(access="authenticated", name="add", version="0.9.0")
def old_add(a: int, b: int) -> int:
    """Add two numbers, the old way."""
    return a + b


@capability(access="authenticated")
def undescribed(x: int) -> int:
    return x


def members(*functions: Callable[..., Any]) -> list[Member]:
    found = []
    for function in functions:
        declaration = declared(function)
        assert declaration is not None
        found.append(Member(function, declaration, {}))
    return found


def registry(agents: Mapping[str, tuple[Callable[..., Any], ...]]) -> Registry:
    made = Registry()
    for agent, functions in agents.items():
        made.add(agent, members(*functions))
    return made


def identity(agent: str, domain: str = "hall.example:8443") -> AgentIdentity:
    return _identity(agent, domain)


@cache
def _identity(agent: str, domain: str) -> AgentIdentity:
    made = new_identity(
        agent, domain, ["agents", agent], created=WHEN, description_url=f"https://{domain}/agents/{agent}/ad.json"
    )
    return made.identity


def hosted(*names: str, domain: str = "hall.example:8443", listed: bool = True) -> dict[str, HostedAgent]:
    return {
        name: HostedAgent(
            name=name,
            identity=identity(name, domain),
            description=f"The agent {name}",
            created=WHEN,
            owner=Owner("The moot hall"),
            listed=listed,
        )
        for name in names
    }
