"""Reading server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.errors import UpstreamInvalid
from moothall.protocols.http import events as reader
from moothall.protocols.http.events import Event, events

TEXT = "event: item\ndata: 1\n\n: alive\n\nid: 7\ndata: a\ndata: b\n\nevent: end\ndata:{}\n\n"
WANTED = [Event("item", b"1"), Event("message", b"a\nb"), Event("end", b"{}")]


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@given(cuts=st.lists(st.integers(0, len(TEXT)), max_size=6))
async def test_events_are_the_same_however_they_arrive(end: str, cuts: list[int]) -> None:
    body = TEXT.replace("\n", end).encode()
    places = [0, *sorted(cuts), len(body)]
    parts = [body[start:stop] for start, stop in pairwise(places)]
    assert [event async for event in events(pieces(*parts))] == WANTED


async def test_an_event_that_is_cut_off_is_none() -> None:
    assert [event async for event in events(pieces(b"data: 1\n\ndata: 2\n"))] == [Event("message", b"1")]


@pytest.mark.parametrize("body", [b"data: " + b"x" * 100, b"data: 12345\n" * 20], ids=["one line", "many lines"])
async def test_an_event_may_not_go_on_for_ever(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST", 50)
    with pytest.raises(UpstreamInvalid):
        [event async for event in events(pieces(body))]
