"""Reading server-sent events as the HTML standard says, as far as calls need them: their type and their data."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final, NamedTuple

from moothall.errors import Told, UpstreamInvalid

MOST: Final = 4 * 1024 * 1024
"""Bytes of one event."""


class Event(NamedTuple):
    """One event: its type (``message`` where it has none) and its data."""

    kind: str
    data: bytes


async def events(chunks: AsyncIterator[bytes]) -> AsyncGenerator[Event]:
    """The events of a body; one that the end of the body cuts off is none.

    Raises:
        UpstreamInvalid: one is longer than `MOST`.
    """
    kind, data, size = "message", list[bytes](), 0
    async for line in _lines(chunks):
        if not line:
            if data:
                yield Event(kind, b"\n".join(data))
            kind, data, size = "message", [], 0
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
            size += len(value)
            if size > MOST:
                raise _too_long()
        elif field == b"event":
            kind = value.decode("utf-8", "replace")


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines that end in CR, LF or both; what follows the last end is no line."""
    rest = b""
    async for chunk in chunks:
        ready, held = rest + chunk, b""
        if ready.endswith(b"\r"):  # its LF may come first in the next chunk
            ready, held = ready[:-1], b"\r"
        *whole, last = ready.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in whole:
            yield line
        rest = last + held
        if len(rest) > MOST:
            raise _too_long()
    if rest.endswith(b"\r"):
        yield rest[:-1]


def _too_long() -> UpstreamInvalid:
    return UpstreamInvalid("an event is too long", told=Told("protocols.event_long"))
