"""What another process makes of a task, seen by looking at the database twice a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from moothall.capability.spec import JsonObject
from moothall.protocols.a2a.store import TaskStore
from moothall.protocols.a2a.tasks import TERMINAL, Task

_LOOK: Final = 0.5


async def changes(store: TaskStore, known: Task) -> AsyncIterator[tuple[JsonObject, Task]]:
    """Yield what becomes of a task from what is known of it, until it has ended or is no more: events, and the task.

    Raises:
        StorageError: the database failed.
    """
    while known.state not in TERMINAL:
        await asyncio.sleep(_LOOK)
        found = await store.find(known.id, known.whose)
        if found is None:
            return
        task, had = found.task, len(known.parts)
        if task.parts[:had] != known.parts:  # another run began: the result comes anew
            yield {"task": task.shown()}, task
        elif fresh := task.parts[had:]:
            yield task.artifact_update(fresh, append=had > 0, last=task.state in TERMINAL), task
        if task.status != known.status:
            yield task.status_update(), task
        known = task
