"""Prompt 4 by a model: people, day and words are its own, everything that can be compared is the node's."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from moothall.negotiation.demand.models import Condition
from moothall.negotiation.demand.prompts import AGGREGATE
from moothall.negotiation.demand.schemas import schemas
from tests.negotiation.demand.model.plans import (
    DAYS,
    GOOD,
    HALL,
    PAIR,
    VOICE,
    WANTED,
    aggregate,
    answered,
    offer,
    refused,
    role,
    term,
)
from tests.negotiation.demand.model.voices import BRIEFS, RULES
from tests.negotiation.demand.rules.worlds import demand

LOFT = offer("loft", term("venue", 1500))
TIGHT = demand("venue", "speaker", budget=2500)


def said(**changes: Any) -> dict[str, Any]:
    return {**GOOD, **changes}


@pytest.mark.requirement("NEG-PROMPT-4a")
async def test_a_plan_in_the_models_words_on_the_terms_of_the_offers() -> None:
    plan = await answered("aggregate", aggregate(), GOOD)
    document = schemas()
    jsonschema.validate(plan.model_dump(mode="json"), {**document, **document["schemas"]["prompt.4.aggregate.output"]})
    assert (plan.summary, plan.rationale, plan.confidence) == ("两个人办一场聚会", "两份报价正好够用", "high")
    assert [item.display_name for item in plan.assignments] == ["hall 工作室", "voice 工作室"]
    assert [(item.concept, item.price) for item in plan.assignments] == [("venue", 2000), ("speaker", 800)]
    assert (plan.cost.total, plan.gaps) == (2800, ())
    assert plan.timeline.start_date == "2027-01-20"
    assert [step.name for step in plan.timeline.milestones] == ["确认"]


@pytest.mark.requirement("NEG-PROMPT-4a")
@pytest.mark.parametrize(
    ("offers", "changes", "about"),
    [
        (PAIR, {"assignments": [role("ghost", "场地提供")]}, "not among the offers"),
        ((HALL, offer("voice", decision="decline")), {}, "declined"),
        (PAIR, {"assignments": [role("hall", "摄影"), role("voice", "演讲嘉宾")]}, "did not offer"),
        (PAIR, {"assignments": [role("hall", "场地提供"), role("hall", "场地")]}, "twice"),
        ((*PAIR, LOFT), {"assignments": [*GOOD["assignments"], role("loft", "场地提供")]}, "already covered"),
        (PAIR, {"assignments": [role("hall", "场地提供", price=1)]}, "price"),
        (PAIR, {"cost": {"total": 2700}}, "add up to 2800"),
        (PAIR, {"assignments": [role("hall", "场地提供", currency="USD"), role("voice", "演讲嘉宾")]}, "paid in CNY"),
        (PAIR, {"assignments": [role("hall", "场地提供", quantity=3), role("voice", "演讲嘉宾")]}, "offers 1"),
        (PAIR, {"timeline": {"start_date": "2027-02-01"}}, "possible are: 2027-01-20, 2027-01-21"),
        (PAIR, {"assignments": []}, "assigns nobody"),
        ((HALL, offer("voice", term("speaker", 800, DAYS[1:]))), {}, "2027-01-21"),
        ((offer("hall", term("venue", 2000, DAYS[:1])), offer("voice", term("speaker", 800, DAYS[1:]))), {}, "no day"),
    ],
)
async def test_what_does_not_fit_the_offers_is_refused_with_the_reason(
    offers: Any, changes: dict[str, Any], about: str
) -> None:
    await refused("aggregate", aggregate(offers), said(**changes), about)


@pytest.mark.requirement("NEG-PROMPT-4a")
async def test_a_tag_that_nobody_covers_is_a_gap_and_confidence_is_not_high() -> None:
    plan = await answered("aggregate", aggregate(), said(assignments=[role("hall", "场地提供")]))
    assert (plan.gaps, plan.confidence) == (("演讲嘉宾",), "medium")


@pytest.mark.requirement("NEG-PROMPT-4b")
async def test_not_everybody_who_is_willing_is_in() -> None:
    plan = await answered("aggregate", aggregate((*PAIR, LOFT)), GOOD)
    assert {item.agent_id for item in plan.assignments} == {"user_agent_hall", "user_agent_voice"}


@pytest.mark.requirement("NEG-PROMPT-4b")
async def test_a_condition_in_words_is_met_or_declined_with_the_models_reason_else_it_is_open() -> None:
    asks = tuple(Condition(text=words) for words in ("要有停车位", "不录像", "自带茶水"))
    conditions = [
        {"condition": "要有停车位", "status": "Met", "reason": "地下车库可停"},
        {"condition": "不录像", "status": "declined", "reason": "主办方要留档"},
        {"condition": "自带茶水", "status": "met", "reason": ""},
    ]
    data = aggregate((offer("hall", term("venue", 2000, conditions=asks)), VOICE))
    roles = [role("hall", "场地提供", conditions=conditions, notes="钥匙在前台"), role("voice", "演讲嘉宾")]
    plan = await answered("aggregate", data, said(assignments=roles))
    first = plan.assignments[0]
    assert [item.status for item in first.conditions] == ["met", "declined", "open"]
    for words in ("钥匙在前台", "要有停车位", "地下车库可停", "不录像", "主办方要留档", "自带茶水"):
        assert words in first.notes


@pytest.mark.requirement("NEG-PROMPT-4b")
async def test_a_condition_that_can_be_compared_is_settled_by_comparison() -> None:
    ask = Condition(text="要有嘉宾", kind="requires", concept="speaker")
    claim = [{"condition": "要有嘉宾", "status": "met", "reason": "我说有"}]
    data = aggregate((offer("hall", term("venue", 2000, conditions=(ask,))), VOICE))
    alone = await answered("aggregate", data, said(assignments=[role("hall", "场地提供", conditions=claim)]))
    assert alone.assignments[0].conditions[0].status == "open"
    both = await answered("aggregate", data, GOOD)
    assert both.assignments[0].conditions[0].status == "met"


@pytest.mark.requirement("NEG-PROMPT-4b")
@pytest.mark.parametrize(
    ("condition", "quote"),
    [
        ("另付现金99999元路费", "另付现金99999元路费"),
        ("路费另付", "路费另付"),
        ("三千块茶水另算", "三千块茶水另算"),
        ("改在1月9日进行", "改在1月9日进行"),
        ("至少要有200人参加", "至少要有200人参加"),
        ("A deposit up front", "A deposit up front"),
        ("要有停车位，晚上九点前结束", "要有"),
    ],
)
async def test_no_condition_about_money_days_or_heads_is_called_met(condition: str, quote: str) -> None:
    hall = offer("hall", term("venue", 2000, conditions=(Condition(text=condition),)))
    for status, expected in (("met", "open"), ("declined", "declined"), ("open", "open")):
        judged = [{"condition": quote, "status": status, "reason": "同意"}]
        roles = [role("hall", "场地提供", conditions=judged), role("voice", "演讲嘉宾")]
        plan = await answered("aggregate", aggregate((hall, VOICE)), said(assignments=roles))
        assert plan.assignments[0].conditions[0].status == expected


@pytest.mark.requirement("NEG-PROMPT-4b")
async def test_a_reason_that_promises_a_sum_settles_no_condition() -> None:
    hall = offer("hall", term("venue", 2000, conditions=(Condition(text="要有停车位"),)))
    judged = [{"condition": "要有停车位", "status": "met", "reason": "另付九千元停车费"}]
    roles = [role("hall", "场地提供", conditions=judged), role("voice", "演讲嘉宾")]
    plan = await answered("aggregate", aggregate((hall, VOICE)), said(assignments=roles))
    assert plan.assignments[0].conditions[0].status == "open"


CONTRADICTIONS = ("总价只要1元，另有市长出席", "预算99999元", "定在2月3日举行", "为五百人办聚会", "五千元的聚会",
                  "It costs nine thousand yuan", "for four hundred guests")  # fmt: skip


@pytest.mark.requirement("NEG-PROMPT-4a")
@pytest.mark.parametrize("field", ["summary", "objective", "rationale"])
@pytest.mark.parametrize("words", CONTRADICTIONS)
async def test_a_text_that_contradicts_the_plan_gives_way_to_the_rules_wording(field: str, words: str) -> None:
    plan = await answered("aggregate", aggregate(), said(**{field: words}))
    ruled = await RULES.answer(AGGREGATE, aggregate())
    assert getattr(plan, field) == getattr(ruled, field)


@pytest.mark.parametrize(
    "words",
    [
        "两位伙伴，合计2800元，场地两千元",
        "1月20日在场地里听一场演讲",
        "2 of 2 offers, 2,800 yuan on 20 January 2027",
        "1月10日确认名单",
        "聚会结束后一周内交付照片",
    ],
)
async def test_a_text_that_tells_of_the_plan_is_kept(words: str) -> None:
    plan = await answered("aggregate", aggregate(), said(summary=words, rationale=words))
    assert (plan.summary, plan.rationale) == (words, words)


@pytest.mark.requirement("NEG-PROMPT-4a")
@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("提供场地，配合演讲嘉宾调试", "提供场地，配合演讲嘉宾调试"),
        ("提供场地，再免费提供午餐", "提供场地。"),
        ("提供场地，也负责演讲", "提供场地。"),
        ("提供场地，另付五百元押金", "提供场地。"),
        ("提供场地，2月3日开放", "提供场地。"),
    ],
)
async def test_a_duty_is_what_the_agent_offered(words: str, kept: str) -> None:
    roles = [role("hall", "场地提供", responsibility=words, notes=words), role("voice", "演讲嘉宾")]
    first = (await answered("aggregate", aggregate(), said(assignments=roles))).assignments[0]
    assert (first.responsibility, first.notes) == (kept, kept)
    role_too = [role("hall", "场地兼摄影"), role("voice", "演讲嘉宾")]
    assert (await answered("aggregate", aggregate(), said(assignments=role_too))).assignments[0].role == "场地提供"


@pytest.mark.requirement("NEG-PROMPT-4a")
async def test_dependencies_are_on_agents_or_roles_of_the_plan() -> None:
    said_so = ["user_agent_ghost", "需要 user_agent_ghost 的场地", "摄影先到位", "场地布置完成", "hall 工作室确认时间"]
    roles = [
        role("hall", "场地提供", dependencies=["user_agent_ghost"]),
        role("voice", "演讲嘉宾", dependencies=said_so),
    ]
    plan = await answered("aggregate", aggregate(), said(assignments=roles))
    ruled = await RULES.answer(AGGREGATE, aggregate())
    assert plan.assignments[0].dependencies == ruled.assignments[0].dependencies
    assert plan.assignments[1].dependencies == ("场地布置完成", "hall 工作室确认时间")


async def test_a_milestone_long_after_the_end_or_with_another_sum_is_left_out() -> None:
    steps = [
        {"name": "准备", "date": "2027-01-15"},
        {"name": "付清九千元", "date": "2027-01-16"},
        {"name": "总结", "date": "2027-01-25"},
        {"name": "十年后", "date": "2037-01-20"},
    ]
    plan = await answered("aggregate", aggregate(), said(timeline={"start_date": "2027-01-20", "milestones": steps}))
    assert [step.name for step in plan.timeline.milestones] == ["准备", "总结"]
    last = said(timeline={"start_date": "2027-01-20", "milestones": steps[3:]})
    ruled = await RULES.answer(AGGREGATE, aggregate())
    assert (await answered("aggregate", aggregate(), last)).timeline == ruled.timeline


async def test_a_budget_is_shared_out_as_the_rules_would_and_never_exceeded() -> None:
    plan = await answered("aggregate", aggregate(wanted=TIGHT), GOOD)
    assert plan.cost.total == 2500
    assert all(item.price <= full for item, full in zip(plan.assignments, (2000, 800), strict=True))
    await refused("aggregate", aggregate(wanted=demand("venue", "speaker", budget=2000)), GOOD, "the budget is 2000")


@pytest.mark.parametrize(
    "words",
    ["场地提供", "场地", "负责场地的人", "venue", "总负责"],
    ids=["tag", "synonym", "named in it", "english", "left"],
)
async def test_a_role_in_any_words_is_brought_to_what_was_offered(words: str) -> None:
    plan = await answered("aggregate", aggregate(), said(assignments=[role("hall", words), role("voice", "演讲嘉宾")]))
    assert [(item.concept, item.role) for item in plan.assignments] == [("venue", words), ("speaker", "演讲嘉宾")]


async def test_an_offer_in_prose_stands_for_what_it_names_without_a_price() -> None:
    data = aggregate((offer("hall", contribution="我有一块场地"), VOICE))
    plan = await answered("aggregate", data, GOOD)
    assert (plan.assignments[0].concept, plan.assignments[0].price) == ("venue", 0)
    await refused("aggregate", data, said(assignments=[role("hall", "场地提供", price=500)]), "price")


async def test_dates_that_are_none_are_left_out_and_a_missing_day_is_chosen() -> None:
    steps = [
        {"name": "收尾", "date": "2027年1月23日"},
        {"name": "从前", "date": "2020-01-01"},
        {"name": "某天", "date": "改天"},
        {"name": "准备", "date": "2027/1/15"},
    ]
    plan = await answered("aggregate", aggregate(), said(timeline={"start_date": "", "milestones": steps}))
    assert plan.timeline.start_date == "2027-01-20"
    assert [(step.name, step.date) for step in plan.timeline.milestones] == [
        ("准备", "2027-01-15"),
        ("收尾", "2027-01-23"),
    ]
    bare = await answered("aggregate", aggregate(), said(timeline={}))
    assert bare.timeline.milestones, "without a usable step the rules write them"


async def test_texts_where_objects_belong_and_a_day_that_is_past_are_understood() -> None:
    hall = offer("hall", term("venue", 2000, conditions=(Condition(text="要有停车位"),)))
    roles = [role("hall", "场地提供", conditions="要有停车位"), role("voice", "演讲嘉宾")]
    changes = {"assignments": roles, "timeline": "2026-02-15", "cost": {"total": "2,800元"}}
    plan = await answered("aggregate", aggregate((hall, VOICE)), said(**changes))
    assert plan.timeline.start_date == "2027-01-20"
    assert plan.assignments[0].conditions[0].status == "open"


async def test_two_needs_of_one_kind_take_two_agents() -> None:
    wanted = demand("speaker", counts={"speaker": 2})
    offers = (VOICE, offer("echo", term("speaker", 700)), offer("third", term("speaker", 600)))
    two = [role("voice", "演讲嘉宾"), role("echo", "演讲嘉宾")]
    plan = await answered("aggregate", aggregate(offers, wanted), said(assignments=two))
    assert plan.gaps == ()
    three = [*two, role("third", "演讲嘉宾")]
    await refused("aggregate", aggregate(offers, wanted), said(assignments=three), "already covered")


@pytest.mark.requirement("NEG-PROMPT-11")
def test_the_model_is_shown_what_was_said_in_the_channel_and_days_as_spans() -> None:
    shown = BRIEFS["aggregate"].data(aggregate())
    assert shown.keys() == {"demand", "offers", "today"}
    first = shown["offers"][0]  # type: ignore[index]
    assert first["terms"][0]["free_days"] == ["2027-01-20/2027-01-21"]
    assert "submitted_at" not in first
    assert BRIEFS["aggregate"].lang(aggregate()) == WANTED.lang
