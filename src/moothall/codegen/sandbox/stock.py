"""Cells that are ready before anybody asks for them: a run then starts at once, from fresh state.

The functions that ran last have some in stock. All of this belongs to the event loop; cells are made and closed in
threads.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import Final

from pydantic_monty import MontyError

from moothall.codegen.sandbox.cell import Cell
from moothall.codegen.sandbox.crew import Crew
from moothall.codegen.sandbox.port import Image
from moothall.codegen.sandbox.seal import Seal
from moothall.codegen.sandbox.threads import Outcome, Threads
from moothall.errors import MoothallError

PER_FUNCTION: Final = 3
"""Cells in stock for one function of one module."""

QUIET: Final = 0.005
"""Seconds without the end of a run after which the stock is filled: while runs follow upon each other, filling it would
only be in their way, and each makes its own cell."""

LARGEST_KEPT: Final = 256 * 1024
"""Bytes of a halted state that is kept."""

_KEPT: Final = 256
"""Functions whose halted state is kept."""


@dataclass(frozen=True, slots=True)
class Wanted:
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
        loop: where it belongs.
    """

    def __init__(self, crew: Crew, threads: Threads, seal: Seal, most: int, loop: asyncio.AbstractEventLoop) -> None:
        self._crew = crew
        self._threads = threads
        self._seal = seal
        self._most = most
        self._loop = loop
        self._ready: OrderedDict[Wanted, list[Cell]] = OrderedDict()
        self._coming: dict[Wanted, int] = {}
        self._halted: OrderedDict[Wanted, bytes] = OrderedDict()
        self._lacking: OrderedDict[Wanted, None] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        self._open = True

    def take(self, wanted: Wanted) -> Cell | None:
        """One from stock, if there is one."""
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
            self._loop.call_soon_threadsafe(self._keep, wanted, halted)

    def used(self, wanted: Wanted) -> None:
        """A run has ended well: soon have ready cells for the next ones."""
        if self._open:
            self._lacking[wanted] = None
            self._lacking.move_to_end(wanted)
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_later(QUIET, self._prepare)

    def give_up(self, cell: Cell) -> None:
        """Close a cell whose run did not end well; the next run makes its own."""
        self._threads.hand(cell.close, Outcome.get)

    def close(self) -> None:
        """Give up all; none is made any more."""
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
        for cells in self._ready.values():
            for cell in cells:
                self.give_up(cell)
        self._ready.clear()

    def _keep(self, wanted: Wanted, halted: bytes) -> None:
        self._halted[wanted] = halted
        if len(self._halted) > _KEPT:
            self._halted.popitem(last=False)

    def _prepare(self) -> None:
        """Make what is lacking, first what ran last, as much as there is room for."""
        room = self._most
        for wanted in reversed(self._lacking):
            have = len(self._ready.get(wanted, ())) + self._coming.get(wanted, 0)
            lacking = min(PER_FUNCTION, room) - have
            room -= max(have, min(PER_FUNCTION, room))
            for _ in range(lacking):
                self._coming[wanted] = self._coming.get(wanted, 0) + 1
                cell = self.cell(wanted)
                self._threads.hand(partial(self.fill, cell, wanted), partial(self._came, wanted, cell))
            if room <= 0:
                break
        self._lacking.clear()

    def _came(self, wanted: Wanted, cell: Cell, outcome: Outcome[None]) -> None:
        self._coming[wanted] -= 1
        if not self._coming[wanted]:
            del self._coming[wanted]
        try:
            outcome.get()
        except (MontyError, MoothallError):
            self.give_up(cell)  # the next run finds none, makes its own, and says what is wrong
            return
        if not self._open:
            self.give_up(cell)
            return
        self._ready.setdefault(wanted, []).append(cell)
        self._ready.move_to_end(wanted)
        while sum(map(len, self._ready.values())) > self._most:
            _, old = self._ready.popitem(last=False)
            for each in old:
                self.give_up(each)
