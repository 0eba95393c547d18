"""Who watches which task: every watcher has a short queue of its own and never holds up the task or another.

A watcher that falls behind loses what waits for it and gets the whole task instead, as it is when it comes for more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from moothall.capability.spec import JsonObject
from moothall.errors import MoothallError, Overloaded, Told

AHEAD: Final = 64
"""Events that may wait for one watcher."""

MOST: Final = 32
"""Watchers of one task."""

Shown = Callable[[], JsonObject]


class Watcher:
    """One who watches a task; taken from by one consumer.

    Attributes:
        stays: whether it goes on watching when the task waits for a message.
    """

    def __init__(self, leave: Callable[[Watcher], None], *, stays: bool) -> None:
        self._leave = leave
        self.stays = stays
        self._events: deque[JsonObject] = deque()
        self._behind: Shown | None = None
        self._shown: Shown | None = None
        self._over = False
        self._error: MoothallError | None = None
        self._filled = asyncio.Event()

    def tell(self, event: JsonObject, shown: Shown) -> None:
        """Queue an event; ``shown`` gives the task if this watcher has fallen behind."""
        if self._behind is not None or self._over:
            return
        self._shown = shown
        if len(self._events) >= AHEAD:
            self.skip(shown)
        else:
            self._events.append(event)
        self._filled.set()

    def skip(self, shown: Shown) -> None:
        """Forget what waits; the task as it is when somebody asks comes instead."""
        self._events.clear()
        self._behind = shown
        self._filled.set()

    def renew(self) -> None:
        """Let the whole task come next, after something was missed."""
        if self._shown is not None:
            self.skip(self._shown)

    def drop(self) -> None:
        """Forget what waits."""
        self._events.clear()
        self._behind = None

    def end(self, error: MoothallError | None = None) -> None:
        """Nothing more will come."""
        self._over, self._error = True, error
        self._filled.set()

    @property
    def over(self) -> bool:
        """Whether nothing more will come than what waits."""
        return self._over

    def check(self) -> None:
        """Look whether what was to be told could be written.

        Raises:
            MoothallError: it could not.
        """
        if self._error is not None:
            raise self._error

    @property
    def waiting(self) -> bool:
        """Whether something can be had at once."""
        return bool(self._events) or self._behind is not None or self._over

    async def get(self) -> JsonObject | None:
        """The next event; None at the end.

        Raises:
            MoothallError: what was to be told could not be written.
        """
        while True:
            if self._behind is not None:
                shown, self._behind = self._behind, None
                return {"task": shown()}
            if self._events:
                return self._events.popleft()
            self.check()
            if self._over:
                return None
            self._filled.clear()
            await self._filled.wait()

    def close(self) -> None:
        """Watch no longer."""
        self._leave(self)


class Watch:
    """The watchers of all tasks in this process, by the ids of the tasks."""

    def __init__(self) -> None:
        self._watchers: dict[str, list[Watcher]] = {}

    def __contains__(self, task: object) -> bool:
        """Whether anybody watches a task."""
        return task in self._watchers

    def add(self, task: str, *, stays: bool, counted: bool = True) -> Watcher:
        """Watch a task from now on; close it in the end. Only those ``counted`` can be too many.

        Raises:
            Overloaded: too many watch it.
        """
        watchers = self._watchers.setdefault(task, [])
        if counted and len(watchers) >= MOST:
            raise Overloaded("too many watch this task", told=Told("a2a.too_many_watchers", {"most": MOST}))

        def leave(watcher: Watcher) -> None:
            if watcher in watchers:
                watchers.remove(watcher)
            if not watchers and self._watchers.get(task) is watchers:
                del self._watchers[task]

        watcher = Watcher(leave, stays=stays)
        watchers.append(watcher)
        return watcher

    def tell(self, task: str, event: JsonObject, shown: Shown) -> None:
        """Tell an event to all who watch a task."""
        for watcher in self._watchers.get(task, ()):
            watcher.tell(event, shown)

    def end(self, task: str, error: MoothallError | None = None) -> None:
        """Nothing more will come of a task."""
        for watcher in self._watchers.get(task, ()):
            watcher.end(error)

    def rest(self, task: str, *, over: bool) -> None:
        """A task has come to rest: those leave who do not wait for what comes after; all of them when it is over."""
        for watcher in self._watchers.get(task, ()):
            if over or not watcher.stays:
                watcher.end()

    def end_all(self) -> None:
        """Nothing more will come of any."""
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.end()
