"""JSON as bytes: one canonical form to hash and sign (RFC 8785), one fast form to store and send, one strict reader.

What strangers wrote is read strictly: what two readers could understand differently is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final

import orjson
import rfc8785

from moothall.errors import InvalidInput, Told, ValidationError

DEEPEST: Final = 64
"""Levels of lists and objects within each other, in JSON of strangers."""

MOST_VALUES: Final = 200_000
"""Values of such JSON, those within others included: a few bytes become many of memory."""

_OPTIONS: Final = orjson.OPT_STRICT_INTEGER | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_TOKENS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[,\[{]', re.DOTALL)
"""Strings, which may be cut off, and what every further value begins with."""

_STRINGS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_QUOTE: Final = ord('"')
_WORD: Final = float(2**63)
"""From here on the fast reader may have made a float of an integer."""


def canonical(value: Any) -> bytes:  # noqa: ANN401 - JSON of any shape
    """Return the only RFC 8785 form of a JSON value.

    Raises:
        InvalidInput: no JSON, NaN or infinite, a lone surrogate, or an integer beyond ±(2^53 - 1).
    """
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise InvalidInput("the value has no canonical JSON form", why=str(error)) from error


def digest(value: Any) -> str:  # noqa: ANN401 - JSON of any shape
    """Return ``sha-256:`` and the hash, in hexadecimal digits, of the canonical form of a JSON value.

    Raises:
        InvalidInput: as `canonical`.
    """
    return f"sha-256:{hashlib.sha256(canonical(value)).hexdigest()}"


def sha256(data: bytes) -> str:
    """Return ``sha256:`` and the hash of some bytes in hexadecimal digits, as protocols and generated files name it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def dumps(value: Any) -> bytes:  # noqa: ANN401 - JSON of any shape
    """Return compact UTF-8 JSON without escapes, keys in the order given; NaN and infinity become null.

    Times and data classes are refused: what they look like is the caller's decision (`clock.rfc3339`).

    Raises:
        TypeError: no JSON, a lone surrogate, or an integer beyond ±(2^53 - 1), which other readers would round.
    """
    return orjson.dumps(value, option=_OPTIONS)


def loads(data: bytes | str) -> Any:  # noqa: ANN401 - JSON of any shape
    """Read JSON.

    Raises:
        ValueError: `data` is not JSON or not UTF-8.
    """
    return orjson.loads(data)


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
