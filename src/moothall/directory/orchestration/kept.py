"""What a plan leaves in the event log, and what can be told of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from moothall.directory.orchestration.executing import Outcome, Report, error_told
from moothall.directory.orchestration.plan import Plan, Step
from moothall.errors import Conflict, InternalError, Told
from moothall.events.model import Draft, Event, JsonObject, RunRecord
from moothall.identity.principal import Principal

KIND: Final = "orchestration"

PLANNED: Final = "orchestration.planned"
CONFIRMED: Final = "orchestration.confirmed"
STEP: Final = "orchestration.step"
WAITS: Final = "orchestration.waits"
CANCELLED: Final = "orchestration.cancelled"
ENDED: Final = "orchestration.ended"

SHORT: Final = frozenset({PLANNED, CONFIRMED, WAITS, ENDED})
"""What says in short how a plan is."""

CONFIRM: Final = "confirm"
CANCEL: Final = "cancel"
"""The kinds of postings that a run takes, which are their keys as well: each counts once."""

Status = Literal["proposed", "running", "waiting", "completed", "partial", "failed", "cancelled", "expired"]

_LEFT: Final = Conflict("it was under way: it is unknown how it ended", told=Told("intent.plan_left"))
"""Of a step that changes something, and goes on after its plan was called off."""

_PRINCIPAL: Final = TypeAdapter(Principal)
_STEPS: Final = TypeAdapter(tuple[Step, ...])


@dataclass(frozen=True, slots=True)
class Work:
    """What a run is about: the plan, for whom, whether it waits for a confirmation, how far its calls have come."""

    plan: Plan
    principal: Principal
    asks: bool
    hops: int = 0


def first_event(work: Work, at: str) -> Draft:
    """What a run begins with."""
    payload = {"steps": _STEPS.dump_python(work.plan.steps, mode="json"), "request": work.plan.request, "at": at}
    return Draft("planned", PLANNED, payload)


def meta_of(work: Work) -> JsonObject:
    """What its driver finds in the record."""
    return {"principal": _PRINCIPAL.dump_python(work.principal, mode="json"), "asks": work.asks, "hops": work.hops}


def work_of(record: RunRecord, events: Iterable[Event]) -> Work:
    """What a run is about."""
    begun = next((event for event in events if event.type == PLANNED), None)
    if begun is None or not record.meta:
        raise InternalError("a run without a plan")
    plan = Plan(_STEPS.validate_python(begun.payload["steps"]), begun.payload["request"])
    principal = _PRINCIPAL.validate_python(record.meta["principal"])
    return Work(plan, principal, bool(record.meta["asks"]), int(record.meta.get("hops", 0)))


def step_key(step: str) -> str:
    """The key of the event with the outcome of a step."""
    return f"step.{step}"


def outcomes_of(events: Iterable[Event]) -> dict[str, Outcome]:
    """What came of the steps so far."""
    return {
        event.key.removeprefix("step."): Outcome.read(event.payload["value"]) for event in events if event.type == STEP
    }


def waits_of(events: Iterable[Event]) -> dict[str, str]:
    """The approvals that steps wait for, by their ids."""
    return {event.payload["step"]: event.payload["approval"] for event in events if event.type == WAITS}


def told(run: str, work: Work, events: Iterable[Event]) -> JsonObject:
    """A plan as it is shown: what will be called with what, and what came of it."""
    found = list(events)
    outcomes, waits = outcomes_of(found), waits_of(found)
    types = {event.type for event in found}
    ended = next((event for event in found if event.type == ENDED), None)
    steps = []
    for step in work.plan.steps:
        outcome = outcomes.get(step.id) or _unknown(ended, step.id)
        row: dict[str, Any] = {
            "id": step.id,
            "target": step.target,
            "arguments": dict(step.arguments),
            "after": list(step.after),
            "read_only": step.read_only,
            "about": step.about,
            **(outcome.told if outcome else {"state": "waiting"}),
        }
        if step.id in waits and (outcome is None or outcome.state == "cancelled"):  # it can still be decided
            row["approval"] = waits[step.id]
        steps.append(row)
    status = _status(work, types, ended, waits.keys() - outcomes.keys())
    return {
        "id": run,
        "status": status,
        "digest": work.plan.digest,
        "request": work.plan.request,
        "needs_confirmation": status == "proposed",
        "steps": steps,
    }


def in_short(record: RunRecord, events: Iterable[Event]) -> JsonObject:
    """A plan in a list, without its steps; of one that has come to wait for an approval, ``events`` are all."""
    found = list(events)
    view = told(record.id, work_of(record, found), found)
    return {key: view[key] for key in ("id", "status", "request", "digest")}


def ending(report: Report) -> JsonObject:
    """The payload of the end."""
    skipped = [name for name, outcome in report.outcomes.items() if outcome.state == "skipped"]
    return {"status": report.status, "skipped": skipped}


def _unknown(ended: Event | None, step: str) -> Outcome | None:
    """What became of a step that has no event of its own."""
    if ended is None:
        return None
    if step in ended.payload.get("begun", ()):
        return Outcome("cancelled", error=error_told(_LEFT))
    return Outcome("skipped" if step in ended.payload.get("skipped", ()) else "cancelled")


def _status(work: Work, types: set[str], ended: Event | None, waits: Iterable[str]) -> Status:
    if ended is not None:
        status: Status = ended.payload["status"]
        return status
    if work.asks and CONFIRMED not in types:
        return "proposed"
    return "waiting" if list(waits) else "running"


def who(payload: Mapping[str, Any]) -> str:
    """Who sent a posting."""
    return str(payload.get("by", ""))
