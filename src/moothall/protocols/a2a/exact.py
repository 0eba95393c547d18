"""Answers as bytes, integers of any length exact. Pure."""

from __future__ import annotations

import json

from moothall.canonical import dumps


def written(value: object) -> bytes:
    """JSON in UTF-8.

    Raises:
        TypeError: the value is no JSON.
    """
    try:
        return dumps(value)
    except TypeError:  # an integer beyond 2^53, which a client sent and gets back in its own message
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
