"""Who waits for an answer still: a call whose client has left is cancelled, without a task for every quick call."""

from __future__ import annotations

import asyncio
from typing import Final

from moothall.protocols.http.exchange import Exchange

PAUSE: Final = 0.02
"""Seconds between two looks; a call that is there at both is worth a task that notices when its client leaves."""


class Attendance:
    """The calls under way at one door."""

    def __init__(self) -> None:
        self._present: dict[Exchange, asyncio.Task[None] | None] = {}
        self._waiting: dict[Exchange, asyncio.Task[object] | None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def enter(self, exchange: Exchange) -> None:
        """The task that runs now waits for a call, whose request has been read."""
        self._waiting[exchange] = asyncio.current_task()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PAUSE, self._look)

    def leave(self, exchange: Exchange) -> None:
        """The call has ended."""
        del self._waiting[exchange]
        watch = self._present.pop(exchange, None)
        if watch is not None:
            watch.cancel()

    def _look(self) -> None:
        for exchange, task in self._waiting.items():
            if exchange not in self._present:
                self._present[exchange] = None  # seen for the first time
            elif self._present[exchange] is None and task is not None:
                self._present[exchange] = asyncio.ensure_future(exchange.until_gone(task))
        self._timer = asyncio.get_running_loop().call_later(PAUSE, self._look) if self._waiting else None
