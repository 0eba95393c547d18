"""How many may ask one host at a time, and all hosts together: one that is slow holds up itself and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from moothall.errors import Overloaded, Told

_PER_HOST: Final = 4
_TOGETHER: Final = 128


class Lanes:
    """Turns, a few for each host; those who wait count, too, against the number of all."""

    def __init__(self, *, per_host: int = _PER_HOST, together: int = _TOGETHER) -> None:
        self._per_host, self._together = per_host, together
        self._hosts: dict[str, tuple[asyncio.Semaphore, set[object]]] = {}
        self._under_way = 0

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait for a turn at a host.

        Raises:
            Overloaded: too many are under way at all hosts together.
        """
        if self._under_way >= self._together:
            raise Overloaded("too many documents are being fetched", told=Told("egress.busy"))
        lane, users = self._hosts.setdefault(host, (asyncio.Semaphore(self._per_host), set()))
        me = object()
        users.add(me)
        self._under_way += 1
        try:
            async with lane:
                yield
        finally:
            self._under_way -= 1
            users.discard(me)
            if not users:
                del self._hosts[host]
