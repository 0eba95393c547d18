"""Turns of runs: who may work now, in which thread, and for how long. All of it belongs to one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from moothall.codegen.sandbox.fairness import Ticket, Turns
from moothall.codegen.sandbox.port import fault
from moothall.codegen.sandbox.threads import Outcome, Threads
from moothall.codegen.sandbox.worker import Worker

T = TypeVar("T")

GRACE: Final = 0.5
"""Seconds beyond a run's limit after which its process is ended from outside: the runtime's own clock cannot
interrupt one single long operation."""


LONG_TURN: Final = 0.05
"""Seconds after which a turn is long: its process stands back, so that the node and other runs keep their latency."""


@dataclass(slots=True)
class _Place:
    """A ticket in the queue, and who waits for its turn."""

    ticket: Ticket
    turn: asyncio.Future[None] = field(repr=False)


class _Watch:
    """Looks at the clock while a worker works: first it stands back, at last it is stopped."""

    def __init__(self, loop: asyncio.AbstractEventLoop, worker: Worker, most: float) -> None:
        self._loop = loop
        self._worker = worker
        self._left = most - LONG_TURN
        self._timer = loop.call_later(LONG_TURN, self._is_long)

    def end(self) -> None:
        """The turn is over."""
        self._timer.cancel()

    def _is_long(self) -> None:
        self._worker.stand_back()
        self._timer = self._loop.call_later(self._left, self._worker.stop, "time")


class Desk:
    """Lets runs work, fairly.

    Args:
        threads: where they work.
        turns: whose turn it is.
        loop: where all of this happens.
    """

    def __init__(self, threads: Threads, turns: Turns, loop: asyncio.AbstractEventLoop) -> None:
        self._threads = threads
        self._turns = turns
        self._loop = loop
        self._places: dict[Ticket, _Place] = {}
        self._open = True

    async def enter(self, ticket: Ticket) -> None:
        """Wait until it is this run's turn; the turn ends with the `work` that has to follow, or with `leave`.

        Raises:
            SandboxFault: too many of this module wait, or the sandbox closes (``busy``).
        """
        if not self._open or not self._turns.ask(ticket):
            raise fault("busy")
        if (called := self._turns.next()) is ticket:
            return  # nobody waits: neither does it
        place = self._places[ticket] = _Place(ticket, self._loop.create_future())
        if called is not None:
            self._call(called)
        self._call_next()
        try:
            await place.turn
        except asyncio.CancelledError:
            if place.turn.done() and not place.turn.cancelled():
                self.leave(ticket)
                self.give_back(ticket)
            else:
                self._turns.withdraw(ticket)
            raise
        finally:
            self._places.pop(ticket, None)

    def leave(self, ticket: Ticket, seconds: float | None = None) -> None:
        """Its turn is over, after that many seconds of work; None: it did not use it."""
        self._turns.rest(ticket, seconds)
        self._call_next()

    def give_back(self, ticket: Ticket) -> None:
        """Its process is free again."""
        self._turns.give_back(ticket)
        self._call_next()

    async def work(
        self,
        ticket: Ticket,
        worker: Worker,
        step: Callable[[], T],
        seconds: float,
        after: Callable[[Outcome[T]], None] | None = None,
    ) -> T:
        """Do a step of a run in a thread, and end the turn.

        Whoever is cancelled here leaves no work behind: the process is ended, and with it the step.

        Args:
            ticket: whose turn it is.
            worker: what it works with.
            step: blocks.
            seconds: that it may take.
            after: what follows in the thread; nobody waits for it.

        Raises:
            SandboxFault: as the step does.
        """
        done: asyncio.Future[Outcome[T]] = self._loop.create_future()
        before = worker.seconds
        watch = _Watch(self._loop, worker, max(0.0, seconds) + GRACE)

        def ended(outcome: Outcome[T]) -> None:
            watch.end()
            self.leave(ticket, worker.seconds - before)
            if not done.done():
                done.set_result(outcome)

        self._threads.hand(step, ended, after)
        try:
            outcome = await done
        except asyncio.CancelledError:
            worker.stop("time")
            raise
        return outcome.get()

    def shut(self) -> None:
        """Refuse all that waits, and all that comes."""
        self._open = False
        for ticket in self._turns.clear():
            place = self._places.get(ticket)
            if place is not None and not place.turn.done():
                place.turn.set_exception(fault("busy"))

    def _call_next(self) -> None:
        while (ticket := self._turns.next()) is not None:
            self._call(ticket)

    def _call(self, ticket: Ticket) -> None:
        place = self._places.get(ticket)
        if place is None or place.turn.done():
            self._turns.rest(ticket)  # it has just been cancelled
            self._turns.give_back(ticket)
        else:
            place.turn.set_result(None)
