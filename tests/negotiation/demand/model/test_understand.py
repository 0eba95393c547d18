"""Prompt 1 by a model: its words stay, its inventions do not."""

from __future__ import annotations

from datetime import date
from typing import Any

import jsonschema
import pytest

from moothall.llm.decision import Decided
from moothall.negotiation.demand.models import DemandUnderstanding
from moothall.negotiation.demand.prompts import UNDERSTAND
from moothall.negotiation.demand.questions import UnderstandInput
from moothall.negotiation.demand.schemas import schemas
from tests.negotiation.demand.model.voices import DEAD, LATE, Answer, Spoken, deciding

TODAY = date(2026, 11, 21)
SAMPLE = "我想在北京办一场AI主题聚会，需要场地和嘉宾"
DOCUMENTED: dict[str, Any] = {
    "surface_demand": "想在北京办一场AI主题聚会",
    "deep_understanding": {
        "motivation": "上个月参加聚会后很兴奋，想当组织者",
        "likely_preferences": ["轻松氛围", "质量优先"],
        "emotional_context": "兴奋",
    },
    "capability_tags": ["场地提供", "演讲嘉宾", "活动策划"],
    "context": {"location": "北京", "expected_attendees": None, "date": None, "budget": None},
    "uncertainties": ["聚会的具体形式"],
    "confidence": "high",
}


async def decided(raw: str, answer: Answer, **context: Any) -> Decided[DemandUnderstanding]:
    data = UnderstandInput(raw_input=raw, user_id="someone", user_context=context, today=TODAY)
    return await deciding(Spoken({"understand": answer})).decide(UNDERSTAND, data)


async def understood(raw: str, answer: Answer, **context: Any) -> DemandUnderstanding:
    found = await decided(raw, answer, **context)
    assert (found.source, found.degraded) == ("llm", False)
    return found.value


async def test_the_words_of_the_model_are_kept_unchanged() -> None:
    found = await understood(SAMPLE, DOCUMENTED)
    assert found.surface_demand == "想在北京办一场AI主题聚会"
    assert found.deep_understanding.model_dump(mode="json") == DOCUMENTED["deep_understanding"]
    assert found.capability_tags == ("场地提供", "演讲嘉宾", "活动策划")
    assert (found.context.location, found.confidence) == ("北京", "high")
    assert "聚会的具体形式" in found.uncertainties
    assert [item.concept for item in found.requirements] == ["venue", "speaker", "event_planning"]
    assert [item.named for item in found.requirements] == [True, True, False]


@pytest.mark.requirement("NEG-PROMPT-1b")
async def test_a_budget_and_a_city_that_were_not_stated_are_uncertain_not_known() -> None:
    invented = {**DOCUMENTED, "context": {"location": "上海", "budget": 8000, "expected_attendees": "50"}}
    found = await understood("想办一场AI主题聚会，需要场地和嘉宾", invented)
    assert (found.context.location, found.context.budget, found.context.expected_attendees) == (None, None, None)
    assert (found.constraints.city, found.constraints.budget) == (None, None)
    for word in ("地点", "预算", "人数"):
        assert any(word in line for line in found.uncertainties), word
    assert not any("8000" in line or "上海" in line for line in found.uncertainties)
    assert found.confidence == "medium"


async def test_a_model_that_contradicts_the_text_is_corrected() -> None:
    wrong = {**DOCUMENTED, "context": {"location": "上海", "budget": 9000, "date": "2027-01-01"}}
    found = await understood("12月5日在北京办聚会，预算5000元，需要场地", wrong)
    assert found.context.model_dump() == {
        "location": "北京",
        "expected_attendees": None,
        "date": "2026-12-05",
        "budget": 5000,
    }


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("surface_demand", "在上海办一场8000元的聚会"),
        ("motivation", "想花8000元庆祝"),
        ("likely_preferences", ["去上海"]),
        ("uncertainties", ["8000元的预算是否含税"]),
    ],
)
async def test_no_text_of_the_model_brings_in_a_figure_or_a_city(field: str, words: Any) -> None:
    draft = {**DOCUMENTED, "deep_understanding": {**DOCUMENTED["deep_understanding"]}}
    (draft if field in draft else draft["deep_understanding"])[field] = words
    said = (await understood(SAMPLE, draft)).model_dump_json()
    assert "8000" not in said
    assert "上海" not in said


PLAIN = "想办一场AI主题聚会，需要场地和嘉宾"
INVENTED = ("五千元", "五千块钱", "下周五", "五十人", "三月三号", "预算八千", "上海", "for fifty people", "on Friday",
            "five thousand dollars", "a dozen guests", "Shanghai", "next week")  # fmt: skip


@pytest.mark.requirement("NEG-PROMPT-1b")
@pytest.mark.parametrize("words", INVENTED)
@pytest.mark.parametrize("field", ["surface_demand", "motivation", "likely_preferences", "emotional_context"])
async def test_no_text_of_the_model_brings_in_a_fact_in_words(field: str, words: str) -> None:
    told = f"想办一场聚会，{words}" if not words.isascii() else f"a party {words}"
    value: Any = ["轻松氛围", told] if field == "likely_preferences" else told
    draft = {**DOCUMENTED, "deep_understanding": {**DOCUMENTED["deep_understanding"]}}
    (draft if field in draft else draft["deep_understanding"])[field] = value
    assert words not in (await understood(PLAIN, draft)).model_dump_json()


@pytest.mark.requirement("NEG-PROMPT-1b")
async def test_a_figure_of_the_demand_says_nothing_else() -> None:
    found = await understood("50人聚会，需要场地", {**DOCUMENTED, "surface_demand": "聚会，预算50万元"})
    assert found.surface_demand == "50人聚会"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("12月5日在北京办50人聚会，预算5000元，需要场地", "想在12月5日为五十人办聚会，预算五千元"),
        ("12月5日在北京办50人聚会，预算5000元，需要场地", "想在十二月办一场聚会"),
        ("人均200元，50人，需要场地", "为50人办聚会，总预算10000元，人均200元"),
        ("I need a venue for 80 people next Friday, budget 2k dollars", "A venue for eighty people, 2,000 dollars"),
        (PLAIN, "上个月参加聚会后，想再办一次"),
    ],
)
async def test_a_fact_of_the_demand_may_be_put_differently(raw: str, words: str) -> None:
    assert (await understood(raw, {**DOCUMENTED, "surface_demand": words})).surface_demand == words


async def test_what_is_known_of_the_requester_may_be_spoken_of() -> None:
    draft = {**DOCUMENTED, "deep_understanding": {"motivation": "去年在上海办过3场，想再办一次"}}
    found = await understood(SAMPLE, draft, history="去年在上海办过3场聚会")
    assert found.deep_understanding.motivation == "去年在上海办过3场，想再办一次"


async def test_a_stated_need_is_never_lost_and_keeps_its_count() -> None:
    draft = {**DOCUMENTED, "capability_tags": ["活动策划"]}
    found = await understood("上海，50人，预算5000，需要3个嘉宾和茶歇", draft)
    assert found.capability_tags[0] == "活动策划"
    assert {item.concept: (item.count, item.importance) for item in found.requirements} == {
        "event_planning": (1, 50),
        "speaker": (3, 80),
        "catering": (1, 80),
    }
    assert len(found.capability_tags) == 3


async def test_a_refused_capability_stays_out() -> None:
    draft = {**DOCUMENTED, "capability_tags": ["场地", "摄影"]}
    found = await understood("在北京办聚会，需要场地，不需要摄影", draft)
    assert [item.concept for item in found.requirements] == ["venue"]
    assert found.capability_tags == ("场地",)


async def test_a_tag_outside_the_vocabulary_is_a_need_of_its_own_and_one_that_elaborates_a_need_is_that_need() -> None:
    draft = {**DOCUMENTED, "capability_tags": ["AI演讲嘉宾", "剑道教练", "剑道教练", "场地"]}
    found = await understood("在北京办一场剑道教练和AI嘉宾的见面会，需要场地", draft)
    assert found.capability_tags == ("AI演讲嘉宾", "剑道教练", "场地")
    assert [(item.tag, item.concept) for item in found.requirements] == [
        ("AI演讲嘉宾", "speaker"),
        ("剑道教练", "剑道教练"),
        ("场地", "venue"),
    ]
    assert found.requirements[1].named


@pytest.mark.requirement("NEG-PROMPT-1b")
async def test_a_vague_demand_is_never_understood_with_confidence() -> None:
    found = await understood("想找人一起搞点事情", DOCUMENTED)
    assert found.confidence == "low"
    assert found.uncertainties


@pytest.mark.requirement("NEG-PROMPT-1b", "NEG-API-05")
@pytest.mark.parametrize("failure", [DEAD, LATE])
async def test_without_the_model_the_rules_read_what_is_stated_and_say_that_they_are_not_sure(failure: Answer) -> None:
    found = await decided("上海，50人，预算5000，需要3个嘉宾和茶歇", failure)
    context = found.value.context
    assert (context.location, context.expected_attendees, context.budget) == ("上海", 50, 5000)
    assert (found.source, found.degraded, found.value.confidence) == ("fallback", True, "low")
    vague = await decided("想找人一起搞点事情", failure)
    assert vague.value.confidence == "low"
    assert vague.value.uncertainties


async def test_an_answer_without_a_demand_is_repaired_once() -> None:
    model = Spoken({"understand": [{**DOCUMENTED, "surface_demand": "  "}, DOCUMENTED]})
    data = UnderstandInput(raw_input=SAMPLE, user_id="someone", today=TODAY)
    found = await deciding(model).decide(UNDERSTAND, data)
    assert (found.source, model.count("understand")) == ("llm", 2)
    assert "surface_demand" in model.shown("understand")


@pytest.mark.requirement("NEG-PROMPT-1a")
@pytest.mark.parametrize(
    ("raw", "draft"),
    [
        (SAMPLE, DOCUMENTED),
        ("I need a venue in Shenzhen for 80 people", {"surface_demand": "a venue", "capability_tags": "venue"}),
        ("想找人一起搞点事情", {"surface_demand": "想找人", "confidence": "LOW", "uncertainties": None}),
    ],
)
async def test_every_understanding_fits_the_shipped_schema(raw: str, draft: dict[str, Any]) -> None:
    known = schemas()
    schema = {**known["schemas"]["prompt.1.understand.output"], "$defs": known["$defs"]}
    for answer in (draft, DEAD):
        value = (await decided(raw, answer)).value.model_dump(mode="json")
        jsonschema.Draft202012Validator(schema).validate(value)
        assert set(value["context"]) == {"location", "expected_attendees", "date", "budget"}
        assert set(value["deep_understanding"]) == {"motivation", "likely_preferences", "emotional_context"}


async def test_the_model_sees_who_asks_and_what_is_known_of_them() -> None:
    model = Spoken({"understand": DOCUMENTED})
    data = UnderstandInput(raw_input=SAMPLE, user_id="user_alice", user_context={"likes": "小而美"}, today=TODAY)
    await deciding(model).decide(UNDERSTAND, data)
    shown = model.shown("understand")
    assert all(words in shown for words in (SAMPLE, "user_alice", "小而美", "2026-11-21"))
