"""What is looked after from time to time while a node runs: files that change, records that are old enough to go."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from moothall.audit.trail import AuditTrail
from moothall.clock import Clock
from moothall.errors import MoothallError
from moothall.people.file_watch import PeopleFileWatch
from moothall.policy.store import PolicyStore
from moothall.telemetry import logger

_log = logger("hosting")
_LOOK: Final = 1.0
"""Seconds between two looks at the operator's files, also where nobody calls."""
_PRUNE: Final = 3600.0


class Chores:
    """Runs until it is stopped."""

    def __init__(
        self, clock: Clock, policies: PolicyStore, people: PeopleFileWatch, trail: AuditTrail, audit_days: float
    ) -> None:
        self._clock = clock
        self._policies, self._people, self._trail = policies, people, trail
        self._days = audit_days
        self._pruned = -_PRUNE
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._work(), name="moothall-chores")

    async def aclose(self) -> None:
        """End; what is being written is written."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._people.aclose()
        await self._policies.aclose()

    async def _work(self) -> None:
        while True:
            try:
                await self._look()
            except Exception:  # noqa: BLE001 - logged; the next look may succeed; without the loop nobody would look again
                _log.exception("the files of the operator could not be looked after")
            await asyncio.sleep(_LOOK)

    async def _look(self) -> None:
        self._people.glance()
        self._policies.policies  # noqa: B018 - who asks for them has them look at their files
        now = self._clock.monotonic()
        if self._days and now - self._pruned >= _PRUNE:
            self._pruned = now
            await self._prune()

    async def _prune(self) -> None:
        try:
            gone = await self._trail.prune(self._clock.now() - timedelta(days=self._days))
        except (MoothallError, OSError) as error:
            _log.warning("old audit records stay for now: %s", error)
            return
        if gone:
            _log.info("%d audit records were older than %s days", gone, self._days)
