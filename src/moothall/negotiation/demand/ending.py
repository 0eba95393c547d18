"""The end of a negotiation: exactly one terminal event, with all that is needed to go on (NEG-EVENT-11, -12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from moothall.canonical import dumps
from moothall.events.encode import MAX_PAYLOAD
from moothall.events.model import Draft, OutboxDraft
from moothall.messages import text
from moothall.negotiation.demand.channel import Channel
from moothall.negotiation.demand.deciding import lang_of
from moothall.negotiation.demand.machine import ChannelStatus, Trigger
from moothall.negotiation.demand.models import DemandUnderstanding, JsonObject
from moothall.negotiation.demand.outcome import FailReason
from moothall.negotiation.demand.plan_models import Compromise, Gap, Proposal
from moothall.negotiation.demand.refusals import too_long_answers
from moothall.negotiation.demand.spending import decisions, spent_so_far
from moothall.telemetry import logger

_log = logger("negotiation.demand")

TRIGGERS = {
    FailReason.NOT_UNDERSTOOD: Trigger.ABORTED,
    FailReason.NOT_CONFIRMED: Trigger.CANCELLED,
    FailReason.NO_CANDIDATES: Trigger.NO_CANDIDATES,
    FailReason.NO_ANSWER: Trigger.NO_ANSWER,
    FailReason.NO_PARTICIPANTS: Trigger.NO_PARTICIPANTS,
    FailReason.CANCELLED: Trigger.CANCELLED,
    FailReason.INTERNAL: Trigger.ABORTED,
}
"""What moves the machine for each reason; a plan that nobody can make moves it from where it stands."""

TOLD_ONCE = frozenset({"conditions", "dependencies", "notes"})
"""What an assignment in a compromise leaves to the plan where both together would be too large."""

ROOM = MAX_PAYLOAD - 1024
"""Bytes of a terminal event beside the ids it carries."""

CODES = {FailReason.NO_CANDIDATES: "E005", FailReason.NO_ANSWER: "E006", FailReason.INTERNAL: "INTERNAL_ERROR"}
"""The error codes that failures carry (spec C §6.1)."""


async def fail(  # noqa: PLR0913 - what a terminal event may carry, each by its name
    channel: Channel,
    reason: FailReason,
    demand: DemandUnderstanding | None = None,
    *,
    proposal: Proposal | None = None,
    gaps: Sequence[Gap] = (),
    compromise: Compromise | None = None,
    suggestions: Sequence[str] = (),
    code: str = "",
) -> None:
    """End in ``towow.negotiation.failed``: why, the last plan if there was one, and what could be done.

    ``code`` is the error code where the reason alone does not tell it.
    """
    lang = demand.lang if demand else lang_of(channel.run)
    message = text(f"channel.failed.{reason}", lang)
    if code and reason is FailReason.NO_PARTICIPANTS:
        message = text("channel.failed.answers_unknown", lang, error=text(f"errors.{code}.message", lang))
    if reason is FailReason.NO_ANSWER and too_long_answers(channel.run.history):
        message = text("channel.failed.answers_too_large", lang)
    if reason is not FailReason.CANCELLED:
        _log.error("协商失败: %s", reason)
    code = code or CODES.get(reason, "")
    advice = [*suggestions, *(compromise.suggestions if compromise else ())]
    if not advice and code:
        advice.append(text(f"errors.{code}.hint", lang))
    payload: JsonObject = {"reason": str(reason), "message": message, "suggestions": list(dict.fromkeys(advice))}
    payload |= _decided(channel)
    if code:
        payload["code"] = code
    if proposal is not None:
        payload["last_proposal"] = _told(proposal, compromise)
    if gaps:
        payload["gaps"] = [gap.model_dump(mode="json") for gap in gaps]
    if compromise is not None:
        payload["compromise"] = compromise.model_dump(mode="json")
    moved = channel.move(_trigger(channel.state.status, reason))
    await _close(channel, moved, channel.event("terminal", "negotiation.failed", **_fitting(payload)), None)


def _trigger(status: ChannelStatus, reason: FailReason) -> Trigger:
    """What moves the machine: answers that cannot be known end a collection like answers that do not come."""
    if status is ChannelStatus.COLLECTING and reason is FailReason.NO_PARTICIPANTS:
        return Trigger.NO_ANSWER
    planning = status is ChannelStatus.AGGREGATING
    return TRIGGERS.get(reason, Trigger.NO_PARTICIPANTS if planning else Trigger.DISAGREED)


def _told(proposal: Proposal, compromise: Compromise | None) -> JsonObject:
    """A plan as a terminal event tells it: after prompt 9 with what that settled, never with high confidence."""
    told = proposal.model_dump(mode="json")
    if compromise is not None:
        parts = compromise.model_dump(mode="json")
        told |= {name: parts[name] for name in ("type", "compromises", "unresolved", "suggestions", "confidence")}
    return told


def _fitting(payload: JsonObject) -> JsonObject:
    """The payload of a terminal event, within what a row of the log holds.

    A plan that ends in a compromise tells most things twice. Where that is too much, the compromise keeps its summary
    and who does what; the rest stands in the plan.
    """
    if "compromise" not in payload or len(dumps(payload)) <= ROOM:
        return payload
    plan = payload.get("final_proposal") or payload.get("last_proposal") or {}
    short = {name: value for name, value in payload["compromise"].items() if plan.get(name) != value}
    short["summary"] = payload["compromise"]["summary"]  # without it a compromise is none to whoever reads it
    kept = payload["compromise"]["assignments"]
    short["assignments"] = [{name: item[name] for name in item if name not in TOLD_ONCE} for item in kept]
    return {**payload, "compromise": short}


def _decided(channel: Channel) -> JsonObject:
    """What the decisions of this run took, and which kinds of them went without the model they should have had.

    A plan that a degraded sub-negotiation has a part in is degraded as well.
    """
    steps = [kind for kind, kept in decisions(channel.run.history) if kept.get("degraded")]
    below = channel.run.recorded("subnet.completed")
    degraded = bool(steps) or bool(below and below.payload.get("degraded"))
    used = spent_so_far(channel.run.history).model_dump(mode="json")
    return {"degraded": degraded, "degraded_steps": list(dict.fromkeys(steps)), "usage": used}


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the agreement goes: ``unconfirmed`` are those in the plan who did not consent in words."""

    full: bool
    rounds_taken: int
    unconfirmed: Sequence[str]
    gaps: Sequence[Gap]
    compromise: Compromise | None
    suggestions: Sequence[str] = ()


async def finalize(channel: Channel, demand: DemandUnderstanding, proposal: Proposal, agreement: Agreement) -> None:
    """End in ``towow.proposal.finalized``, marked full or partial consensus."""
    consensus: Literal["full", "partial"] = "full" if agreement.full else "partial"
    compromise = agreement.compromise
    label = text(f"channel.consensus.{consensus}", demand.lang)
    final = proposal.model_copy(update={"consensus": consensus, "consensus_label": label})
    payload: JsonObject = {
        "final_proposal": _told(final, compromise),
        "participants_count": len(final.assignees()),
        "rounds_taken": agreement.rounds_taken,
        "consensus": consensus,
        "consensus_label": label,
        "unconfirmed": list(agreement.unconfirmed),
        "gaps": [gap.model_dump(mode="json") for gap in agreement.gaps],
        "suggestions": [*agreement.suggestions, *(compromise.suggestions if compromise else ())],
    }
    payload |= _decided(channel)
    if compromise is not None:
        payload["compromise"] = compromise.model_dump(mode="json")
    moved = channel.move(Trigger.AGREED)
    await _close(channel, moved, channel.event("terminal", "proposal.finalized", **_fitting(payload)), final)


def _dismissals(channel: Channel) -> list[OutboxDraft]:
    """What ends a sub-negotiation that nobody waits for any more."""
    run = channel.run
    opened, completed = run.recorded("subnet.id"), run.recorded("subnet.completed")
    if opened is None or completed is not None:
        return []
    child = opened.payload["value"]["demand_id"]
    return [OutboxDraft("dismissal", f"run:{child}", {"kind": "cancel", "payload": {}})]


async def _close(channel: Channel, moved: Sequence[Draft], terminal: Draft, plan: Proposal | None) -> None:
    """Write the terminal event and close the run; a sub-negotiation reports to its parent in the same transaction."""
    parent = channel.run.record.parent
    report = _dismissals(channel)
    if parent is not None:
        result = {
            "outcome": "finalized" if plan else "failed",
            "proposal": plan.model_dump(mode="json") if plan else None,
            "degraded": terminal.payload["degraded"],
        }
        report.append(OutboxDraft("report", f"run:{parent}", {"kind": "sub.ended", "payload": result}))
    await channel.run.emit(*moved, terminal, outbox=report, close=True)
