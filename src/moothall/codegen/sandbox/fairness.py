"""Whose turn it is: modules in a circle, so that none, however hostile, keeps the others waiting. Pure.

- Modules go round: each gets one turn, however many runs it has waiting.
- One module never has all workers, nor more of the processes than are free while its runs wait for their host calls:
  the first has half of them at most, the next half of the rest, and so on, so that there is one for whoever comes.
- Only modules in good standing get the last worker: those whose last turns were short. A module that nobody has seen
  run has one turn at a time and stays out of it, as those do whose turns are long, which have half of the workers
  together.
- A run that goes on after a host call comes before one of the same module that begins: it already has a process.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import ItemsView
from dataclasses import dataclass, field
from typing import Final

LONG: Final = 0.25
"""Seconds of the last turns, the older ones counting half each, above which a module is slow."""

_KNOWN: Final = 4096
"""Modules whose standing is kept."""


@dataclass(slots=True, eq=False)
class Ticket:
    """A run that wants its turn; `begins`: it needs a process as well."""

    module: str
    begins: bool
    held: bool = field(default=False)


class _Counts:
    """How many of something each module has, and all of them together."""

    __slots__ = ("_each", "total")

    def __init__(self) -> None:
        self._each: dict[str, int] = {}
        self.total = 0

    def of(self, module: str) -> int:
        return self._each.get(module, 0)

    def each(self) -> ItemsView[str, int]:
        return self._each.items()

    def add(self, module: str) -> None:
        self._each[module] = self.of(module) + 1
        self.total += 1

    def drop(self, module: str) -> None:
        left = self._each.pop(module) - 1
        if left:
            self._each[module] = left
        self.total -= 1


class Turns:
    """Gives out workers and processes.

    Args:
        workers: turns at one time.
        processes: runs that have begun and not ended.
        waiting: beginnings that may wait, per module.
    """

    def __init__(self, *, workers: int, processes: int, waiting: int) -> None:
        self._workers = workers
        self._processes = processes
        self._waiting = waiting
        self._queues: OrderedDict[str, deque[Ticket]] = OrderedDict()
        self._turning = _Counts()
        self._held = _Counts()
        self._standing: OrderedDict[str, float] = OrderedDict()

    def ask(self, ticket: Ticket) -> bool:
        """Whether a ticket may wait; `next` gives it back when it is its turn."""
        queue = self._queues.setdefault(ticket.module, deque())
        if not ticket.begins:
            queue.appendleft(ticket)
            return True
        if len(queue) >= self._waiting:
            return False
        queue.append(ticket)
        return True

    def withdraw(self, ticket: Ticket) -> None:
        """Forget one that waits."""
        queue = self._queues.get(ticket.module)
        if queue is not None and ticket in queue:
            queue.remove(ticket)
            self._tidy(ticket.module)

    def next(self) -> Ticket | None:
        """The one whose turn it is now, if there is a worker for it."""
        if not self._queues or self._turning.total >= self._workers:
            return None
        for module, queue in self._queues.items():
            if self._may(module, queue[0]):
                ticket = queue.popleft()
                self._queues.move_to_end(module)
                self._tidy(module)
                self._begin(ticket)
                return ticket
        return None

    def rest(self, ticket: Ticket, seconds: float | None = None) -> None:
        """Its turn is over, after that many seconds of work; None: it did not use it."""
        self._turning.drop(ticket.module)
        if seconds is None:
            return
        score = self._standing.pop(ticket.module, 0.0) / 2 + seconds
        self._standing[ticket.module] = score
        if len(self._standing) > _KNOWN:
            self._standing.popitem(last=False)

    def give_back(self, ticket: Ticket) -> None:
        """Its process is free again."""
        if ticket.held:
            ticket.held = False
            self._held.drop(ticket.module)

    def clear(self) -> list[Ticket]:
        """All that wait; none waits any more."""
        waiting = [ticket for queue in self._queues.values() for ticket in queue]
        self._queues.clear()
        return waiting

    def _begin(self, ticket: Ticket) -> None:
        self._turning.add(ticket.module)
        if ticket.begins:
            ticket.held = True
            ticket.begins = False
            self._held.add(ticket.module)

    def _may(self, module: str, ticket: Ticket) -> bool:
        if ticket.begins and not self._has_process(module):
            return False
        if self._turning.of(module) >= max(1, self._workers - 1):
            return False
        if self._is_good(module):
            return True
        if module not in self._standing and self._turning.of(module):
            return False
        suspects = sum(count for each, count in self._turning.each() if not self._is_good(each))
        if suspects >= max(1, self._workers - 1):
            return False
        slow = sum(count for each, count in self._turning.each() if self._is_slow(each))
        return not self._is_slow(module) or slow < max(1, self._workers // 2)

    def _has_process(self, module: str) -> bool:
        free = self._processes - self._held.total
        return free > 0 and self._held.of(module) < max(1, free)

    def _is_slow(self, module: str) -> bool:
        return self._standing.get(module, 0.0) > LONG

    def _is_good(self, module: str) -> bool:
        return module in self._standing and not self._is_slow(module)

    def _tidy(self, module: str) -> None:
        if not self._queues[module]:
            del self._queues[module]
