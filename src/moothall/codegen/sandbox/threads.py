"""Threads for work that blocks: handed in from the event loop, its outcome handed back there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import Final, Generic, TypeVar

T = TypeVar("T")

LONGEST_END: Final = 2.0
"""Seconds that the end of all threads may take."""


class Outcome(Generic[T]):
    """What came of work: a value or an error."""

    __slots__ = ("_error", "_value")

    def __init__(self, work: Callable[[], T]) -> None:
        self._error: BaseException | None = None
        try:
            self._value = work()
        except BaseException as error:  # noqa: BLE001 - not hidden: `get` raises it to whoever asked for the work
            self._error = error

    @property
    def failed(self) -> bool:
        """Whether the work raised something."""
        return self._error is not None

    def get(self) -> T:
        """The value.

        Raises:
            BaseException: what the work raised.
        """
        if self._error is not None:
            raise self._error
        return self._value


class Threads:
    """A few threads; they are cheaper to hand work to than an executor's, and end with the process.

    Args:
        count: how many.
        loop: where outcomes are handed back.
    """

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads = [Thread(target=self._serve, name=f"sandbox-{n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def hand(
        self,
        work: Callable[[], T],
        done: Callable[[Outcome[T]], None],
        after: Callable[[Outcome[T]], None] | None = None,
    ) -> None:
        """Have `work` done; then `done` is called in the loop, and ``after`` in the thread, which nobody waits for."""

        def job() -> None:
            outcome = Outcome(work)
            self._tell(partial(done, outcome))
            if after is not None and (late := Outcome(partial(after, outcome))).failed:
                self._tell(late.get)

        self._jobs.put(job)

    async def aclose(self) -> None:
        """End all threads, after the work that was handed in."""
        for _ in self._threads:
            self._jobs.put(None)
        await asyncio.to_thread(self._join)

    def _tell(self, call: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(call)

    def _join(self) -> None:
        until = monotonic() + LONGEST_END
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
