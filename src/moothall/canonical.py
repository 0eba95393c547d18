"""JSON as bytes: one canonical form to hash and sign (RFC 8785), one fast form to store and send."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import orjson
import rfc8785

from moothall.errors import InvalidInput

_OPTIONS: Final = orjson.OPT_STRICT_INTEGER | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


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
