"""How far a reader of several topics has come, as one token (row RTC-01). Pure.

``r1~TOPIC.NEXT~TOPIC.NEXT…``, the topics by the first twelve hexadecimal digits of their hashes. The token is no secret
and no right: it says where to go on in what its bearer may read, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from moothall.errors import InvalidInput, Told

MOST_TOPICS: Final = 256
"""Topics that one connection reads; the longest token has 6 KiB."""

_BEGIN: Final = "r1"
_SHORT: Final = 12
_PART: Final = re.compile(r"([0-9a-f]{12})\.(0|[1-9][0-9]{0,9})", re.ASCII)


def short(topic: str) -> str:
    """A topic as the token names it."""
    return topic.partition("-")[2][:_SHORT]


def write(positions: Mapping[str, int]) -> str:
    """The token of the next seq in each topic."""
    return "~".join([_BEGIN, *(f"{short(topic)}.{after}" for topic, after in positions.items())])


def around(positions: Mapping[str, int], topic: str) -> tuple[bytes, bytes]:
    """The token without the number of one topic: what stands before it, and what after."""
    first, second = [_BEGIN], [""]
    found = False
    for name, after in positions.items():
        if name == topic:
            found = True
        else:
            (second if found else first).append(f"{short(name)}.{after}")
    return f"{'~'.join(first)}~{short(topic)}.".encode(), "~".join(second).encode()


def read(token: str) -> Mapping[str, int]:
    """The next seq in each topic, by `short`.

    Raises:
        InvalidInput: it is no such token.
    """
    begin, *parts = token.split("~")
    found = [_PART.fullmatch(part) for part in parts]
    if begin != _BEGIN or len(parts) > MOST_TOPICS or not all(found):
        raise InvalidInput("no token to go on from", told=Told("realtime.token"))
    return {match[1]: int(match[2]) for match in found if match}
