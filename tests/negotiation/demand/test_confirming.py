"""What a requester changes before anybody is asked really changes what is negotiated."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from moothall.directory.activities import load_activities
from moothall.directory.concepts import load_vocabulary
from moothall.directory.places import load_gazetteer
from moothall.errors import InvalidInput
from moothall.messages import explain
from moothall.negotiation.demand.confirming import Confirmation, UnderstandingEdits, confirmed
from moothall.negotiation.demand.models import Constraints, Context, DeepUnderstanding, DemandUnderstanding, Requirement
from moothall.negotiation.demand.rules.phrasing import Lexica

TODAY = date(2026, 11, 21)
LEXICA = Lexica(load_vocabulary(), load_gazetteer(), load_activities())
VENUE = LEXICA.vocabulary.key("场地提供")
BEFORE = DemandUnderstanding(
    surface_demand="办聚会",
    deep_understanding=DeepUnderstanding(motivation="想认识朋友", likely_preferences=("轻松",)),
    capability_tags=("场地提供",),
    context=Context(location="北京", expected_attendees=30, budget=5000),
    confidence="high",
    requirements=(Requirement(tag="场地提供", concept=VENUE, importance=90, count=2),),
    constraints=Constraints(city="beijing", attendees=30, budget=5000, excluded=(LEXICA.vocabulary.key("摄影"),)),
)


def edited(**edits: Any) -> Confirmation:
    return confirmed(BEFORE, UnderstandingEdits.model_validate(edits), LEXICA, TODAY)


def limits(**context: Any) -> Constraints:
    return edited(context=context).understanding.constraints


def test_without_edits_everything_stays() -> None:
    assert edited() == Confirmation(BEFORE, ())


def test_tags_become_requirements_and_keep_what_was_known_of_them() -> None:
    done = edited(capability_tags=["场地", "摄影"])
    venue, photo = done.understanding.requirements
    assert (venue.concept, venue.importance, venue.count) == (VENUE, 90, 2)
    assert photo.concept == LEXICA.vocabulary.key("摄影")
    assert done.understanding.capability_tags == ("场地", "摄影")
    assert done.understanding.constraints.excluded == ()
    assert done.edited == ("capability_tags",)


def test_a_tag_named_twice_is_one_requirement() -> None:
    assert len(edited(capability_tags=["场地提供", "场地", "场地提供"]).understanding.requirements) == 1


@pytest.mark.parametrize(("location", "city", "online"), [
    ("上海", "shanghai", False), ("Shanghai", "shanghai", False), (None, None, False), ("火星基地", "火星基地", False),
    ("线上", None, True),
])  # fmt: skip
def test_a_place_becomes_the_city(location: str | None, city: str | None, online: bool) -> None:
    assert (limits(location=location).city, limits(location=location).online) == (city, online)


@pytest.mark.parametrize(("words", "first", "last"), [
    ("2027-03-15", date(2027, 3, 15), date(2027, 3, 15)),
    ("2027-03-15/2027-03-20", date(2027, 3, 15), date(2027, 3, 20)),
    ("../2027-03-20", None, date(2027, 3, 20)),
    ("2027-03-15/..", date(2027, 3, 15), None),
    ("2027年3月15日", date(2027, 3, 15), date(2027, 3, 15)),
    (None, None, None),
])  # fmt: skip
def test_a_day_becomes_the_window(words: str | None, first: date | None, last: date | None) -> None:
    assert (limits(date=words).date_start, limits(date=words).date_end) == (first, last)


@pytest.mark.parametrize(("budget", "sum_"), [(800, 800), (0, 0), ("2万元", 20000), (None, None)])
def test_a_budget_becomes_the_limit(budget: object, sum_: float | None) -> None:
    assert limits(budget=budget).budget == sum_


def test_only_the_fields_that_were_given_are_the_requesters() -> None:
    done = edited(surface_demand="办读书会", deep_understanding={"motivation": "想读书"}, context={"location": "上海"})
    assert done.edited == ("surface_demand", "deep_understanding.motivation", "context.location")
    assert done.understanding.surface_demand == "办读书会"
    assert done.understanding.deep_understanding.likely_preferences == ("轻松",)
    assert done.understanding.context == Context(location="上海", expected_attendees=30, budget=5000)
    assert done.understanding.constraints.attendees == 30


@pytest.mark.parametrize("context", [
    {"date": "2026-11-20"}, {"date": "2027-03-20/2027-03-15"}, {"date": "2027-02-30"}, {"date": "随便"},
    {"budget": "很多"}, {"budget": "每人200元"}, {"location": "朝阳区"},
])  # fmt: skip
def test_what_cannot_be_read_is_refused_not_guessed(context: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=f"understanding.context.{next(iter(context))}"):
        edited(context=context)


@pytest.mark.parametrize("edits", [
    {"confidence": "high"}, {"requirements": []}, {"context": {"place": "x"}}, {"context": {"expected_attendees": 0}},
    {"context": {"budget": float("nan")}}, {"context": {"expected_attendees": "many"}},
])  # fmt: skip
def test_other_fields_and_other_types_are_none_to_edit(edits: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UnderstandingEdits.model_validate(edits)


def test_what_was_open_and_is_answered_is_open_no_more() -> None:
    say = LEXICA.voice("zh").say
    asked = BEFORE.model_copy(update={"uncertainties": (say("unclear.date"), say("unclear.budget"), "谁来主持？")})
    edits = UnderstandingEdits.model_validate({"context": {"date": "2027-03-15"}})
    told = confirmed(asked, edits, LEXICA, TODAY).understanding.uncertainties
    assert told == (say("unclear.budget"), "谁来主持？")
    edits = UnderstandingEdits.model_validate({"context": {"date": "2027-03-15"}, "uncertainties": ["还有吗"]})
    assert confirmed(asked, edits, LEXICA, TODAY).understanding.uncertainties == ("还有吗",)


@pytest.mark.parametrize("location", ["上海或北京", "Beijing or Shanghai", "北京/上海"])
def test_a_place_that_names_several_cities_is_refused_with_all_of_them(location: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        edited(context={"location": location})
    why = explain(refused.value, "zh").why
    assert "上海" in why
    assert "北京" in why


@pytest.mark.parametrize(("edits", "doubt"), [
    ({"context": {"location": "火星"}}, "“火星”"),
    ({"context": {"location": "Mars"}}, "“Mars”"),
    ({"context": {"budget": "5000 USD"}}, "无法与以人民币"),
    ({"capability_tags": ["场地", "nonsense"]}, "“nonsense”"),
])  # fmt: skip
def test_what_a_demand_would_be_told_is_unclear_is_told_of_an_edit_too(edits: dict[str, Any], doubt: str) -> None:
    doubts = edited(**edits).understanding.uncertainties
    assert len(doubts) == 1
    assert doubt.strip("“”") in doubts[0] or "无法" in doubts[0]
    assert edited(**edits, uncertainties=["还有吗"]).understanding.uncertainties == ("还有吗", *doubts)


def test_a_doubt_about_a_field_goes_with_its_new_value() -> None:
    doubtful = edited(context={"location": "火星", "budget": "5000 USD"}).understanding
    assert len(doubtful.uncertainties) == 2
    edits = UnderstandingEdits.model_validate({"context": {"location": "上海", "budget": "3000元"}})
    assert confirmed(doubtful, edits, LEXICA, TODAY).understanding.uncertainties == ()
    edits = UnderstandingEdits.model_validate({"context": {"budget": 800}})
    left = confirmed(doubtful, edits, LEXICA, TODAY).understanding
    assert left.constraints.currency == "USD"
    assert len(left.uncertainties) == 2


def test_what_shows_nothing_is_no_part_of_an_edit() -> None:
    done = edited(
        surface_demand="办\0读书会\u200b", deep_understanding={"motivation": "a\x07b"}, capability_tags=["场\u200b地"],
        context={"location": "上\u200b海"}, uncertainties=["谁\0?"],
    ).understanding  # fmt: skip
    assert (done.surface_demand, done.deep_understanding.motivation, done.uncertainties) == (
        "办 读书会",
        "a b",
        ("谁 ?",),
    )
    assert (done.requirements[0].concept, done.constraints.city) == (VENUE, "shanghai")
    with pytest.raises(ValidationError):
        UnderstandingEdits.model_validate({"surface_demand": "\0\u200b"})


def test_of_two_numbers_the_one_that_the_word_names_is_the_budget() -> None:
    assert limits(budget="10 budget 3000").budget == 3000
