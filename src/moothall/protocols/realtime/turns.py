"""Readers that have something new, one after the other.

Each of them is taken once for whatever came up until then, and a few at a time: what else the process has to do goes on
between, however many there are.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, Protocol

AT_ONCE: Final = 8
"""Readers that are taken before anything else may go on.

Few: whoever has more to say comes to say it between, and the readers after that are sent both in one go.
"""


class Waits(Protocol):
    """Whoever has a turn."""

    def turn(self) -> None:
        """Go on; takes little time and raises nothing."""
        ...


class Turns:
    """Who has something new, in the order in which they were added."""

    def __init__(self) -> None:
        self._due: deque[Waits] = deque()
        self._begun = False

    def add(self, reader: Waits) -> None:
        """Take a reader soon; one that was added and not taken yet is not added again."""
        self._due.append(reader)
        if not self._begun:
            self._begun = True
            asyncio.get_running_loop().call_soon(self._take)

    def _take(self) -> None:
        due = self._due
        for _ in range(min(AT_ONCE, len(due))):
            due.popleft().turn()
        self._begun = bool(due)
        if due:
            asyncio.get_running_loop().call_soon(self._take)
