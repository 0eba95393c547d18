"""Repeating what failed: a loop, never deeper, with pauses that chance spreads, inside the deadline (row DEC-27)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from moothall.calls.call import Call, Stage
from moothall.calls.failures import FAILURES, may_pass, unsent, wait_told
from moothall.calls.remotes import Budget
from moothall.clock import Clock
from moothall.telemetry import logger

_log = logger("calls")
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0


class Repetition:
    """Makes at most ``1 + times`` attempts; pauses are taken at random below a bound that doubles ("full jitter")."""

    def __init__(self, clock: Clock, chance: Callable[[], float]) -> None:
        self._clock = clock
        self._chance = chance

    async def run(self, call: Call, attempt: Stage, budget: Budget, times: int, *, harmless: bool) -> Any:  # noqa: ANN401
        """Run `attempt` until it works; ``harmless``: it may be repeated even when something of it was sent.

        Raises:
            MoothallError, Exception: what the last attempt raised.
        """
        for number in range(times + 1):
            try:
                value = await attempt(call)
            except FAILURES as error:
                wanted = unsent(error) or (harmless and may_pass(error))
                pause = max(wait_told(error), self._chance() * min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**number))
                late = self._clock.monotonic() + pause >= call.deadline
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
