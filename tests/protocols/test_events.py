from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from moothall.errors import UpstreamInvalid
from moothall.protocols.events import MOST_PIECES, Event, events


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


async def test_cr_and_lf_may_come_apart() -> None:
    assert await read(b"data: a\r", b"", b"\ndata: b\r", b"\n\r", b"\n", b"\ndata: c\r", b"\r") == [
        Event("message", b"a\nb"),
        Event("message", b"c"),
    ]


@pytest.mark.timeout(20)
async def test_a_long_line_is_not_read_again_for_every_piece_of_it() -> None:
    long, pieces = b"x" * 3_000_000, MOST_PIECES - 2
    found = await read(b"data: " + long, *[b"y"] * pieces, b"\n\n", most=4_000_000)
    assert [len(event.data) for event in found] == [len(long) + pieces]


async def test_an_event_may_come_in_so_many_pieces_only() -> None:
    with pytest.raises(UpstreamInvalid):
        await read(*[b"a:\n", b"d"] * MOST_PIECES, most=4_000_000)
    assert await read(*[b":\n\n"] * (MOST_PIECES + 1), *[b":\n"] * (MOST_PIECES + 1), b"data\n\n", most=100) == [
        Event("message", b"")
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"id: 1234567\n" * 100,
        b"data: " + b"x" * 2000 + b"\n\n",
        b"data: " + b"x" * 2000,
        (b"data: " + b"x" * 90 + b"\n") * 20,
    ],
)
async def test_an_event_is_bounded(text: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        await read(text)
