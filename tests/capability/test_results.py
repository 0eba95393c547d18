"""Results: what the return annotation makes of them, in this process and as JSON."""

from __future__ import annotations

import json
import logging
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from moothall.capability.decorators import capability
from moothall.capability.entry import Entry
from moothall.errors import InternalError, UpstreamInvalid, ValidationError
from tests.capability.shop import entry_of, run


class Point(BaseModel):
    x: int
    y: int = 0


@dataclass
class Pair:
    left: int
    right: Point


class Shade(Enum):
    DARK = "dark"


class Row(BaseModel):
    points: list[Point]


def returning(annotation: Any) -> Entry:
    def answer():  # noqa: ANN202
        return None

    answer.__annotations__["return"] = annotation
    return entry_of(capability(answer))


@pytest.mark.requirement("TPL-41")
@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (list, (1, 2), [1, 2]),
        (list[str], ("a", "b"), ["a", "b"]),
        (list[Point], (Point(x=1),), [{"x": 1, "y": 0}]),
        (list, {1}, [1]),
        (dict, Point(x=1), {"x": 1, "y": 0}),
        (dict, Pair(1, Point(x=2)), {"left": 1, "right": {"x": 2, "y": 0}}),
        (dict[str, Any], Point(x=1, y=2), {"x": 1, "y": 2}),
        (dict[str, int], Point(x=1), {"x": 1, "y": 0}),
        (dict[str, Any], {"p": Point(x=1)}, {"p": {"x": 1, "y": 0}}),
        (list[dict[str, Any]], [Point(x=1)], [{"x": 1, "y": 0}]),
        (Point, {"x": 1}, {"x": 1, "y": 0}),
        (Pair, Pair(1, Point(x=2)), {"left": 1, "right": {"x": 2, "y": 0}}),
        (int, 3, 3),
        (float, 3, 3.0),
        (str, "x", "x"),
        (bool, True, True),
        (None, None, None),
        (int | None, None, None),
        (Shade, Shade.DARK, "dark"),
        (datetime, datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00Z"),
        (Any, {"when": datetime(2026, 1, 1, tzinfo=UTC), "t": (1, 2)}, {"when": "2026-01-01T00:00:00Z", "t": [1, 2]}),
        (int, 2**60, str(2**60)),
        (list[int], [1, -(2**60)], [1, str(-(2**60))]),
        (Any, {"n": [2**53, 2**53 - 1]}, {"n": [str(2**53), 2**53 - 1]}),
    ],
)  # fmt: skip
def test_a_result_becomes_what_the_annotation_says(annotation: Any, value: Any, expected: Any) -> None:
    encoded = returning(annotation).encode(value)
    assert encoded == expected
    assert type(encoded) is type(expected)
    json.dumps(encoded)


def test_without_annotation_a_result_is_sent_as_it_is() -> None:
    def answer():  # noqa: ANN202
        return None

    entry = entry_of(capability(answer))
    assert entry.encode(Row(points=[Point(x=1)])) == {"points": [{"x": 1, "y": 0}]}
    with pytest.raises(InternalError):
        entry.encode(object())


@pytest.mark.requirement("TPL-41")
@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int, "SECRET"), (int, "5"), (int, 1.5), (int, None), (str, 5), (bool, "yes"), (list, 5), (list, "SECRET"), (dict, "SECRET"), (dict, [1]),
        (list[int], ["SECRET"]), (Point, {"x": "SECRET"}), (Point, None), (None, "SECRET"), (float, math.nan),
        (dict[str, Any], {"deep": [math.inf]}), (Shade, "light"), (datetime, "SECRET"), (Any, object()),
    ],
)  # fmt: skip
def test_a_result_of_another_type_is_our_fault_and_logged_without_its_value(
    annotation: Any, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    entry = returning(annotation)
    with caplog.at_level(logging.ERROR, "moothall"), pytest.raises(InternalError) as raised:
        entry.encode(value)
    (record,) = caplog.records
    assert "shop.answer" in record.getMessage()
    assert "SECRET" not in f"{record.getMessage()} {raised.value} {raised.value.details}"


def test_in_process_the_value_itself_is_checked() -> None:
    point = Point(x=1)
    assert returning(Point).check(point) is point
    assert returning(list).check((1, 2)) == [1, 2]
    assert returning(dict).check(point) == {"x": 1, "y": 0}
    assert returning(int).check(2**60) == 2**60
    assert returning(datetime).check(datetime(2026, 1, 1, tzinfo=UTC)).tzinfo is UTC
    with pytest.raises(InternalError):
        returning(int).check("x")


@pytest.mark.parametrize(
    ("annotation", "received", "expected"),
    [
        (int, str(2**60), 2**60),
        (list[int], [str(2**60), 1], [2**60, 1]),
        (datetime, "2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        (str, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        (Point, {"x": "5"}, Point(x=5)),
        (Shade, "dark", Shade.DARK),
        (Any, {"a": 1}, {"a": 1}),
    ],
)  # fmt: skip
def test_a_result_from_elsewhere_is_restored_by_its_annotation(annotation: Any, received: Any, expected: Any) -> None:
    restored = returning(annotation).decode(received)
    assert (restored, type(restored)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("annotation", "received"), [(int, "x"), (Point, {}), (list[int], {"a": 1}), (None, 1), (datetime, "soon")]
)
def test_an_answer_from_elsewhere_that_does_not_fit_is_not_passed_on(annotation: Any, received: Any) -> None:
    with pytest.raises(UpstreamInvalid):
        returning(annotation).decode(received)


@given(st.integers())
def test_integers_of_any_size_come_back_as_they_were(number: int) -> None:
    assert WHOLE.decode(json.loads(json.dumps(WHOLE.encode(number)))) == number


WHOLE = returning(int)


async def test_integers_that_nobody_can_write_are_refused_by_name() -> None:
    @capability
    def huge() -> int:
        return 10**5000

    @capability
    def huge_inside() -> list[int]:
        return [10**5000]

    @capability
    def take(x: int) -> int:
        return 1

    @capability
    def take_many(x: list[int]) -> int:
        return 1

    for function in (huge, huge_inside):
        entry = entry_of(function)
        with pytest.raises(InternalError, match="does not fit its declaration"):
            entry.encode(await run(entry, {}))
    for function, argument in ((take, 10**5000), (take_many, [10**5000])):
        entry = entry_of(function)
        bound = entry.bind({"x": argument})
        with pytest.raises(ValidationError):
            entry.wire(bound)
    with pytest.raises(ValidationError):
        entry_of(take).bind({"x": "9" * 5000})
