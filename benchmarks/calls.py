"""What the call path costs, beside what it stands on, in one run: per call, per stage, and in memory after many calls.

The peers do less: a plain ``await``, pydantic's ``validate_call``, and FastAPI called in this process without a socket.
All are measured in turns of short batches; of each the fastest batch is printed, and the median, since a shared machine
is never quiet: the goal is judged by the fastest half of the batches.

    python benchmarks/calls.py [--seconds S] [--memory N]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import validate_call

from moothall.audit.record import AuditRecord, Recorder
from moothall.audit.trail import AuditTrail
from moothall.calls.caller import UnifiedCaller
from moothall.calls.path import CallPath
from moothall.calls.ports import CallFacts, Outgoing
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.calls.terms import Terms
from moothall.capability.agents import Agent
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.registry import Registry
from moothall.clock import SystemClock
from moothall.identity.principal import OWNER, Principal
from moothall.policy.engine import PolicyEngine
from moothall.storage.store import Store

GOAL_MICROSECONDS, GOAL_MEMORY = 15.0, 1.10
BATCH = 50
WARM, MANY = 10_000, 100_000
STRANGER = Principal(id="did:wba:stranger.example:e1_s", kind="did", binding="request")


@capability(access="authenticated")
async def add(a: int, b: int) -> int:
    return a + b


@capability
async def waits(a: int, b: int) -> int:
    await asyncio.sleep(0)
    return a + b


@capability(rate_limit="1000000/second")
async def limited(a: int, b: int) -> int:
    return a + b


@capability(cache_ttl=3600)
async def cached(a: int, b: int) -> int:
    return a + b


@capability(retry=3, idempotent=True)
async def retried(a: int, b: int) -> int:
    return a + b


@capability
async def nested(ctx: CallContext, a: int, b: int) -> int:
    value: int = await ctx.call("local:add", {"a": a, "b": b})
    return value


@capability(source="did", did="did:wba:echo.example:e1_e")
async def leaving(a: int, b: int) -> int: ...


@capability(access="authenticated", private=["x"])
async def private(a: int, b: int) -> dict[str, int]:
    return {"a": a, "b": b, "x": 1}


@capability
def threaded(a: int, b: int) -> int:
    return a + b


async def plain(a: int, b: int) -> int:
    return a + b


validated = validate_call(plain, validate_return=True)


class Echo:
    """Stands for a remote without a network."""

    schemes: tuple[str, ...] = ("did",)

    async def call(self, outgoing: Outgoing) -> int:
        total: int = outgoing.params["a"] + outgoing.params["b"]
        return total

    async def stream(self, outgoing: Outgoing) -> AsyncIterator[int]:
        yield await self.call(outgoing)

    async def describe(self, target: Target, agent: str) -> dict[str, Any]:
        return {"target": str(target), "agent": agent}


def fastapi_call() -> Callable[[], Awaitable[None]]:
    """An endpoint with two validated integers, without a socket and without a client."""
    app = FastAPI()
    app.get("/add")(plain)
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/add", "raw_path": b"/add", "query_string": b"a=1&b=2", "root_path": "", "headers": [],
        "server": ("x", 80), "client": ("y", 1),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        assert message.get("status", 200) == 200

    async def call() -> None:
        await app(dict(scope), receive, send)

    return call


def house(recorder: Recorder | None = None) -> CallPath:
    registry = Registry()
    Agent("node", add, waits, limited, cached, retried, nested, leaving, threaded, private).join(registry)
    return CallPath(registry, PolicyEngine.usual(), connectors=[Echo()], terms=Terms(caller_limit=0), recorder=recorder)


class Nowhere:
    """Takes records and forgets them: what it costs to make one."""

    def put(self, record: AuditRecord) -> None: ...

    async def settle(self, record: AuditRecord) -> None: ...


async def audited(seconds: float) -> None:
    """Print what the record of each call costs: to make it, and with the trail that writes it beside the calls.

    The trail's figure is that of many calls with the writing of all their records, which goes on in a thread: of a
    shared machine it takes a part of what the calls have.
    """
    call = UnifiedCaller(house(Nowhere())).call
    made = await measure({"made": lambda: call("local:add", a=1, b=2)}, seconds / 2)
    print(f"{'  with a record made of it':<36}{made['made']}")
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(Path(folder), f"sqlite:///{folder}/moothall.db")
        trail = await AuditTrail.open(store, SystemClock(), None, Path(folder) / "anchors")
        call = UnifiedCaller(house(trail)).call
        many, begun = 0, time.perf_counter()
        while time.perf_counter() < begun + seconds / 2:
            for _ in range(1000):
                await call("local:add", a=1, b=2)
            await asyncio.sleep(0)
            many += 1000
        await trail.flush()
        each = (time.perf_counter() - begun) / many * 1e6
        await trail.aclose()
        await store.close()
    print(
        f"{'  until its record is written':<36}{each:>9.2f} µs in all, {many:,} calls with the writing of all records"
    )


class Times:
    """Microseconds of one call, batch by batch."""

    def __init__(self) -> None:
        self.batches: list[float] = []

    def __str__(self) -> str:
        return f"{min(self.batches):>9.2f} µs at best {statistics.median(self.batches):>9.2f} µs in the middle"

    @property
    def quiet(self) -> float:
        """The median of the fastest half: what a machine shows that does nothing else meanwhile."""
        return statistics.median(sorted(self.batches)[: max(1, len(self.batches) // 2)])


async def measure(calls: dict[str, Callable[[], Awaitable[Any]]], seconds: float) -> dict[str, Times]:
    """Take the calls in turns, a batch each, for so many seconds in all."""
    times = {name: Times() for name in calls}
    for call in calls.values():
        await call()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or not all(row.batches for row in times.values()):
        for name, call in calls.items():
            begun = time.perf_counter()
            for _ in range(BATCH):
                await call()
            times[name].batches.append((time.perf_counter() - begun) / BATCH * 1e6)
    return times


def whole(path: CallPath) -> dict[str, Callable[[], Awaitable[Any]]]:
    call, facts = UnifiedCaller(path).call, CallFacts(door="http", principal=STRANGER, request_id=fresh())
    target, params, redacted = Target.parse("local:add"), {"a": 1, "b": 2}, Target.parse("local:private")
    return {
        "await": lambda: plain(1, 2),
        "pydantic validate_call": lambda: validated(1, 2),
        "FastAPI in this process": fastapi_call(),
        "moothall, in process": lambda: call("local:add", a=1, b=2),
        "moothall, as a door calls": lambda: path.call(target, params, facts),
        "  with a field taken out": lambda: path.call(redacted, params, facts),
        "  that waits: with a timer": lambda: call("local:waits", a=1, b=2),
        "  with a rate limit": lambda: call("local:limited", a=1, b=2),
        "  with repetitions": lambda: call("local:retried", a=1, b=2),
        "  from the cache": lambda: call("local:cached", a=1, b=2),
        "  through another capability": lambda: call("local:nested", a=1, b=2),
        "  to a remote, without network": lambda: call("local:leaving", a=1, b=2),
        "  in a thread": lambda: call("local:threaded", a=1, b=2),
    }


def stages(path: CallPath) -> dict[str, Callable[[], Awaitable[Any]]]:
    """The parts of one call, each by itself."""
    entry = path.snapshot.resolve("add")
    target, params = Target.parse("local:add"), {"a": 1, "b": 2}
    facts = CallFacts(door="local", principal=OWNER, request_id=fresh())
    context: Any = None
    arguments = entry.bind(params)

    def now(work: Callable[[], object]) -> Callable[[], Awaitable[None]]:
        async def done() -> None:
            work()

        return done

    return {
        "an empty stage (taken off below)": now(lambda: None),
        "request id": now(fresh),
        "facts of the call": now(lambda: CallFacts(door="local", principal=OWNER, request_id="x")),
        "limits, resolve, authorize": lambda: path.admit(target, facts),
        "validate the arguments": now(lambda: entry.bind(params)),
        "invoke": lambda: entry.invoke(arguments, context),
        "validate the result": now(lambda: entry.check(3)),
    }


def resident() -> int:
    """Bytes of memory that the process holds now."""
    table = Path("/proc/self/statm")
    if table.exists():
        return int(table.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


async def memory(many: int) -> float:
    """Memory after many calls, as a multiple of that after a tenth of them."""
    path = house()
    call = UnifiedCaller(path).call

    async def make(first: int, last: int) -> None:
        for number in range(first, last):
            await call("local:add", a=number, b=1)
            if number % 5 == 0:
                await call("local:leaving", a=number, b=1)
                await call("local:cached", a=number % 1000, b=1)
                await path.call(Target.parse("local:add"), {}, CallFacts(door="http", principal=STRANGER))

    await make(0, many // 10)
    gc.collect()
    before = resident()
    await make(many // 10, many)
    gc.collect()
    return resident() / before


async def compare(seconds: float) -> float:
    """Print all figures; the quiet median of an in-process call."""
    path = house()
    times = await measure(whole(path), seconds * 0.7)
    for name, row in times.items():
        print(f"{name:<36}{row}")
    logging.getLogger("moothall.calls").setLevel(logging.INFO)
    logged = (await measure({"logged": lambda: UnifiedCaller(path).call("local:add", a=1, b=2)}, seconds * 0.1))[
        "logged"
    ]
    logging.getLogger("moothall.calls").setLevel(logging.WARNING)
    print(f"{'  with its line in a log':<36}{logged}")
    await audited(seconds * 0.2)
    print("\nstages of an in-process call")
    parts = await measure(stages(path), seconds * 0.2)
    empty, *_ = parts.values()
    for name, row in list(parts.items())[1:]:
        print(f"{name:<36}{min(row.batches) - min(empty.batches):>9.2f} µs")
    ours = times["moothall, in process"]
    listed = sum(min(row.batches) - min(empty.batches) for row in list(parts.values())[1:])
    print(f"{'context, audit, reply, the way':<36}{min(ours.batches) - listed:>9.2f} µs")
    return ours.quiet


def main() -> None:
    """Print the figures; fail when a goal is missed."""
    parser = argparse.ArgumentParser(description="the call path beside its peers")
    parser.add_argument("--seconds", type=float, default=10.0, help="for the times")
    parser.add_argument("--memory", type=int, default=MANY, help="calls for the memory; 0: none")
    asked = parser.parse_args()
    logging.getLogger("moothall").addHandler(logging.NullHandler())
    logging.getLogger("moothall").propagate = False
    quiet = asyncio.run(compare(asked.seconds))
    print(f"\n{'in process, quiet median':<36}{quiet:>9.2f} µs (goal {GOAL_MICROSECONDS:.0f})")
    missed = quiet > GOAL_MICROSECONDS
    if asked.memory:
        ratio = asyncio.run(memory(asked.memory))
        after, earlier = f"memory after {asked.memory:,} calls", f"{asked.memory // 10:,}"
        print(f"{after:<36}{ratio:>9.3f} × that after {earlier} (goal {GOAL_MEMORY})")
        missed = missed or ratio > GOAL_MEMORY
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
