"""Prompts 7, 8 and 9 by a model: it explains and weighs; what is open, what it costs and who is left is compared."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from moothall.negotiation.demand.plan_models import Proposal
from moothall.negotiation.demand.prompts import RECURSE
from moothall.negotiation.demand.questions import CompromiseInput, GapInput, RecurseInput
from moothall.negotiation.demand.schemas import schemas
from tests.negotiation.demand.model.plans import HALL, VOICE, WANTED, answered, assignment, gap, plan, refused, says
from tests.negotiation.demand.model.voices import BRIEFS, DEAD, Spoken, deciding
from tests.negotiation.demand.rules.worlds import demand

WHOLE = plan(assignment(HALL), assignment(VOICE))
HALF = plan(assignment(HALL))


def fits(output: Any, name: str) -> None:
    """The output holds the shipped schema of its prompt."""
    document = schemas()
    jsonschema.validate(output.model_dump(mode="json"), {**document, **document["schemas"][name]})


# -- prompt 7 -------------------------------------------------------------------------------------------------


def gaps(current: Proposal = HALF) -> GapInput:
    return GapInput(demand=WANTED, final_proposal=current, agent_feedbacks=(says("hall"),))


def found(*entries: dict[str, Any], complete: object = False) -> dict[str, Any]:
    return {"is_complete": complete, "analysis": "逐项比较", "gaps": list(entries)}


@pytest.mark.requirement("NEG-PROMPT-7a")
@pytest.mark.parametrize("tag", ["演讲嘉宾", "嘉宾", "缺一位演讲嘉宾", "speaker"])
async def test_a_gap_in_any_words_is_the_requirement_with_the_models_weight(tag: str) -> None:
    entry = {"gap_type": tag, "importance": "70", "reason": "没人讲", "suggested_capability_tags": "圆桌主持"}
    report = await answered("gaps", gaps(), found(entry))
    fits(report, "prompt.7.gaps.output")
    (only,) = report.gaps
    assert (only.gap_type, only.importance, only.reason) == ("演讲嘉宾", 70, "没人讲")
    assert only.suggested_capability_tags[:2] == ("演讲嘉宾", "圆桌主持")
    assert (report.is_complete, report.analysis) == (False, "逐项比较")


@pytest.mark.requirement("NEG-PROMPT-7a")
@pytest.mark.parametrize("complete", [True, "true", False, None])
async def test_an_open_requirement_cannot_be_passed_over(complete: object) -> None:
    await refused("gaps", gaps(), found(complete=complete), "演讲嘉宾 is open")


async def test_a_plan_with_a_gap_is_not_called_complete() -> None:
    await refused("gaps", gaps(), found({"gap_type": "演讲嘉宾"}, complete=True), "not complete")


@pytest.mark.requirement("NEG-PROMPT-7a")
async def test_a_complete_plan_has_no_gaps_whatever_else_would_be_nice() -> None:
    report = await answered("gaps", gaps(WHOLE), found({"gap_type": "烟花"}, {"gap_type": "场地提供"}))
    assert (report.is_complete, report.gaps) == (True, ())


async def test_what_a_model_leaves_out_of_a_gap_the_comparison_adds() -> None:
    report = await answered("gaps", gaps(), found({"gap_type": "演讲嘉宾"}, {"gap_type": "演讲嘉宾", "importance": 5}))
    (only,) = report.gaps
    assert only.importance == 80
    assert only.reason


# -- prompt 8 -------------------------------------------------------------------------------------------------


def recurse(**changes: Any) -> RecurseInput:
    """A question in which all three conditions hold, but for ``changes``."""
    values: dict[str, Any] = {
        "demand": demand("venue", "speaker", budget=5000),
        "gaps": (gap("演讲嘉宾"),),
        "current_proposal": HALF,
        "estimated_cost": {"tokens": 5000, "tokens_used": 50_000, "calls": 5, "calls_used": 5},
        "askable": {"演讲嘉宾": 3},
    }
    return RecurseInput.model_validate(values | changes)


GO: dict[str, Any] = {
    "should_recurse": True,
    "condition_1_met": True,
    "condition_1_analysis": "能补上",
    "condition_2_met": "yes",
    "condition_2_analysis": "",
    "condition_3_met": True,
    "condition_3_analysis": "不贵",
    "sub_demands": [{"description": "找一位嘉宾", "capability_tags": ["嘉宾"], "priority": "High"}],
}


@pytest.mark.requirement("NEG-PROMPT-8a")
async def test_a_yes_that_the_figures_bear_out() -> None:
    decision = await answered("recurse", recurse(), GO)
    fits(decision, "prompt.8.recurse.output")
    assert decision.should_recurse
    assert decision.condition_2_analysis, "what the model leaves out the rules say"
    assert [(item.description, item.priority) for item in decision.sub_demands] == [("找一位嘉宾", "high")]


@pytest.mark.requirement("NEG-PROMPT-8a")
@pytest.mark.parametrize(
    ("changes", "reply", "about"),
    [
        ({"depth": 1}, GO, "no further one"),
        ({}, {**GO, "condition_2_met": False}, "all three conditions"),
        ({}, {**GO, "sub_demands": []}, "something to look for"),
        ({}, {**GO, "sub_demands": [{"description": "烟花", "capability_tags": ["烟花"]}]}, "something to look for"),
        ({"gaps": (gap("演讲嘉宾", 30),)}, GO, "important enough"),
        ({"askable": {"演讲嘉宾": 0}}, GO, "nobody is left"),
        ({"limits": {"min_gain": 0.51}}, GO, "condition 1"),
        ({"demand": demand("venue", "speaker", budget=2000)}, GO, "condition 2"),
        ({"estimated_cost": {"tokens": 16_000, "tokens_used": 50_000}}, GO, "condition 3"),
    ],
)
async def test_a_yes_that_they_do_not_bear_out_is_refused(
    changes: dict[str, Any], reply: dict[str, Any], about: str
) -> None:
    await refused("recurse", recurse(**changes), reply, about)


@pytest.mark.requirement("NEG-PROMPT-8a")
async def test_a_model_may_say_no_and_then_looks_for_nothing() -> None:
    decision = await answered("recurse", recurse(), {**GO, "should_recurse": False})
    assert (decision.should_recurse, decision.sub_demands) == (False, ())


@pytest.mark.requirement("NEG-PROMPT-8a")
async def test_at_depth_one_the_answer_is_no_even_from_a_model_that_insists() -> None:
    decided = await deciding(Spoken({"recurse": GO}, otherwise=DEAD)).decide(RECURSE, recurse(depth=1))
    assert (decided.value.should_recurse, decided.degraded, decided.error) == (False, True, "DECISION_REFUSED")


def test_the_model_is_shown_the_figures_of_the_three_conditions() -> None:
    shown: Any = BRIEFS["recurse"].data(recurse())
    assert shown["figures"] == {
        "gaps_worth_a_search": ["演讲嘉宾"],
        "askable_agents": {"演讲嘉宾": 3},
        "gain": 0.5,
        "budget_allows": True,
        "cost_share": 0.1,
        "gain_by_cost": 5.0,
    }
    assert shown["estimated_cost"]["tokens"] == 5000
    free: Any = BRIEFS["recurse"].data(recurse(estimated_cost={}))
    assert free["figures"]["gain_by_cost"] is None


# -- prompt 9 -------------------------------------------------------------------------------------------------


def left(*, reason: str = "gaps", **changes: Any) -> CompromiseInput:
    values: dict[str, Any] = {
        "demand": WANTED,
        "available_resources": WHOLE.assignments,
        "gaps": (),
        "feedbacks": (says("hall"), says("voice")),
        "reason": reason,
    }
    return CompromiseInput.model_validate(values | changes)


def settled(**changes: Any) -> dict[str, Any]:
    return {"summary": "先这样办", "type": "compromise", "suggestions": ["改到下周"], "confidence": "low", **changes}


@pytest.mark.requirement("NEG-PROMPT-9a")
async def test_a_compromise_keeps_what_is_left_on_its_terms() -> None:
    kept = [{"agent_id": "user_agent_hall", "role": "场地"}, {"agent_id": "user_agent_voice", "role": "随便"}]
    issue = {"issue": "缺摄影", "resolution": "先不拍", "rationale": "没人"}
    output = await answered("compromise", left(), settled(assignments=kept, compromises=issue, confidence="HIGH"))
    fits(output, "prompt.9.compromise.output")
    assert output.assignments == WHOLE.assignments
    assert (output.type, output.confidence) == ("compromise", "medium")
    assert output.compromises == (issue,)
    assert (await answered("compromise", left(), settled())).assignments == WHOLE.assignments


@pytest.mark.requirement("NEG-PROMPT-9a")
@pytest.mark.parametrize(
    ("data", "reply", "about"),
    [
        (left(), settled(type="agreement"), "type"),
        (left(), settled(assignments=[{"agent_id": "user_agent_ghost", "role": "场地"}]), "not among"),
        (left(), settled(assignments=[{"agent_id": "user_agent_hall", "role": "场地"}]), "cannot be left out"),
        (left(reason="no_participants", available_resources=()), settled(suggestions=[]), "suggestions"),
        (left(), settled(summary=" "), "summary"),
        (left(), {"type": "compromise"}, "summary"),
    ],
)
async def test_a_compromise_that_is_none_is_refused(data: CompromiseInput, reply: dict[str, Any], about: str) -> None:
    await refused("compromise", data, reply, about)


async def test_only_who_still_wants_a_change_may_be_left_out() -> None:
    data = left(reason="divided", feedbacks=(says("hall"), says("voice", "negotiate", price=900)))
    kept = [{"agent_id": "user_agent_hall", "role": "场地"}]
    output = await answered("compromise", data, settled(assignments=kept))
    assert [item.agent_id for item in output.assignments] == ["user_agent_hall"]


@pytest.mark.requirement("NEG-PROMPT-9a")
async def test_when_all_decline_there_are_no_assignments_and_there_is_advice() -> None:
    declines = ({"agent_id": "user_agent_hall", "display_name": "hall", "reason": "没空", "refusals": []},)
    data = left(reason="no_participants", available_resources=(), feedbacks=(), declines=declines)
    output = await answered("compromise", data, settled(assignments=[]))
    assert (output.assignments, output.suggestions) == ((), ("改到下周",))
    shown: Any = BRIEFS["compromise"].data(data)
    assert shown["declines"] == [{"display_name": "hall", "reason": "没空"}]


async def test_a_gap_that_the_model_passes_over_is_among_the_unresolved() -> None:
    data = left(available_resources=HALF.assignments, gaps=(gap("演讲嘉宾"), gap("摄影")))
    output = await answered("compromise", data, settled(unresolved=["摄影还没有着落"]))
    assert output.unresolved[0] == "摄影还没有着落"
    assert len(output.unresolved) == 2
    assert "演讲嘉宾" in output.unresolved[1]
