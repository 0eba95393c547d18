"""Repeating what failed: a loop, never deeper, with pauses that chance spreads, inside the deadline.

Rows DEC-27 and TPL-28.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, NamedTuple

from moothall.calls.call import Call, Stage
from moothall.calls.failures import FAILURES, may_pass, unsent, wait_told
from moothall.calls.remotes import Budget
from moothall.clock import Clock
from moothall.errors import MoothallError, Told
from moothall.telemetry import logger

_log = logger("calls")
EXCEEDED: Final = "Max retries exceeded"
"""How the text of the last error ends."""


class Pauses(NamedTuple):
    """Bounds of the pauses between attempts: of the first one, which doubles from then on, and of all."""

    first: float
    longest: float


SHORT: Final = Pauses(0.1, 5.0)
LONG: Final = Pauses(2.0, 3600.0)
"""For services of others: ``2 ** attempt`` seconds."""


class Repetition:
    """Makes at most ``1 + times`` attempts; pauses are taken at random below a bound that doubles ("full jitter")."""

    def __init__(self, clock: Clock, chance: Callable[[], float]) -> None:
        self._clock = clock
        self._chance = chance

    async def run(
        self, call: Call, attempt: Stage, budget: Budget, times: int, *, harmless: bool, pauses: Pauses = SHORT
    ) -> Any:  # noqa: ANN401
        """Run `attempt` until it works; ``harmless``: it may be repeated even when something of it was sent.

        Raises:
            MoothallError, Exception: what the last attempt raised.
        """
        for number in range(times + 1):
            try:
                value = await attempt(call)
            except FAILURES as error:
                wanted = unsent(error) or (harmless and may_pass(error))
                pause = max(wait_told(error), self._chance() * _bound(pauses, number))
                late = self._clock.monotonic() + pause >= call.deadline
                if wanted and 0 < times == number:
                    _exceeded(error, times)
                if number == times or not wanted or late or not budget.spend():
                    raise
                _log.info("%s %s is tried again: %s", call.request_id, call.name, type(error).__name__)
            else:
                budget.earn()
                return value
            await self._sleep(pause)
        raise AssertionError  # the last round returns or raises

    async def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            await self._clock.sleep_until(self._clock.now() + timedelta(seconds=seconds))
        else:
            await asyncio.sleep(0)


def _bound(pauses: Pauses, number: int) -> float:
    return min(pauses.longest, pauses.first * 2.0 ** min(number, 60))


def _exceeded(error: BaseException, times: int) -> None:
    """Say of the last error that there were several."""
    if isinstance(error, MoothallError) and not error.why.endswith(EXCEEDED):
        told = error.told or str(error)
        error.why = f"{error.why}; {EXCEEDED}" if error.why else EXCEEDED
        error.told = Told("calls.exceeded", {"why": told, "times": times})
