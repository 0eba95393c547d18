from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from moothall.errors import UpstreamInvalid
from moothall.protocols.events import Event, events


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def read(*parts: bytes, most: int = 1000) -> list[Event]:
    return [event async for event in events(chunks(*parts), most)]


TEXT = b"data: one\n\nevent: item\r\ndata:two\r\ndata: lines\r\n\r\n: a comment\n\nid: 5\ndata\n\nretry: 5\n\ndata: cut"
FOUND = [Event("message", b"one"), Event("item", b"two\nlines"), Event("message", b"")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_events_are_read_however_they_arrive(size: int) -> None:
    assert await read(*(TEXT[at : at + size] for at in range(0, len(TEXT), size))) == FOUND


async def test_lines_may_end_in_cr_alone() -> None:
    assert await read(b"data: a\r\rdata: b\r\r", b"data: c\n\n") == [
        Event("message", b"a"),
        Event("message", b"b"),
        Event("message", b"c"),
    ]


@pytest.mark.parametrize(
    "text", [b"data: " + b"x" * 2000 + b"\n\n", b"data: " + b"x" * 2000, (b"data: " + b"x" * 90 + b"\n") * 20]
)
async def test_an_event_is_bounded(text: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        await read(text)
