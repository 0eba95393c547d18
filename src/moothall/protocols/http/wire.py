"""How a call looks over HTTP: the envelopes of rows ENV-01 to ENV-05, as bytes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from moothall.calls.reply import Metadata, Progress, Reply
from moothall.canonical import dumps
from moothall.errors import MoothallError
from moothall.messages import Lang, explain, text
from moothall.protocols.headers import Headers, status_of

_JSON: Final = (b"content-type", b"application/json")

_NOT_DETAILED: Final = frozenset({"INTERNAL_ERROR", "RATE_LIMITED", "UNAVAILABLE", "METHOD_NOT_ALLOWED"})
"""Codes whose details are told by a header, or by nobody."""


def success(reply: Reply[Any], request_id: str, metadata: Metadata | None = None) -> bytes:
    """The envelope of a value; ``metadata`` only where the capability wants it shown.

    Raises:
        TypeError: the value is no JSON.
    """
    envelope = {
        "success": True,
        "data": reply.data,
        "request_id": request_id,
        "timestamp": reply.timestamp.isoformat(timespec="milliseconds"),
    }
    if metadata is not None:
        envelope["metadata"] = {
            "processing_time": metadata.processing_time,
            "api_version": metadata.api_version,
            "rate_limit_remaining": metadata.rate_limit_remaining,
            **({"degraded": True} if metadata.degraded else {}),
            **({"chosen": metadata.chosen} if metadata.chosen else {}),
        }
    return dumps(envelope)


def failure(
    error: MoothallError, request_id: str, when: datetime, lang: Lang, challenge: Mapping[str, object] | None = None
) -> bytes:
    """The envelope of an error, in the language of its reader; ``challenge`` where it is one of authentication."""
    code = error.envelope_code
    told = explain(error, lang)
    row: dict[str, Any] = {
        "code": code,
        "message": text("protocols.error", lang, message=told.message, why=told.why, hint=told.hint),
        "type": type(error).__name__,
    }
    if error.details and code not in _NOT_DETAILED:
        row["details"] = error.details
    envelope = {
        "success": False,
        "error": row,
        "request_id": request_id,
        "timestamp": when.isoformat(timespec="milliseconds"),
        "status_code": status_of(error),
    }
    if challenge is not None:
        envelope["challenge"] = dict(challenge)
    return dumps(envelope)


def body_headers(body: bytes) -> Headers:
    """What says of a body what it is."""
    return [_JSON, (b"content-length", b"%d" % len(body))]


def item_frame(value: object) -> bytes:
    """One value of a stream as a server-sent event.

    Raises:
        TypeError: the value is no JSON.
    """
    return b"event: item\ndata: " + dumps(value) + b"\n\n"


def progress_frame(progress: Progress) -> bytes:
    """How far the work is, as a server-sent event."""
    row = {"done": progress.done, "total": progress.total, "message": progress.message}
    return b"event: progress\ndata: " + dumps(row) + b"\n\n"


def end_frame(envelope: bytes) -> bytes:
    """The last server-sent event of a call: its envelope."""
    return b"event: end\ndata: " + envelope + b"\n\n"


ALIVE: Final = b":\n\n"
"""A sign of life for whoever reads a stream that has nothing to say."""
