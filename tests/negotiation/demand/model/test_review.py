"""Prompt 5 by a model: it judges a plan, and cannot consent to its agent's own loss."""

from __future__ import annotations

from datetime import date
from typing import Any

import jsonschema
import pytest

from moothall.directory.profiles import AgentProfile
from moothall.llm.decision import Decided
from moothall.negotiation.demand.models import AgentResponse, Condition, Term
from moothall.negotiation.demand.plan_models import Assignment, Proposal, ProposalFeedback, Timeline
from moothall.negotiation.demand.prompts import REVIEW
from moothall.negotiation.demand.questions import ReviewInput
from moothall.negotiation.demand.schemas import schemas
from tests.negotiation.demand.model.voices import Answer, Spoken, deciding
from tests.negotiation.demand.rules.worlds import agent, demand

DAY = date(2027, 1, 20)
OTHER_DAY = date(2027, 1, 21)
HALL = agent("hall", {"tag": "场地提供", "price": 2000}, floors={"场地提供": 1500})
YES = {"feedback_type": "accept", "reasoning": "合适", "proposed_changes": None}
ASK: dict[str, Any] = {
    "feedback_type": "negotiate",
    "reasoning": "价格略低",
    "proposed_changes": {"price": 1900, "reason": "成本上涨"},
}
NO = {"feedback_type": "withdraw", "reasoning": "临时有事"}


def plan(price: float = 2000, day: date = DAY, conditions: tuple[Condition, ...] = ()) -> Proposal:
    mine = Assignment(
        agent_id="user_agent_hall",
        display_name="Hall",
        role="场地提供",
        responsibility="提供场地",
        concept="venue",
        price=price,
        conditions=conditions,
    )
    return Proposal(
        proposal_id="prop_001",
        demand_id="d-00000000",
        version=1,
        created_at="2027-01-04T00:00:00.000Z",
        summary="聚会",
        objective="办聚会",
        assignments=(mine,),
        timeline=Timeline(start_date=day.isoformat()),
    )


async def asked(
    answer: Answer | list[Answer], proposal: Proposal, number: int = 1, profile: AgentProfile = HALL
) -> tuple[Decided[ProposalFeedback], Spoken]:
    model = Spoken({"review": answer})
    term = Term(tag="场地提供", concept="venue", price=2000, dates=(DAY, OTHER_DAY))
    data = ReviewInput(
        agent_profile=profile,
        proposal=proposal,
        my_assignments=proposal.of(profile.agent_id),
        demand=demand("venue", city="beijing"),
        my_offer=AgentResponse(decision="participate", contribution="场地", terms=(term,)),
        round=number,
    )
    return await deciding(model).decide(REVIEW, data), model


async def judged(answer: Answer | list[Answer], proposal: Proposal, number: int = 1) -> ProposalFeedback:
    decided, _ = await asked(answer, proposal, number)
    assert decided.source == "llm"
    return decided.value


async def test_a_plan_that_suits_is_accepted_in_the_models_words() -> None:
    found = await judged(YES, plan())
    assert (found.feedback_type, found.reasoning, found.proposed_changes) == ("accept", "合适", {})
    silent = await judged({"feedback_type": "ACCEPT"}, plan())
    assert silent.reasoning


@pytest.mark.requirement("NEG-PROMPT-5a")
@pytest.mark.parametrize(("proposal", "field"), [(plan(price=1300), "price"), (plan(day=date(2027, 1, 25)), "date")])
async def test_a_careless_consent_below_the_floor_or_on_a_busy_day_does_not_count(
    proposal: Proposal, field: str
) -> None:
    found = await judged(YES, proposal)
    assert found.feedback_type == "negotiate"
    assert field in found.proposed_changes
    last = await judged(YES, proposal, number=3)
    assert last.feedback_type == "withdraw"


async def test_a_condition_without_which_the_agent_does_not_come_is_not_given_away() -> None:
    lost = Condition(text="至少20人", kind="min_attendees", value=20, status="declined", reason="只有5人")
    found = await judged(YES, plan(conditions=(lost,)))
    assert found.feedback_type == "withdraw"


async def test_a_model_may_accept_less_than_the_rules_would_ask_for_first() -> None:
    found = await judged(YES, plan(price=1600))
    assert found.feedback_type == "accept"
    wish = Condition(text="要有音响", kind="requires", concept="sound_equipment", status="open")
    assert (await judged(YES, plan(conditions=(wish,)))).feedback_type == "accept"


async def test_a_request_names_its_fields_in_the_types_that_plans_can_change() -> None:
    found = await judged(
        {
            **ASK,
            "proposed_changes": {
                "Price": "1,900元",
                "start_date": "2027-01-21T09:00",
                "drop_role": "场地",
                "停车位": "两个",
                "reason": "成本上涨",
                "empty": None,
            },
        },
        plan(price=1700),
    )
    assert found.proposed_changes == {
        "price": 1900,
        "date": "2027-01-21",
        "drop_role": "场地提供",
        "停车位": "两个",
        "reason": "成本上涨",
    }
    assert (found.reasoning, found.adjustment_request) == ("价格略低", "成本上涨")


@pytest.mark.parametrize(
    "changes",
    [
        [{"field": "price", "new_value": 1900, "reason": "成本上涨"}],
        {"field": "price", "new_value": "1900", "reason": "成本上涨"},
    ],
)
async def test_changes_are_understood_in_the_other_shapes_that_models_use(changes: Any) -> None:
    found = await judged({**ASK, "proposed_changes": changes}, plan(price=1700))
    assert found.proposed_changes == {"price": 1900, "reason": "成本上涨"}


@pytest.mark.requirement("NEG-PROMPT-5a")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        None,
        {"reason": "太低"},
        "",
        {"price": -5},
        {"price": "高一点"},
        {"date": "随便"},
        {"date": "2027-03-01"},
        {"drop_role": "摄影"},
    ],
)
async def test_a_request_for_nothing_that_can_be_granted_is_asked_for_again(changes: Any) -> None:
    decided, model = await asked([{**ASK, "proposed_changes": changes}, ASK], plan(price=1700))
    assert (decided.source, model.count("review")) == ("llm", 2)
    assert decided.value.proposed_changes["price"] == 1900


async def test_what_the_agent_must_insist_on_is_added_to_what_the_model_asks_for() -> None:
    found = await judged({**ASK, "proposed_changes": {"停车位": "两个"}}, plan(price=1300))
    assert found.proposed_changes["停车位"] == "两个"
    assert found.proposed_changes["price"] >= 1500
    more = await judged({**ASK, "proposed_changes": {"price": 1400}}, plan(price=1300))
    assert more.proposed_changes["price"] >= 1500


async def test_no_further_round_is_asked_for_where_none_would_help() -> None:
    found = await judged(ASK, plan(price=1300), number=3)
    assert found.feedback_type == "withdraw"


async def test_who_has_no_role_has_nothing_to_object_to() -> None:
    other = agent("other", {"tag": "摄影", "price": 500})
    decided, _ = await asked(NO, plan(), profile=other)
    assert decided.value.feedback_type == "accept"


async def test_a_withdrawal_is_the_models_to_decide_and_has_a_reason() -> None:
    assert (await judged(NO, plan())).feedback_type == "withdraw"
    decided, model = await asked([{"feedback_type": "reject", "reasoning": ""}, NO], plan())
    assert (decided.value.reasoning, model.count("review")) == ("临时有事", 2)


@pytest.mark.requirement("NEG-PROMPT-5a")
@pytest.mark.parametrize("draft", [YES, ASK, NO])
async def test_every_feedback_fits_the_shipped_schema(draft: dict[str, Any]) -> None:
    found = await judged(draft, plan(price=1800))
    known = schemas()
    schema = {**known["schemas"]["prompt.5.review.output"], "$defs": known["$defs"]}
    jsonschema.Draft202012Validator(schema).validate(found.model_dump(mode="json"))
    assert found.feedback_type != "negotiate" or set(found.proposed_changes) - {"reason"}


async def test_the_model_sees_plan_offer_and_round_but_not_the_floor() -> None:
    profile = agent("hall", {"tag": "场地提供", "price": 2000}, floors={"场地提供": 1234.5})
    _, model = await asked(YES, plan(), number=2, profile=profile)
    shown = model.shown("review")
    for name in ("agent_profile", "demand", "proposal", "my_assignments", "my_offer", "round"):
        assert f'<data name="{name}">' in shown
    assert "1234.5" not in shown
    assert "reservation" not in shown
