"""What calls cost: the benchmark says it, and many calls leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from pathlib import Path

import pytest

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from tests.calls.hall import OWNER, Hall, code

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "calls.py"


def run(*arguments: str) -> str:
    """The benchmark's output; whether its goals hold on a busy machine is no matter here."""
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=BENCHMARK.parent
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.requirement("NFR-01")
def test_the_benchmark_tells_the_cost_of_a_call_in_process_and_of_one_that_leaves() -> None:
    told = run(str(BENCHMARK), "--seconds", "0.2", "--memory", "0")
    for line in (
        "moothall, in process",
        "to a remote, without network",
        "limits, resolve, authorize",
        "in process, quiet median",
    ):
        assert line in told


@pytest.mark.requirement("NFR-01")
@pytest.mark.timeout(180)
def test_memory_after_many_calls_is_that_after_a_tenth_of_them() -> None:
    told = run("-c", "import asyncio, calls; print(asyncio.run(calls.memory(100_000)))")
    assert float(told) <= 1.10


async def test_a_call_leaves_no_work_for_the_garbage_collector() -> None:
    @capability
    async def who(ctx: CallContext, n: int) -> str:
        await asyncio.sleep(0)
        return ctx.principal.id

    hall = Hall(who)
    await hall.call("who", n=1)
    gc.collect()
    gc.disable()
    try:
        for door in ("local", "http"):
            for _ in range(100):
                assert code(await hall.call("who", OWNER, door, n=1)) == "ok"
        assert gc.collect() < 50
    finally:
        gc.enable()
