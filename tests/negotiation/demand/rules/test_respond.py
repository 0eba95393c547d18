"""Prompt 3: what an agent answers out of its own profile."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from moothall.directory.profiles import AgentProfile
from moothall.negotiation.demand.models import AgentResponse, DemandUnderstanding
from moothall.negotiation.demand.prompts import RESPOND
from moothall.negotiation.demand.questions import RespondInput
from tests.negotiation.demand.rules.worlds import BRAIN, TODAY, agent, demand

HALL = {"tag": "场地提供", "price": 3200, "capacity": 60}
DAY = date(2027, 3, 14)


async def answer(profile: AgentProfile, wanted: DemandUnderstanding) -> AgentResponse:
    data = RespondInput(agent_profile=profile, demand=wanted, filter_reason="", today=TODAY)
    return (await BRAIN.decide(RESPOND, data)).value


async def test_an_offer_names_title_capacity_price_and_days_in_the_demands_language() -> None:
    hall = agent("hall", {**HALL, "title": "云岸路演厅"}, floors={"场地提供": 2600})
    zh = await answer(hall, demand("venue", city="beijing", date_start=DAY, date_end=DAY + timedelta(days=3)))
    assert zh.decision == "participate"
    assert zh.contribution == "可提供场地提供：云岸路演厅，最多60人，报价3200元，可选日期4天，最早2027年3月14日。"
    en = await answer(hall, demand("venue", lang="en", city="beijing", date_start=DAY, date_end=DAY))
    assert en.contribution == (
        "I can provide venue: 云岸路演厅, for up to 60 people, for CNY 3,200, free on 14 March 2027."
    )
    (term,) = zh.terms
    assert (term.tag, term.concept, term.price, term.capacity, len(term.dates or ())) == (
        "场地提供",
        "venue",
        3200,
        60,
        4,
    )


@pytest.mark.parametrize(
    ("offer", "limits", "kind", "words"),
    [
        ({}, {"city": "shanghai"}, "city", "我在北京，无法前往上海"),
        ({}, {"city": "beijing", "attendees": 80}, "capacity", "最多只能容纳60人，需求为80人"),
        ({"min_attendees": 30}, {"attendees": 12}, "attendees", "至少需要30人才承接，需求为12人"),
        ({}, {"budget": 1000}, "price", "报价3200元，超出预算1000元，无法降到预算以内"),
        ({}, {"date_start": DAY, "date_end": DAY}, "date", "在所需时间（2027年3月14日）内没有空档"),
        (
            {"conditions": [{"kind": "theme", "texts": ["音乐"]}]},
            {"theme": "量子"},
            "theme",
            "主题“量子”不在我承接的范围内",
        ),
        ({}, {"online": True}, "city", "我的场地提供只能在北京现场提供，无法在线上进行"),
    ],
)
async def test_a_refusal_names_its_concrete_reason(
    offer: dict[str, Any], limits: dict[str, Any], kind: str, words: str
) -> None:
    hall = agent("hall", {**HALL, **offer}, floors={"场地提供": 2600}, calendar={"weekdays": [0, 1, 2, 3, 4]})
    refused = await answer(hall, demand("venue", **limits))
    assert (refused.decision, refused.decline_reason, refused.refusals[0].kind) == ("decline", words, kind)


async def test_somebody_without_the_capability_says_so() -> None:
    refused = await answer(agent("cook", {"tag": "茶歇餐饮", "price": 10}), demand("venue", lang="en"))
    assert refused.decline_reason == "I do not have what the demand needs (venue)"


async def test_travelling_costs_the_published_fee_and_working_from_afar_nothing() -> None:
    guest = {"tag": "演讲嘉宾", "price": 1000, "travel_cities": ["Shanghai"], "travel_fee": 300}
    (travelling,) = (await answer(agent("guest", guest), demand("speaker", city="shanghai"))).terms
    (remote,) = (await answer(agent("guest", {**guest, "remote": True}), demand("speaker", city="shanghai"))).terms
    assert (travelling.price, remote.price) == (1300, 1000)


@pytest.mark.parametrize(("unit", "price"), [("event", 100), ("hour", 400), ("day", 200), ("person", 4000)])
async def test_prices_are_for_the_whole_demand(unit: str, price: float) -> None:
    offer = {"tag": "摄影", "price": 100, "unit": unit}
    (term,) = (await answer(agent("lens", offer), demand("photography", attendees=40, duration_days=2))).terms
    assert term.price == price


async def test_a_price_per_person_without_a_head_count_says_what_it_assumes() -> None:
    cook = agent("cook", {"tag": "茶歇餐饮", "price": 40, "unit": "person"})
    offered = await answer(cook, demand("catering", city="beijing"))
    assert offered.terms[0].price == 1200
    assert "人数未说明，按30人计" in offered.contribution


async def test_a_price_above_the_budget_comes_down_to_a_public_step_above_the_floor() -> None:
    hall = agent("hall", HALL, floors={"场地提供": 2605})
    offered = await answer(hall, demand("venue", city="beijing", budget=3000))
    assert (offered.decision, offered.terms[0].price) == ("conditional", 2700)
    assert offered.conditions == ("已按预算让价，此报价不再下调",)
    assert "2605" not in offered.model_dump_json()


async def test_a_budget_in_other_money_limits_nothing() -> None:
    offered = await answer(agent("hall", HALL), demand("venue", city="beijing", budget=100, currency="EUR"))
    assert offered.terms[0].price == 3200


async def test_only_conditions_that_the_demand_leaves_open_are_named() -> None:
    conditions = [
        {"kind": "requires", "tag": "音响设备", "text": "要有一套音响"},
        {"kind": "max_attendees", "value": 50},
        {"kind": "theme", "texts": ["技术"], "text": "只做技术主题"},
        {"kind": "weekdays", "values": [5, 6]},
        {"kind": "lead_days", "value": 10},
    ]
    hall = agent("hall", {**HALL, "conditions": conditions})
    told = await answer(hall, demand("venue", city="beijing", attendees=40, theme="技术交流"))
    assert told.conditions == ("要有一套音响",)
    assert all(day.weekday() in {5, 6} and day >= TODAY + timedelta(days=10) for day in told.terms[0].dates or ())
    silent = await answer(hall, demand("venue", city="beijing"))
    assert silent.conditions == ("要有一套音响", "参加人数不超过50人", "只做技术主题")


async def test_without_a_city_the_offer_holds_for_the_own_one() -> None:
    offered = await answer(agent("hall", HALL), demand("venue"))
    assert offered.conditions == ("地点须在北京",)


async def test_at_most_62_days_are_offered_within_two_months() -> None:
    (open_end,) = (await answer(agent("hall", HALL), demand("venue"))).terms
    assert (len(open_end.dates or ()), (open_end.dates or ())[0]) == (61, TODAY)
    long = demand("venue", date_start=TODAY, date_end=TODAY + timedelta(days=300))
    assert len((await answer(agent("hall", HALL), long)).terms[0].dates or ()) == 62


async def test_several_days_must_all_be_free() -> None:
    hall = agent("hall", HALL, calendar={"weekdays": [4, 5, 6], "blackout": ["2027-03-13"]})
    window = {"date_start": date(2027, 3, 8), "date_end": date(2027, 3, 21)}
    (term,) = (await answer(hall, demand("venue", duration_days=2, **window))).terms
    assert term.dates == (date(2027, 3, 19), date(2027, 3, 20))


async def test_texts_of_a_profile_are_made_harmless() -> None:
    hall = agent("hall", {**HALL, "title": "大厅\u202e\x00\n" + "很" * 90})
    offered = await answer(hall, demand("venue", city="beijing"))
    assert not any(char in offered.contribution for char in "\u202e\x00\n")
    assert len(offered.contribution) < 120


async def test_a_window_at_the_end_of_the_calendar_is_answered() -> None:
    last = await answer(agent("hall", HALL), demand("venue", date_start=date(9999, 12, 30)))
    assert [day.isoformat() for day in last.terms[0].dates or ()] == ["9999-12-30", "9999-12-31"]
    long = await answer(agent("hall", HALL), demand("venue", date_end=date.max, duration_days=10**12))
    assert long.terms[0].dates


async def test_somebody_who_never_works_declines_a_window_of_centuries_at_once() -> None:
    never = await answer(agent("hall", HALL, calendar={"weekdays": []}), demand("venue", date_end=date.max))
    assert never.refusals[0].kind == "date"
