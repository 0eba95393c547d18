"""A run of generated code in the sandbox, from fresh state, beside the same function without ours around it.

Peers: the interpreter alone, as its documentation has it (checkout, load_session, feed_run, which blocks the loop and
knows no fairness), and `exec` of the same text in this process, which protects from nothing. In turns, same arguments,
same answers. The machine may be busy with other things: the least median of all turns is told, ratios are taken within
a turn, and the median of them counts.

    python -m benchmarks.sandbox [--turns N] [--runs N]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import uvloop
from pydantic_monty import Monty, ResourceLimits

from moothall.codegen.sandbox.monty import MontySandbox
from moothall.codegen.sandbox.port import SandboxLimits
from moothall.errors import SandboxFault

GOAL = 0.5
"""Milliseconds of a run."""

SOURCE = """
def handle(request):
    total = sum(item["count"] * item["price"] for item in request["items"])
    return {"code": 200, "order": request["order"].strip(), "total": total}


def asking(request):
    answer = call("callback", {"request": {"order": request["order"]}})
    return {"code": 200, "order": answer["order"], "total": 0}
"""
ENDLESS = "def f():\n    while True:\n        pass\n"
REQUEST = {"order": " o-1 ", "items": [{"count": n, "price": 2.5} for n in range(5)]}
ANSWER = {"code": 200, "order": "o-1", "total": 25.0}
LIMITS: ResourceLimits = {
    "max_feed_duration_secs": 2.0,
    "max_memory": 64 << 20,
    "max_recursion_depth": 200,
    "max_suspensions": 51,
}

Once = Callable[[], Awaitable[Any]]


@dataclass
class Arm:
    """A way to run it: milliseconds, turn by turn."""

    name: str
    once: Once
    turns: list[list[float]] = field(default_factory=list)

    async def turn(self, runs: int) -> None:
        times = []
        for _ in range(runs):
            began = perf_counter()
            await self.once()
            times.append((perf_counter() - began) * 1e3)
        self.turns.append(times)

    @property
    def medians(self) -> list[float]:
        return [median(times) for times in self.turns]


async def callback(_: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"order": parameters["request"]["order"].strip()}


async def arms(sandbox: MontySandbox, pool: Monty) -> dict[str, Arm]:
    image = await sandbox.load(SOURCE)
    with pool.checkout(limits=LIMITS) as session:
        session.feed_run(SOURCE)
        state = session.dump()

    async def ours() -> None:
        assert (await sandbox.run(image, "handle", {"request": REQUEST})).value == ANSWER

    async def ours_asking() -> None:
        assert (await sandbox.run(image, "asking", {"request": REQUEST}, call=callback)).calls == 1

    async def alone() -> None:
        with pool.checkout(limits=LIMITS) as session:
            session.load_session(state)
            assert session.feed_run("handle(request)", inputs={"request": REQUEST}) == ANSWER

    async def alone_asking() -> None:
        def call(_: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
            return {"order": parameters["request"]["order"].strip()}

        with pool.checkout(limits=LIMITS) as session:
            session.load_session(state)
            given = session.feed_run("asking(request)", inputs={"request": REQUEST}, external_lookup={"call": call})
            assert given["code"] == 200

    async def inside() -> None:
        names: dict[str, Any] = {}
        exec(SOURCE, names)  # noqa: S102 - what the sandbox is compared to
        assert names["handle"](REQUEST) == ANSWER

    return {
        "ours": Arm("ours", ours),
        "alone": Arm("the interpreter alone", alone),
        "inside": Arm("exec in this process", inside),
        "ours asking": Arm("ours, with a call of the host", ours_asking),
        "alone asking": Arm("the interpreter alone, with a call", alone_asking),
    }


def ratio(one: Arm, other: Arm) -> float:
    return median(mine / its for mine, its in zip(one.medians, other.medians, strict=True))


async def in_quiet(once: Once, runs: int) -> float:
    """The median of runs that come one by one, with time between them to have the next process ready."""
    times = []
    for _ in range(runs):
        await asyncio.sleep(0.01)
        began = perf_counter()
        await once()
        times.append((perf_counter() - began) * 1e3)
    return median(times)


async def beside_hostile(sandbox: MontySandbox) -> list[float]:
    """Runs of a good module while endless ones run as well: milliseconds."""
    good = await sandbox.load(SOURCE)
    limits = SandboxLimits(seconds=0.5)
    bad = [await sandbox.load(f"x = {n}\n{ENDLESS}", limits) for n in range(4)]
    ends = [asyncio.create_task(sandbox.run(image, "f", {}, limits=limits)) for image in bad for _ in range(2)]
    times = []
    while not all(end.done() for end in ends):
        began = perf_counter()
        assert (await sandbox.run(good, "handle", {"request": REQUEST})).value == ANSWER
        times.append((perf_counter() - began) * 1e3)
    found = await asyncio.gather(*ends, return_exceptions=True)
    assert all(isinstance(fault, SandboxFault) and fault.kind == "time" for fault in found)
    return times


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--runs", type=int, default=300)
    chosen = parser.parse_args()
    with Monty(min_processes=1, max_processes=2) as pool:
        async with MontySandbox() as sandbox:
            measured = await arms(sandbox, pool)
            for _ in range(chosen.turns + 1):
                for arm in measured.values():
                    await arm.turn(chosen.runs)
            for arm in measured.values():
                del arm.turns[0]  # warming up
                print(f"  {arm.name:36} {min(arm.medians):.3f} ms (median of all {median(arm.medians):.3f})")
            quiet = await in_quiet(measured["ours"].once, chosen.runs)
            times = await beside_hostile(sandbox)
    ours, alone = measured["ours"], measured["alone"]
    print(f"  to the interpreter alone: {ratio(ours, alone):.2f}, to exec: {ratio(ours, measured['inside']):.0f}")
    print(f"  with a call: {ratio(measured['ours asking'], measured['alone asking']):.2f}")
    print(f"  ours, 10 ms after the last one: median {quiet:.3f} ms")
    worst = quantiles(times, n=20)[18]
    print(f"  while four endless modules run: median {median(times):.3f} ms, p95 {worst:.3f}, {len(times)} runs")
    missed = [f"{min(ours.medians):.3f} ms, {GOAL} wanted"] if min(ours.medians) > GOAL else []
    for what in missed:
        print(f"MISSED: {what}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))  # the loop that `moot serve` takes
