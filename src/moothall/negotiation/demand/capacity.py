"""How many demands may be open: on the node, and of one user. One that waits for a person counts like any other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from moothall.errors import Overloaded, RateLimited, Told
from moothall.events.log import EventLog
from moothall.negotiation.demand.driver import KIND
from moothall.negotiation.demand.submission import ANONYMOUS

RETRY_SECONDS = 60
"""When a user who has enough open may try again, as far as a node can know."""


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A demand that is being stored: not in the count yet, or just so."""

    subject: str
    stored: asyncio.Event = field(default_factory=asyncio.Event)


class Capacity:
    """Lets demands in one after the other as far as there is room.

    Submissions at the same moment see each other in the order in which they came, so no burst exceeds the limit in one
    process. Several processes on one database may exceed it by what they are storing at that moment.
    """

    def __init__(self, log: EventLog, most: int, most_of_one: int | None) -> None:
        """``most`` demands of all, ``most_of_one`` of each requester with a name; None: as many as anybody wants."""
        self._log, self._most, self._most_of_one = log, most, most_of_one
        self._entering: list[_Entry] = []

    @asynccontextmanager
    async def entrance(self, subject: str) -> AsyncGenerator[None]:
        """Store the demand of a requester inside of this.

        Raises:
            Overloaded: too many demands are open.
            RateLimited: too many of this requester are.
        """
        entry = _Entry(subject)
        self._entering.append(entry)
        try:
            if not await self._fits(entry, None, self._most):
                told = Told("channel.open.all")
                raise Overloaded("too many demands are open", told=told, details={"max": self._most})
            # Where users have a limit they have keys, and nobody but an admin comes without a name.
            most = None if subject == ANONYMOUS else self._most_of_one
            if most is not None and not await self._fits(entry, subject, most):
                told = Told("channel.open.user", {"most": most}, "channel.open.user_hint")
                limits = {"max": most, "retry_after": RETRY_SECONDS}
                raise RateLimited("too many demands of this user are open", told=told, details=limits)
            yield
        finally:
            self._entering.remove(entry)
            entry.stored.set()

    async def _fits(self, entry: _Entry, subject: str | None, most: int) -> bool:
        """Whether there is room after those that came before; where they decide it, wait what becomes of them.

        What is stored already decides alone where that is enough, so that a full node refuses each after one count.
        """
        while True:
            before = [one for one in self._entering[: self._entering.index(entry)] if subject in {None, one.subject}]
            stored = await self._log.count_open(KIND, subject=subject, most=most)
            if stored + len(before) < most:
                return True
            if stored >= most or not before:  # what they are storing can only add to it
                return False
            await before[0].stored.wait()
