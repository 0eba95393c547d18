"""Taking up the stream of a task: as it is, then what becomes of it, until it has ended (A2A 1.0 §3.1.6).

What another process does is seen by looking at the database, twice a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from moothall.capability.spec import JsonObject
from moothall.protocols.a2a.failures import TaskNotFound, UnsupportedOperation
from moothall.protocols.a2a.live import Live
from moothall.protocols.a2a.store import Kept, TaskStore
from moothall.protocols.a2a.tasks import TERMINAL, Task, Whose
from moothall.protocols.a2a.watching import Watch, Watcher

_LOOK: Final = 0.5


class Following:
    """Streams of tasks that are there already."""

    def __init__(self, store: TaskStore, live: Live, watch: Watch) -> None:
        self._store = store
        self._live = live
        self._watch = watch

    async def follow(self, task: str, whose: Whose) -> AsyncIterator[JsonObject]:
        """Yield the task, then its events.

        Raises:
            TaskNotFound: it is not this caller's.
            UnsupportedOperation: it has ended.
            Overloaded: too many watch it.
            StorageError: the database failed.
        """
        watcher = self._watch.add(task, stays=True)
        try:
            first, known = await self._first(task, whose, watcher)
            yield {"task": first}
            if known is not None:
                async for change in self._looking(known, whose):
                    yield change
                return
            while (event := await watcher.get()) is not None:
                yield event
        finally:
            watcher.close()

    async def _first(self, task: str, whose: Whose, watcher: Watcher) -> tuple[JsonObject, Task | None]:
        """The task as it is, with the events dropped that it has; and again where this process hears nothing of it."""
        while True:
            run = self._live.find(task, whose)
            if run is not None:
                watcher.drop()
                return run.shown(), None
            watcher.drop()
            found = await self._find(task, whose)
            if self._live.find(task, whose) is None and not watcher.waiting:
                return found.task.shown(), found.task if self._store.shared else None

    async def _looking(self, known: Task, whose: Whose) -> AsyncIterator[JsonObject]:
        """What changes in the database from what is known."""
        while known.state not in TERMINAL:
            await asyncio.sleep(_LOOK)
            found = await self._store.find(known.id, whose)
            if found is None:
                return
            task, had = found.task, len(known.parts)
            if len(task.parts) < had:  # another run began: the result comes anew
                yield {"task": task.shown()}
            elif fresh := task.parts[had:]:
                yield task.artifact_update(fresh, append=had > 0, last=task.state in TERMINAL)
            if task.status != known.status:
                yield task.status_update()
            known = task

    async def _find(self, task: str, whose: Whose) -> Kept:
        found = await self._store.find(task, whose)
        if found is None:
            raise TaskNotFound("task_not_found")
        if found.task.state in TERMINAL:
            raise UnsupportedOperation("task_over_subscribed")
        return found
