"""How every door takes a request in."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.errors import PayloadTooLarge, ValidationError
from moothall.protocols.intake import DEEPEST, ClientLeft, read_body, received, strict_json

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
