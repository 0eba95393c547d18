"""Headers that the doors read and write alike (RFC 9110). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from math import ceil
from typing import Final

from moothall.error_table import ERRORS
from moothall.errors import ApprovalPending, MoothallError
from moothall.messages import Lang

Headers = list[tuple[bytes, bytes]]
"""As ASGI has them: names in small letters, in the order received or sent."""

RETRY_SECONDS: Final = 2
"""What a client is told to wait when nothing more precise is known."""

APPROVAL_SECONDS: Final = 15
"""The same where people decide."""

NOT_KEPT: Final = (b"cache-control", b"no-store")
"""For what caches might keep: answers to GET, and errors."""

BY_READER: Final = (b"vary", b"Authorization, Signature, Signature-Input, X-Admin-Key")
"""For an answer that depends on who reads it: every header that says who that is."""

APPROVALS: Final = "/api/v1/approvals/"
"""Below it stands what is known of each approval."""

_SINGLE: Final = (
    b"content-type",
    b"idempotency-key",
    b"x-moothall-approval",
    b"x-moothall-hops",
    b"x-moothall-purpose",
    b"x-moothall-timeout",
)
_TAGS: Final = re.compile(rb'"[^"]*"')
_ANY: Final = b"*"
_LATER: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


def repeated(headers: Sequence[tuple[bytes, bytes]], last: Mapping[bytes, bytes]) -> str:
    """The first header that two readers could take for different values, because it stands there twice; else empty.

    ``last`` is ``dict(headers)``, which whoever asks has already.
    """
    if len(last) == len(headers):
        return ""
    names = [name for name, _ in headers]
    return next((name.decode() for name in _SINGLE if names.count(name) > 1), "")


def unchanged(headers: Sequence[tuple[bytes, bytes]], tag: bytes) -> bool:
    """Whether a reader's ``If-None-Match`` names what it would get, by the weak comparison (RFC 9110 §13.1.2)."""
    known = [value for name, value in headers if name == b"if-none-match"]
    if not known:
        return False
    opaque = tag.removeprefix(b"W/")
    return any(value.strip() == _ANY or opaque in _TAGS.findall(value) for value in known)


def date_in(text: str) -> datetime | None:
    """The time that a header tells; None where it is no date, which is no condition either (RFC 9110 §13.1.3)."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def latin(pairs: Sequence[tuple[str, str]]) -> Headers:
    """Headers as ASGI has them."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs]


def status_of(error: MoothallError) -> int:
    """The HTTP status of the code that the caller of a capability reads (row ENV-05)."""
    return ERRORS.get(error.envelope_code, error.appearance).http


def retry_after(error: MoothallError) -> int:
    """The whole seconds after which a client may come again."""
    usual = APPROVAL_SECONDS if isinstance(error, ApprovalPending) else RETRY_SECONDS
    wait = error.details.get("retry_after", usual)
    return max(1, ceil(wait) if isinstance(wait, int | float) else usual)


def failure_headers(error: MoothallError, lang: Lang) -> Headers:
    """What an error bears beside its body: its language, when to come again, which verbs there are."""
    headers: Headers = [(b"content-language", lang.encode())]
    if status_of(error) in _LATER:
        headers.append((b"retry-after", b"%d" % retry_after(error)))
    if isinstance(error, ApprovalPending):
        headers += pending_headers(error)
    allowed = error.details.get("allowed")
    if error.code == "METHOD_NOT_ALLOWED" and isinstance(allowed, list | tuple):
        headers.append((b"allow", ", ".join(map(str, allowed)).encode()))
    return headers


def pending_headers(error: ApprovalPending) -> Headers:
    """What the answer to a call bears that waits for an approval: when to come again, and where it is told how far."""
    place = _place_in(error)
    return [(b"retry-after", b"%d" % retry_after(error)), *([(b"location", place)] if place else [])]


def _place_in(error: ApprovalPending) -> bytes:
    """Where this node tells how far an approval is; empty for one of another node, which does not tell it here."""
    place = "" if error.details.get("remote") else error.details.get("location", "")
    return place.encode("ascii") if isinstance(place, str) and place.startswith(APPROVALS) and place.isascii() else b""
