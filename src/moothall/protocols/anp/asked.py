"""What the headers of a request to the call route ask for. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Final, Self

from moothall.errors import Told, UnsupportedMediaType, UsageError
from moothall.identity.request import HttpRequest
from moothall.protocols.approving import APPROVAL_HEADER, PURPOSE_HEADER, approval_of, purpose_of
from moothall.protocols.headers import repeated

EVENTS: Final = "text/event-stream"

_MEDIA: Final = frozenset({"application/json", "application/json-rpc", "application/jsonrequest"})
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_HOPS: Final = re.compile(r"[0-9]{1,4}")
_UTF8: Final = re.compile(r'charset="?utf-?8"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """The wishes.

    Attributes:
        events: whether progress and values are to come as they are made.
        timeout: seconds that the caller waits, if it says so.
        hops: what the call has passed through.
        idempotency_key: what makes a repetition harmless, if anything.
        approval: the approval that the call was given, if it says so.
        purpose: what the call is for, if it says so.
    """

    events: bool
    timeout: float | None
    hops: int
    idempotency_key: str | None
    approval: str = ""
    purpose: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """Read them.

        Raises:
            UnsupportedMediaType: the body is not declared as JSON.
            UsageError: a header does not have the required form.
        """
        if name := repeated(request.headers, dict(request.headers)):
            raise _bad(name)
        media, _, parameters = _one(request, "content-type").partition(";")
        if media.strip().lower() not in _MEDIA or ("charset" in parameters.lower() and not _UTF8.search(parameters)):
            raise UnsupportedMediaType("the body is not JSON", told=Told("anp.content_type"))
        accept = ",".join(request.values(b"accept"))
        hops, key = _one(request, "x-moothall-hops") or "0", _one(request, "idempotency-key")
        if not _HOPS.fullmatch(hops):
            raise _bad("X-Moothall-Hops")
        if key and not _KEY.fullmatch(key):
            raise _bad("Idempotency-Key")
        approval = _said(request, APPROVAL_HEADER, approval_of)
        purpose = _said(request, PURPOSE_HEADER, purpose_of)
        return cls(EVENTS in accept.lower(), _seconds(request), int(hops), key or None, approval, purpose)


def _seconds(request: HttpRequest) -> float | None:
    text = _one(request, "x-moothall-timeout")
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        raise _bad("X-Moothall-Timeout") from None
    if not isfinite(seconds) or seconds <= 0:
        raise _bad("X-Moothall-Timeout")
    return seconds


def _said(request: HttpRequest, name: str, read: Callable[[object], str | None]) -> str:
    text = _one(request, name.lower())
    known = read(text) if text else ""
    if known is None:
        raise _bad(name)
    return known


def _one(request: HttpRequest, name: str) -> str:
    return next(iter(request.values(name.encode())), "")


def of_one_call() -> UsageError:
    """The error for a batch that names an approval: each call has one of its own."""
    return _bad(APPROVAL_HEADER)


def _bad(name: str) -> UsageError:
    return UsageError("a header does not have the required form", told=Told("anp.header", {"name": name}, "anp.hint"))
