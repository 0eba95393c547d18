"""Ending a task: at work here, at work in another process, or waiting for a message."""

from __future__ import annotations

import asyncio
from typing import Final

from moothall.capability.spec import JsonObject
from moothall.errors import LeaseLost
from moothall.protocols.a2a import telling
from moothall.protocols.a2a.failures import TaskNotCancelable, TaskNotFound
from moothall.protocols.a2a.keeping import Ground
from moothall.protocols.a2a.live import Live
from moothall.protocols.a2a.push_configs import PushConfigs
from moothall.protocols.a2a.store import CANCEL, Kept
from moothall.protocols.a2a.tasks import CANCELED, TERMINAL, Task, Whose, milliseconds

_LOOK: Final = 0.25
_LOOKS: Final = 20
"""How often to look whether another process has ended the work."""


class Cancelling:
    """Ends tasks."""

    def __init__(self, ground: Ground, live: Live, pushes: PushConfigs) -> None:
        self._store = ground.store
        self._watch = ground.watch
        self._clock = ground.clock
        self._live = live
        self._pushes = pushes

    async def cancel(self, task: str, whose: Whose) -> JsonObject:
        """End a task and give it.

        Raises:
            TaskNotFound: it is not this caller's.
            TaskNotCancelable: it has ended, or does not end.
            StorageError: the database failed.
        """
        run = self._live.find(task, whose)
        if run is not None:
            if not await run.cancelled():
                raise TaskNotCancelable("task_stays")
            await run.rested
            if run.task.state == CANCELED:
                return run.shown()
        found = await self._find(task, whose)
        if found.task.state in TERMINAL:
            raise TaskNotCancelable("task_ended")
        if found.holder:
            return await self._elsewhere(found, whose)
        return await self._waiting(found.task)

    async def _waiting(self, task: Task) -> JsonObject:
        """End a task that nobody works on."""
        seen, configs = task.updated, await self._pushes.all(task.id)
        task.move(CANCELED, milliseconds(self._clock.now()), telling.ended(task, "canceled"))
        try:
            await self._store.settle(task, seen)
        except LeaseLost as error:  # a message came for it at this moment
            raise TaskNotCancelable("task_stays") from error
        for config in configs:
            self._pushes.follow(config, task.whose.owner)
        self._watch.tell(task.id, task.status_update(), task.shown)
        self._watch.rest(task.id, over=True)
        return task.shown()

    async def _elsewhere(self, found: Kept, whose: Whose) -> JsonObject:
        """Ask the process that works on it, and wait for a while."""
        await self._store.wish(found.task.id, CANCEL)
        for _ in range(_LOOKS):
            await asyncio.sleep(_LOOK)
            found = await self._find(found.task.id, whose)
            if found.task.state == CANCELED:
                return found.task.shown()
            if found.task.state in TERMINAL:
                raise TaskNotCancelable("task_ended")
            if not found.holder:  # it came to wait for a message meanwhile
                return await self._waiting(found.task)
        raise TaskNotCancelable("task_stays")

    async def _find(self, task: str, whose: Whose) -> Kept:
        found = await self._store.find(task, whose)
        if found is None:
            raise TaskNotFound("task_not_found")
        return found
