"""What a requester may do to a running demand: cancel, confirm, have it forgotten (rows NEG-API-23, NEG-OPS-11)."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Literal

from moothall.errors import Conflict, DemandNotFound, Told
from moothall.events.log import EventLog
from moothall.events.model import RunRecord
from moothall.negotiation.demand.awaiting import CONFIRM
from moothall.negotiation.demand.confirming import Confirmation, UnderstandingEdits, confirmed
from moothall.negotiation.demand.interrupting import CANCEL
from moothall.negotiation.demand.outcome import FailReason
from moothall.negotiation.demand.rules.phrasing import Lexica
from moothall.negotiation.demand.view import FAILED, FINALIZED, HEAD_TYPES, last_of, understanding_of, waiting

PATIENCE = 10.0
"""Seconds that a cancellation is waited for; a run whose worker is gone ends when another takes it up."""


class Steering:
    """Steers runs through their inbox; what was accepted is committed."""

    def __init__(self, log: EventLog, lexica: Lexica, patience: float = PATIENCE) -> None:
        self._log = log
        self._lexica = lexica
        self._patience = patience

    async def cancel(self, record: RunRecord, by: str) -> Literal["cancelled", "cancelling"]:
        """End a demand; again and again does no harm.

        Returns:
            ``cancelling`` when it has not ended yet, but will.

        Raises:
            Conflict: it has ended otherwise.
        """
        try:
            await self._log.post(record.id, CANCEL, CANCEL, by, {})
            await self._end(record)
        except DemandNotFound:
            pass  # It is closed already; its last event says how.
        last = last_of(await self._log.select([record.id], (FINALIZED, FAILED)))
        if FINALIZED in last or (FAILED in last and last[FAILED].payload["reason"] != FailReason.CANCELLED):
            raise Conflict("the demand has ended", told=Told("why.demand_ended"))
        return "cancelled" if FAILED in last else "cancelling"

    async def confirm(self, record: RunRecord, edits: UnderstandingEdits, by: str) -> Confirmation:
        """Let a demand that waits for its requester go on, with what the requester changed.

        Raises:
            Conflict: it does not wait, or was confirmed already.
            InvalidInput: a change cannot be read.
        """
        last = last_of(await self._log.select([record.id], HEAD_TYPES))
        understanding = understanding_of(record, last)
        if understanding is None or not waiting(record, last):
            raise Conflict("the demand does not wait for a confirmation", told=Told("why.not_waiting"))
        settled = confirmed(understanding, edits, self._lexica, date.fromisoformat(record.meta["today"]))
        payload = {"understanding": settled.understanding.model_dump(mode="json"), "edited": list(settled.edited)}
        try:
            fresh = await self._log.post(record.id, CONFIRM, CONFIRM, by, payload)
        except DemandNotFound as error:
            raise Conflict("the demand has ended", told=Told("why.demand_ended")) from error
        if not fresh:
            raise Conflict("the demand was confirmed already", told=Told("why.confirmed_already"))
        return settled

    async def erase(self, record: RunRecord) -> None:
        """Forget a demand with its sub-negotiation; an open one ends.

        Raises:
            Conflict: it is a sub-negotiation, which goes with the demand it belongs to.
            DemandNotFound: it was erased meanwhile.
        """
        if record.parent is not None:
            told = Told("why.sub_erased", {"parent": record.parent})
            raise Conflict(f"a sub-negotiation is erased with its demand {record.parent}", told=told)
        if not await self._log.erase(record.id):
            raise DemandNotFound("no demand of that id", told=Told("why.no_demand"))

    async def _end(self, record: RunRecord) -> None:
        """Wait until a run has ended, but not for ever."""
        try:
            async with asyncio.timeout(self._patience):
                async for _ in self._log.follow(record.id):
                    continue
        except TimeoutError:
            return
