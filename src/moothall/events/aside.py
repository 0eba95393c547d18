"""Runs that a process put down because it cannot go on with them: others may look at them first. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(slots=True)
class _Due:
    when: datetime
    since: float | None = None


class Aside:
    """Keeps which they are until the others had their time; `patience`: monotonic seconds from when one is due."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._runs: dict[str, _Due] = {}

    def put(self, run: str, when: datetime) -> None:
        """This process cannot go on with a run, which is due at `when`."""
        self._runs[run] = _Due(when)

    def left(self, now: datetime, at: float) -> list[str]:
        """Those that are left to others, at `now` by the clock of the runs, `at` in monotonic seconds."""
        for run, due in list(self._runs.items()):
            if due.since is None and due.when <= now:
                due.since = at
            if due.since is not None and at - due.since >= self._patience:
                del self._runs[run]
        return list(self._runs)
