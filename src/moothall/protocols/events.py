"""Server-sent events as a client reads them (HTML standard §9.2.6), bounded."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Final

from moothall.errors import Told, UpstreamInvalid

MOST_BYTES: Final = 4 * 1024 * 1024
"""Bytes of one event, and of one line."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its type (``message`` where none is told) and its data."""

    kind: str
    data: bytes


async def events(chunks: AsyncIterable[bytes], most_bytes: int = MOST_BYTES) -> AsyncGenerator[Event]:
    """Read events from the body of an answer; one that no blank line ends is none.

    Raises:
        UpstreamInvalid: an event has more than `most_bytes`.
    """
    kind, data, size = "", list[bytes](), 0
    async for line in _lines(chunks, most_bytes):
        if not line:
            if data:
                yield Event(kind or "message", b"\n".join(data))
            kind, data, size = "", [], 0
            continue
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            size += len(value) + 1
            if size > most_bytes:
                raise _too_long()
            data.append(value)
        elif name == b"event":
            kind = value.decode("utf-8", "replace")


async def _lines(chunks: AsyncIterable[bytes], most_bytes: int) -> AsyncIterator[bytes]:
    """Lines without their ends, which may be CR, LF or both."""
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).splitlines(keepends=True) or [b""]
        if rest.endswith(b"\n"):  # a CR at the end may be the first half of an end
            whole.append(rest)
            rest = b""
        for line in whole:
            yield line.rstrip(b"\r\n")
        if len(rest) > most_bytes:
            raise _too_long()


def _too_long() -> UpstreamInvalid:
    return UpstreamInvalid("an event is too long", told=Told("remote.event_long"))
