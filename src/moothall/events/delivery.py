"""When to try a delivery again. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential waiting between attempts, half of it spread by chance so that many retries do not come together.

    Attributes:
        attempts: how often a delivery is tried before it is given up.
        first: seconds after the first failure.
        most: seconds at most, also for what a receiver asks for.
    """

    attempts: int = 8
    first: float = 1.0
    most: float = 300.0

    def wait(self, attempt: int, chance: float, retry_after: float | None = None) -> float | None:
        """Return the seconds until the next attempt, None when `attempt` was the last one.

        Args:
            attempt: number of the attempt that failed, from 1.
            chance: a random number in [0, 1).
            retry_after: seconds the receiver asked for; never less is waited, up to `most`.
        """
        if attempt >= self.attempts:
            return None
        full = min(self.first * 2.0 ** (attempt - 1), self.most)
        return min(max(full * (1 + chance) / 2, retry_after or 0.0), self.most)
