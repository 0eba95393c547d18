"""The bounded pool in which synchronous capabilities run, so that the event loop stays free (row DEC-35)."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Final

from moothall.errors import Told, Unavailable

_NUMBERS: Final = itertools.count(1)

_WAITING: Final = 4
"""Calls that may wait, for each thread."""


@dataclass(slots=True, eq=False)
class _Line:
    """The jobs of one function: those that threads may take, and those that wait until it has fewer of them."""

    function: Callable[..., Any]
    taken: int = 0
    places: int = 0
    waiting: deque[_Job] = field(default_factory=deque)


@dataclass(slots=True, eq=False)
class _Job:
    function: Callable[..., Any]
    positional: tuple[Any, ...]
    named: Mapping[str, Any]
    context: contextvars.Context
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    line: _Line | None = None
    placed: bool = True
    """Whether it still has its place: one that is abandoned before it was begun gives it back at once."""
    begun: bool = False


class Threads:
    """At most ``size`` threads, made when they are needed and reused; four times as many calls may wait for one.

    One function gets half of the threads, and half of the places to wait: whoever may call it, it cannot stop all the
    others. A call that is abandoned while it waits is never begun and gives its place back; one that runs cannot be
    stopped and keeps its thread until it returns, but nobody waits for it, not even the end of the process
    (`concurrent.futures` would wait there).
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._share = (size + 1) // 2
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lines: dict[int, _Line] = {}
        self._lock = Lock()
        self._started = 0
        self._unfinished = 0

    async def run(self, function: Callable[..., Any], *positional: object, **named: object) -> Any:  # noqa: ANN401
        """Call a function in a thread and return what it returns. Raises what it raises, and as `submit`."""
        return await self.submit(function, positional, named)

    def submit(
        self,
        function: Callable[..., Any],
        positional: tuple[Any, ...],
        named: Mapping[str, Any],
        owner: Callable[..., Any] | None = None,
    ) -> asyncio.Future[Any]:
        """Call a function in a thread, with the caller's context variables; cancelling the future abandons the call.

        ``owner`` is the function that it counts for, if it is not itself.

        Raises:
            Unavailable: every thread that this function may have is taken, and so is every place to wait.
        """
        job = _job(function, positional, named)
        self._place(job, owner or function)
        job.future.add_done_callback(lambda _: self._settled(job))
        return job.future

    def finish(self, function: Callable[[], Any]) -> asyncio.Future[Any]:
        """Call a function that ends something, in a thread; it needs no place, and is called even if nobody waits."""
        job = _job(function, (), {})
        job.begun = True
        with self._lock:
            self._unfinished += 1
            self._put(job)
        return job.future

    def close(self) -> None:
        """Let the threads end once they are done; a later call starts new ones."""
        with self._lock:
            for line in self._lines.values():
                for job in line.waiting:
                    self._jobs.put(job)
            for _ in range(self._started):
                self._jobs.put(None)
            self._jobs = SimpleQueue()
            self._lines = {}
            self._started = self._unfinished = 0

    def _place(self, job: _Job, owner: Callable[..., Any]) -> None:
        with self._lock:
            line = self._lines.get(id(owner)) or _Line(owner)
            most = 1 + _WAITING
            if self._unfinished >= self._size * most or line.places >= self._share * most:
                raise Unavailable("every thread for synchronous capabilities is taken", told=Told("capability.threads"))
            job.line = self._lines[id(owner)] = line
            self._unfinished += 1
            line.places += 1
            if line.taken < self._share:
                line.taken += 1
                self._put(job)
            else:
                line.waiting.append(job)

    def _put(self, job: _Job) -> None:
        """Hand a job to the threads, one more of them if there may be; only with the lock."""
        self._jobs.put(job)
        if self._unfinished > self._started and self._started < self._size:
            self._started += 1
            name = f"capability-{next(_NUMBERS)}"
            Thread(target=self._work, args=(self._jobs,), name=name, daemon=True).start()

    def _settled(self, job: _Job) -> None:
        """A job has its answer, or is abandoned: then its place is free, unless it runs."""
        with self._lock:
            if job.begun:
                return
            self._leave(job)
            if job.line is not None and job in job.line.waiting:
                job.line.waiting.remove(job)
                self._forget(job.line)

    def _leave(self, job: _Job) -> None:
        if not job.placed:
            return
        job.placed = False
        if job.line is None or self._lines.get(id(job.line.function)) is job.line:  # no job from before `close`
            self._unfinished -= 1
        if job.line is not None:
            job.line.places -= 1

    def _done(self, job: _Job, jobs: SimpleQueue[_Job | None]) -> None:
        """A thread is done with a job; the next of the same function may come."""
        with self._lock:
            if jobs is not self._jobs:
                return
            self._leave(job)
            line = job.line
            if line is None:
                return
            if line.waiting:
                self._put(line.waiting.popleft())
            else:
                line.taken -= 1
                self._forget(line)

    def _forget(self, line: _Line) -> None:
        if not line.taken and not line.waiting:
            self._lines.pop(id(line.function), None)

    def _begin(self, job: _Job) -> bool:
        with self._lock:
            job.begun = job.begun or not job.future.cancelled()
            return job.begun

    def _work(self, jobs: SimpleQueue[_Job | None]) -> None:
        while (job := jobs.get()) is not None:
            settled = _perform(job) if self._begin(job) else None
            self._done(job, jobs)
            if settled is not None:
                with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    job.loop.call_soon_threadsafe(_settle, job.future, *settled)
            del job, settled


def _job(function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]) -> _Job:
    loop = asyncio.get_running_loop()
    return _Job(function, positional, named, contextvars.copy_context(), loop, loop.create_future())


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
