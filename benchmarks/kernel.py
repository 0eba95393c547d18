"""Our engine beside the bare log, same workload, same run: create, durable steps, close, worker and leases.

Both are measured in turns, several times each, and the medians are compared, since a shared machine is never quiet.

    python benchmarks/kernel.py [sqlite|postgresql] [--negotiations N] [--database URL]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
from baseline_kernel import (
    CONCURRENT,
    EVENTS,
    PARTICIPANTS,
    ROUNDS,
    WARM_STEPS,
    Figures,
    answer,
    arguments,
    baseline,
)

from moothall.events.log import EventLog
from moothall.events.model import Draft
from moothall.events.run import Run
from moothall.events.worker import Worker
from moothall.storage.store import Store

SCHEMA = "moothall_bench_engine"
GOAL, TURNS = 0.5, 5


class Negotiation:
    """The workload of the baseline as a driver; the first of the 88 events comes with the creation."""

    def __init__(self) -> None:
        self.ended: dict[str, asyncio.Future[None]] = {}

    async def drive(self, run: Run) -> None:
        await run.step("demand", answer)
        for r in range(ROUNDS):
            await run.emit(
                Draft(f"r{r}", "towow.round.started", {"round": r}),
                *[Draft(f"r{r}.invited.{i}", "agent.invited", {"agent": i}) for i in range(PARTICIPANTS)],
            )
            await asyncio.gather(*[run.step(f"r{r}.answer.{i}", answer) for i in range(PARTICIPANTS)])
            await run.step(f"r{r}.proposal", answer)
        await run.emit(Draft("final", "towow.final", {}), Draft("closed", "towow.closed", {}), close=True)
        self.ended.pop(run.id).set_result(None)

    async def abandon(self, run: Run, error: BaseException) -> None:
        self.ended.pop(run.id).set_exception(error)
        await run.emit(close=True)


class Steps:
    """One run of single steps, for the latency."""

    def __init__(self) -> None:
        self.times: asyncio.Future[list[float]] = asyncio.get_running_loop().create_future()

    async def drive(self, run: Run) -> None:
        times = []
        for i in range(WARM_STEPS):
            begin = time.perf_counter()
            await run.step(f"s{i}", answer)
            times.append(time.perf_counter() - begin)
        await run.emit(close=True)
        self.times.set_result(sorted(times))

    async def abandon(self, run: Run, error: BaseException) -> None:
        self.times.set_exception(error)
        await run.emit(close=True)


async def measure(name: str, folder: Path, url: str, negotiations: int) -> Figures:
    """Latency of single steps, then throughput, over a fresh database."""
    store = await Store.open(folder, url)
    log = EventLog(store)
    await log.start()
    steps, driver = Steps(), Negotiation()
    worker = Worker(log, {"steps": steps, "negotiation": driver})
    await worker.start()
    await log.create("d-00000000", "steps", [Draft("begun", "begun", {})])
    times = await steps.times
    gate = asyncio.Semaphore(CONCURRENT)

    async def one(i: int) -> None:
        async with gate:
            name = f"d-{i:08x}"
            driver.ended[name] = ended = asyncio.get_running_loop().create_future()
            await log.create(name, "negotiation", [Draft("begun", "towow.begun", {"agents": PARTICIPANTS})])
            await ended

    begin = time.perf_counter()
    await asyncio.gather(*[one(i) for i in range(1, negotiations + 1)])
    rate = negotiations / (time.perf_counter() - begin)
    for i in (1, negotiations):
        written = await log.load(f"d-{i:08x}")
        if [event.seq for event in written] != list(range(EVENTS)):
            raise RuntimeError(f"{len(written)} events instead of {EVENTS}")
    await worker.stop()
    await log.close()
    await store.close()
    return Figures(name, rate, rate * EVENTS, times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3)


async def engine(kind: str, negotiations: int, database: str) -> Figures:
    """Measure our engine on one kind of database."""
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            return await measure("moothall, SQLite NORMAL", Path(folder), "", negotiations)
        connection = await asyncpg.connect(database)
        try:
            await connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
            return await measure("moothall, PostgreSQL", Path(folder), f"{database}?schema={SCHEMA}", negotiations)
        finally:
            await connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
            await connection.close()


def main() -> None:
    """Print both and their ratio; fail when the goal is missed."""
    asked = arguments("our engine beside the bare log")
    missed = False
    for kind in asked.kinds:
        bare, ours = [], []
        for _ in range(TURNS):
            bare.append(asyncio.run(baseline(kind, asked.negotiations, asked.database)))
            ours.append(asyncio.run(engine(kind, asked.negotiations, asked.database)))
        middle = [sorted(turns, key=lambda figures: figures.negotiations)[TURNS // 2] for turns in (bare, ours)]
        ratio = statistics.median(o.negotiations / b.negotiations for b, o in zip(bare, ours, strict=True))
        missed = missed or ratio < GOAL
        sys.stdout.write(f"{middle[0]}\n{middle[1]}\n{'ratio':<34}{ratio:>9.2f} (goal {GOAL})\n")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
