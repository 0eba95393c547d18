"""Who hears the progress of work that several wait for: each at its own pace, and nobody holds the work up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from moothall.calls.ports import Report
from moothall.calls.reply import Progress

MOST: Final = 16
"""Tellings that wait for one who is slow; of more the oldest are lost, since later ones say more."""


class _Box:
    """What was told and one listener has not taken yet."""

    def __init__(self) -> None:
        self._told: deque[Progress] = deque(maxlen=MOST)
        self._filled = asyncio.Event()
        self._closed = False

    def put(self, progress: Progress) -> None:
        self._told.append(progress)
        self._filled.set()

    def close(self) -> None:
        self._closed = True
        self._filled.set()

    async def empty(self, report: Report) -> None:
        """Hand over what there is and what comes, until it is closed and empty."""
        while self._told or not self._closed:
            if self._told:
                await report(self._told.popleft())
            else:
                self._filled.clear()
                await self._filled.wait()


class Audience:
    """The listeners to one piece of work."""

    def __init__(self) -> None:
        self._boxes: set[_Box] = set()

    async def tell(self, progress: Progress) -> None:
        """Tell everybody who is there now; waits for nobody."""
        for box in self._boxes:
            box.put(progress)

    @asynccontextmanager
    async def joined(self, report: Report | None) -> AsyncIterator[None]:
        """Hear what is told meanwhile; who stays to the end hears all of it before, who is cancelled nothing more."""
        if report is None:
            yield
            return
        box = _Box()
        self._boxes.add(box)
        hearing, left = asyncio.create_task(box.empty(report)), False
        try:
            yield
        except asyncio.CancelledError:
            left = True
            raise
        finally:
            self._boxes.discard(box)
            box.close()
            if not left:
                await hearing
            elif not hearing.cancel() and not hearing.cancelled():
                hearing.exception()  # it failed before: who leaves hears of that neither
