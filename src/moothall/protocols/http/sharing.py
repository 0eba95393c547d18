"""Which pages of other origins may use a capability (row TPL-43). Pure.

Off unless the capability says ``enable_cors``, and then for listed origins only; there are no cookies, so credentials
are never allowed and ``*`` is never an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from moothall.capability.entry import Entry
from moothall.protocols.headers import Headers

_VARY: Final = (b"vary", b"Origin")
_ALLOWED: Final = [
    (b"access-control-allow-methods", b"GET, POST, PUT, DELETE, OPTIONS"),
    (b"access-control-allow-headers", b"Content-Type, Authorization"),
]
_EXPOSED: Final = (
    b"access-control-expose-headers",
    b"Authentication-Info, Content-Language, Location, Retry-After, WWW-Authenticate, X-API-Version, X-Request-ID",
)
_MAX_AGE: Final = (b"access-control-max-age", b"600")


def shared(entry: Entry | None, origins: frozenset[str], headers: Mapping[bytes, bytes]) -> Headers:
    """What an answer bears for the page that asked; nothing where the capability is not shared."""
    if entry is None or not entry.spec.enable_cors:
        return []
    origin = headers.get(b"origin")
    if origin is None or origin.decode("latin-1").lower() not in origins:
        return [_VARY]
    return [_VARY, (b"access-control-allow-origin", origin), *_ALLOWED, _EXPOSED]


def remembered() -> tuple[bytes, bytes]:
    """How long a browser may remember a pre-flight."""
    return _MAX_AGE
