"""Work that several callers wait for is done once (single flight)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Final, Generic, TypeVar

from moothall.calls.audience import Audience
from moothall.calls.ports import Report
from moothall.errors import Told, Unavailable
from moothall.telemetry import logger

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
Start = Callable[[Report | None], Coroutine[Any, Any, T]]
"""Begins the work; it is handed what takes its progress, None where nobody listened when it began."""

_ENDING: Final = 5.0
"""Seconds that cancelled work has to end."""

_log = logger("calls")


class Stopped(Unavailable):
    """The node stops, and the work with it; how it would have ended is not known."""

    def __init__(self) -> None:
        super().__init__("the work was stopped", told=Told("calls.stopped"))


class _Flight(Generic[T]):
    def __init__(self, start: Start[T], mark: str, *, heard: bool) -> None:
        self.audience = Audience()
        self.mark = mark
        self.task = asyncio.create_task(start(self.audience.tell if heard else None))
        self.waiting = 0


class Flights(Generic[K, T]):
    """What is being worked on, by key.

    Each piece of work runs in a task of its own. A caller that gives up leaves it to the others. When the last one has
    given up, up to `lonely` pieces go on all the same, of them up to `each` of one owner, and who comes later joins
    them; beyond that they are cancelled, and who comes later starts anew.
    """

    def __init__(self, lonely: int = 0, each: int = 0, owner: Callable[[K], Hashable] = hash) -> None:
        self._flights: dict[K, _Flight[T]] = {}
        self._most = lonely
        self._each = each
        self._owner = owner
        self._lonely: set[K] = set()
        self._closed = False

    def mark(self, key: K) -> str | None:
        """What was said of it by who began it; None where it is not worked on."""
        flight = self._flights.get(key)
        return None if flight is None else flight.mark

    def is_lonely(self, key: K) -> bool:
        """Whether it is worked on and nobody waits for it."""
        return key in self._lonely

    async def join(self, key: K, start: Start[T], report: Report | None = None, *, mark: str = "") -> T:
        """Wait for the work of a key; start it if nobody did. Its progress goes to `report`, as fast as that takes it.

        Raises:
            Unavailable: it was stopped.
            BaseException: what the work raised, to everybody who waits for it.
        """
        if self._closed:
            raise Stopped
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(start, mark, heard=report is not None)
            begun = flight
            flight.task.add_done_callback(lambda _: self._ended(key, begun))
        flight.waiting += 1
        self._lonely.discard(key)
        try:
            async with flight.audience.joined(report):
                return await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            if flight.task.cancelled() and not _cancelled():
                raise Stopped from None
            raise
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                self._left(key, flight)

    async def aclose(self) -> None:
        """Cancel all that is being worked on, and wait until it has ended; nothing begins after it."""
        self._closed = True
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        if tasks and (still := (await asyncio.wait(tasks, timeout=_ENDING))[1]):
            _log.warning("%d calls do not end although they were cancelled", len(still))

    def _left(self, key: K, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight and not flight.task.done() and self._has_room(key):
            self._lonely.add(key)
        else:
            flight.task.cancel()
            self._forget(key, flight)

    def _has_room(self, key: K) -> bool:
        """Whether the work of a key may go on although nobody waits for it."""
        if len(self._lonely) >= self._most:
            return False
        owner = self._owner(key)
        return sum(self._owner(other) == owner for other in self._lonely) < self._each

    def _ended(self, key: K, flight: _Flight[T]) -> None:
        if not flight.task.cancelled():
            flight.task.exception()  # nobody may be left to take it
        self._forget(key, flight)

    def _forget(self, key: K, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
            self._lonely.discard(key)


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
