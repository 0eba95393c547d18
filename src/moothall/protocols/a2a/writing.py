"""JSON as the bindings send it and the store keeps it. Pure."""

from __future__ import annotations

import json

from moothall.canonical import dumps


def written(value: object) -> bytes:
    """JSON; integers of any length stay exact, and halves of characters, which a client may send, are kept.

    Raises:
        TypeError, ValueError: the value is no JSON.
    """
    try:
        return dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()
