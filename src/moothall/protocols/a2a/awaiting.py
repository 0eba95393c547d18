"""Tasks whose calls wait for somebody's approval: each goes on by itself once that is decided, whoever reads it then.

What is waited for stands in the task's own status, so that a restart loses nothing; where several processes have one
database, each looks for tasks whose process has ended.
"""

from __future__ import annotations

import asyncio
from typing import Final

from moothall.errors import ApprovalPending, Overloaded, StorageError, Unavailable
from moothall.protocols.a2a.failures import UnsupportedOperation
from moothall.protocols.a2a.keeping import Ground
from moothall.protocols.a2a.starting import Starting
from moothall.protocols.a2a.tasks import Task
from moothall.telemetry import logger

_log = logger("a2a")
_LOOK: Final = 300.0
"""Seconds for which one look at an approval waits for its decision."""

_PAUSE: Final = 1.0
"""Seconds after which is tried again what could not be done."""

_EVERY: Final = 30.0
"""Seconds between looks for the tasks of processes that have ended."""

_UNREAD: Final = (Overloaded, StorageError, Unavailable)
"""Why an approval, or its task, cannot be read now; in a reply the same are how the call ended."""


class Awaiting:
    """The tasks of one process that wait for a decision."""

    def __init__(self, ground: Ground, starting: Starting) -> None:
        self._ground = ground
        self._starting = starting
        self._waits: dict[str, asyncio.Task[None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    async def start(self) -> None:
        """Take over what waited when this node stopped.

        Raises:
            StorageError: the database failed.
        """
        await self._look()
        if self._ground.store.shared:
            self._looking = asyncio.create_task(self._go_on_looking(), name="moothall-a2a-awaiting")

    def take(self, task: Task) -> None:
        """Take over a task that has come to rest, if it waits for a decision of this node."""
        if self._closed or not task.decided_here or task.id in self._waits:
            return
        waiting = asyncio.create_task(self._wait(task), name="moothall-a2a-approval")
        self._waits[task.id] = waiting
        waiting.add_done_callback(lambda done: self._waited(task, done))

    async def aclose(self) -> None:
        """Wait no more; the tasks stay as they are."""
        self._closed = True
        every = [*self._waits.values(), *([] if self._looking is None else [self._looking])]
        for each in every:
            each.cancel()
        if every:
            await asyncio.wait(every)

    def _waited(self, task: Task, done: asyncio.Task[None]) -> None:
        del self._waits[task.id]
        if not done.cancelled() and (error := done.exception()) is not None:
            _log.error("task %s: nobody hears when its approval is decided", task.id, exc_info=error)

    async def _wait(self, task: Task) -> None:
        """Wait for the decision, then end the task with the reply of its call."""
        approval, whose, clock = task.approval, task.whose, self._ground.clock
        while True:
            try:
                reply = await self._ground.gateway().approved(approval, clock.monotonic() + _LOOK)
                if isinstance(reply.error, ApprovalPending):
                    continue
                found = await self._ground.store.find(task.id, whose)
                if found is not None and found.holder:  # its client went on with it: it may come to wait again
                    await asyncio.sleep(_PAUSE)
                    continue
                if found is None or not found.task.decided_here:
                    return
                if found.task.approval == approval:
                    await self._starting.conclude(found.task, reply)
                    return
                approval = found.task.approval
            except _UNREAD as error:
                _log.warning("task %s cannot go on yet: %s", task.id, type(error).__name__)
                await asyncio.sleep(_PAUSE)
            except UnsupportedOperation:
                continue  # its client, or another process, was faster

    async def _look(self) -> None:
        for task in await self._ground.store.waiting():
            self.take(task)

    async def _go_on_looking(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            try:
                await self._look()
            except StorageError:
                _log.warning("tasks that wait for approvals cannot be looked for now")
