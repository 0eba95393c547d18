"""Prompt 1: a sentence becomes an understanding, and nothing is added to it."""

from __future__ import annotations

from datetime import date

import pytest

from moothall.negotiation.demand.models import DemandUnderstanding
from moothall.negotiation.demand.prompts import UNDERSTAND
from moothall.negotiation.demand.questions import UnderstandInput
from moothall.negotiation.demand.rules.surface import mood, motivation, preferences, surface
from tests.negotiation.demand.rules.worlds import BRAIN

TODAY = date(2026, 11, 21)


async def understood(raw: str) -> DemandUnderstanding:
    return (await BRAIN.decide(UNDERSTAND, UnderstandInput(raw_input=raw, user_id="someone", today=TODAY))).value


async def test_the_sample_of_the_specification() -> None:
    found = await understood("我想在北京办一场AI主题聚会，需要场地和嘉宾")
    assert found.surface_demand == "想在北京办一场AI主题聚会"
    assert found.capability_tags == ("场地提供", "演讲嘉宾", "活动策划")
    assert [(item.importance, item.named) for item in found.requirements] == [(80, True), (80, True), (50, False)]
    assert (found.context.location, found.context.budget, found.context.date) == ("北京", None, None)
    assert (found.constraints.city, found.constraints.theme) == ("beijing", "AI")
    assert set(found.uncertainties) == {"没有说明日期", "没有说明预算", "没有说明参加人数"}
    assert found.confidence == "high"
    assert found.deep_understanding.motivation == ""
    assert found.deep_understanding.likely_preferences == ()


async def test_stated_limits_are_taken_exactly() -> None:
    found = await understood("上海，50人，预算5000，需要3个嘉宾和茶歇")
    assert (found.context.location, found.context.expected_attendees, found.context.budget) == ("上海", 50, 5000)
    assert {item.concept: item.count for item in found.requirements}["speaker"] == 3
    english = await understood(
        "I need a photographer and a venue in Shenzhen on 2027-03-14 for 80 people, budget 20000 CNY"
    )
    assert english.lang == "en"
    assert (english.context.location, english.context.date, english.context.budget) == ("Shenzhen", "2027-03-14", 20000)
    assert english.capability_tags == ("photography", "venue")
    month = await understood("下个月在上海办一场50人的技术沙龙，预算5000元，需要3位嘉宾和茶歇")
    assert month.context.date == "2026-12-01/2026-12-31"


async def test_a_vague_demand_has_low_confidence_and_says_what_is_unclear() -> None:
    found = await understood("想找人一起搞点事情")
    assert (found.confidence, found.requirements) == ("low", ())
    assert "没有说明具体需要哪些能力或资源" in found.uncertainties


async def test_an_unknown_place_is_kept_by_name_and_named_as_unknown() -> None:
    found = await understood("在火星上建基地")
    assert found.context.location == "火星"
    assert any("火星" in line for line in found.uncertainties)
    assert found.confidence == "low"


@pytest.mark.parametrize(
    ("raw", "budget"),
    [
        ("在北京办聚会，需要场地，20人，人均100元", 2000),
        ("在北京办聚会，需要场地，人均100元", None),
        ("Meetup in Beijing with a venue, budget 500 EUR", 500),
    ],
)
async def test_a_budget_is_a_total_or_unclear(raw: str, budget: float | None) -> None:
    found = await understood(raw)
    assert found.constraints.budget == budget
    if budget is None:
        assert any("100" in line for line in found.uncertainties)
    if found.constraints.currency != "CNY":
        assert any("cannot be compared" in line for line in found.uncertainties)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("你好，我想在北京办聚会，需要场地，预算3000元", "想在北京办聚会"),
        ("需要场地和嘉宾，在北京办聚会", "需要场地和嘉宾，在北京办聚会"),
        ("Hello! A meetup in Berlin, I need a venue, budget 10,000 EUR", "A meetup in Berlin"),
        ("   ", "-"),
        ("找人", "找人"),
    ],
)
def test_the_surface_leaves_out_greetings_and_lists_of_wishes(raw: str, expected: str) -> None:
    assert surface(raw) == expected


def test_the_surface_is_one_clean_line_of_bounded_length() -> None:
    assert len(surface("办聚会\x07" * 500)) <= 160
    assert surface("办\n聚会\u202e") == "办，聚会"


def test_only_what_the_words_support_is_understood_of_the_person() -> None:
    assert motivation("为了庆祝公司成立十周年，想办晚会") == "庆祝公司成立十周年"
    assert motivation("We meet in order to celebrate ten years, in Berlin") == "celebrate ten years"
    assert motivation("办晚会") == ""
    assert preferences("想要轻松、热闹的氛围，不要太正式") == ("轻松", "热闹")
    assert preferences("a relaxed, not formal evening") == ("relaxed",)
    assert mood("我们很期待") == "期待"
    assert mood("办晚会") == ""


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("9999年12月31日在北京办一场聚会，需要场地", "所写的日期并不存在或过于遥远，请核对"),
        ("2036年12月1日在北京办一场聚会，需要场地", "所写的日期并不存在或过于遥远，请核对"),
        (
            "I need a venue in Beijing on 9999-12-30",
            "The date given does not exist or is too far ahead; please check it",
        ),
    ],
)
async def test_a_day_beyond_ten_years_counts_as_not_understood(raw: str, sentence: str) -> None:
    found = await understood(raw)
    assert (found.constraints.date_start, found.constraints.date_end, found.context.date) == (None, None, None)
    assert sentence in found.uncertainties


async def test_a_day_within_ten_years_is_kept_beside_one_beyond() -> None:
    assert (await understood("2036年11月20日在北京办聚会")).context.date == "2036-11-20"
    assert (await understood("合同到9999-12-31，2027年3月14日在北京办聚会")).context.date == "2027-03-14"


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (
            "A meetup in Shanghai on 12 March 2027 for 60 people with a venue, a speaker and a telepathic dolphin tamer",
            "Not understood: “telepathic dolphin tamer”",
        ),
        ("2027年3月12日在北京办60人的聚会，需要场地、海豚驯养师和保安，预算8000元", "没有理解：“海豚驯养师”"),
    ],
)
async def test_what_was_asked_for_and_not_understood_is_told_and_lowers_the_confidence(raw: str, line: str) -> None:
    found = await understood(raw)
    assert line in found.uncertainties
    assert found.confidence == "medium"
