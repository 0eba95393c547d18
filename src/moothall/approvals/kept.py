"""What an approval leaves in the event log, and the workflow that it adds up to. Pure.

A run of `KIND` begins with `ASKED` (the call, whole; its arguments until the run ends) and `PLANNED`; every change is
one more event, none of them public: what becomes of an approval is read by those whom it concerns, never followed by
strangers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Final

from pydantic import TypeAdapter

from moothall.approvals import machine
from moothall.approvals.asking import Ask, Standing
from moothall.approvals.machine import Step, Vote, Workflow
from moothall.canonical import canonical
from moothall.clock import parse_rfc3339, rfc3339
from moothall.errors import InternalError
from moothall.events.model import Draft, Event, JsonObject, RunRecord

KIND: Final = "approval"

ASKED: Final = "approval.asked"
PLANNED: Final = "approval.planned"
OPENED: Final = "approval.opened"
DECIDED: Final = "approval.decided"
REFUSED: Final = "approval.refused"
ESCALATED: Final = "approval.escalated"
EXPIRED: Final = "approval.expired"
CANCELLED: Final = "approval.cancelled"
EXECUTING: Final = "approval.executing"
EXECUTED: Final = "approval.executed"
FAILED: Final = "approval.failed"

BRIEF: Final = (PLANNED, OPENED, DECIDED, ESCALATED, EXPIRED, CANCELLED, EXECUTING, FAILED)
"""What tells how far a workflow is, without the call and without its outcome, which may be large."""

TOLD: Final = (*BRIEF, EXECUTED)

ANSWERS: Final = (DECIDED, CANCELLED, REFUSED)
"""What becomes of postings."""

ASK: Final = "asked"
"""The key of the event with the call."""

EXECUTE: Final = "execute"
"""The key of the event with the outcome."""

_ID_DIGITS: Final = 16


def workflow_id(requester: str, digest: str, number: int) -> str:
    """The id of the n-th approval of one call, the same whoever asks for it and wherever."""
    seed = canonical([requester, digest, number])
    return f"ap-{hashlib.sha256(seed).hexdigest()[:_ID_DIGITS]}"


def first_events(ask: Ask, flow: Workflow, webhook: JsonObject, at: datetime) -> tuple[Draft, Draft]:
    """What a run begins with, its first step open at once; ``webhook``: what its notices need (`notices.planned`)."""
    planned = {
        "requester": flow.requester,
        "steps": _steps().dump_python(flow.steps, mode="json", exclude_defaults=True),
        "expires": rfc3339(flow.expires),
        "at": rfc3339(at),
        "webhook": webhook,
    }
    return Draft(ASK, ASKED, {"ask": _ask().dump_python(ask, mode="json")}), Draft("planned", PLANNED, planned)


def without_arguments(ask: Ask) -> JsonObject:
    """What is left of `ASKED` when the call has come to its end: its digest still tells which call it was."""
    return {"ask": _ask().dump_python(replace(ask, arguments={}), mode="json")}


def ask_of(event: Event) -> Ask:
    """The call that an approval is for."""
    return _ask().validate_python(event.payload["ask"], strict=False)


def workflow_of(events: Iterable[Event]) -> Workflow:
    """The workflow that these events add up to; those that tell nothing of it are passed over.

    Raises:
        InternalError: there is no beginning.
    """
    flow: Workflow | None = None
    for event in events:
        if event.type == PLANNED:
            flow = _planned(event.payload)
        elif flow is not None:
            flow = _after(flow, event)
    if flow is None:
        raise InternalError("the run of an approval has no beginning")
    return flow


def standing_of(record: RunRecord, flow: Workflow) -> Standing:
    """How far a workflow is, for the call path."""
    return Standing(
        id=record.id,
        requester=flow.requester,
        digest=str(record.meta.get("digest", "")),
        status=flow.status,
        executed=executed(record, flow),
        outcome=flow.outcome,
        reason=flow.reason,
        expires=int(flow.expires.timestamp()),
        failed=flow.failed,
    )


def executed(record: RunRecord, flow: Workflow) -> bool:
    """Whether the approved call has ended, where the event that says so was perhaps not read, since it is large."""
    return flow.executed or (flow.status == "approved" and record.status == "closed" and not flow.failed)


def vote_of(payload: JsonObject, at: str) -> Vote:
    """A decision as it was posted."""
    return Vote(
        approver=payload["approver"],
        decision=machine.decision_of(payload["decision"]),
        reason=payload["reason"],
        decided_at=parse_rfc3339(at),
        person=payload["person"],
    )


def _planned(payload: JsonObject) -> Workflow:
    steps = _steps().validate_python(payload["steps"], strict=False)
    begun = machine.begin(payload["requester"], steps, parse_rfc3339(payload["expires"]))
    return machine.open_step(begun, parse_rfc3339(payload["at"]))


def _after(flow: Workflow, event: Event) -> Workflow:  # noqa: PLR0911 - one line for each type
    payload = event.payload
    match event.type:
        case "approval.opened" if payload["step"] > 0:  # the first one has been open from the beginning
            return machine.open_step(flow, parse_rfc3339(payload["at"]))
        case "approval.decided":
            return machine.decide(flow, vote_of(payload, payload["at"]))
        case "approval.escalated":
            return machine.escalate(flow, parse_rfc3339(payload["at"]))
        case "approval.expired":
            return machine.expire(flow, parse_rfc3339(payload["at"]))
        case "approval.cancelled":
            return machine.cancel(flow, payload["by"], payload["reason"])
        case "approval.executing":
            return machine.execute(flow)
        case "approval.executed":
            return machine.finish(flow, payload["value"])
        case "approval.failed":
            return machine.fail(flow, payload["why"])
        case _:
            return flow


@cache
def _ask() -> TypeAdapter[Ask]:
    return TypeAdapter(Ask)


@cache
def _steps() -> TypeAdapter[tuple[Step, ...]]:
    return TypeAdapter(tuple[Step, ...])
