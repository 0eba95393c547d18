"""Waiting for the requester's word on what was understood; the run leaves memory meanwhile (row NEG-API-23)."""

from __future__ import annotations

from datetime import timedelta

from moothall.clock import parse_rfc3339
from moothall.events.model import Draft, Posting
from moothall.negotiation.demand.barrier import CancelledByRequesterError
from moothall.negotiation.demand.channel import Channel
from moothall.negotiation.demand.interrupting import CANCEL
from moothall.negotiation.demand.models import DemandUnderstanding

CONFIRM = "confirm"
"""The kind and key of the posting that confirms; a run takes one."""

CONFIRMED = "confirmed"
"""The key of the event that tells of it."""


class NotConfirmedError(Exception):
    """Nobody confirmed before the deadline."""


def waits_for_confirmation(meta: dict[str, object]) -> bool:
    """Whether a run of this meta stops after it was understood, until its requester says so."""
    return meta.get(CONFIRM) is True


async def confirmation(channel: Channel, seconds: float) -> DemandUnderstanding:
    """What the requester confirmed, from the log or the inbox.

    Raises:
        Parked: nothing came yet.
        CancelledByRequesterError: the requester cancelled instead.
        NotConfirmedError: ``seconds`` have passed without a word.
    """
    run = channel.run
    row = run.recorded(CONFIRMED)
    if row is None:
        posting = await _posted(channel, seconds)
        consumed = Draft(f"in.{posting.key}", "inbox", {"from": posting.sender})
        told = channel.event(CONFIRMED, "demand.confirmed", **posting.payload, source="requester")
        await run.emit(told, consumed)
        return DemandUnderstanding.model_validate(posting.payload["understanding"])
    return DemandUnderstanding.model_validate(row.payload["understanding"])


async def _posted(channel: Channel, seconds: float) -> Posting:
    run = channel.run
    await run.emit(channel.deadline("confirm.deadline", run.clock.now() + timedelta(seconds=seconds)))
    row = run.recorded("confirm.deadline")
    until = parse_rfc3339(row.payload["at"]) if row else run.clock.now()
    while True:
        now = run.clock.now()
        posting = await run.receive(min(now, until))
        if posting is None and now < until:
            await run.park(until)
        if posting is None:
            raise NotConfirmedError
        if posting.kind == CANCEL:
            raise CancelledByRequesterError(posting.key)
        if posting.kind == CONFIRM:
            return posting
        await run.emit(_refused(posting))


def _refused(posting: Posting) -> Draft:
    """An answer to what nobody was asked yet: consumed, and kept as refused."""
    row = {"from": posting.sender, "reason": "not_asked", "phase": CONFIRM}
    return Draft(f"in.{posting.key}", "refused", row)
