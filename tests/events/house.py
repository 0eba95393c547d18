"""An open house of events: stores, logs and workers that are closed again, in the right order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from moothall.clock import Clock
from moothall.events.log import EventLog
from moothall.events.model import Draft, Event
from moothall.events.run import Run
from moothall.events.worker import Driver, Worker
from moothall.storage import schema
from moothall.storage.store import Store

RUN = "d-0000abcd"
BEGUN = Draft("begun", "towow.begun", {"n": 0})
LATER = datetime.fromisoformat("2030-01-01T00:00:00+00:00")


@dataclass(slots=True)
class House:
    """Opens nodes on one database; each has a data directory of its own."""

    url: str
    folder: Path
    stack: AsyncExitStack
    nodes: int = 0
    logs: list[EventLog] = field(default_factory=list)

    async def store(self, name: str = "") -> Store:
        self.nodes += 1
        store = await Store.open(self.folder / (name or f"node{self.nodes}"), self.url)
        self.stack.push_async_callback(store.close)
        return store

    async def log(self, name: str = "", *, clock: Clock | None = None, sweep: float = 2.0) -> EventLog:
        log = EventLog(await self.store(name), clock=clock, sweep_seconds=sweep)
        await log.start()
        self.stack.push_async_callback(log.close)
        self.logs.append(log)
        return log

    async def worker(self, log: EventLog, drivers: Mapping[str, Driver], **options: Any) -> Worker:
        worker = Worker(log, drivers, **options)
        await worker.start()
        self.stack.push_async_callback(worker.stop)
        return worker


@dataclass(slots=True)
class Scripted:
    """A driver made of one coroutine; keeps the runs it saw and what it was asked to abandon."""

    script: Callable[[Run], Awaitable[None]]
    runs: list[Run] = field(default_factory=list)
    abandoned: list[BaseException] = field(default_factory=list)
    seen: asyncio.Event = field(default_factory=asyncio.Event)

    async def drive(self, run: Run) -> None:
        self.runs.append(run)
        self.seen.set()
        await self.script(run)

    async def abandon(self, run: Run, error: BaseException) -> None:
        self.abandoned.append(error)
        await run.emit(Draft("failed", "towow.failed", {"error": type(error).__name__}), close=True)


@dataclass(slots=True)
class Hands:
    """A driver that hands its runs to the test and waits until the test lets go of them."""

    held: asyncio.Queue[Run] = field(default_factory=asyncio.Queue)
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def drive(self, run: Run) -> None:
        await self.held.put(run)
        await self.free.wait()
        await run.emit(close=True)

    async def abandon(self, run: Run, error: BaseException) -> None:
        await run.emit(close=True)


async def owned(house: House, log: EventLog, run: str = RUN) -> Run:
    """Create a run and return it as its driver sees it; the test plays the driver."""
    hands = Hands()
    worker = await house.worker(log, {"test": hands})
    await log.create(run, "test", [BEGUN])
    held = await hands.held.get()
    assert worker.lease_seconds > 0
    return held


async def closed(log: EventLog, run: str = RUN) -> list[Event]:
    """Follow a run to its end, then return its whole log."""
    async for _ in log.follow(run):
        pass
    return await log.load(run)


async def steal(log: EventLog, run: str) -> None:
    """Another owner takes the run over."""
    runs = schema.run.c
    taken = sa.update(schema.run).where(runs.id == run).values(epoch=runs.epoch + 1, owner="somebody-else")
    await log.store.write(lambda connection: connection.execute(taken))
