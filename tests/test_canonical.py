"""JSON: one form to hash, one to store."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.canonical import canonical, digest, dumps, loads
from moothall.errors import InvalidInput

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
