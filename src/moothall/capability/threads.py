"""The bounded pool in which synchronous capabilities run, so that the event loop stays free (row DEC-35)."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Final, NamedTuple

_NUMBERS: Final = itertools.count(1)


class _Job(NamedTuple):
    function: Callable[..., Any]
    positional: tuple[Any, ...]
    named: Mapping[str, Any]
    context: contextvars.Context
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


class Threads:
    """At most ``size`` threads, made when they are needed and reused.

    A call that is abandoned while it waits is never begun; one that runs cannot be stopped, but nobody waits for it,
    not even the end of the process (`concurrent.futures` would wait for it there).
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = Lock()
        self._started = 0
        self._idle = 0

    async def run(self, function: Callable[..., Any], *positional: object, **named: object) -> Any:  # noqa: ANN401
        """Call a function in a thread, with the caller's context variables, and return what it returns."""
        return await self.submit(function, positional, named)

    def submit(
        self, function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]
    ) -> asyncio.Future[Any]:
        """The same as a future; cancelling it abandons the call."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._grow().put(_Job(function, positional, named, contextvars.copy_context(), loop, future))
        return future

    def close(self) -> None:
        """Let the threads end once they are done; a later call starts new ones."""
        with self._lock:
            for _ in range(self._started):
                self._jobs.put(None)
            self._jobs = SimpleQueue()
            self._started = self._idle = 0

    def _grow(self) -> SimpleQueue[_Job | None]:
        with self._lock:
            if self._idle > 0:
                self._idle -= 1
            elif self._started < self._size:
                self._started += 1
                name = f"capability-{next(_NUMBERS)}"
                Thread(target=self._work, args=(self._jobs,), name=name, daemon=True).start()
            return self._jobs

    def _work(self, jobs: SimpleQueue[_Job | None]) -> None:
        while (job := jobs.get()) is not None:
            if not job.future.cancelled():
                _perform(job)
            del job
            with self._lock:
                if jobs is self._jobs:
                    self._idle += 1


def _perform(job: _Job) -> None:
    value: object = None
    error: BaseException | None = None
    try:
        value = job.context.run(job.function, *job.positional, **job.named)
    except StopIteration as stop:  # a future cannot carry it
        error = RuntimeError("the function raised StopIteration")
        error.__cause__ = stop
    except BaseException as raised:  # noqa: BLE001 - it is raised again where the call is awaited
        error = raised
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        job.loop.call_soon_threadsafe(_settle, job.future, value, error)


def _settle(future: asyncio.Future[Any], value: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
