"""What is written of one task at work, and told once it is. Nothing is told before it is written.

What could not be written is made good by the next writing, which then writes the whole task. When a task that others
know of has ended and that cannot be written, it is tried again and again: until then they would see it at work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from moothall.calls.ports import Gateway
from moothall.capability.spec import JsonObject
from moothall.clock import Clock
from moothall.errors import LeaseLost, MoothallError
from moothall.protocols.a2a.store import TaskStore
from moothall.protocols.a2a.tasks import CANCELED, TERMINAL, Task
from moothall.protocols.a2a.watching import Watch
from moothall.telemetry import logger

_log = logger("a2a")
_AHEAD: Final = 64
"""Events of a task that may wait for the database."""

_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 30.0
"""Seconds after which the end of a task is tried to be written again, each pause twice as long as the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What runs stand on."""

    gateway: Callable[[], Gateway]
    store: TaskStore
    watch: Watch
    clock: Clock


class _Put(NamedTuple):
    """One writing.

    Attributes:
        parts: how many parts the task had.
        status: and which status.
        events: what is told once it is written.
        resting: whether the task came to rest with it.
        whole: whether all of the task was written.
        afresh: whether the whole task is told instead of the events, since some were not told.
    """

    parts: int
    status: JsonObject
    events: Sequence[JsonObject]
    resting: bool
    whole: bool
    afresh: bool


class Keeping:
    """A task in the database and before its watchers.

    Attributes:
        known: whether others than the request that is answered at its end can know of it: it is written.
        rested: done when the task has ended or waits and that is written, or for the first time could not be.
        over: done when nothing of it will be written any more.
    """

    def __init__(self, ground: Ground, task: Task, *, kept: bool, lost: Callable[[], None]) -> None:
        """``lost`` is called when it is found that the task is not this node's any more."""
        loop = asyncio.get_running_loop()
        self.known = False
        self.rested: asyncio.Future[None] = loop.create_future()
        self.over: asyncio.Future[None] = loop.create_future()
        self._ground = ground
        self._task = task
        self._kept = kept
        self._lost = lost
        self._waiting = 0
        self._room = asyncio.Event()
        self._had = 0
        self._torn = self._missed = False
        self._failures = 0
        self._retry: asyncio.TimerHandle | None = None
        self._parts = 0
        self._status: JsonObject | None = None

    def shown(self, history: int | None = None, *, artifacts: bool = True) -> JsonObject:
        """The task as its watchers know it."""
        task, shown = self._task, self._task.shown(history, artifacts=False)
        if self._status is not None:
            shown["status"] = self._status
        if artifacts and self._parts:
            shown["artifacts"] = [task.artifact(task.parts[: self._parts])]
        return shown

    async def announce(self, pushes: Sequence[JsonObject]) -> None:
        """Write the new task, at work already, with its push configurations.

        Raises:
            StorageError: it could not be written.
        """
        if self._kept:
            await self._ground.store.announce(self._task, pushes)
        self.mark()

    def mark(self) -> None:
        """What the task is now is written, and others can know of it."""
        self.known = True
        self._parts, self._status = len(self._task.parts), self._task.status

    def appear(self) -> None:
        """Write a task that works for long, for the first time."""
        task = self._task
        count = len(task.parts)

        def done(error: MoothallError | None) -> None:
            if error is not None:
                self.known, self._had = False, 0
            self._after(error)

        self._ground.store.begin(task, resting=False, done=done)
        self._waiting += 1
        self._had = count if task.streamed else 0
        self.mark()

    def put(self, *events: JsonObject, resting: bool = False) -> None:
        """Write the task as it is, and tell the events when that is done.

        Raises:
            TypeError, ValueError: it is no JSON; nothing was changed.
        """
        task, whole = self._task, self._torn
        put = _Put(len(task.parts), task.status, events, resting, whole, whole or self._missed)
        if not self._kept or (not self.known and (not resting or task.state == CANCELED)):
            self._done(put)  # nobody knows of it, or its only client has left
            if resting:
                self._rest(None)
            return
        if whole and self._waiting and not resting:
            self._missed = True  # so much at once that it would be written once is enough
            return
        done = partial(self._put_done, put)
        if not self.known:
            self._ground.store.begin(task, resting=True, done=done)
        else:
            self._ground.store.change(task, resting=resting, had=None if whole else self._had, done=done)
        self._waiting += 1
        self._missed = False
        self._had = len(task.parts) if task.streamed else 0

    async def drained(self) -> None:
        """Wait until the database has caught up."""
        while self._waiting >= _AHEAD:
            self._room.clear()
            await self._room.wait()

    def tell(self, event: JsonObject) -> None:
        """Tell an event to those who watch."""
        self._ground.watch.tell(self._task.id, event, self.shown)

    def give_up(self, error: MoothallError) -> None:
        """Write nothing more; who waits hears the error."""
        if self._retry is not None:
            self._retry.cancel()
        self._ground.watch.end(self._task.id, error)
        _settle(self.rested, error)
        _settle(self.over, None)

    def _put_done(self, put: _Put, error: MoothallError | None) -> None:
        self._after(error, whole=put.whole)
        if error is None:
            self._torn = self._torn and not put.whole
            self._done(put)
        if put.resting:
            self._rest(error, whole=put.whole)
        elif put.whole and isinstance(error, LeaseLost):
            self._lost()

    def _done(self, put: _Put) -> None:
        """Tell what is written: the events, or the whole task where some could not be told."""
        self._parts, self._status = put.parts, put.status
        for event in [{"task": self.shown()}] if put.afresh else put.events:
            self.tell(event)

    def _after(self, error: MoothallError | None, *, whole: bool = False) -> None:
        self._waiting -= 1
        self._room.set()
        if error is None:
            return
        if not self._torn or whole:
            _log.warning("task %s cannot be written: %s", self._task.id, type(error).__name__)
        if not self._torn:
            self._ground.watch.end(self._task.id, error)
        self._torn = self.known

    def _rest(self, error: MoothallError | None, *, whole: bool = False) -> None:
        """The end is written, or could not be."""
        task = self._task
        if error is None:
            self._ground.watch.rest(task.id, over=task.state in TERMINAL)
            _settle(self.rested, None)
            _settle(self.over, None)
        elif isinstance(error, LeaseLost) and not whole:
            self.put(resting=True)  # a writing before this one failed: this one makes it good
        elif isinstance(error, LeaseLost) or not self.known:
            self.give_up(error)  # others have decided about it, or nobody will ask for it
        else:
            _settle(self.rested, error)
            pause = min(_PAUSE * 2**self._failures, _LONGEST_PAUSE)
            self._failures += 1
            self._retry = asyncio.get_running_loop().call_later(pause, partial(self.put, resting=True))


def _settle(future: asyncio.Future[None], error: MoothallError | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
        future.exception()  # a task that nobody waits for has told its failure to the log
