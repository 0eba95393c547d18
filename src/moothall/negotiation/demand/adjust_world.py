"""What an adjusted plan owes to those who spoke (row NEG-PROMPT-6a): answers that are true, terms that are kept."""

from __future__ import annotations

import math
from collections.abc import Sequence

from moothall.directory.activities import load_activities
from moothall.directory.concepts import load_vocabulary
from moothall.directory.places import load_gazetteer
from moothall.negotiation.demand.models import JsonObject
from moothall.negotiation.demand.plan_fit import Settled, plan_fits
from moothall.negotiation.demand.plan_models import AdjustedPlan, Assignment, PlanDraft, Proposal
from moothall.negotiation.demand.questions import AdjustInput
from moothall.negotiation.demand.rules.phrasing import Lexica, Voice, clean
from moothall.negotiation.demand.rules.requests import Answers, Request, requests
from moothall.negotiation.demand.world import require

Entries = dict[tuple[str, str], JsonObject]
WORDS = frozenset({"role", "responsibility", "dependencies", "notes"})
"""The fields of an assignment that are words and nothing else."""


def check_adjustment(data: AdjustInput, output: AdjustedPlan) -> AdjustedPlan:
    """The plan fits; nobody who left is in it; every request has a true answer; the others keep their terms."""
    require(output.adjustment_summary.round == data.round, f"the adjustment is for round {data.round}")
    gone = sorted({item.agent_id for item in output.assignments} & left_by(data))
    require(not gone, f"somebody who withdrew is in the plan: {gone}")
    _answered(data, output)
    _unchanged(data, output)
    return plan_fits(data.demand, data.offers, output, settled(data))


def left_by(data: AdjustInput) -> set[str]:
    """The agents that withdrew, in this round or before."""
    return {*data.withdrawn, *(item.agent_id for item in data.feedbacks if item.feedback_type == "withdraw")}


def asked_by(data: AdjustInput) -> list[Request]:
    """The requests that the plan has to answer."""
    gone = left_by(data)
    return [request for request in requests(data.feedbacks) if request.agent_id not in gone]


def settled(data: AdjustInput) -> Settled:
    """What the current plan pays, and what its members ask for all their roles together."""
    paid: dict[str, dict[str, float]] = {}
    for item in data.current_proposal.assignments:
        paid.setdefault(item.agent_id, {})[item.concept] = item.price
    asked = {request.agent_id: request.price for request in asked_by(data) if request.price is not None}
    return Settled(paid, asked)


def entries(data: AdjustInput, after: PlanDraft, voice: Voice) -> tuple[Entries, Entries]:
    """What the new plan makes of every request, by agent and field: the granted ones and the others.

    The rules' own answers, and besides them the words of somebody's part, which only a model can change. A price that
    was raised, but not as far as was asked, has the ``share`` of the raise that was granted.
    """
    asked = asked_by(data)
    offered = frozenset(term.concept for offer in data.offers for term in offer.terms)
    yes, no = (
        {_about(entry): entry for entry in found}
        for found in Answers(data.current_proposal, after, offered, voice).split(asked)
    )
    for request in asked:
        what = (request.agent_id, request.field)
        if what in no and (now := _reworded(request, data.current_proposal, after)) is not None:
            yes[what] = no.pop(what) | {"result": now, "reason": ""}
        if what in yes and request.price is not None:
            yes[what] |= _share(request.price, data.current_proposal.of(request.agent_id), yes[what]["result"])
    return yes, no


def _reworded(request: Request, before: Proposal, after: PlanDraft) -> str | None:
    """The new words of the agent's part, where they are what the request is about and have changed."""
    if request.field not in WORDS:
        return None
    was, now = (
        "; ".join(
            " ".join(_words(item, request.field)) for item in plan.assignments if item.agent_id == request.agent_id
        )
        for plan in (before, after)
    )
    return clean(now) if now and now != was else None


def _words(item: Assignment, field: str) -> tuple[str, ...]:
    value: str | tuple[str, ...] = getattr(item, field)
    return (value,) if isinstance(value, str) else value


def _share(wanted: float, was: Sequence[Assignment], now: float) -> JsonObject:
    old = sum(item.price for item in was)
    return {} if now >= wanted or wanted <= old else {"share": math.floor(100 * (now - old) / (wanted - old)) / 100}


def _answered(data: AdjustInput, output: AdjustedPlan) -> None:
    """Each request is addressed, and then really is, or declined with a reason."""
    summary = output.adjustment_summary
    true, _ = entries(data, output, _voice(data))
    addressed = {_about(entry) for entry in summary.requests_addressed}
    declined = {_about(entry) for entry in summary.requests_declined if str(entry.get("reason", "")).strip()}
    for request in asked_by(data):
        what = (request.agent_id, request.field)
        require(what in addressed | declined, f"the request of {what[0]} for {what[1]} has no answer with a reason")
        if what in addressed:
            said = f"the request of {what[0]} for {what[1]} is called addressed, and the plan does not do it"
            require(what in true, said)


def _voice(data: AdjustInput) -> Voice:
    return Lexica(load_vocabulary(), load_gazetteer(), load_activities()).voice(data.demand.lang)


def _about(entry: JsonObject) -> tuple[str, str]:
    return str(entry.get("agent_id")), str(entry.get("field"))


def _unchanged(data: AdjustInput, output: AdjustedPlan) -> None:
    """Who asked for nothing keeps role, price, quantity and day, unless the change is listed.

    Even a listed change puts nobody into a role for another: silence is taken for consent to what was agreed.
    """
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
    for agent_id in before.assignees():
        if agent_id not in asked | gone:
            was, now = ({item[0] for item in _terms(plan.assignments, agent_id)} for plan in (before, output))
            require(now <= was or now > was, f"{agent_id}, who asked for nothing, has another role than it agreed to")


def _terms(assignments: Sequence[Assignment], agent_id: str) -> set[tuple[str, float, int]]:
    return {(item.concept, item.price, item.quantity) for item in assignments if item.agent_id == agent_id}
