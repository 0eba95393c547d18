"""Time that never goes back while the node runs, so that what has ended stays ended."""

from __future__ import annotations

from datetime import UTC, datetime

from moothall.clock import Clock


class Onward:
    """The clock of the node as delegations see it.

    A delegation counts while ``not_before <= now < expires``. Where the machine's clock is set back, this one stands
    still until that has caught up: nothing that had ended counts again. Where it jumps ahead by mistake, everything
    that it passed stays ended until the node starts anew, which is the safe side.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._latest = 0.0

    def now(self) -> float:
        """Unix seconds; never less than it said before."""
        self._latest = max(self._latest, self._clock.now().timestamp())
        return self._latest

    def moment(self) -> datetime:
        """The same as a time in UTC, whole milliseconds: what every database keeps exactly."""
        return datetime.fromtimestamp(int(self.now() * 1000) / 1000, UTC)
