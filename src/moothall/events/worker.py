"""The worker: claims runs that have work, gives them to drivers, keeps the leases, recovers what was left open."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

from moothall.errors import InternalError, LeaseLost, MoothallError, StorageError
from moothall.events import leases, reading
from moothall.events.append import Lane
from moothall.events.aside import Aside
from moothall.events.leases import Claim
from moothall.events.run import Parked, Run
from moothall.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from moothall.events.append import Row
    from moothall.events.log import EventLog
    from moothall.events.model import RunRecord

_log = logger("events.worker")
ATTEMPTS = 3
_CLAIM_AT_ONCE = 100
_LOOKS = 2
"""How often every process looks for work, at the least, before one takes up again what it left to the others."""


class Driver(Protocol):
    """What carries one kind of run to its end."""

    async def drive(self, run: Run) -> None:
        """Go on from whatever is recorded until the run is closed or parked."""
        ...

    async def abandon(self, run: Run, error: BaseException) -> None:
        """End a run whose driver failed unexpectedly too often, with one last event that says so."""
        ...


@dataclass(slots=True, eq=False)
class _Hold:
    claim: Claim
    task: asyncio.Task[None] | None = None
    run: Run | None = None
    nudged: bool = False
    progressed: bool = False

    @property
    def counted(self) -> bool:
        """Whether the run needs one of the places; its parent has one for a child and waits for it."""
        return self.claim.record.parent is None


class Worker:
    """Drives the runs of this process. One per event log."""

    def __init__(
        self,
        log: EventLog,
        drivers: Mapping[str, Driver],
        *,
        lease_seconds: float = 10.0,
        sweep_seconds: float = 2.0,
        concurrency: int = 1_000,
    ) -> None:
        """Drive runs of the kinds in `drivers`, at most `concurrency` in memory at once.

        Runs that have a parent are not counted: the parent keeps its place while it waits for them, so they would
        starve each other.
        """
        self._log, self._drivers = log, dict(drivers)
        self._lease, self._concurrency = lease_seconds, concurrency
        self._tick = min(sweep_seconds, lease_seconds / 3)
        self._holds: dict[str, _Hold] = {}
        self._counted: set[str] = set()
        self._waiting: deque[_Hold] = deque()
        self._driving = 0
        self._aside = Aside(_LOOKS * self._tick)
        self._news = asyncio.Event()
        self._renewed = 0.0
        self._full = False
        self._loop: asyncio.Task[None] | None = None
        self._alarm: asyncio.Task[None] | None = None

    @property
    def lease_seconds(self) -> float:
        """How long a claim lasts without renewal."""
        return self._lease

    async def start(self) -> None:
        """Take back what a dead process of this node left open, then claim whatever is due.

        The lock on the data directory proves that the other process is dead; each claim raises the run's epoch, so
        even a ghost could write nothing.
        """
        store = self._log.store
        await store.write(lambda connection: leases.free(connection, owner=store.node))
        self._log.attach(self)
        self._renewed = asyncio.get_running_loop().time()
        self._loop = asyncio.create_task(self._work(), name="moothall-worker")

    async def stop(self) -> None:
        """Cancel the drivers and give their leases back, so that the next process goes on at once."""
        self._log.attach(None)
        tasks = [hold.task for hold in self._holds.values() if hold.task is not None]
        tasks += [task for task in (self._loop, self._alarm) if task is not None]
        left = list(self._holds)
        self._waiting.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        store = self._log.store
        await store.write(lambda connection: leases.free(connection, owner=store.node))
        self._log.work(left)

    def takes(self, kind: str, *, child: bool = False) -> bool:
        """Whether a new run of this kind can start here at once; `child`: it has a parent."""
        return kind in self._drivers and (child or len(self._counted) < self._concurrency)

    def born(self, record: RunRecord, lane: Lane, rows: Sequence[Row]) -> None:
        """Drive a run that the log has just created here."""
        self._hold(Claim(record, 0), self._run(record, lane, rows))

    def nudge(self, run: str) -> None:
        """Look at a run now: it is new, or something was posted to it."""
        hold = self._holds.get(run)
        if hold is None:
            self._news.set()
            return
        hold.nudged = True
        if hold.run is not None:
            hold.run.rouse()

    def drop(self, runs: Sequence[str]) -> None:
        """Stop driving runs that were taken from us; whatever their drivers still write is refused."""
        for run in runs:
            hold = self._holds.get(run)
            if hold is not None and hold.task is not None:
                hold.task.cancel()

    async def _work(self) -> None:
        while True:
            self._news.clear()
            try:
                await self._renew()
                await self._claim()
            except StorageError as error:
                _log.warning("cannot claim: %s", error)
                self._retreat()
            try:
                async with asyncio.timeout(self._tick):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _renew(self) -> None:
        """Extend our leases; drop runs that somebody else took, rouse those whose hint got lost."""
        started = asyncio.get_running_loop().time()
        held = {run: hold.claim.record.epoch for run, hold in self._holds.items()}
        if not held or started - self._renewed < self._tick / 2:
            self._renewed = started if not held else self._renewed
            return
        store, lease = self._log.store, self._lease
        ours = await store.write(
            lambda connection: leases.renew(connection, owner=store.node, epochs=held, lease=lease)
        )
        self._renewed = started
        for run, epoch in held.items():
            hold = self._holds.get(run)
            if hold is None or hold.claim.record.epoch != epoch or hold.run is None:
                continue
            if run in ours:
                hold.run.rouse(ours[run])
            elif not hold.run.closing and hold.task is not None:
                hold.task.cancel()

    def _retreat(self) -> None:
        """Without a database for most of a lease, others may own our runs soon: stop driving them."""
        if asyncio.get_running_loop().time() - self._renewed > 0.8 * self._lease:
            for hold in self._holds.values():
                if hold.task is not None:
                    hold.task.cancel()

    async def _claim(self) -> None:
        log, store = self._log, self._log.store
        while True:
            room, now = self._concurrency - len(self._counted), log.clock.now()
            limit = min(room, _CLAIM_AT_ONCE) if room > 0 else _CLAIM_AT_ONCE
            take = partial(
                leases.claim,
                owner=store.node,
                kinds=list(self._drivers),
                now=now,
                lease=self._lease,
                limit=limit,
                children=room <= 0,
                without=self._aside.left(now, asyncio.get_running_loop().time()),
            )
            claims, following = await store.write(take)
            for claim in claims:
                self._hold(claim, None)
            if len(claims) < limit:
                break
        self._full = room <= 0
        self._set_alarm(following)

    def _set_alarm(self, when: datetime | None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = None if when is None else asyncio.create_task(self._ring(when))

    async def _ring(self, when: datetime) -> None:
        await self._log.clock.sleep_until(when)
        self._news.set()

    def _hold(self, claim: Claim, run: Run | None) -> None:
        """Drive a run as soon as there is room; creations at the same moment may exceed it and wait here."""
        hold = _Hold(claim, run=run)
        if (older := self._holds.get(claim.record.id)) is not None and older.task is not None:
            older.task.cancel()
        self._holds[claim.record.id] = hold
        if hold.counted:
            self._counted.add(claim.record.id)
            self._waiting.append(hold)
            self._fill()
        else:
            self._begin(hold)

    def _fill(self) -> None:
        while self._waiting and self._driving < self._concurrency:
            self._driving += 1
            self._begin(self._waiting.popleft())

    def _begin(self, hold: _Hold) -> None:
        hold.task = asyncio.create_task(self._carry(hold), name=f"run {hold.claim.record.id}")
        hold.task.add_done_callback(partial(self._let_go, hold))

    def _let_go(self, hold: _Hold, _task: asyncio.Task[None]) -> None:
        self._driving -= hold.counted
        name = hold.claim.record.id
        if self._holds.get(name) is hold:
            del self._holds[name]
            self._counted.discard(name)
        if hold.nudged or self._full:
            self._news.set()
        self._fill()

    async def _carry(self, hold: _Hold) -> None:
        """Drive a run until it is closed, parked, lost or failed."""
        claim = hold.claim
        try:
            while (run := hold.run or await self._open(claim)) is not None:
                hold.run = run
                end = await self._drive(run)
                hold.progressed |= run.progressed
                if end is None:
                    return
                if not isinstance(end, Parked):
                    await self._failed(claim, hold, end)
                    return
                if not end.again:
                    if end.aside is not None:
                        self._aside.put(claim.record.id, end.aside)
                    self._news.set()
                    return
                hold.run = None
        except MoothallError as error:
            await self._failed(claim, hold, error)

    async def _drive(self, run: Run) -> Exception | None:
        """Let the driver work; return what ended it, None when the run is closed."""
        try:
            await self._drivers[run.record.kind].drive(run)
        except Exception as error:  # noqa: BLE001 - whatever a driver raises must not take the worker down
            return error
        if run.broken is not None or run.closing:
            return run.broken
        return InternalError(f"the driver left run {run.id} open", why="it neither closed nor parked")

    async def _failed(self, claim: Claim, hold: _Hold, error: Exception) -> None:
        name = claim.record.id
        cause = (hold.run.broken if hold.run is not None else None) or error
        if isinstance(cause, LeaseLost):
            _log.info("run %s went to another owner", name)
            return
        if isinstance(cause, StorageError):
            _log.warning("run %s rests, its lease runs out: %s", name, cause)
            return
        if not await self._ours(claim):
            _log.info("run %s was taken over or erased while its driver failed: %s", name, type(error).__name__)
            return
        failures = 1 if hold.progressed else claim.failures + 1
        _log.error("driver of run %s failed (%d of %d)", name, failures, ATTEMPTS, exc_info=error)
        if failures >= ATTEMPTS and await self._abandoned(claim, hold, error):
            return
        until = self._log.clock.now() + timedelta(seconds=min(0.25 * 2.0 ** min(failures, 8), 60.0))
        later = partial(leases.retry_later, run=name, epoch=claim.record.epoch, until=until, failures=failures)
        try:
            await self._log.store.write(later)
        except StorageError as failure:
            _log.warning("run %s rests, its lease runs out: %s", name, failure)
        self._news.set()

    async def _ours(self, claim: Claim) -> bool:
        """Whether the run has our epoch still; also when the database does not say."""
        try:
            record = await self._log.store.read(lambda connection: reading.get_run(connection, claim.record.id))
        except StorageError:
            return True
        return record is not None and record.epoch == claim.record.epoch

    async def _abandoned(self, claim: Claim, hold: _Hold, error: Exception) -> bool:
        try:
            hold.run = await self._open(claim)
            if hold.run is None:
                return True
            await self._drivers[claim.record.kind].abandon(hold.run, error)
        except Exception:  # noqa: BLE001 - as in `_drive`; the run is tried again later
            _log.exception("run %s cannot even be abandoned", claim.record.id)
            return False
        return hold.run.closing

    async def _open(self, claim: Claim) -> Run | None:
        """Build the run from the log; None when it is not ours any more."""
        name, store = claim.record.id, self._log.store
        record = await store.read(lambda connection: reading.get_run(connection, name))
        if record is None or record.epoch != claim.record.epoch or record.status == "closed":
            return None
        rows = await store.read(lambda connection: reading.events(connection, name, after=-1, public=False, limit=None))
        if rows and rows[-1][1] != len(rows) - 1:
            raise InternalError(
                f"the log of run {name} has a hole", why=f"{len(rows)} events, the last is {rows[-1][1]}"
            )
        lane = Lane(name, record.epoch, next=len(rows))
        return self._run(record, lane, rows)

    def _run(self, record: RunRecord, lane: Lane, rows: Sequence[Row]) -> Run:
        log = self._log
        return Run(record, lane, rows, writer=log.writer, store=log.store, clock=log.clock)
