"""Group commit: one task per process puts everything that queued up meanwhile into one transaction.

No delay is needed to fill a batch: while one commit runs, the next batch gathers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from moothall.errors import LeaseLost, MoothallError, Overloaded, StorageError
from moothall.events.append import Append, Rejected, Sink
from moothall.storage.failure import failed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_BATCH_ROWS = 2_000


class Writer:
    """The queue of appends and the task that commits them in order."""

    def __init__(self, sink: Sink, publish: Callable[[Sequence[Append]], None], *, limit: int = 20_000) -> None:
        """Hand what was committed to `publish`, in order; refuse new runs when `limit` rows wait, all at twice that."""
        self._sink, self._publish, self._limit = sink, publish, limit
        self._queue: deque[Append] = deque()
        self._waiting = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self.commits = 0
        self.failing = False

    def start(self) -> None:
        """Begin committing."""
        self._task = asyncio.create_task(self._work(), name="moothall-writer")

    async def close(self) -> None:
        """Commit what is queued, then stop."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self._sink.close()

    def submit(self, append: Append) -> None:
        """Queue an append; its future tells the outcome.

        Raises:
            Overloaded: too much is waiting already.
            StorageError: the log is closing.
            MoothallError: what broke the lane before.
        """
        if append.lane.broken is not None:
            raise append.lane.broken
        if self._closing:
            raise StorageError("the event log is closed")
        if self._waiting >= (self._limit if append.birth else 2 * self._limit):
            raise Overloaded(
                "the event log is behind", why=f"{self._waiting} events wait for the disk", hint="try again shortly"
            )
        self._waiting += len(append.rows)
        self._queue.append(append)
        self._wake.set()

    async def _work(self) -> None:
        while self._queue or not self._closing:
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
                await asyncio.sleep(0)  # appenders of the same tick join the batch
            if batch := self._take():
                await self._commit(batch)

    def _take(self) -> list[Append]:
        batch: list[Append] = []
        rows = 0
        while self._queue and rows < _BATCH_ROWS:
            append = self._queue.popleft()
            rows += len(append.rows)
            batch.append(append)
        self._waiting -= rows
        return batch

    async def _commit(self, batch: Sequence[Append]) -> None:
        """Commit, halving a batch that a constraint refused until only the guilty append fails."""
        sound = [append for append in batch if append.lane.broken is None]
        if len(sound) < len(batch):
            for append in batch:
                if append.lane.broken is not None:
                    _fail(append, append.lane.broken)
        if not sound:
            return
        try:
            written = await self._sink.commit(sound)
        except Rejected as error:
            if len(sound) == 1:
                _fail(sound[0], _lost(sound[0], str(error)))
                return
            middle = len(sound) // 2
            await self._commit(sound[:middle])
            await self._commit(sound[middle:])
        except Exception as error:  # noqa: BLE001 - drivers' errors share no base, and a dead writer would stop the node
            self.failing = True
            failure = failed(error)
            failure.__cause__ = error
            for append in sound:
                _fail(append, failure)
        else:
            self.commits += 1
            self.failing = False
            self._settle(sound, written)

    def _settle(self, batch: Sequence[Append], written: Sequence[bool]) -> None:
        kept = []
        for append, went_in in zip(batch, written, strict=True):
            if went_in:
                if append.committed is not None:
                    append.committed()
                kept.append(append)
            elif append.birth is None:
                _fail(append, _lost(append, "another owner took the run over, or it is closed"))
                continue
            if not append.future.done():
                append.future.set_result(went_in)
        if kept:
            self._publish(kept)


def _lost(append: Append, why: str) -> LeaseLost:
    return LeaseLost(f"run {append.lane.run} is not ours any more", why=why)


def _fail(append: Append, error: MoothallError) -> None:
    if append.lane.broken is None:
        append.lane.broken = error
    if not append.future.done():
        append.future.set_exception(error)
