"""What an agent or a registry does when its node starts and when it stops (row DEC-41)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import TypeVar

from moothall.telemetry import logger

Hook = Callable[[], object]
H = TypeVar("H", bound=Hook)
_log = logger("capability")


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

    def __bool__(self) -> bool:
        """Whether there is any hook."""
        return bool(self._start or self._stop)

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
        await run_all(reversed(self._stop))


async def run_all(hooks: Iterable[Hook]) -> None:
    """Run every one of them in this order, whatever fails; the first failure is raised at the end, others are logged.

    A cancellation goes before other failures, whenever it came.
    """
    failures: list[BaseException] = []
    for hook in hooks:
        try:
            await _run(hook)
        except BaseException as error:  # noqa: BLE001 - the others must run, too; it is raised below
            failures.append(error)
    if not failures:
        return
    first = next((error for error in failures if not isinstance(error, Exception)), failures[0])
    for other in failures:
        if other is not first:
            _log.error("a part could not be stopped", exc_info=other)
    raise first


async def abandon(stop: Hook) -> None:
    """Stop what had begun before a failure; that one is told, what fails now is only logged."""
    try:
        await _run(stop)
    except Exception:  # noqa: BLE001 - whatever it is, the first failure is raised
        _log.exception("what had begun before a failure could not be stopped")


async def _run(hook: Hook) -> None:
    result = hook()
    if inspect.isawaitable(result):
        await result
