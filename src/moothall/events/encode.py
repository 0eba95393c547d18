"""From payload to stored text and to the frame of a stream; an event is encoded once. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moothall.canonical import dumps, loads
from moothall.errors import InvalidInput, PayloadTooLarge
from moothall.events.model import Event, event_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moothall.events.append import Row
    from moothall.events.model import Draft, JsonValue

MAX_PAYLOAD = 256 * 1024
"""Bytes of JSON in one event or posting; larger bodies belong elsewhere, named by their digest."""


def encode(payload: JsonValue) -> str:
    """Return the JSON text to store.

    Raises:
        InvalidInput: `payload` is not JSON.
        PayloadTooLarge: the text exceeds `MAX_PAYLOAD`.
    """
    try:
        data = dumps(payload)
    except TypeError as error:
        raise InvalidInput("a payload must be JSON", why=str(error)) from error
    if len(data) > MAX_PAYLOAD:
        raise PayloadTooLarge("a payload is too large", why=f"{len(data)} bytes of JSON; at most {MAX_PAYLOAD}")
    return data.decode()


def valid_key(key: str) -> str:
    """Return `key` when both databases can hold it.

    Raises:
        InvalidInput: it is empty or holds something that cannot be printed.
    """
    if not key or not key.isprintable():
        raise InvalidInput("a key is non-empty printable text", why=repr(key))
    return key


def settle(run: str, seq: int, ts: str, drafts: Sequence[Draft]) -> list[Row]:
    """Give drafts their place from `seq` on.

    Raises:
        InvalidInput: a key cannot be one or comes twice, or a payload is not JSON.
        PayloadTooLarge: a payload exceeds `MAX_PAYLOAD`.
    """
    rows = [
        (run, place, valid_key(draft.key), draft.type, ts, encode(draft.payload))
        for place, draft in enumerate(drafts, seq)
    ]
    if len(rows) > 1 and len({draft.key for draft in drafts}) < len(rows):
        raise InvalidInput("two events of one append have the same key", why=str([draft.key for draft in drafts]))
    return rows


def decode(row: Row) -> Event:
    """Read a stored row."""
    run, seq, key, kind, ts, payload = row
    return Event(run, seq, key, kind, ts, loads(payload))


def frame(row: Row) -> bytes:
    """Return the stored row as one server-sent event (rows NEG-API-10, spec C).

    There is no ``event:`` line, so that a browser's ``onmessage`` sees it.
    """
    run, seq, _key, kind, ts, payload = row
    name = event_id(run, seq)
    head = f'id: {name}\ndata: {{"event_id":"{name}","event_type":"{kind}","timestamp":"{ts}","payload":'
    return f"{head}{payload}}}\n\n".encode()
