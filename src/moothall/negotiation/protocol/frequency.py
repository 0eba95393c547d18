"""How often somebody may begin something that leaves a run behind."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import Final

from moothall.errors import RateLimited, Told
from moothall.events.log import EventLog

HOUR: Final = timedelta(hours=1)


async def within(log: EventLog, kind: str, time: timedelta, most: int, subject: str | None = None) -> int:
    """Seconds until one run more may begin; 0: now.

    Args:
        log: where the runs are.
        kind: of the runs.
        time: in which there may be no more than
        most: of them,
        subject: of one subject, or of all.
    """
    begun = await log.runs(kind=kind, subject=subject, erased=True, limit=most)
    left = begun[-1].created_at + time - log.clock.now() if len(begun) >= most else timedelta()
    return max(ceil(left.total_seconds()), 0)


def too_often(wait: int) -> RateLimited:
    """The error for whoever began too many."""
    told = Told("agreeing.front_often", {"seconds": wait})
    return RateLimited("too many negotiations of late", told=told, details={"retry_after": wait})
