"""How many may ask one host at a time, and all hosts together: one that is slow holds up itself and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from moothall.errors import Overloaded, Told

_PER_HOST: Final = 4
_WAITING: Final = 16
_TOGETHER: Final = 128


class _Lane:
    """The turns of one host, and how many wait for one."""

    __slots__ = ("turns", "users")

    def __init__(self, turns: int) -> None:
        self.turns = asyncio.Semaphore(turns)
        self.users = 0


class Lanes:
    """Turns, a few for each host. Who waits for one counts against its host; against all counts only who has one."""

    def __init__(self, *, per_host: int = _PER_HOST, waiting: int = _WAITING, together: int = _TOGETHER) -> None:
        self._per_host, self._most, self._together = per_host, per_host + waiting, together
        self._hosts: dict[str, _Lane] = {}
        self._under_way = 0

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait for a turn at a host.

        Raises:
            Overloaded: too many wait for this host, or too many are under way at all hosts together.
        """
        lane = self._hosts.get(host)
        if lane is None:
            self._check()  # so there are never more lanes than turns of all together
            lane = self._hosts[host] = _Lane(self._per_host)
        elif lane.users >= self._most:
            raise _busy()
        lane.users += 1
        try:
            async with lane.turns:
                self._check()
                self._under_way += 1
                try:
                    yield
                finally:
                    self._under_way -= 1
        finally:
            lane.users -= 1
            if not lane.users:
                del self._hosts[host]

    def _check(self) -> None:
        if self._under_way >= self._together:
            raise _busy()


def _busy() -> Overloaded:
    return Overloaded("too many documents are being fetched", told=Told("egress.busy"))
