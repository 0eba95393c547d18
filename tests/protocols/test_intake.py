"""How every door takes a request in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from moothall.canonical import MOST_VALUES
from moothall.errors import PayloadTooLarge, ValidationError
from moothall.protocols.intake import MOST_ANSWERED, ClientLeft, read_body, read_json, received


@pytest.mark.parametrize(("size", "waits"), [(100_000, True), (100, False)])
async def test_the_event_loop_goes_on_while_a_long_body_is_read(size: int, *, waits: bool) -> None:
    went_on = asyncio.Event()
    asyncio.get_running_loop().call_soon(went_on.set)
    assert await read_json(b'"%b"' % (b"x" * size)) == "x" * size
    assert went_on.is_set() == waits


async def test_an_answer_that_was_asked_for_may_have_more_values_than_a_body() -> None:
    values = b"[" + b"0," * MOST_VALUES + b"0]"
    assert len(await read_json(values, MOST_ANSWERED)) == MOST_VALUES + 1
    with pytest.raises(ValidationError):
        await read_json(values)


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
