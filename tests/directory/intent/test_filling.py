"""Arguments out of words, by rules: what is named is taken, what is not is left open."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from moothall.directory.intent.days import days_in
from moothall.directory.intent.evidence import read
from moothall.directory.intent.filling import filled
from moothall.directory.intent.schemas import misfits, missing, shape, takes
from moothall.directory.places import load_gazetteer

TODAY = date(2026, 11, 22)  # a Sunday
TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}


def schema(**fields: dict[str, Any]) -> dict[str, Any]:
    """An object; fields that end in ``_`` can be left out."""
    return {
        "type": "object",
        "properties": {name.rstrip("_"): field for name, field in fields.items()},
        "required": [name for name in fields if not name.endswith("_")],
    }


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("明天", "2026-11-23"),
        ("大后天开会", "2026-11-25"),
        ("the day after tomorrow", "2026-11-24"),
        ("yesterday", "2026-11-21"),
        ("下周五", "2026-11-27"),
        ("next Friday", "2026-11-27"),
        ("周一", "2026-11-23"),
        ("3月5日", "2027-03-05"),
        ("12月1号", "2026-12-01"),
        ("2026年12月24日", "2026-12-24"),
        ("March 5th, 2027", "2027-03-05"),
        ("on 24 December", "2026-12-24"),
        ("2026-02-30", None),
        ("mayor", None),
    ],
)
def test_a_day_is_read_in_both_languages(text: str, day: str | None) -> None:
    found = [mention.day.isoformat() for mention in days_in(text, TODAY)]
    assert found == ([] if day is None else [day])


@pytest.mark.requirement("CAL-02", "CRW-03")
@pytest.mark.parametrize(
    ("text", "fields", "arguments"),
    [
        ("获取上海明天的天气", schema(city=TEXT, day=TEXT), {"city": "上海", "day": "2026-11-23"}),
        ("weather in Ouagadougou", schema(city=TEXT), {"city": "Ouagadougou"}),
        ("北京和上海的天气", schema(city=TEXT), {}),
        ("从北京到上海", schema(origin=TEXT, destination=TEXT), {"origin": "北京", "destination": "上海"}),
        ("分析AAPL最近30天趋势", schema(symbol=TEXT, days_=WHOLE), {"symbol": "AAPL", "days": 30}),
        ("税：收入1.5万元，税率20%", schema(income=NUMBER, tax_rate_=NUMBER), {"income": 15000, "tax_rate": 0.2}),
        ("计算 3 加 5", schema(a=WHOLE, b=WHOLE), {"a": 3, "b": 5}),
        ("计算 3 加 5 加 7", schema(a=WHOLE, b=WHOLE), {}),
        ("三天后", schema(days=WHOLE), {"days": 3}),
        ("2.5", schema(days=WHOLE), {}),
        ("mail bob@example.com", schema(email=TEXT), {"email": "bob@example.com"}),
        ("open https://a.example/x", schema(url=TEXT), {"url": "https://a.example/x"}),
        ("limit=5 deep=true", schema(limit_=WHOLE, deep_={"type": "boolean"}), {"limit": 5, "deep": True}),
        ("in French", schema(language={"type": "string", "enum": ["French", "German"]}), {"language": "French"}),
        ("French or German", schema(language={"type": "string", "enum": ["French", "German"]}), {}),
        ('say "good morning"', schema(name=TEXT), {"name": "good morning"}),
        ("who is it", schema(name=TEXT), {}),
        ("what is a moot", schema(question=TEXT), {"question": "what is a moot"}),
        ("what is a moot", schema(question_=TEXT), {}),
    ],
)
def test_what_is_named_is_taken_and_nothing_is_guessed(text: str, fields: Any, arguments: dict[str, Any]) -> None:
    assert filled(fields, read(text, load_gazetteer(), TODAY), {}) == arguments


def test_what_is_given_by_name_is_not_looked_for() -> None:
    evidence = read("获取上海的天气", load_gazetteer(), TODAY)
    assert filled(schema(city=TEXT), evidence, {"city": "Rome"}) == {}


def test_arguments_are_held_against_the_schema_without_fetching_or_matching_anything() -> None:
    wanted = schema(city={"type": "string", "maxLength": 3, "pattern": "(a+)+$"}, days_={"$ref": "#/$defs/Days"})
    wanted |= {"$defs": {"Days": {"type": "integer", "minimum": 1}}, "additionalProperties": False}
    assert misfits(wanted, {"city": "aaa", "days": 2}) == []
    assert misfits(wanted, {"city": "Rome", "days": 0, "x": 1}) == ["city: length", "days: range", "x: unknown"]
    assert misfits(wanted, {"days": "two"}) == ["city: missing", "days: type"]
    assert misfits({"properties": {"x": {"$ref": "https://evil.example/schema"}}}, {"x": 1}) == []
    assert missing(wanted, {"days"}) == ["city"]
    assert takes(wanted, ("city",))
    assert not takes(wanted, ("town",))
    assert shape(wanted) == (("city", "string", True), ("days", "integer", False))
