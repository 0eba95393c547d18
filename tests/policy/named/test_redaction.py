"""Fields that are taken out of answers: at any depth by name, from the top by path, and without a trace elsewhere."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.policy.redaction import redacted

KEYS = st.sampled_from(["a", "b", "c", "a.b", "email"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
FIELDS = st.frozensets(st.sampled_from(["a", "b", "c", "email", "a.b", "a.b.c", "b.email", "a.b.a.b"]), max_size=3)


def left(value: Any, fields: frozenset[str], at: str = "") -> Any:
    """The same in the plainest words: each key by its name and by its whole path."""
    if isinstance(value, list):
        return [left(item, fields, at) for item in value]
    if not isinstance(value, dict):
        return value
    names = {field for field in fields if "." not in field}
    return {
        key: left(item, fields, f"{at}{key}.")
        for key, item in value.items()
        if key not in names and f"{at}{key}" not in fields - names
    }


@pytest.mark.parametrize(
    ("value", "fields", "expected"),
    [
        ({"email": 1, "name": 2}, {"email"}, {"name": 2}),
        ({"owner": {"email": 1, "name": 2}}, {"email"}, {"owner": {"name": 2}}),
        ([{"email": 1}, {"email": 2, "x": 3}], {"email"}, [{}, {"x": 3}]),
        ({"owner": {"email": 1}, "email": 2}, {"owner.email"}, {"owner": {}, "email": 2}),
        ({"people": [{"email": 1, "x": 2}, {"email": 3}]}, {"people.email"}, {"people": [{"x": 2}, {}]}),
        ([[{"a": {"b": 1, "c": 2}}]], {"a.b"}, [[{"a": {"c": 2}}]]),
        ({"x": {"a": {"b": 1}}}, {"a.b"}, {"x": {"a": {"b": 1}}}),
        ({"a.b": 1, "a": {"b": 2, "c": 3}}, {"a.b"}, {"a": {"c": 3}}),
        ({"a.b": {"c": 1}}, {"a.b.c"}, {"a.b": {}}),
        ({"a": {"b": {"c": 1}}}, {"b.c", "a"}, {}),
        ("email", {"email"}, "email"),
        (["email"], {"email"}, ["email"]),
        (None, {"email"}, None),
        (7, {"email", "a.b"}, 7),
    ],
)
def test_a_name_goes_at_any_depth_and_a_path_from_the_top(value: Any, fields: set[str], expected: Any) -> None:
    assert redacted(value, frozenset(fields)) == expected


@given(value=JSON, fields=FIELDS)
def test_what_is_left_is_all_but_the_fields(value: Any, fields: frozenset[str]) -> None:
    assert redacted(value, fields) == left(value, fields)


@given(value=JSON, fields=FIELDS)
def test_the_value_handed_in_is_never_changed(value: Any, fields: frozenset[str]) -> None:
    before = deepcopy(value)
    redacted(value, fields)
    assert value == before


@given(value=JSON, fields=FIELDS)
def test_a_second_time_takes_out_nothing_more_and_gives_the_same_object(value: Any, fields: frozenset[str]) -> None:
    once = redacted(value, fields)
    assert redacted(once, fields) is once


@given(value=JSON)
def test_without_fields_the_same_object_comes_back(value: Any) -> None:
    assert redacted(value, frozenset()) is value


def test_parts_in_which_nothing_is_taken_out_are_shared() -> None:
    value = {"open": {"deep": [1, 2]}, "shut": {"email": 1}}
    assert redacted(value, frozenset({"email"}))["open"] is value["open"]
