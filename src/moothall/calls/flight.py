"""Work that several callers wait for is done once (single flight)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from moothall.errors import Told, Unavailable

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class _Flight(Generic[T]):
    def __init__(self, task: asyncio.Task[T]) -> None:
        self.task = task
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

    async def join(self, key: K, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Wait for the work of a key; start it if nobody did.

        Raises:
            BaseException: what the work raised, to everybody who waits for it.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(start()))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            if flight.task.cancelled() and not _cancelled():
                raise Unavailable("the work was stopped", told=Told("calls.stopped")) from None
            raise
        finally:
            flight.waiting -= 1
            if flight.task.done() or not flight.waiting:
                flight.task.cancel()
                if self._flights.get(key) is flight:
                    del self._flights[key]


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
