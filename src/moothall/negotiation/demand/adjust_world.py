"""What an adjusted plan owes to those who spoke (row NEG-PROMPT-6a): answers that are true, terms that are kept."""

from __future__ import annotations

import math
from collections.abc import Sequence

from moothall.directory.concepts import load_vocabulary
from moothall.negotiation.demand.models import AdjustedPlan, Assignment, JsonObject, PlanDraft, Proposal
from moothall.negotiation.demand.plan_fit import Bargained, plan_fits
from moothall.negotiation.demand.questions import AdjustInput
from moothall.negotiation.demand.rules.requests import Request, requests
from moothall.negotiation.demand.world import require


def check_adjustment(data: AdjustInput, output: AdjustedPlan) -> AdjustedPlan:
    """The plan fits; nobody who left is in it; every request has a true answer; the others keep their terms."""
    require(output.adjustment_summary.round == data.round, f"the adjustment is for round {data.round}")
    gone = sorted({item.agent_id for item in output.assignments} & left_by(data))
    require(not gone, f"somebody who withdrew is in the plan: {gone}")
    _answered(data, output)
    _unchanged(data, output)
    return plan_fits(data.demand, data.offers, output, bargained(data))


def left_by(data: AdjustInput) -> set[str]:
    """The agents that withdrew, in this round or before."""
    return {*data.withdrawn, *(item.agent_id for item in data.feedbacks if item.feedback_type == "withdraw")}


def asked_by(data: AdjustInput) -> list[Request]:
    """The requests that the plan has to answer."""
    gone = left_by(data)
    return [request for request in requests(data.feedbacks) if request.agent_id not in gone]


def bargained(data: AdjustInput) -> Bargained:
    """The most that each assignment of the current plan may be paid: what it is paid, or what its owner asks for."""
    wanted = {request.agent_id: request.price for request in asked_by(data) if request.price is not None}
    return {
        (item.agent_id, item.concept): max(item.price, math.ceil(wanted.get(item.agent_id, 0.0)))
        for item in data.current_proposal.assignments
    }


def granted(request: Request, before: Proposal, after: PlanDraft) -> bool:
    """Whether the new plan really gives what was asked for, or moves towards it."""
    now = tuple(item for item in after.assignments if item.agent_id == request.agent_id)
    if request.field == "drop_role":
        return all(item.concept != load_vocabulary().key(str(request.value)) for item in now)
    return bool(now) and _given(request, before.of(request.agent_id), now, after)


def _given(request: Request, was: Sequence[Assignment], now: Sequence[Assignment], after: PlanDraft) -> bool:
    if request.price is not None:
        old, new = sum(item.price for item in was), sum(item.price for item in now)
        return new != old and (new > old) == (request.price > old)
    if request.day is not None:
        return after.timeline.start_date == request.day.isoformat()
    if request.field == "requires":
        return any(item.concept == load_vocabulary().key(str(request.value)) for item in after.assignments)
    conditions = [item for assignment in now for item in assignment.conditions if item.kind == request.field]
    if conditions:
        return all(item.status == "met" for item in conditions)
    return _part(was, request.field) != _part(now, request.field)


def _part(assignments: Sequence[Assignment], field: str) -> list[JsonObject]:
    """What a plan says about one field of somebody's part in it; about the whole part where it has no such field."""
    include = {field} if field in Assignment.model_fields else set(Assignment.model_fields) - {"display_name"}
    return [item.model_dump(mode="json", include=include) for item in assignments]


def _answered(data: AdjustInput, output: AdjustedPlan) -> None:
    """Each request is addressed, and then really is, or declined with a reason."""
    summary = output.adjustment_summary
    addressed = {_about(entry) for entry in summary.requests_addressed}
    declined = {_about(entry) for entry in summary.requests_declined if str(entry.get("reason", "")).strip()}
    for request in asked_by(data):
        what = (request.agent_id, request.field)
        require(what in addressed | declined, f"the request of {what[0]} for {what[1]} has no answer with a reason")
        if what in addressed:
            true = granted(request, data.current_proposal, output)
            require(true, f"the request of {what[0]} for {what[1]} is called addressed, and the plan does not do it")


def _about(entry: JsonObject) -> tuple[str, str]:
    return str(entry.get("agent_id")), str(entry.get("field"))


def _unchanged(data: AdjustInput, output: AdjustedPlan) -> None:
    """Who asked for nothing keeps role, price, quantity and day, unless the change is listed."""
    before, gone = data.current_proposal, left_by(data)
    asked = {request.agent_id for request in asked_by(data)}
    listed = {str(entry.get("agent_id")) for entry in output.adjustment_summary.changes_made}
    moved = before.timeline.start_date != output.timeline.start_date
    for agent_id in before.assignees():
        if agent_id in asked | gone | listed:
            continue
        terms = _terms(output.assignments, agent_id)
        require(_terms(before.assignments, agent_id) == terms, f"the terms of {agent_id} changed unsaid")
        require(not (moved and terms), f"the day of {agent_id} changed unsaid")


def _terms(assignments: Sequence[Assignment], agent_id: str) -> set[tuple[str, float, int]]:
    return {(item.concept, item.price, item.quantity) for item in assignments if item.agent_id == agent_id}
