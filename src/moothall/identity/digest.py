"""Content-Digest (RFC 9530): what binds a body to a signature over the headers. Pure."""

from __future__ import annotations

import hmac
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from hashlib import sha256, sha512
from types import MappingProxyType
from typing import Any, Final

from moothall.identity.structured import Malformed, parse_dictionary

_KNOWN: Final[Mapping[str, Callable[[bytes], Any]]] = MappingProxyType({"sha-256": sha256, "sha-512": sha512})


def content_digest(body: bytes) -> str:
    """The header's value for a body: SHA-256 alone, which is all that the peer reads."""
    return f"sha-256=:{b2a_base64(sha256(body).digest(), newline=False).decode('ascii')}:"


def digest_holds(field: str, body: bytes) -> bool:
    """Whether a received value fits the body.

    Every algorithm that is known must be right, and one at least must be known; the others say nothing.
    """
    if hmac.compare_digest(field.encode("latin-1", "replace"), content_digest(body).encode("ascii")):
        return True
    try:
        members = parse_dictionary(field)
    except Malformed:
        return False
    known = [name for name in members if name in _KNOWN]
    return bool(known) and all(_same(members[name].value, _KNOWN[name](body).digest()) for name in known)


def _same(given: object, expected: bytes) -> bool:
    return isinstance(given, bytes) and hmac.compare_digest(given, expected)
