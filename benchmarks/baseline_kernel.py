"""The bare log: what the databases give with nothing in between, as the measure for our engine.

One queue, one transaction for all that waits, hand-written statements over sqlite3 or asyncpg; no epochs, no leases,
no streams, no inbox, no outbox, no worker. The workload: negotiations of 88 events, 20 participants in 2 rounds who
answer at once, 20 negotiations at a time.

    python benchmarks/baseline_kernel.py [sqlite|postgresql] [--negotiations N] [--database URL]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import asyncpg
import orjson

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

PARTICIPANTS, ROUNDS, CONCURRENT, WARM_STEPS = 20, 2, 20, 500
EVENTS = 2 + ROUNDS * (1 + PARTICIPANTS + PARTICIPANTS + 1) + 2
TEXT = {"text": "y" * 200}
DATABASE = os.environ.get("MOOTHALL_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/test")
SCHEMA = "moothall_bench_baseline"
Row = tuple[str, int, str, str, float, str]


@dataclass(slots=True)
class Figures:
    """One measurement; steps in milliseconds."""

    name: str
    negotiations: float
    events: float
    p50: float
    p99: float

    def __str__(self) -> str:
        return (
            f"{self.name:<34}{self.negotiations:>9.0f} negotiations/s {self.events:>9.0f} events/s"
            f"   step p50 {self.p50:.3f} ms  p99 {self.p99:.3f} ms"
        )


class Backend(Protocol):
    """A database."""

    async def open(self) -> None: ...
    async def write(self, rows: Sequence[Row]) -> None: ...
    async def close(self) -> None: ...


class Sqlite:
    """sqlite3 in a thread, write-ahead log, synchronous NORMAL."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def open(self) -> None:
        self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=NORMAL",
            """CREATE TABLE event (run TEXT, seq INT, key TEXT, type TEXT, ts REAL, payload TEXT,
               PRIMARY KEY (run, seq), UNIQUE (run, key)) WITHOUT ROWID""",
        ):
            self._connection.execute(statement)

    async def write(self, rows: Sequence[Row]) -> None:
        await asyncio.to_thread(self._write, rows)

    def _write(self, rows: Sequence[Row]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._connection.execute("COMMIT")

    async def close(self) -> None:
        self._connection.close()


class Postgres:
    """asyncpg, one array per column."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def open(self) -> None:
        self._connection: Any = await asyncpg.connect(self._url)
        await self._connection.execute(
            f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}; SET search_path = {SCHEMA};"
            "CREATE TABLE event (run text, seq int, key text, type text, ts float8, payload text,"
            " PRIMARY KEY (run, seq), UNIQUE (run, key))"
        )

    async def write(self, rows: Sequence[Row]) -> None:
        await self._connection.execute(
            "INSERT INTO event SELECT * FROM unnest"
            "($1::text[], $2::int[], $3::text[], $4::text[], $5::float8[], $6::text[])",
            *zip(*rows, strict=True),
        )

    async def close(self) -> None:
        await self._connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
        await self._connection.close()


class Log:
    """Group commit and nothing else."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._queue: list[tuple[list[Row], asyncio.Future[None]]] = []
        self._wake = asyncio.Event()

    async def work(self) -> None:
        while True:
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
                await asyncio.sleep(0)
            batch, self._queue = self._queue, []
            await self._backend.write([row for rows, _ in batch for row in rows])
            for _, future in batch:
                future.set_result(None)

    def append(self, rows: list[Row]) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        self._queue.append((rows, future))
        self._wake.set()
        return future


@dataclass(slots=True)
class Negotiation:
    """Replay by key, in memory."""

    log: Log
    name: str
    done: dict[str, Any] = field(default_factory=dict)
    seq: int = 0

    async def emit(self, *items: tuple[str, str, Any]) -> None:
        rows: list[Row] = []
        for key, kind, value in items:
            rows.append((self.name, self.seq, key, kind, time.time(), orjson.dumps(value).decode()))
            self.seq += 1
        await self.log.append(rows)
        self.done.update((key, value) for key, _, value in items)

    async def step(self, key: str, fn: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - JSON
        if key in self.done:
            return self.done[key]
        value = await fn()
        await self.emit((key, "step", value))
        return value


async def answer() -> dict[str, str]:
    """A participant who does not think."""
    return TEXT


async def negotiate(one: Negotiation) -> None:
    """88 events."""
    await one.step("demand", answer)
    await one.emit(("candidates", "candidates.filtered", list(range(PARTICIPANTS))))
    for r in range(ROUNDS):
        await one.emit(
            (f"r{r}", "round.started", r), *[(f"r{r}.invited.{i}", "agent.invited", i) for i in range(PARTICIPANTS)]
        )
        await asyncio.gather(*[one.step(f"r{r}.answer.{i}", answer) for i in range(PARTICIPANTS)])
        await one.step(f"r{r}.proposal", answer)
    await one.emit(("final", "proposal.final", 1), ("closed", "negotiation.closed", 1))


async def measure(name: str, backend: Backend, negotiations: int) -> Figures:
    """Latency of single steps, then throughput."""
    await backend.open()
    log = Log(backend)
    work = asyncio.create_task(log.work())
    single, times = Negotiation(log, "latency"), []
    for i in range(WARM_STEPS):
        begin = time.perf_counter()
        await single.step(f"s{i}", answer)
        times.append(time.perf_counter() - begin)
    times.sort()
    gate = asyncio.Semaphore(CONCURRENT)

    async def one(i: int) -> None:
        async with gate:
            run = Negotiation(log, f"n{i}")
            await negotiate(run)
            if len(run.done) != EVENTS:
                raise RuntimeError(f"{len(run.done)} events instead of {EVENTS}")

    begin = time.perf_counter()
    await asyncio.gather(*[one(i) for i in range(negotiations)])
    rate = negotiations / (time.perf_counter() - begin)
    work.cancel()
    await backend.close()
    return Figures(name, rate, rate * EVENTS, times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3)


async def baseline(kind: str, negotiations: int, database: str) -> Figures:
    """Measure one kind of database."""
    if kind == "postgresql":
        return await measure("bare log, asyncpg", Postgres(database), negotiations)
    with tempfile.TemporaryDirectory() as folder:
        return await measure("bare log, sqlite3 NORMAL", Sqlite(Path(folder, "baseline.db")), negotiations)


def arguments(about: str) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("kinds", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--negotiations", type=int, default=400)
    parser.add_argument("--database", default=DATABASE, help="PostgreSQL to use; a schema is made and dropped")
    return parser.parse_args()


def main() -> None:
    """Print one line per database."""
    asked = arguments("the bare log")
    for kind in asked.kinds:
        sys.stdout.write(f"{asyncio.run(baseline(kind, asked.negotiations, asked.database))}\n")


if __name__ == "__main__":
    main()
