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

from moothall.errors import Told, Unavailable

_NUMBERS: Final = itertools.count(1)

_WAITING: Final = 4
"""Calls that may wait, for each thread."""


class _Job(NamedTuple):
    function: Callable[..., Any]
    positional: tuple[Any, ...]
    named: Mapping[str, Any]
    context: contextvars.Context
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


class Threads:
    """At most ``size`` threads, made when they are needed and reused; four times as many calls may wait for one.

    A call that is abandoned while it waits is never begun; one that runs cannot be stopped and keeps its thread until
    it returns, but nobody waits for it, not even the end of the process (`concurrent.futures` would wait there).
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = Lock()
        self._started = 0
        self._unfinished = 0

    async def run(self, function: Callable[..., Any], *positional: object, **named: object) -> Any:  # noqa: ANN401
        """Call a function in a thread and return what it returns. Raises what it raises, and as `submit`."""
        return await self.submit(function, positional, named)

    def submit(
        self, function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]
    ) -> asyncio.Future[Any]:
        """Call a function in a thread, with the caller's context variables; cancelling the future abandons the call.

        Raises:
            Unavailable: every thread is taken, and so is every place to wait.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._take_place().put(_Job(function, positional, named, contextvars.copy_context(), loop, future))
        return future

    def close(self) -> None:
        """Let the threads end once they are done; a later call starts new ones."""
        with self._lock:
            for _ in range(self._started):
                self._jobs.put(None)
            self._jobs = SimpleQueue()
            self._started = self._unfinished = 0

    def _take_place(self) -> SimpleQueue[_Job | None]:
        with self._lock:
            if self._unfinished >= self._size * (1 + _WAITING):
                raise Unavailable("every thread for synchronous capabilities is taken", told=Told("capability.threads"))
            self._unfinished += 1
            if self._unfinished > self._started and self._started < self._size:
                self._started += 1
                name = f"capability-{next(_NUMBERS)}"
                Thread(target=self._work, args=(self._jobs,), name=name, daemon=True).start()
            return self._jobs

    def _work(self, jobs: SimpleQueue[_Job | None]) -> None:
        while (job := jobs.get()) is not None:
            settled = None if job.future.cancelled() else _perform(job)
            with self._lock:
                if jobs is self._jobs:
                    self._unfinished -= 1
            if settled is not None:
                with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    job.loop.call_soon_threadsafe(_settle, job.future, *settled)
            del job, settled


def _perform(job: _Job) -> tuple[object, BaseException | None]:
    try:
        return job.context.run(job.function, *job.positional, **job.named), None
    except StopIteration as stop:  # a future cannot carry it
        error = RuntimeError("the function raised StopIteration")
        error.__cause__ = stop
        return None, error
    except BaseException as raised:  # noqa: BLE001 - it is raised again where the call is awaited
        return None, raised


def _settle(future: asyncio.Future[Any], value: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
