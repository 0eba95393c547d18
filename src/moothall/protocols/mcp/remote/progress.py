"""Progress on its way from a server to our caller: the newest counts, and a slow listener never makes a queue."""

from __future__ import annotations

from moothall.calls.ports import Report
from moothall.calls.reply import Progress


class Telling:
    """Passes on what is told; what is overtaken while the listener is busy is left out."""

    def __init__(self, report: Report | None) -> None:
        self._report = report
        self._newest: Progress | None = None
        self._telling = False

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return self._report is not None

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        """Take what the server tells."""
        self._newest = Progress(progress, total, message or "")
        if self._telling or self._report is None:
            return
        self._telling = True
        try:
            while (newest := self._newest) is not None:
                self._newest = None
                await self._report(newest)
        finally:
            self._telling = False
