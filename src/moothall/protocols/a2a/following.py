"""Taking up the stream of a task: as it is, then what becomes of it, until it has ended (A2A 1.0 §3.1.6).

A task that rests may go on in another process of the same database; what happens there is seen by looking.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from moothall.capability.spec import JsonObject
from moothall.protocols.a2a.failures import TaskNotFound, UnsupportedOperation
from moothall.protocols.a2a.live import Live
from moothall.protocols.a2a.looking import changes
from moothall.protocols.a2a.store import TaskStore
from moothall.protocols.a2a.tasks import INTERRUPTED, TERMINAL, Task, Whose
from moothall.protocols.a2a.watching import Watch, Watcher


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
            StorageError, LeaseLost: the database failed, or the task is another process's now.
        """
        if self._live.find(task, whose) is None:
            await self._find(task, whose)
        watcher = self._watch.add(task, stays=True)
        try:
            first, known = await self._first(task, whose, watcher)
            yield {"task": first}
            if known is None:
                status: JsonObject = first["status"]
                while not (self._store.shared and status["state"] in INTERRUPTED):
                    event = await watcher.get()
                    if event is None:
                        return
                    yield event
                    status = _status(event) or status
                known = await self._find(task, whose, over=True)
                if known.status != status:  # it has gone on elsewhere by now
                    yield {"task": known.shown()}
            async for change, _ in changes(self._store, known):
                yield change
        finally:
            watcher.close()

    async def _first(self, task: str, whose: Whose, watcher: Watcher) -> tuple[JsonObject, Task | None]:
        """The task as it is, with the events dropped that it has; and again where this process hears nothing of it."""
        while True:
            run = self._live.find(task, whose)
            watcher.drop()
            if run is not None:
                return run.shown(), None
            found = await self._find(task, whose)
            if watcher.over:
                watcher.check()
                return found.shown(), None
            if self._live.find(task, whose) is None and not watcher.waiting:
                return found.shown(), found if self._store.shared else None

    async def _find(self, task: str, whose: Whose, *, over: bool = False) -> Task:
        found = await self._store.find(task, whose)
        if found is None:
            raise TaskNotFound("task_not_found")
        if found.task.state in TERMINAL and not over:
            raise UnsupportedOperation("task_over_subscribed")
        return found.task


def _status(event: JsonObject) -> JsonObject | None:
    """The status that an event tells; None for a part of the result."""
    told = event.get("task") or event.get("statusUpdate")
    return told["status"] if told else None
