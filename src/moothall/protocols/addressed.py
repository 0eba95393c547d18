"""What a request is addressed to, as its first line says it (RFC 9112 §3.2): kept as received, refused when doubtful.

A signature covers the address byte for byte, so nothing here is put in order; what two readers could take for different
addresses is refused instead.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.types import Scope

from moothall.errors import InvalidInput, Told

TARGET: Final = "moothall.target"
"""Key of the ASGI scope: the request target as it was received; only our own server sets it."""

_ABSOLUTE: Final = re.compile(rb"(https?)://([^/?]*)(.*)", re.IGNORECASE | re.DOTALL)
_PORTS: Final = {b"http": b":80", b"https": b":443"}
_ANY: Final = b"*"
_HIDDEN: Final = re.compile(rb"%2f|%5c|\\", re.IGNORECASE)


def target_of(scope: Scope) -> bytes:
    """Path and query as received; put together again where the server does not tell them."""
    raw: bytes | None = scope.get(TARGET)
    if raw is None:
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope["query_string"]
        return path + b"?" + query if query else path
    if raw.startswith(b"/"):
        return raw
    absolute = _ABSOLUTE.fullmatch(raw)
    return absolute[3] if absolute else raw


def check_target(scope: Scope) -> None:
    """Let a target pass that means one thing, whatever its form.

    Raises:
        InvalidInput: it has a fragment, or names another host than ``Host`` does.
    """
    raw: bytes | None = scope.get(TARGET)
    if raw is None:
        return
    if b"#" in raw:
        raise InvalidInput("a fragment in the address", told=Told("protocols.address_fragment"))
    if raw.startswith(b"/") or raw == _ANY:
        return
    absolute = _ABSOLUTE.fullmatch(raw)
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if absolute is None or {_authority(absolute[2], absolute[1])} != {_authority(host, absolute[1]) for host in hosts}:
        raise InvalidInput("the address is of another host", told=Told("protocols.address_host"))


def check_path(scope: Scope) -> None:
    """Let a path pass whose segments are the same before and after its escapes are read.

    Raises:
        InvalidInput: a slash or backslash is hidden in it.
    """
    raw: bytes = scope.get("raw_path") or b""
    if _HIDDEN.search(raw):
        raise InvalidInput("a slash is hidden in the address", told=Told("protocols.address_slash"))


def _authority(text: bytes, scheme: bytes) -> bytes:
    """An authority in the one form of RFC 9110 §4.2.3: small letters, no default port."""
    return text.strip().lower().removesuffix(_PORTS[scheme.lower()])
