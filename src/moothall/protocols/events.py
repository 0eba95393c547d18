"""Server-sent events as a client reads them (HTML standard §9.2.6), bounded."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Final

from moothall.errors import Told, UpstreamInvalid

MOST_BYTES: Final = 4 * 1024 * 1024
"""Bytes of one event, and of one line."""

MOST_PIECES: Final = 65_536
"""Pieces in which one event may arrive: whoever sends it byte by byte costs more than the event is worth."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its type (``message`` where none is told) and its data."""

    kind: str
    data: bytes


async def events(chunks: AsyncIterable[bytes], most_bytes: int = MOST_BYTES) -> AsyncGenerator[Event]:
    """Read events from the body of an answer; one that no blank line ends is none.

    Raises:
        UpstreamInvalid: an event has more than `most_bytes`, or came in more than `MOST_PIECES`.
    """
    kind, data, size = "", list[bytes](), 0
    async for line in _lines(chunks, most_bytes):
        if not line:
            if data:
                yield Event(kind or "message", b"\n".join(data))
            kind, data, size = "", [], 0
            continue
        if line.startswith(b":"):  # a sign of life
            continue
        size += len(line) + 1
        if size > most_bytes:
            raise _too_long()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data.append(value)
        elif name == b"event":
            kind = value.decode("utf-8", "replace")


async def _lines(chunks: AsyncIterable[bytes], most_bytes: int) -> AsyncIterator[bytes]:
    """Lines without their ends, which may be CR, LF or both; no byte is looked at twice."""
    rest, half, pieces = bytearray(), False, 0
    async for piece in chunks:
        chunk = piece[1:] if half and piece.startswith(b"\n") else piece  # the other half of an end
        half = chunk.endswith(b"\r") or (half and not piece)
        pieces += 1
        found = chunk.splitlines()
        left = found.pop() if chunk and chunk[-1] not in b"\r\n" else b""
        for line in found:
            whole = bytes(rest + line) if rest else line
            rest.clear()
            if not whole or whole.startswith(b":"):
                pieces = 0
            yield whole
        rest += left
        if len(rest) > most_bytes or pieces > MOST_PIECES:
            raise _too_long()


def _too_long() -> UpstreamInvalid:
    return UpstreamInvalid("an event is too long", told=Told("remote.event_long"))
