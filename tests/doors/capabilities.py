"""The capabilities that every door is tested with, and what happened inside them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from pydantic import BaseModel
from typing_extensions import TypedDict

from moothall import Agent, CallContext, capability
from moothall.errors import Conflict, PermissionDeniedError

RAN: Counter[str] = Counter()
"""How often what has effects was run."""


class Gates:
    """What holds a capability in the middle of its work."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()


GATES: dict[str, Gates] = {}
"""By the name that the test gives."""


class Room(BaseModel):
    name: str
    beds: int = 2


@capability(access="public")
def add(a: int, b: int = 1) -> int:
    """Add two numbers."""
    return a + b


@capability(access="public")
async def echo(value: Any = None) -> Any:
    """Give back what was given."""
    return value


@capability(access="public")
async def after(n: int) -> int:
    """The next integer, however large."""
    return n + 1


@capability(access="public")
async def number(x: float) -> float:
    """Give back a number."""
    return x


@capability(access="public")
async def room(room: Room) -> Room:
    """Give back a room with one bed more."""
    return Room(name=room.name, beds=room.beds + 1)


@capability(permissions=["read", "write"])
async def guarded() -> str:
    """For those who may."""
    return "welcome"


@capability
async def owned() -> str:
    """For those who act for the node's owner."""
    return "mine"


@capability(access="authenticated")
async def who(ctx: CallContext) -> str:
    """Who calls."""
    return ctx.principal.id


@capability(access="public", timeout=0.05)
async def slow() -> str:
    """Take longer than it may."""
    await asyncio.Event().wait()
    return "never"


@capability(access="public", timeout=0.05)
def slow_in_a_thread() -> str:
    """Take longer than it may, in a thread."""
    import time

    time.sleep(0.3)
    return "never"


@capability(access="public")
async def held(name: str) -> str:
    """Wait until the test lets go or the caller leaves."""
    gates = GATES[name]
    gates.begun.set()
    try:
        await asyncio.Event().wait()
    finally:
        gates.ended.set()
    return "never"


@capability(access="public")
async def count(to: int) -> AsyncIterator[int]:
    """Yield the numbers below one."""
    for each in range(to):
        yield each


@capability(access="public")
async def stumbles(to: int) -> AsyncIterator[int]:
    """The same, and then fail."""
    for each in range(to):
        yield each
    raise Conflict("stumbled")


@capability(access="public")
async def works(ctx: CallContext, steps: int) -> str:
    """Tell progress."""
    for step in range(steps):
        await ctx.progress(step + 1, steps, f"step {step + 1}")
    return "done"


@capability(access="public")
async def effect(name: str, amount: int = 1) -> int:
    """Do something that counts."""
    RAN[name] += amount
    return RAN[name]


@capability(access="public")
async def circle(ctx: CallContext, name: str) -> str:
    """Call itself again and again."""
    RAN[name] += 1
    value: str = await ctx.call("local:hall.circle", name=name)
    return value


@capability(access="public")
async def leaky() -> str:
    """Fail with words that nobody may read."""
    raise RuntimeError("SECRET")


@capability(access="public")
async def refuses() -> str:
    """Refuse in its own words."""
    raise PermissionDeniedError("not today")


@capability(access="public")
async def wrong() -> int:
    """Return what it does not promise."""
    return "no number"  # type: ignore[return-value]


@capability(access="authenticated", approval=True)
async def risky() -> str:
    """Wait for an approval."""
    return "done"


@capability(access="authenticated", approval=True)
async def pay(name: str, cents: int) -> int:
    """Pay something, once somebody has agreed to that."""
    RAN[name] += cents
    return RAN[name]


@capability(access="public")
async def undeclared():  # type: ignore[no-untyped-def]  # noqa: ANN201 - it says nothing of what it returns
    """Return a list, and say nothing of it."""
    return [1, 2]


class Score(TypedDict):
    result: int


@capability(access="public")
async def score() -> Score:
    """Return an object with the one key that a door may have for itself."""
    return {"result": 7}


@capability(access="public")
async def retired() -> str:
    """Out of service."""
    return "old"


FUNCTIONS = (
    add, echo, after, number, room, guarded, owned, who, slow, slow_in_a_thread, held, count, stumbles, works, effect, circle,
    leaky, refuses, wrong, risky, pay, undeclared, score, retired,
)  # fmt: skip


def hall(*more: Any) -> Agent:
    """The agent that has them all, and more."""
    return Agent("hall", description="Everything that every door must do alike").include(*FUNCTIONS, *more)
