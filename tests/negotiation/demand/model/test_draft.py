"""Drafts: what models write a little wrong is read, what they write quite wrong is not."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import ValidationError

from moothall.negotiation.demand.model.draft import (
    LINE_CAP,
    LOOSE,
    MANY,
    MOST_ITEMS,
    Amount,
    Draft,
    Line,
    Lines,
    Percent,
    Share,
    Text,
)


class Inner(Draft):
    name: Line = "-"


class Sample(Draft):
    word: Annotated[Literal["very_good", "bad"], LOOSE] = "bad"
    line: Line = ""
    text: Text = ""
    lines: Lines = ()
    inner: Annotated[tuple[Inner, ...], MANY] = ()
    share: Share = 0.5
    percent: Percent = 50
    amount: Amount | None = None


def read(**given: Any) -> Sample:
    return Sample.model_validate(given)


@pytest.mark.requirement("NEG-PROMPT-10")
@pytest.mark.parametrize(
    ("given", "field", "meant"),
    [
        ({"word": " Very Good. "}, "word", "very_good"),
        ({"word": "“VERY-GOOD”"}, "word", "very_good"),
        ({"Word": "BAD"}, "word", "bad"),
        ({"line": None}, "line", ""),
        ({"line": 5}, "line", "5"),
        ({"line": ["a", "b"]}, "line", "a; b"),
        ({"line": " a\x00\n b "}, "line", "a b"),
        ({"lines": None}, "lines", ()),
        ({"lines": "one"}, "lines", ("one",)),
        ({"lines": ["a", "", None, " "]}, "lines", ("a",)),
        ({"inner": {"name": "x"}}, "inner", (Inner(name="x"),)),
        ({"inner": [{"name": None}]}, "inner", (Inner(),)),
        ({"share": "90%"}, "share", 0.9),
        ({"share": 85}, "share", 0.85),
        ({"share": "High"}, "share", 0.9),
        ({"share": -3}, "share", 0.0),
        ({"share": 1000}, "share", 1.0),
        ({"percent": "85%"}, "percent", 85),
        ({"percent": "85"}, "percent", 85),
        ({"percent": 0.85}, "percent", 85),
        ({"percent": 1}, "percent", 1),
        ({"percent": "medium"}, "percent", 60),
        ({"percent": 170}, "percent", 100),
        ({"amount": "1,200元"}, "amount", 1200),
        ({"amount": "¥1200.5"}, "amount", 1200.5),
        ({"amount": None}, "amount", None),
        ({"unknown": object()}, "line", ""),
    ],
)
def test_small_slips_are_read_as_they_were_meant(given: dict[str, Any], field: str, meant: object) -> None:
    assert getattr(read(**given), field) == meant


@pytest.mark.parametrize(
    "given",
    [
        {"word": "perhaps"},
        {"word": 5},
        {"line": {"a": 1}},
        {"share": "a lot"},
        {"share": float("nan")},
        {"percent": 10**400},
        {"percent": True},
        {"percent": [1]},
        {"amount": -1},
        {"amount": "five"},
        {"amount": 10**12},
        {"inner": "text"},
        {"lines": 5},
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**given)


def test_a_draft_is_no_object_but_an_object() -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate([])


def test_long_texts_and_lists_are_cut() -> None:
    found = read(line="长" * 5000, lines=["a"] * 5000)
    assert (len(found.line), len(found.lines)) == (LINE_CAP, MOST_ITEMS)
