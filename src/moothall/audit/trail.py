"""The audit trail of a node: takes records at once, writes them in order, signs where it stands from time to time.

While the store is down, records wait in memory and are tried again; whoever must not go on unrecorded is told at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

from moothall.audit.anchoring import Anchoring
from moothall.audit.record import AuditRecord
from moothall.audit.sink import Sink
from moothall.clock import Clock, rfc3339
from moothall.errors import StorageError, Unavailable
from moothall.identity.keys import Signer
from moothall.storage.failure import failed
from moothall.storage.store import Store
from moothall.telemetry import logger

_BATCH: Final = 1_000
_GATHER: Final = 0.05
"""Seconds in which records gather that nobody waits for: a transaction for each would cost more than the calls."""

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
_LAST_TRIES: Final = 3
_log = logger("audit")


_Entry = tuple[AuditRecord | None, datetime, asyncio.Future[None] | None]
"""A record, its time, and who waits for it; without a record somebody waits for those before. Plain, since one is made
for every call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a trail is kept.

    Attributes:
        most: records that may wait for the store.
        every: rows after which a statement is signed.
        seconds: after which one is signed for any row.
    """

    most: int = 100_000
    every: int = 5_000
    seconds: float = 60.0


USUAL: Final = Terms()


class AuditTrail:
    """A `Recorder` over the tables ``audit_record`` and ``audit_anchor``, for one event loop.

    Attributes:
        failing: whether the last attempt to write failed, so that nothing can be settled now.
    """

    def __init__(self, store: Store, clock: Clock, anchoring: Anchoring, most: int) -> None:
        """Use `open`."""
        self._clock, self._now, self._most = clock, clock.now, most
        self._node, self._sink, self._anchoring = store.node, Sink(store), anchoring
        self._queue: deque[_Entry] = deque()
        self._under_way = 0
        self._gathering = self._closing = self._due = False
        self._wake, self._stop = asyncio.Event(), asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.failing = False

    @classmethod
    async def open(
        cls,
        store: Store,
        clock: Clock,
        signer: Signer | None,
        anchors: Path,
        terms: Terms = USUAL,
    ) -> Self:
        """Go on with the chain of the store's node.

        Args:
            store: where rows and statements go.
            clock: the time of records and statements.
            signer: the key of the node's own agent; None: nothing is signed.
            anchors: the file that gets every statement, too.
            terms: how much may wait, and when something is signed or goes.

        Raises:
            StorageError: the end of the chain cannot be read, or the file belongs to somebody else.
        """
        anchoring = Anchoring(store, clock.now, signer, anchors, every=terms.every)
        trail = cls(store, clock, anchoring, terms.most)
        try:
            await trail._sink.append(())
            notes = await anchoring.begin(trail._sink.head)
        except Exception as error:  # drivers' errors share no base
            raise failed(error) from error
        trail._queue.extend((note, clock.now(), None) for note in notes)
        trail._tasks.append(asyncio.create_task(trail._work(), name="moothall-audit"))
        if signer is not None:
            trail._tasks.append(asyncio.create_task(trail._remind(terms.seconds), name="moothall-audit-anchors"))
        return trail

    def check(self) -> None:
        """As `Recorder.check`."""
        if len(self._queue) + self._under_way >= self._most or self._closing:
            raise Unavailable("nothing more can be put on record now", hint="see the log of the node; try again")

    def put(self, record: AuditRecord) -> None:
        """As `Recorder.put`."""
        self.check()
        self._queue.append((record, self._now(), None))
        if not self._gathering:
            self._gathering = True
            asyncio.get_running_loop().call_later(_GATHER, self._wake.set)

    async def settle(self, record: AuditRecord) -> None:
        """As `Recorder.settle`."""
        await self._waited(record)

    async def flush(self) -> None:
        """Wait until everything that was handed in before is written.

        Raises:
            StorageError: it cannot be written now.
        """
        await self._waited(None)

    async def prune(self, before: datetime) -> int:
        """Take away records older than `before`, up to a signed row, and put on record how many.

        The last ones stay, and what is not signed yet; verification begins at a statement that says so.

        Raises:
            StorageError, OSError: not all of it could be done.
        """
        gone = 0
        while not self._closing and (step := await self._anchoring.prune(before)):
            gone += step
        if gone:
            details = {"records": gone, "before": rfc3339(before)}
            self.put(AuditRecord(kind="system", action="prune", actor=self._node, resource="audit", details=details))
        return gone

    async def aclose(self) -> None:
        """Write what is left, sign where the chain ends, and take nothing more."""
        self._closing = self._due = True
        self._stop.set()
        self._wake.set()
        await asyncio.gather(*self._tasks)

    async def _waited(self, record: AuditRecord | None) -> None:
        if self.failing or self._closing or len(self._queue) + self._under_way >= self._most:
            raise StorageError("the audit trail cannot be written now", hint="see the log of the node; try again")
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((record, self._now(), written))
        self._wake.set()
        await written

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._gathering = False
            await self._drain()
            due, self._due = self._due, False
            if self._anchoring.wanted(self._sink.head, due=due):
                await self._anchoring.sign(self._sink.head)
            if self._closing and not self._queue:
                return

    async def _drain(self) -> None:
        """Write what is there now; what comes meanwhile gathers, unless somebody waits for it."""
        left = len(self._queue)
        while left > 0 and self._queue:
            batch = [self._queue.popleft() for _ in range(min(_BATCH, left, len(self._queue)))]
            left -= len(batch)
            self._under_way = len(batch)
            if not await self._write(batch):
                lost = len(batch) + len(self._queue)
                _log.critical("the node stops, and %d records of its audit trail are not written", lost)
                self._queue.clear()
            self._under_way = 0

    async def _write(self, batch: list[_Entry]) -> bool:
        """Write a batch, however long it takes; while the node stops, give up after a few attempts."""
        pause, left = _FIRST_PAUSE, _LAST_TRIES
        while left:
            try:
                await self._sink.append([(record, at) for record, at, _ in batch if record is not None])
            except Exception as error:  # noqa: BLE001 - drivers' errors share no base, and a dead writer would lose all
                batch = self._refused(batch, failed(error))
                left -= self._closing
                await self._paused(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self.failing = False
                for _, _, written in batch:
                    if written is not None and not written.done():
                        written.set_result(None)
                return True
        return False

    def _refused(self, batch: list[_Entry], failure: StorageError) -> list[_Entry]:
        """Tell all who wait; what is left to be tried again is what nobody waits for."""
        self.failing = True
        for _, _, written in (*batch, *self._queue):
            if written is not None and not written.done():
                written.set_exception(failure)
        self._queue = deque(entry for entry in self._queue if entry[2] is None)
        kept = [entry for entry in batch if entry[2] is None]
        self._under_way = len(kept)
        return kept

    async def _paused(self, seconds: float) -> None:
        """Wait, on the clock; while the node stops, by the loop's own time."""
        if self._stop.is_set():
            await asyncio.sleep(seconds)
            return
        nap = asyncio.ensure_future(self._clock.sleep_until(self._now() + timedelta(seconds=seconds)))
        stop = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((nap, stop), return_when=asyncio.FIRST_COMPLETED)
        for each in (nap, stop):
            each.cancel()

    async def _remind(self, seconds: float) -> None:
        while not self._stop.is_set():
            await self._paused(seconds)
            self._due = True
            self._wake.set()
