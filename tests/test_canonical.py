"""JSON: one form to hash, one to store, one reader of what strangers write."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.canonical import DEEPEST, MOST_VALUES, canonical, digest, dumps, loads, strict_json
from moothall.errors import InvalidInput, ValidationError

SAFE = 2**53 - 1
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-SAFE, SAFE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


def test_the_example_of_rfc_8785() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '\u20ac$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    assert canonical(value).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_keys_are_ordered_by_utf_16_units() -> None:
    assert list(json.loads(canonical({"\ufb33": 1, "\U0001f600": 2, "é": 3, "1": 4}))) == [
        "1",
        "é",
        "\U0001f600",
        "\ufb33",
    ]


@given(JSON)
def test_the_canonical_form_means_the_same_and_is_stable(value: Any) -> None:
    form = canonical(value)
    read = json.loads(form, parse_int=float)  # as RFC 8785 reads numbers: each is a double
    assert read == value
    assert canonical(read) == form


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-SAFE, SAFE)))
def test_the_order_of_keys_does_not_change_a_digest(value: dict[str, int]) -> None:
    assert digest(dict(reversed(value.items()))) == digest(value)


def test_a_digest_names_its_algorithm() -> None:
    assert digest({}) == "sha-256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, SAFE + 1, -SAFE - 1, {1: 2}, "\ud800", object(), b"bytes", {"a": {1, 2}}]
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput):
        canonical(value)


@given(JSON)
def test_what_is_stored_is_read_back(value: Any) -> None:
    assert loads(dumps(value)) == value


def test_text_is_stored_compact_and_unescaped() -> None:
    assert dumps({"城市": ["北京", 1]}) == '{"城市":["北京",1]}'.encode()


@dataclass
class Thing:
    """A data class, which is no JSON."""

    name: str


@pytest.mark.parametrize(
    "value", [SAFE + 1, -SAFE - 1, datetime(2026, 1, 1, tzinfo=UTC), Thing("x"), "\ud800", object(), {1: 2}]
)
def test_what_another_reader_would_not_understand_is_not_stored(value: object) -> None:
    with pytest.raises(TypeError):
        dumps(value)


@pytest.mark.parametrize("data", [b"", b"{", b"NaN", b'"\xff"', "{'a': 1}"])
def test_what_is_no_json_is_not_read(data: bytes | str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        loads(data)


STRANGE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('ab:"{[\\', max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(STRANGE)
def test_what_json_says_is_what_is_read(value: object) -> None:
    assert strict_json(json.dumps(value).encode()) == value
    assert strict_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    "number",
    [2**53 + 1, 2**63, -(2**63) - 1, 2**64, 12345678901234567890123, -(10**300)],
    ids=lambda value: str(value)[:24],
)
def test_an_integer_of_any_length_stays_exact(number: int) -> None:
    read = strict_json(b'{"a": [%d]}' % number)
    assert read == {"a": [number]}
    assert type(read["a"][0]) is int


@pytest.mark.requirement("TPL-36")
@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"{'a':1}", b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}', b'{"a":1e999}', b'{"a":"\xff"}',
        b'{"a":"\\ud800"}', b"\xef\xbb\xbf{}", b'{"a":01}', b'{"a":1}}', b"\x00", b"[" * 100_000,
        b'{"a":1,"a":2}', b'{"a":{"b":1,"\\u0062":1}}', b'[{"x":":"},{"y":1,"y":":"}]',
        b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1),
    ],
    ids=lambda body: repr(body[:16]),
)  # fmt: skip
def test_what_is_no_json_or_has_two_meanings_is_refused(body: bytes) -> None:
    with pytest.raises(ValidationError) as refused:
        strict_json(body)
    assert refused.value.told is not None


def test_the_deepest_nesting_that_is_allowed_is_read() -> None:
    value = strict_json(b"[" * DEEPEST + b"]" * DEEPEST)
    assert json.dumps(value) == "[" * DEEPEST + "]" * DEEPEST


@pytest.mark.requirement("TPL-36")
@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"0," * 5_000_000 + b"0]", b"[" + b"{}," * MOST_VALUES + b"{}]", b"[" * 5_000_000, b"," * 5_000_000,
        b'["' + b'\\"' * 5_000_000, b"," * MOST_VALUES + b'"' + b'\\"' * 4_000_000 + b"\\", b'"' * 9_000_000,
        b'{"a":[' + b'"",' * MOST_VALUES + b'""]}',
    ],
    ids=lambda body: repr(body[:8]),
)  # fmt: skip
def test_a_body_of_very_many_values_is_refused(body: bytes) -> None:
    with pytest.raises(ValidationError):
        strict_json(body)


def test_so_many_values_are_read_and_no_more() -> None:
    assert strict_json(b'{"a":[1,{},[]]}', 7) == {"a": [1, {}, []]}
    with pytest.raises(ValidationError) as refused:
        strict_json(b"[1,2,3]", 3)
    assert refused.value.told is not None
    assert refused.value.told.why == "protocols.crowded"
    assert len(strict_json(b"[" + b"0," * (MOST_VALUES - 2) + b"0]")) == MOST_VALUES - 1


@pytest.mark.parametrize("words", ["a, [b], {c}, " * 40_000, '\\",[' * 100_000, "," * 300_000 + '"'])
def test_words_with_commas_and_brackets_are_one_value(words: str) -> None:
    assert strict_json(json.dumps({"a": words}).encode()) == {"a": words}
