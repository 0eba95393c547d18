"""What a plan owes to offers, conditions and requests, whichever brain wrote it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from moothall.errors import DecisionRefused
from moothall.llm.decision import RulesBrain
from moothall.negotiation.demand.models import Condition, Offer
from moothall.negotiation.demand.plan_models import (
    AdjustedPlan,
    AdjustmentSummary,
    Compromise,
    Cost,
    Milestone,
    PlanDraft,
    Timeline,
)
from moothall.negotiation.demand.prompts import ADJUST, AGGREGATE, COMPROMISE, GAPS
from moothall.negotiation.demand.questions import AdjustInput, AggregateInput, CompromiseInput, GapInput, GapReport
from moothall.negotiation.demand.rules.brain import rules_brain
from tests.negotiation.demand.model.plans import (
    DAYS,
    HALL,
    PAIR,
    VOICE,
    WANTED,
    adjust,
    aggregate,
    assignment,
    gap,
    offer,
    plan,
    says,
    term,
)
from tests.negotiation.demand.rules.worlds import LEXICA, demand

RULES: RulesBrain = rules_brain(LEXICA.vocabulary, LEXICA.gazetteer, LEXICA.activities)
GOOD = plan(assignment(HALL), assignment(VOICE))
PARKING = Condition(text="要有停车位")
BERLIN, PARIS = (Condition(text=city, kind="city", concept=city) for city in ("berlin", "paris"))


def held(*conditions: Condition, **more: Any) -> Offer:
    """The hall with conditions, or with other changes to its term."""
    return offer("hall", term("venue", more.pop("price", 2000), conditions=conditions, **more))


def refused(data: AggregateInput, output: PlanDraft, about: str) -> None:
    with pytest.raises(DecisionRefused, match=about):
        AGGREGATE.check(data, output)


async def test_the_rules_own_plan_fits_and_stays_as_it_is() -> None:
    written = await RULES.answer(AGGREGATE, aggregate())
    assert AGGREGATE.check(aggregate(), written) == written


@pytest.mark.requirement("NEG-PROMPT-4a", "NEG-PROMPT-4b")
@pytest.mark.parametrize(
    ("offers", "first", "about"),
    [
        (PAIR, {"agent_id": "user_agent_ghost"}, "did not offer"),
        (PAIR, {"concept": "photography", "role": "摄影"}, "did not offer 摄影"),
        (PAIR, {"role": " "}, "no role"),
        (PAIR, {"responsibility": ""}, "no responsibility"),
        (PAIR, {"price": 2001}, "asks 2000"),
        (PAIR, {"price": 1599}, "too little"),
        (PAIR, {"quantity": 2}, "offers less"),
        (PAIR, {"currency": "USD"}, "one currency"),
        ((held(PARKING), VOICE), {}, "passed over"),
        ((held(PARKING), VOICE), {"conditions": (PARKING.model_copy(update={"status": "met"}),)}, "without a reason"),
        ((held(dates=DAYS[1:]), VOICE), {}, "not free"),
        (
            (held(BERLIN), offer("voice", term("speaker", 800, conditions=(PARIS,)))),
            {"conditions": (BERLIN,)},
            "passed",
        ),
    ],
)
def test_a_role_is_held_on_the_terms_of_its_offer(offers: tuple[Offer, ...], first: dict[str, Any], about: str) -> None:
    changed = GOOD.assignments[0].model_copy(update=first)
    total = changed.price + GOOD.assignments[1].price
    written = GOOD.model_copy(update={"assignments": (changed, GOOD.assignments[1]), "cost": Cost(total=total)})
    refused(aggregate(offers), written, about)


def test_two_who_are_bound_to_different_places_make_no_team() -> None:
    offers = (held(BERLIN), offer("voice", term("speaker", 800, conditions=(PARIS,))))
    parts = tuple(assignment(item) for item in offers)
    refused(aggregate(offers), plan(*parts), "different places")


def test_nobody_has_more_roles_than_it_takes_or_one_of_them_twice() -> None:
    both = offer("both", term("venue", 2000), term("speaker", 800), max_roles=1)
    first = assignment(both)
    second = first.model_copy(update={"concept": "speaker", "price": 800.0})
    refused(aggregate((both,)), plan(first, second), "takes 1 roles at the most")
    refused(aggregate(), plan(assignment(HALL), assignment(HALL)), "twice")


def test_a_room_holds_everybody() -> None:
    wanted = demand("venue", "speaker", attendees=60)
    refused(aggregate((held(capacity=40), VOICE), wanted), GOOD, "no room for 60")


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"cost": Cost(total=1)}, "add up to 2800"),
        ({"summary": " "}, "no summary"),
        ({"rationale": ""}, "why these were chosen"),
        ({"timeline": Timeline(start_date="bald")}, "a date that is none"),
        (
            {
                "timeline": Timeline(
                    start_date="2027-01-20",
                    milestones=(Milestone(name="b", date="2027-01-19"), Milestone(name="a", date="2027-01-18")),
                )
            },
            "out of order",
        ),
    ],
)
def test_a_plan_is_whole(changes: dict[str, Any], about: str) -> None:
    refused(aggregate(), GOOD.model_copy(update=changes), about)


def test_a_plan_stays_within_the_days_and_the_budget_of_the_demand() -> None:
    late = demand("venue", "speaker", date_start=date(2027, 1, 21))
    early = demand("venue", "speaker", date_end=date(2027, 1, 19))
    refused(aggregate(wanted=late), GOOD, "before the demand's range")
    refused(aggregate(wanted=early), GOOD, "after the demand's range")
    refused(aggregate(wanted=demand("venue", "speaker", budget=2700)), GOOD, "the budget is 2700")


def test_names_gaps_and_confidence_are_set_right_rather_than_refused() -> None:
    renamed = GOOD.assignments[0].model_copy(update={"display_name": "别人"})
    written = plan(renamed).model_copy(update={"gaps": ("烟花",), "confidence": "high"})
    checked = AGGREGATE.check(aggregate(), written)
    assert checked.assignments[0].display_name == HALL.display_name
    assert (checked.gaps, checked.confidence) == (("演讲嘉宾",), "medium")


def adjusted(source: PlanDraft, **summary: Any) -> AdjustedPlan:
    fields = {name: getattr(source, name) for name in PlanDraft.model_fields}
    return AdjustedPlan(**fields, adjustment_summary=AdjustmentSummary(**{"round": 2, **summary}))


ASKED = {"agent_id": "user_agent_hall", "field": "price", "reason": "好"}


@pytest.mark.requirement("NEG-PROMPT-6a")
@pytest.mark.parametrize(
    ("data", "output", "about"),
    [
        (adjust(), adjusted(GOOD, round=3), "for round 2"),
        (adjust(says("hall", "withdraw")), adjusted(GOOD), "withdrew"),
        (adjust(says("hall", "negotiate", price=2500)), adjusted(GOOD), "no answer"),
        (
            adjust(says("hall", "negotiate", price=2500)),
            adjusted(GOOD, requests_declined=({**ASKED, "reason": ""},)),
            "no answer",
        ),
        (
            adjust(says("hall", "negotiate", price=2500)),
            adjusted(GOOD, requests_addressed=(ASKED,)),
            "the plan does not do it",
        ),
        (adjust(), adjusted(plan(assignment(HALL))), "user_agent_voice changed unsaid"),
        (adjust(), adjusted(plan(assignment(HALL), assignment(VOICE), day=DAYS[1])), "day of user_agent_hall"),
    ],
)
def test_an_adjusted_plan_keeps_its_word(data: AdjustInput, output: AdjustedPlan, about: str) -> None:
    with pytest.raises(DecisionRefused, match=about):
        ADJUST.check(data, output)


@pytest.mark.requirement("NEG-PROMPT-6a")
async def test_the_rules_answer_every_request_truly() -> None:
    data = adjust(
        says("hall", "negotiate", price=2500, requires="演讲嘉宾", colour="红"),
        says("voice", "negotiate", drop_role="演讲嘉宾", date="2027-01-21"),
    )
    written = await RULES.answer(ADJUST, data)
    checked = ADJUST.check(data, written)
    summary = checked.adjustment_summary
    assert len((*summary.requests_addressed, *summary.requests_declined)) == 5


@pytest.mark.requirement("NEG-PROMPT-7a")
def test_gaps_are_exactly_what_is_open() -> None:
    data = GapInput(demand=WANTED, final_proposal=plan(assignment(HALL)))
    with pytest.raises(DecisionRefused, match="演讲嘉宾 is open"):
        GAPS.check(data, GapReport(is_complete=False, analysis="", gaps=(gap("场地提供"),)))
    report = GAPS.check(data, GapReport(is_complete=False, analysis="", gaps=(gap("烟花"), gap("嘉宾"))))
    assert [item.gap_type for item in report.gaps] == ["演讲嘉宾"]


@pytest.mark.requirement("NEG-PROMPT-9a")
def test_a_compromise_cannot_change_the_price_of_what_is_left() -> None:
    left = GOOD.assignments
    data = CompromiseInput(demand=WANTED, available_resources=left, gaps=(), feedbacks=(), reason="gaps")
    cheap = tuple(item.model_copy(update={"price": 1.0}) for item in left)
    empty = {"issue": " ", "resolution": "", "rationale": ""}
    checked = COMPROMISE.check(data, Compromise(summary="便宜些", assignments=cheap, compromises=(empty,)))
    assert (checked.assignments, checked.compromises) == (left, ())
