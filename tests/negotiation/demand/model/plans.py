"""Offers, plans and feedback to measure, for the prompts that are about plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel

from moothall.errors import DecisionRefused
from moothall.llm.reading import read_answer
from moothall.negotiation.demand.models import Condition, DemandUnderstanding, Offer, Term
from moothall.negotiation.demand.plan_models import Assignment, Cost, Feedback, Gap, Proposal, Timeline
from moothall.negotiation.demand.questions import AdjustInput, AggregateInput
from tests.negotiation.demand.model.voices import BRIEFS
from tests.negotiation.demand.rules.worlds import LEXICA, TODAY, demand

DAYS = (date(2027, 1, 20), date(2027, 1, 21))
WANTED = demand("venue", "speaker")
IDS: dict[str, Any] = {"demand_id": "d-00000000", "submitted_at": "2027-01-04T00:00:00.000Z"}


def term(concept: str, price: float = 1000, dates: Sequence[date] | None = DAYS, **more: Any) -> Term:
    tag = LEXICA.vocabulary.label(concept, "zh")
    return Term(tag=tag, concept=concept, price=price, dates=None if dates is None else tuple(dates), **more)


def offer(name: str, *terms: Term, **more: Any) -> Offer:
    values = {"decision": "participate", "contribution": f"{name}可以来", "max_roles": 2, **more}
    return Offer(
        agent_id=f"user_agent_{name}",
        display_name=f"{name} 工作室",
        offer_id=f"offer_{name}",
        terms=terms,
        **IDS,
        **values,
    )


HALL, VOICE = offer("hall", term("venue", 2000)), offer("voice", term("speaker", 800))
PAIR = (HALL, VOICE)


def role(name: str, tag: str, **more: Any) -> dict[str, Any]:
    """One assignment as a model writes it."""
    return {
        "agent_id": f"user_agent_{name}",
        "display_name": "谁也不是",
        "role": tag,
        "responsibility": f"负责{tag}",
        "dependencies": [],
        **more,
    }


GOOD: dict[str, Any] = {
    "summary": "两个人办一场聚会",
    "objective": "办成聚会",
    "assignments": [role("hall", "场地提供"), role("voice", "演讲嘉宾")],
    "timeline": {
        "start_date": "2027-01-20",
        "milestones": [{"name": "确认", "date": "2027-01-10", "deliverable": "名单"}],
    },
    "rationale": "两份报价正好够用",
    "gaps": [],
    "confidence": "high",
}


def aggregate(offers: Sequence[Offer] = PAIR, wanted: DemandUnderstanding = WANTED) -> AggregateInput:
    return AggregateInput(demand=wanted, offers=tuple(offers), today=TODAY)


def assignment(source: Offer, *, price: float | None = None, conditions: tuple[Condition, ...] = ()) -> Assignment:
    """The first term of an offer as it stands in a plan."""
    first = source.terms[0]
    return Assignment(
        agent_id=source.agent_id,
        display_name=source.display_name,
        role=first.tag,
        responsibility=f"负责{first.tag}",
        concept=first.concept,
        price=first.price if price is None else price,
        conditions=conditions or first.conditions,
    )


def plan(*assignments: Assignment, day: date = DAYS[0]) -> Proposal:
    return Proposal(
        proposal_id="prop_001",
        demand_id="d-00000000",
        version=1,
        created_at="2027-01-04T00:00:00.000Z",
        summary="第一版",
        objective="办成聚会",
        assignments=assignments,
        timeline=Timeline(start_date=day.isoformat()),
        rationale="够用",
        cost=Cost(total=sum(item.price for item in assignments)),
    )


def adjust(*feedbacks: Feedback, offers: Sequence[Offer] = PAIR, **more: Any) -> AdjustInput:
    values: dict[str, Any] = {"demand": WANTED, "current_proposal": plan(assignment(HALL), assignment(VOICE)), **more}
    return AdjustInput(feedbacks=feedbacks, round=2, offers=tuple(offers), today=TODAY, **values)


def says(name: str, kind: str = "accept", **changes: Any) -> Feedback:
    return Feedback(agent_id=f"user_agent_{name}", feedback_type=kind, reasoning="如此", proposed_changes=changes)


def gap(tag: str, importance: int = 80) -> Gap:
    return Gap(gap_type=tag, importance=importance, reason="没有人", suggested_capability_tags=(tag,))


async def answered(kind: str, data: BaseModel, reply: Mapping[str, Any] | str) -> Any:
    """What becomes of a reply, checked."""
    return await read_answer(BRIEFS[kind], data, reply)


async def refused(kind: str, data: BaseModel, reply: Mapping[str, Any], about: str) -> None:
    """The reply is refused, in words that tell the model what to correct."""
    with pytest.raises(DecisionRefused) as caught:
        await read_answer(BRIEFS[kind], data, reply)
    assert about in str(caught.value)
