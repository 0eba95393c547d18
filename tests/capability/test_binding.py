"""Arguments: where they are found, how they are validated, and what is said of those that do not fit."""

from __future__ import annotations

import json
import math
from datetime import datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator, model_validator

from moothall.capability.decorators import capability
from moothall.capability.entry import Arguments
from moothall.capability.refusals import MOST
from moothall.capability.values import DEEPEST
from moothall.errors import InternalError, ValidationError
from tests.capability.shop import entry_of

SECRET = "zq-secret-9471"


class Kind(Enum):
    A = "a"


class Box(BaseModel):
    size: float
    label: str = ""
    inner: Box | None = None

    @field_validator("label")
    @classmethod
    def no_secret(cls, value: str) -> str:
        if "secret" in value:
            raise ValueError(f"{value} is not allowed")
        if value == "short":
            raise ValueError("a label has more letters")
        return value


class Span(BaseModel):
    start: str
    end: str
    notes: list[Any] = []

    @model_validator(mode="after")
    def in_order(self) -> Span:
        if self.start == "b":
            raise ValueError(f"{self.end} is no end")
        if self.end < self.start:
            raise ValueError("the end comes before its beginning")
        return self


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


@capability
def add(a: int, b: int = 2) -> int:
    return a + b


@capability
def put(box: Box, boxes: list[Box] = [], free: Any = None) -> None:  # noqa: B006
    return None


@capability
def pet(
    one: Annotated[Cat | Dog, Field(discriminator="kind")], who: UUID | None = None, when: datetime | None = None
) -> None:
    return None


ADD, PUT, PET = entry_of(add), entry_of(put), entry_of(pet)


def refusal(entry: Any, params: Any) -> ValidationError:
    with pytest.raises(ValidationError) as raised:
        entry.bind(params)
    return raised.value


def errors(entry: Any, params: Any) -> list[tuple[list[Any], str]]:
    found: Any = refusal(entry, params).details["errors"]
    return [(item["loc"], item["type"]) for item in found]


@pytest.mark.parametrize(
    "params", [{"a": 1}, [1], (1,), [1, 2], {"a": 1, "b": 2}, {"b": 2, "a": "1"}, {"a": "1"}, {"a": 1.0}]
)
def test_arguments_bind_by_name_and_by_position_with_their_defaults(params: Any) -> None:
    assert ADD.bind(params) == Arguments((), {"a": 1, "b": 2})


@pytest.mark.requirement("TPL-37")
def test_a_text_for_a_number_is_converted() -> None:
    assert ADD.bind({"a": "1"}).named["a"] == 1


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [(["a"], "missing_argument")]),
        ([], [(["a"], "missing_argument")]),
        ({"a": "x"}, [(["a"], "int_parsing")]),
        (["x"], [(["a"], "int_parsing")]),
        ({"a": None}, [(["a"], "int_type")]),
        ({"a": 1.5}, [(["a"], "int_from_float")]),
        ({"a": 1, "c": 1}, [(["c"], "unexpected_keyword_argument")]),
        ([1, 2, 3], [([2], "unexpected_positional_argument")]),
        ({"a": 2.0**70}, [(["a"], "int_parsing_size")]),
        ({"a": math.nan}, [(["a"], "finite_number")]),
        ({"a": "9" * 5000}, [(["a"], "int_parsing_size")]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_its_place(params: Any, expected: Any) -> None:
    assert errors(ADD, params) == expected


@pytest.mark.requirement("TPL-37")
@pytest.mark.parametrize(
    ("entry", "params"),
    [
        (ADD, {"a": SECRET}),
        (ADD, {"a": 1, "b": [SECRET]}),
        (ADD, {"a": 1, "other": SECRET}),
        (PUT, {"box": {"size": SECRET}}),
        (PUT, {"box": {"size": 1, "label": SECRET}}),
        (PUT, {"box": SECRET}),
        (PUT, {"box": {"size": 1, "inner": {"size": 1, "label": SECRET}}}),
        (PET, {"one": {"kind": SECRET}}),
        (PET, {"one": {"kind": "cat"}, "who": SECRET}),
        (PET, {"one": {"kind": "cat"}, "when": SECRET}),
    ],
)
def test_the_submitted_value_is_never_echoed(entry: Any, params: Any) -> None:
    error = refusal(entry, params)
    assert (
        SECRET
        not in f"{error} {error.why} {error.told} {error.details!r} {error.__cause__!r} {error.__context__ and error.__suppress_context__}"
    )
    assert error.details["errors"]
    json.dumps(error.details)


def test_a_rule_over_several_values_repeats_none_of_them() -> None:
    @capability
    def span(between: Span) -> None:
        return None

    def told(start: str, end: str) -> str:
        found: Any = refusal(
            entry_of(span), {"between": {"start": start, "end": end, "notes": [SECRET, None, True]}}
        ).details["errors"]
        return str(found[0]["msg"])

    assert told("b", SECRET) == "Input does not fit a rule of this capability"
    assert told("2", "1") == "Value error, the end comes before its beginning"


def test_an_argument_without_a_json_form_is_our_fault_where_json_is_needed() -> None:
    bound = PUT.bind({"box": {"size": 1}, "free": object()})
    with pytest.raises(InternalError):
        PUT.wire(bound)


def test_what_the_author_of_a_rule_says_is_told_where_it_repeats_nothing() -> None:
    found: Any = refusal(PUT, {"box": {"size": 1, "label": "short"}}).details["errors"]
    assert found[0]["msg"] == "Value error, a label has more letters"


@pytest.mark.parametrize("bad", ["NaN", "Infinity", math.nan, math.inf])
def test_numbers_that_are_not_finite_are_refused_wherever_they_hide(bad: Any) -> None:
    @capability
    def measure(x: float) -> float:
        return x

    assert errors(entry_of(measure), {"x": bad}) == [(["x"], "finite_number")]
    assert errors(PUT, {"box": {"size": bad}}) == [(["box"], "finite_number")]
    assert errors(PUT, {"box": {"size": 1}, "boxes": [{"size": 1, "inner": {"size": bad}}]}) == [
        (["boxes"], "finite_number")
    ]
    if isinstance(bad, float):
        assert errors(PUT, {"box": {"size": 1}, "free": {"deep": [bad]}}) == [(["free"], "finite_number")]


def test_nesting_has_an_end() -> None:
    def nested(levels: int) -> Any:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return value

    PUT.bind({"box": {"size": 1}, "free": nested(DEEPEST - 1)})
    assert errors(PUT, {"box": {"size": 1}, "free": nested(DEEPEST + 1)}) == [([], "nesting")]
    assert errors(PUT, {"box": {"size": 1}, "free": nested(100_000)}) == [([], "nesting")]
    made = Box.model_construct(size=math.inf)
    assert PUT.bind({"box": made, "boxes": [made]}).named["box"] is made, (
        "what a caller in this process made is its own"
    )
    endless: list[Any] = []
    endless += [endless, endless]
    assert errors(PUT, {"box": {"size": 1}, "free": endless}) == [([], "nesting")]


def test_errors_are_counted_but_only_the_first_are_listed() -> None:
    error = refusal(ADD, {f"k{number}": 1 for number in range(10 * MOST)})
    assert len(error.details["errors"]) == MOST  # type: ignore[arg-type]
    assert error.details["count"] == 10 * MOST + 1
    long: Any = refusal(ADD, {"a": 1, "k" * 10_000: 1}).details["errors"]
    assert len(long[0]["loc"][0]) == 100


def test_integers_beyond_53_bits_travel_as_decimal_texts_and_are_restored() -> None:
    big = 2**200 + 1
    bound = ADD.bind({"a": str(big), "b": -(2**53)})
    assert bound.named == {"a": big, "b": -(2**53)}
    assert ADD.wire(bound) == {"a": str(big), "b": str(-(2**53))}
    assert ADD.bind(ADD.wire(bound)) == bound
    assert ADD.wire(ADD.bind({"a": 2**53 - 1})) == {"a": 2**53 - 1, "b": 2}


def test_the_wire_form_is_json_with_the_defaults() -> None:
    @capability
    def mixed(
        when: datetime, kind: Kind, where: Path, amount: Decimal, box: Box, tags: set[str], raw: bytes,
        nested: dict[str, list[Kind]] = {}, free: Any = None,  # noqa: B006
    ) -> None:  # fmt: skip
        return None

    entry = entry_of(mixed)
    given_ = {
        "when": "2026-01-02T03:04:05+00:00", "kind": "a", "where": "/x/y", "amount": "1.50", "box": {"size": 1},
        "tags": ["t"], "raw": "eA==", "nested": {"k": ["a"]}, "free": {"big": 2**60},
    }  # fmt: skip
    wired = entry.wire(entry.bind(given_))
    assert json.loads(json.dumps(wired)) == wired
    assert wired["box"] == {"size": 1.0, "label": "", "inner": None}
    assert (wired["kind"], wired["where"], wired["nested"], wired["free"]) == (
        "a",
        "/x/y",
        {"k": ["a"]},
        {"big": str(2**60)},
    )
    assert datetime.fromisoformat(wired["when"]) == datetime.fromisoformat("2026-01-02T03:04:05+00:00")
    assert entry.wire(entry.bind(wired)) == wired


def test_other_names_for_callers_are_the_names_on_the_wire() -> None:
    @capability
    def flight(source: Annotated[str, Field(alias="from")], to: str) -> str:
        return f"{source}-{to}"

    entry = entry_of(flight)
    assert list(entry.input_schema["properties"]) == ["from", "to"]
    bound = entry.bind({"from": "a", "to": "b"})
    assert bound.named == {"source": "a", "to": "b"}
    assert entry.wire(bound) == {"from": "a", "to": "b"}


def test_parameters_that_python_takes_by_position_only_are_given_by_name_too() -> None:
    @capability
    def divide(a: int, b: int, /, c: int = 0, *, d: int = 1) -> int:
        return a // b

    entry = entry_of(divide)
    for params in ({"a": 6, "b": 3}, [6, 3], {"b": 3, "a": 6, "d": 1}):
        assert entry.bind(params) == Arguments((6, 3), {"c": 0, "d": 1})
        assert entry.wire(entry.bind(params)) == {"a": 6, "b": 3, "c": 0, "d": 1}
    assert errors(entry, [6, 3, 0, 1]) == [([3], "unexpected_positional_argument")] or errors(entry, [6, 3, 0, 1])


@pytest.mark.requirement("DEC-03", "DEC-10")
@pytest.mark.parametrize("given_", [{"params": {"a": 1}}, {"body": {"a": 1}}, {"a": 1}])
def test_arguments_are_found_where_models_put_them(given_: dict[str, Any]) -> None:
    class Shop:
        @capability
        def method(self, a: int) -> int:
            return a

    def function(a: int) -> int:
        return a

    for included in (capability(function), Shop()):
        entry = entry_of(included)
        assert entry.bind(entry.locate(given_)).named == {"a": 1}
    strict = entry_of(capability(ai_optimized=False)(function))
    if "a" in given_:
        assert strict.bind(strict.locate(given_)).named == {"a": 1}
    else:
        assert errors(strict, strict.locate(given_))


@pytest.mark.requirement("DEC-03")
@pytest.mark.parametrize(
    "given_", [{}, {"params": {}}, {"body": {"b": 1}}, {"params": {"params": {"a": 1}}}, {"args": {"a": 1}}]
)
def test_an_argument_that_is_nowhere_is_missing(given_: dict[str, Any]) -> None:
    assert (["a"], "missing_argument") in errors(ADD, ADD.locate(given_))


@pytest.mark.requirement("DEC-03")
def test_the_first_place_counts_and_parameters_of_these_names_are_parameters() -> None:
    assert ADD.locate({"params": {"a": 1}, "body": {"a": 2, "b": 3}, "b": 4}) == {"a": 1, "b": 3}
    assert ADD.locate({"params": 5, "a": 1}) == {"params": 5, "a": 1}

    @capability
    def post(body: dict[str, int], params: int = 0) -> int:
        return params

    entry = entry_of(post)
    assert entry.bind(entry.locate({"body": {"a": 1}, "params": 2})).named == {"body": {"a": 1}, "params": 2}


@pytest.mark.requirement("DEC-10", "TPL-40")
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    )
)
def test_validation_is_the_same_tolerant_or_strict(value: Any) -> None:
    def outcome(entry: Any) -> Any:
        try:
            return entry.bind(entry.locate({"a": value}))
        except ValidationError as error:
            return error.details

    assert outcome(TOLERANT) == outcome(STRICT)


@capability
def tolerant(a: int) -> int:
    return a


@capability(ai_optimized=False)
def strict(a: int) -> int:
    return a


TOLERANT, STRICT = entry_of(tolerant), entry_of(strict)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "box", "size", "inner", "x"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(JSON.filter(lambda value: isinstance(value, dict | list)))
def test_whatever_comes_is_bound_or_refused_and_what_was_bound_binds_again(params: Any) -> None:
    for entry in (ADD, PUT):
        try:
            bound = entry.bind(params)
        except ValidationError:
            continue
        wired = entry.wire(bound)
        assert entry.wire(entry.bind(json.loads(json.dumps(wired)))) == wired
