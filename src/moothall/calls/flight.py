"""Work that several callers wait for is done once (single flight)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from moothall.calls.audience import Audience
from moothall.calls.ports import Report
from moothall.errors import Told, Unavailable

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
Start = Callable[[Report | None], Coroutine[Any, Any, T]]
"""Begins the work; it is handed what takes its progress, None where nobody listened when it began."""


class _Flight(Generic[T]):
    def __init__(self, start: Start[T], *, heard: bool) -> None:
        self.audience = Audience()
        self.task = asyncio.create_task(start(self.audience.tell if heard else None))
        self.waiting = 0


class Flights(Generic[K, T]):
    """What is being worked on, by key.

    Each piece of work runs in a task of its own. A caller that gives up leaves it to the others; when the last one has
    given up it is cancelled, and whoever comes later starts anew.
    """

    def __init__(self) -> None:
        self._flights: dict[K, _Flight[T]] = {}

    def __contains__(self, key: K) -> bool:
        """Whether it is being worked on."""
        return key in self._flights

    async def join(self, key: K, start: Start[T], report: Report | None = None) -> T:
        """Wait for the work of a key; start it if nobody did. Its progress goes to `report`, as fast as that takes it.

        Raises:
            BaseException: what the work raised, to everybody who waits for it.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(start, heard=report is not None)
            begun = flight
            flight.task.add_done_callback(lambda _: self._forget(key, begun))
        flight.waiting += 1
        try:
            async with flight.audience.joined(report):
                return await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            if flight.task.cancelled() and not _cancelled():
                raise Unavailable("the work was stopped", told=Told("calls.stopped")) from None
            raise
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                flight.task.cancel()
                self._forget(key, flight)

    def _forget(self, key: K, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
