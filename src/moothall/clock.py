"""Time as a port: code that waits or stamps asks a `Clock`, so that a test can be the clock."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime
from typing import Final, Protocol

_LONGEST_NAP: Final = 30.0
"""Seconds after which a sleeper looks at the wall again, which may have been set or have stood still."""

_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


class Clock(Protocol):
    """What tells the time and waits for it."""

    def now(self) -> datetime:
        """The time of day, in UTC and aware of it."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        ...

    async def sleep_until(self, when: datetime) -> None:
        """Return at `when` (aware), at once if it has passed."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The time of day, in UTC and aware of it."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()

    async def sleep_until(self, when: datetime) -> None:
        """Return at `when` (aware), at once if it has passed."""
        while (left := (when - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 - the deadline is the event
            await asyncio.sleep(min(left, _LONGEST_NAP))


def rfc3339(when: datetime) -> str:
    """Write an aware time as RFC 3339 in UTC with milliseconds: ``2026-01-22T10:05:00.123Z``.

    Raises:
        ValueError: `when` has no time zone.
    """
    if when.tzinfo is None:
        message = "a time without a zone cannot be written"
        raise ValueError(message)
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 time with its offset, as a time in UTC; digits beyond microseconds are cut.

    Raises:
        ValueError: `text` is not such a time.
    """
    if not _RFC3339.fullmatch(text):
        message = f"not an RFC 3339 time: {text!r}"
        raise ValueError(message)
    return datetime.fromisoformat(text.upper()).astimezone(UTC)
