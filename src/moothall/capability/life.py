"""What an agent or a registry does when its node starts and when it stops (row DEC-41)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TypeVar

Hook = Callable[[], object]
H = TypeVar("H", bound=Hook)


class Life:
    """Start and stop hooks, each run once for every start."""

    def __init__(self) -> None:
        self._start: list[Hook] = []
        self._stop: list[Hook] = []
        self._begun = 0
        self._running = False

    def on_start(self, hook: H) -> H:
        """Run a function, which may be asynchronous, when the node starts."""
        self._start.append(hook)
        return hook

    def on_stop(self, hook: H) -> H:
        """Run a function, which may be asynchronous, when the node stops."""
        self._stop.append(hook)
        return hook

    async def start(self) -> None:
        """Run the start hooks that have not run, in their order."""
        self._running = True
        while self._begun < len(self._start):
            hook = self._start[self._begun]
            self._begun += 1
            await _run(hook)

    async def stop(self) -> None:
        """Run the stop hooks, last first, every one of them; the first failure is raised at the end."""
        if not self._running:
            return
        self._running, self._begun = False, 0
        failures: list[Exception] = []
        for hook in reversed(self._stop):
            try:
                await _run(hook)
            except Exception as error:  # noqa: BLE001 - the others must run, too; it is raised below
                failures.append(error)
        if failures:
            raise failures[0]


async def _run(hook: Hook) -> None:
    result = hook()
    if inspect.isawaitable(result):
        await result
