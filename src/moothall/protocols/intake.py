"""How every door takes a request in: as received for the verifier, its body up to a size, and strict JSON in it.

A body that two readers could understand differently is refused: one key twice, NaN, infinities (row TPL-36).
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, Final

from starlette.types import Receive, Scope

from moothall.canonical import loads
from moothall.errors import PayloadTooLarge, Told, ValidationError
from moothall.identity.request import HttpRequest
from moothall.protocols.addressed import target_of

DEEPEST: Final = 64
"""Levels of lists and objects within each other."""

MOST_VALUES: Final = 200_000
"""Values of a body, those within others included: a few bytes of JSON become many of memory."""

MOST_ANSWERED: Final = 1_000_000
"""The same of an answer that this node asked for."""

_AT_ONCE: Final = 64 * 1024
"""Bytes that are read within the event loop; of more it would stand still for a while."""

_TOKENS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[,\[{]', re.DOTALL)
"""Strings, which may be cut off, and what every further value begins with."""

_STRINGS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_QUOTE: Final = ord('"')
_WORD: Final = float(2**63)
"""From here on the fast reader may have made a float of an integer."""


class ClientLeft(Exception):
    """The client left before its request was complete, or answered; control flow, never an answer."""


async def read_body(receive: Receive, declared: bytes, limit: int) -> bytes:
    """Take a body in; ``declared`` is the request's ``Content-Length``, empty for none.

    Raises:
        PayloadTooLarge: it has more than `limit` bytes; little more than those were read, or none when it says so.
        ClientLeft: the connection ended first.
    """
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    message = await receive()
    body: bytes = message.get("body", b"")
    parts, size = [body], len(body)
    while message["type"] != "http.disconnect" and message.get("more_body", False) and size <= limit:
        message = await receive()
        part: bytes = message.get("body", b"")
        parts.append(part)
        size += len(part)
    if message["type"] == "http.disconnect":
        raise ClientLeft
    if size > limit:
        raise _too_large(limit)
    return body if len(parts) == 1 else b"".join(parts)


def received(scope: Scope, body: bytes) -> HttpRequest:
    """A request of ASGI as the verifier needs it: path and query as they stood in the request line."""
    target, client = target_of(scope).decode("latin-1"), scope.get("client")
    return HttpRequest(scope["method"], target, scope["headers"], body, client[0] if client else "")


async def read_json(body: bytes, most_values: int = MOST_VALUES) -> Any:  # noqa: ANN401 - JSON of any shape
    """As `strict_json`; a long body is read in a thread, while the event loop goes on.

    Raises:
        ValidationError: as `strict_json`.
    """
    if len(body) <= _AT_ONCE:
        return strict_json(body, most_values)
    return await asyncio.to_thread(strict_json, body, most_values)


def strict_json(body: bytes, most_values: int = MOST_VALUES) -> Any:  # noqa: ANN401 - JSON of any shape
    """Read the one value that a body can mean; integers of any length stay exact.

    Raises:
        ValidationError: it is no JSON in UTF-8, has NaN, an infinity, a lone surrogate, a key twice in one object,
            more than `DEEPEST` levels, or about `most_values` of them in all.
    """
    if len(body) > most_values and _crowded(body, most_values):
        raise ValidationError("the body has too many values", told=Told("protocols.crowded", {"most": most_values}))
    try:
        value = loads(body)
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno}
        raise ValidationError("the body is no JSON", told=Told("protocols.no_json", place)) from error
    keys, rounded = _survey(value)
    if rounded:  # of at most 309 digits: the fast reader refuses what is no finite float either
        value = json.loads(body)
    if keys != body.count(b":") and keys != _STRINGS.sub(b"", body).count(b":"):
        raise ValidationError("an object of the body has a key twice", told=Told("protocols.key_twice"))
    return value


def _crowded(body: bytes, most: int) -> bool:
    """Whether a body has more values than that; told without reading them, since that is what would cost."""
    if body.count(b",") + body.count(b"[") + body.count(b"{") < most:
        return False
    values = strings = 0
    for token in _TOKENS.finditer(body):
        if body[token.start()] == _QUOTE:
            strings += 1  # each is a value or a key
        else:
            values += 1
        if values >= most or strings > 2 * most:
            return True
    return False


def _survey(value: object) -> tuple[int, bool]:
    """The number of keys in all objects, and whether a number is so large that it may have been rounded."""
    keys, rounded, depth = 0, False, 0
    level: list[Any] = [[value]]
    while level:
        below: list[Any] = []
        for node in level:
            if type(node) is dict:
                keys += len(node)
                node = node.values()  # noqa: PLW2901 - what there is to walk
            for child in node:
                kind = type(child)
                if kind is dict or kind is list:
                    below.append(child)
                elif kind is float and not -_WORD < child < _WORD:
                    rounded = True
        if depth > DEEPEST:
            raise ValidationError("the body is nested too deeply", told=Told("protocols.deep", {"most": DEEPEST}))
        depth += 1
        level = below
    return keys, rounded


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"more than {limit} bytes", told=Told("protocols.body_long", {"most": limit}))
