"""What travels to the writer: appends, each belonging to the lane of its run's owner. Pure but for the future."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from moothall.errors import MoothallError

Row = tuple[str, int, str, str, str, str]
"""run, seq, key, type, ts, payload as JSON text."""

OutboxEntry = tuple[str, str, str, str, "datetime"]
"""run, key, target, payload as JSON text, first attempt not before."""


@dataclass(slots=True, eq=False)
class Lane:
    """The right to append to one run: the epoch it was claimed under and the next seq.

    Once an append failed, `broken` says why and nothing else of the lane is written: a later append of the same owner
    would leave a hole.
    """

    run: str
    epoch: int
    next: int = 0
    broken: MoothallError | None = None


@dataclass(frozen=True, slots=True)
class Birth:
    """The row of a run that begins with its first events."""

    kind: str
    created_at: datetime
    parent: str | None
    meta: str
    owner: str | None
    lease_seconds: float | None
    subject: str | None = None


@dataclass(slots=True, eq=False)
class Append:
    """Rows that are committed together or not at all.

    The future gives True once they are committed, False when the run of a `birth` existed before or its parent was
    erased.
    """

    lane: Lane
    rows: Sequence[Row]
    future: asyncio.Future[bool]
    outbox: Sequence[OutboxEntry] = ()
    closes: datetime | None = None
    birth: Birth | None = None
    committed: Callable[[], None] | None = field(default=None)


class Rejected(Exception):
    """A constraint refused the batch, nothing of it was written; a smaller batch tells whose fault it is."""


class Sink(Protocol):
    """The part that knows the database."""

    async def commit(self, batch: Sequence[Append]) -> list[bool]:
        """Write the batch in one transaction; say for each append whether its rows went in.

        False means fenced off (the lane's epoch is not the run's, or the run is closed), or that the run of a birth
        existed before or its parent was erased.

        Raises:
            Rejected: a constraint refused the batch.
            Whatever the database's driver raises, when it failed.
        """
        ...

    async def close(self) -> None:
        """Give the connection back."""
        ...
