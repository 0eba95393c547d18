"""The log against a reference model: whatever happens in whatever order, both hold the same."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from moothall.errors import Conflict, DemandNotFound, LeaseLost
from moothall.events.log import EventLog
from moothall.events.model import Draft, OutboxDraft
from moothall.events.run import Run
from moothall.events.worker import Worker
from moothall.storage.store import Store
from tests.events.house import RUN, Hands, steal

T = TypeVar("T")
KEYS = st.sampled_from([f"k{n}" for n in range(12)])


@dataclass
class Reference:
    """What the log should hold."""

    keys: list[str] = field(default_factory=list)
    values: dict[str, int] = field(default_factory=dict)
    postings: list[str] = field(default_factory=list)
    handed: set[str] = field(default_factory=set)
    closed: bool = False

    def append(self, *keys: str) -> None:
        self.keys += [key for key in dict.fromkeys(keys) if key not in self.keys]


class LogMachine(RuleBasedStateMachine):
    """One run, its owner coming and going."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.model = Reference()
        self.calls = 0
        self.do(self.begin())

    def do(self, work: Awaitable[T]) -> T:
        async def inside() -> T:
            return await work

        return self.runner.run(inside())

    async def begin(self) -> None:
        self.store = await Store.open(self.folder)
        self.log = EventLog(self.store)
        await self.log.start()
        await self.employ()
        await self.log.create(RUN, "test", [Draft("begun", "towow.begun", {})])
        self.run: Run = await self.hands.held.get()
        self.model.append("begun")

    async def employ(self) -> None:
        self.hands = Hands()
        self.worker = Worker(self.log, {"test": self.hands}, sweep_seconds=60.0, lease_seconds=600.0)
        await self.worker.start()

    def teardown(self) -> None:
        async def end() -> None:
            await self.worker.stop()
            await self.log.close()
            await self.store.close()

        self.do(end())
        self.runner.close()
        shutil.rmtree(self.folder)

    @property
    def is_open(self) -> bool:
        return not self.model.closed

    @precondition(lambda self: self.is_open)
    @rule(keys=st.lists(KEYS, min_size=1, max_size=4, unique=True), send=st.booleans())
    def emit(self, keys: list[str], send: bool) -> None:
        outbox = [OutboxDraft(keys[0], "t", {})] if send else []
        self.do(self.run.emit(*[Draft(key, "towow.x", {"value": 0}) for key in keys], outbox=outbox))
        self.model.append(*keys)
        for key in keys:
            self.model.values.setdefault(key, 0)

    @precondition(lambda self: self.is_open)
    @rule(keys=st.lists(KEYS, min_size=1, max_size=5))
    def steps_at_the_same_time(self, keys: list[str]) -> None:
        async def answer() -> int:
            self.calls += 1
            return self.calls

        async def together() -> list[int]:
            return await asyncio.gather(*[self.run.step(key, answer) for key in keys])

        before, fresh = self.calls, {key for key in keys if key not in self.model.keys}
        values = self.do(together())
        assert self.calls - before == len(fresh)
        self.model.append(*keys)
        for key, value in zip(keys, values, strict=True):
            assert self.model.values.setdefault(key, value) == value

    @rule(key=KEYS)
    def post(self, key: str) -> None:
        if self.model.closed:
            with pytest.raises(DemandNotFound):
                self.do(self.log.post(RUN, key, "x", "s", {}))
            return
        fresh = self.do(self.log.post(RUN, key, "x", "s", {}))
        assert fresh is (key not in self.model.postings)
        if fresh:
            self.model.postings.append(key)

    @precondition(lambda self: self.is_open)
    @rule(consume=st.booleans())
    def receive(self, consume: bool) -> None:
        posting = self.do(self.run.receive(self.run.clock.now()))
        left = [key for key in self.model.postings if f"in.{key}" not in self.model.keys]
        expected = [key for key in left if key not in self.model.handed]
        if posting is None:
            assert expected == []
            return
        assert posting.key in expected
        self.model.handed.add(posting.key)
        if consume:
            self.do(self.run.emit(Draft(f"in.{posting.key}", "received", {})))
            self.model.append(f"in.{posting.key}")

    @precondition(lambda self: self.is_open)
    @rule()
    def crash(self) -> None:
        async def again() -> Run:
            await self.worker.stop()
            await self.employ()
            return await self.hands.held.get()

        ghost, self.run = self.run, self.do(again())
        self.model.handed.clear()
        with pytest.raises(LeaseLost):
            self.do(ghost.emit(Draft("ghost", "towow.ghost", {})))

    @precondition(lambda self: self.is_open)
    @rule(key=KEYS)
    def lose_the_lease(self, key: str) -> None:
        self.do(steal(self.log, RUN))
        with pytest.raises(LeaseLost):
            self.do(self.run.emit(Draft(f"lost.{key}", "towow.x", {})))

        async def again() -> Run:
            await self.worker.stop()
            taken = self.store.node
            await self.store.write(lambda connection: _give(connection, taken))
            await self.employ()
            return await self.hands.held.get()

        self.run = self.do(again())
        self.model.handed.clear()

    @precondition(lambda self: self.is_open and len(self.model.keys) > 6)
    @rule()
    def close(self) -> None:
        self.do(self.run.emit(Draft("end", "towow.end", {}), close=True))
        self.model.append("end")
        self.model.closed = True
        with pytest.raises(Conflict):
            self.do(self.run.emit(Draft("after", "towow.x", {})))

    @invariant()
    def the_log_is_the_model(self) -> None:
        events = self.do(self.log.load(RUN))
        assert [event.seq for event in events] == list(range(len(events)))
        assert {event.key for event in events} == set(self.model.keys)
        for event in events:
            if event.key in self.model.values:
                assert event.payload["value"] == self.model.values[event.key]
        record = self.do(self.log.get(RUN))
        assert record is not None
        assert (record.status == "closed") is self.model.closed


def _give(connection: object, owner: str) -> None:
    import sqlalchemy as sa

    from moothall.storage import schema

    assert isinstance(connection, sa.Connection)
    connection.execute(sa.update(schema.run).where(schema.run.c.id == RUN).values(owner=owner, lease_until=None))


TestLogMachine = LogMachine.TestCase
TestLogMachine.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
