"""Cells that are ready before anybody asks for them: a run then starts at once, from fresh state.

The functions that ran last have some in stock; for those that run again and again, the thread in which a run has ended
makes the next cell, beside the next run. Thread-safe; what blocks says so.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from functools import partial
from threading import Lock
from typing import Final, NamedTuple

from pydantic_monty import MontyError

from moothall.codegen.sandbox.cell import Cell
from moothall.codegen.sandbox.crew import Crew
from moothall.codegen.sandbox.port import Image
from moothall.codegen.sandbox.seal import Seal
from moothall.codegen.sandbox.threads import Outcome, Threads
from moothall.errors import MoothallError

PER_FUNCTION: Final = 3
"""Cells in stock for one function of one module."""

AHEAD: Final = 2
"""Of these, what is kept up while the function runs again and again: with one alone, it would often come too late."""

QUIET: Final = 0.005
"""Seconds without the end of a run after which the stock is filled for functions that run now and then: while runs
follow upon each other, that would only be in their way."""

LARGEST_KEPT: Final = 256 * 1024
"""Bytes of a halted state that is kept."""

_KEPT: Final = 256
"""Functions whose halted state is kept."""


class Wanted(NamedTuple):
    """What a cell is prepared for; ``image`` is compared by identity."""

    image: Image
    function: str


class Stock:
    """Prepared cells, the least recently used given up first.

    Args:
        crew: that cells belong to.
        threads: where cells are made and closed.
        seal: of the images.
        most: cells in all.
        loop: which keeps the time.
    """

    def __init__(self, crew: Crew, threads: Threads, seal: Seal, most: int, loop: asyncio.AbstractEventLoop) -> None:
        self._crew = crew
        self._threads = threads
        self._seal = seal
        self._most = most
        self._loop = loop
        self._lock = Lock()
        self._ready: OrderedDict[Wanted, list[Cell]] = OrderedDict()
        self._coming: Counter[Wanted] = Counter()
        self._halted: OrderedDict[Wanted, bytes] = OrderedDict()
        self._lacking: OrderedDict[Wanted, None] = OrderedDict()
        self._frequent: OrderedDict[Wanted, None] = OrderedDict()
        self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._open = True

    def take(self, wanted: Wanted) -> Cell | None:
        """One from stock, if there is one."""
        with self._lock:
            cells = self._ready.get(wanted)
            if not cells:
                return None
            cell = cells.pop()
            if not cells:
                del self._ready[wanted]
            return cell

    def cell(self, wanted: Wanted) -> Cell:
        """An empty one, for `fill`."""
        return Cell(self._crew, wanted.image.limits)

    def fill(self, cell: Cell, wanted: Wanted) -> None:
        """Make a cell ready; blocks.

        The first one for a function is halted there; the state in which it is then is kept, for the next ones.

        Raises:
            SandboxFault: the worker died of it.
            IntegrityError: the image is not of this sandbox.
        """
        if (halted := self._halted.get(wanted)) is not None:
            cell.restore(halted)
            return
        halted = cell.prepare(self._seal.opened(wanted.image), wanted.function)
        if len(halted) <= LARGEST_KEPT:
            with self._lock:
                self._halted[wanted] = halted
                if len(self._halted) > _KEPT:
                    self._halted.popitem(last=False)

    def used(self, wanted: Wanted) -> None:
        """A run has ended well: soon have ready cells for the next ones. In the event loop."""
        with self._lock:
            if not self._open:
                return
            self._frequent[wanted] = self._lacking[wanted] = None
            self._frequent.move_to_end(wanted)
            self._lacking.move_to_end(wanted)
            if len(self._frequent) * AHEAD > self._most:
                self._frequent.popitem(last=False)
        self._last = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(QUIET, self._is_quiet)

    def replace(self, wanted: Wanted) -> None:
        """Make a cell for the next run of a function that runs again and again; blocks."""
        with self._lock:
            if wanted not in self._frequent or self._have(wanted) >= AHEAD:
                return
            self._coming[wanted] += 1
        self._make(wanted)

    def failed(self, wanted: Wanted, cell: Cell) -> None:
        """Close a cell whose run did not end well; none is made beside the next one."""
        with self._lock:
            self._frequent.pop(wanted, None)
        self._threads.hand(cell.close, Outcome.get)

    def close(self) -> None:
        """Give up all; none is made any more. In the event loop."""
        with self._lock:
            self._open = False
            self._frequent.clear()
            left = [cell for cells in self._ready.values() for cell in cells]
            self._ready.clear()
        if self._timer is not None:
            self._timer.cancel()
        for cell in left:
            self._threads.hand(cell.close, Outcome.get)

    def _is_quiet(self) -> None:
        """Prepare, unless a run has ended since the timer was set."""
        left = self._last + QUIET - self._loop.time()
        self._timer = self._loop.call_later(left, self._is_quiet) if left > 0 else None
        if self._timer is None:
            self._prepare()

    def _prepare(self) -> None:
        """Make what is lacking, first what ran last, as much as there is room for."""
        with self._lock:
            orders: list[Wanted] = []
            room = self._most
            for wanted in reversed(self._lacking):
                have, most = self._have(wanted), min(PER_FUNCTION, room)
                orders += [wanted] * (most - have)
                room -= max(have, most)
                if room <= 0:
                    break
            self._lacking.clear()
            self._coming.update(orders)
        for wanted in orders:
            self._threads.hand(partial(self._make, wanted), Outcome.get)

    def _have(self, wanted: Wanted) -> int:
        """Cells that are ready, or will be soon."""
        return len(self._ready.get(wanted, ())) + self._coming[wanted]

    def _make(self, wanted: Wanted) -> None:
        """Make one of those that are coming; blocks."""
        cell = self.cell(wanted)
        try:
            self.fill(cell, wanted)
        except (MontyError, MoothallError):
            surplus = [cell]  # the next run finds none, makes its own, and says what is wrong
        else:
            surplus = self._put(wanted, cell)
        finally:
            with self._lock:
                self._coming[wanted] -= 1
                if not self._coming[wanted]:
                    del self._coming[wanted]
        for each in surplus:
            each.close()

    def _put(self, wanted: Wanted, cell: Cell) -> list[Cell]:
        """Take a cell in; those for which there is no room then."""
        with self._lock:
            if not self._open:
                return [cell]
            self._ready.setdefault(wanted, []).append(cell)
            self._ready.move_to_end(wanted)
            surplus: list[Cell] = []
            while sum(map(len, self._ready.values())) > self._most:
                surplus += self._ready.popitem(last=False)[1]
            return surplus
