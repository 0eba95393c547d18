"""The tasks that this process is at work on, for as long as it is, and what other processes want of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from moothall.errors import Overloaded, StorageError, Told
from moothall.protocols.a2a.store import CANCEL, TaskStore
from moothall.protocols.a2a.tasks import Task, Whose
from moothall.protocols.a2a.work import PATIENCE, Run
from moothall.telemetry import logger

_log = logger("a2a")
_LOOK: Final = 1.0
"""Seconds between looks at what other processes want, where there are others and tasks are at work."""


class Place:
    """A place among the tasks that one caller may have at work."""

    def __init__(self, counts: Counter[str], owner: str) -> None:
        """It is counted already."""
        self._counts = counts
        self._owner = owner
        self._held = True

    def give_back(self) -> None:
        """Let another task have it."""
        if not self._held:
            return
        self._held = False
        self._counts[self._owner] -= 1
        if not self._counts[self._owner]:
            del self._counts[self._owner]


class Live:
    """The runs of one process, by the ids of their tasks."""

    def __init__(self, store: TaskStore, most: int, over: Callable[[Task], None]) -> None:
        """One caller may have ``most`` at once; ``over`` hears of each task that this process works on no more."""
        self._store = store
        self._most = most
        self._over = over
        self._runs: dict[str, Run] = {}
        self._counts: Counter[str] = Counter()
        self._looking: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many there are."""
        return len(self._runs)

    def find(self, task: str, whose: Whose) -> Run | None:
        """The run of somebody's task; those that are not kept are found by nobody."""
        run = self._runs.get(task)
        if run is None or run.over.done() or not run.kept or run.task.whose != whose:
            return None
        run.lone = False
        return run

    def shown(self, tasks: Iterable[str]) -> None:
        """Their caller has seen these tasks in a list."""
        for task in tasks:
            if run := self._runs.get(task):
                run.lone = False

    def reserve(self, owner: str) -> Place:
        """A place for one more task of a caller, to be given back unless a run takes it.

        Raises:
            Overloaded: it has as many as it may.
        """
        if self._counts[owner] >= self._most:
            raise Overloaded("too many tasks of this caller are at work", told=Told("a2a.too_many_tasks"))
        self._counts[owner] += 1
        return Place(self._counts, owner)

    def add(self, run: Run, place: Place) -> None:
        """Take a run in until it is over, to the place that was kept for it."""
        self._runs[run.task.id] = run
        run.over.add_done_callback(lambda _: self._remove(run, place))
        if self._store.shared and self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="moothall-a2a-wishes")

    async def aclose(self) -> None:
        """End all of them and wait for a while until that is written, whether their work lets itself be ended or not.

        What the database does not take now is ended by the next start of this node.
        """
        if self._looking is not None:
            self._looking.cancel()
        for step in (lambda run: run.stop("stopped"), Run.abandon, Run.give_up):
            left = list(self._runs.values())
            for run in left:
                step(run)
            if left:
                await asyncio.wait([run.over for run in left], timeout=PATIENCE)

    def _remove(self, run: Run, place: Place) -> None:
        del self._runs[run.task.id]
        place.give_back()
        if run.kept:
            self._over(run.task)

    async def _look(self) -> None:
        try:
            while self._runs:
                await asyncio.sleep(_LOOK)
                try:
                    wishes = await self._store.wishes()
                except StorageError:
                    _log.warning("what other processes want of A2A tasks cannot be read now")
                    continue
                for task, wish in wishes.items():
                    if wish == CANCEL and task in self._runs:
                        self._runs[task].stop("canceled")
        finally:
            self._looking = None
