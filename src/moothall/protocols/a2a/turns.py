"""Whose push is sent when: few at once for one client and fewer to one host, which is left alone when it has failed.

So nobody waits long for the receivers of others, and a receiver that never answers holds up its own client only.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from moothall.clock import Clock

MOST: Final = 2048
"""Senders in all."""

MOST_OF_OWNER: Final = 256
"""Senders of one client."""

_AT_ONCE: Final = 32
_OF_OWNER: Final = 4
_OF_HOST: Final = 2
"""Requests that may be under way: in all, for one client, and to one host of it."""

_BREAKS: Final = (1.0, 4.0, 16.0, 30.0)
"""Seconds for which a host is left alone, by how often it has failed in a row."""


@dataclass(slots=True)
class _Host:
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_OF_HOST))
    senders: int = 0
    failures: int = 0
    until: float = 0.0


@dataclass(slots=True)
class _Owner:
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_OF_OWNER))
    senders: int = 0
    hosts: dict[str, _Host] = field(default_factory=dict)
    refused: bool = False


class Turns:
    """Hands out the turns of all senders.

    Attributes:
        clock: by which hosts are left alone.
        gate: through which every request goes.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.gate = asyncio.Semaphore(_AT_ONCE)
        self._owners: dict[str, _Owner] = {}
        self._senders = 0

    def join(self, owner: str, url: str) -> Turn | None:
        """Take in a sender; None where there are too many. It leaves in the end."""
        mine = self._owners.get(owner)
        if self._senders >= MOST or (mine is not None and mine.senders >= MOST_OF_OWNER):
            return None
        return Turn(self, owner, urlsplit(url).netloc.lower())

    def first_refused(self, owner: str) -> bool:
        """Whether nothing of this client was refused since it had no senders."""
        mine = self._owners.get(owner)
        if mine is None:
            return True
        first, mine.refused = not mine.refused, True
        return first

    def enter(self, owner: str, host: str) -> tuple[_Owner, _Host]:
        """Count one sender more."""
        mine = self._owners.setdefault(owner, _Owner())
        there = mine.hosts.setdefault(host, _Host())
        self._senders += 1
        mine.senders += 1
        there.senders += 1
        return mine, there

    def left(self, owner: str, host: str) -> None:
        """Count one less, and forget those who have none."""
        mine = self._owners[owner]
        there = mine.hosts[host]
        self._senders -= 1
        mine.senders -= 1
        there.senders -= 1
        if not there.senders:
            del mine.hosts[host]
        if not mine.senders:
            del self._owners[owner]


class Turn:
    """The place of one sender."""

    def __init__(self, turns: Turns, owner: str, host: str) -> None:
        self._turns = turns
        self._names = (owner, host)
        self._owner, self._host = turns.enter(owner, host)

    @property
    def resting(self) -> float:
        """For how many seconds its host is still left alone."""
        return max(0.0, self._host.until - self._turns.clock.monotonic())

    async def rested(self) -> None:
        """Wait until its host can be asked again."""
        clock = self._turns.clock
        while left := self.resting:
            await clock.sleep_until(clock.now() + timedelta(seconds=left))

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Wait until one more request may be sent, and send it."""
        async with self._host.gate, self._owner.gate, self._turns.gate:
            yield

    def went(self, *, well: bool) -> None:
        """Say how a request ended."""
        host = self._host
        if well:
            host.failures, host.until = 0, 0.0
            return
        pause = _BREAKS[min(host.failures, len(_BREAKS) - 1)]
        host.failures += 1
        host.until = self._turns.clock.monotonic() + pause

    def leave(self) -> None:
        """Send nothing more."""
        self._turns.left(*self._names)
