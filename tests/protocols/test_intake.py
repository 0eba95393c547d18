"""How every door takes a request in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.errors import PayloadTooLarge, ValidationError
from moothall.protocols.intake import (
    DEEPEST,
    MOST_ANSWERED,
    MOST_VALUES,
    ClientLeft,
    read_body,
    read_json,
    received,
    strict_json,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('ab:"{[\\', max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
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
    assert len(strict_json(b"[" + b"0," * MOST_VALUES + b"0]", MOST_ANSWERED)) == MOST_VALUES + 1


@pytest.mark.parametrize("words", ["a, [b], {c}, " * 40_000, '\\",[' * 100_000, "," * 300_000 + '"'])
def test_words_with_commas_and_brackets_are_one_value(words: str) -> None:
    assert strict_json(json.dumps({"a": words}).encode()) == {"a": words}


@pytest.mark.parametrize(("size", "waits"), [(100_000, True), (100, False)])
async def test_the_event_loop_goes_on_while_a_long_body_is_read(size: int, *, waits: bool) -> None:
    went_on = asyncio.Event()
    asyncio.get_running_loop().call_soon(went_on.set)
    assert await read_json(b'"%b"' % (b"x" * size)) == "x" * size
    assert went_on.is_set() == waits


async def test_a_long_body_that_is_no_json_is_refused_all_the_same() -> None:
    with pytest.raises(ValidationError):
        await read_json(b"{" * 100_000)


def arriving(parts: Iterable[bytes], *, cut: bool = False) -> Any:
    waiting = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    waiting.append({"type": "http.disconnect"} if cut else {"type": "http.request", "body": b"", "more_body": False})
    asked: list[int] = []

    async def receive() -> dict[str, Any]:
        asked.append(1)
        return waiting[len(asked) - 1]

    receive.asked = asked  # type: ignore[attr-defined]
    return receive


async def test_a_body_is_read_up_to_its_limit() -> None:
    assert await read_body(arriving([b"ab", b"cd"]), b"4", 4) == b"abcd"
    with pytest.raises(PayloadTooLarge):
        await read_body(arriving([b"ab", b"cd"]), b"", 3)


async def test_a_body_that_says_it_is_too_long_is_not_read_at_all() -> None:
    receive = arriving([b"x"] * 10)
    with pytest.raises(PayloadTooLarge):
        await read_body(receive, b"10000000", 100)
    assert receive.asked == []


async def test_a_body_without_a_length_is_read_no_further_than_the_limit() -> None:
    receive = arriving([b"x" * 10] * 100)
    with pytest.raises(PayloadTooLarge):
        await read_body(receive, b"", 25)
    assert len(receive.asked) == 3


async def test_a_client_that_leaves_in_its_body_is_noticed() -> None:
    with pytest.raises(ClientLeft):
        await read_body(arriving([b"ab"], cut=True), b"4", 4)


def test_a_request_is_told_as_it_stood_in_its_first_line() -> None:
    scope = {
        "method": "POST", "path": "/a b/ü", "raw_path": b"/a%20b/%C3%BC", "query_string": b"x=%41&y",
        "headers": [(b"host", b"h"), (b"x", b"1"), (b"x", b"2")], "client": ("127.0.0.1", 5),
    }  # fmt: skip
    request = received(scope, b"body")
    assert (request.method, request.target, request.body, request.address) == (
        "POST",
        "/a%20b/%C3%BC?x=%41&y",
        b"body",
        "127.0.0.1",
    )
    assert request.values(b"x") == ["1", "2"]
