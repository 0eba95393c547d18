"""What a caller is told whose proof was missing or did not hold (rows WIRE-CHAL-01 to 03). Pure.

Every 401 asks for the same signature and gives a fresh nonce to sign with; what it says is in the headers for those who
read headers, and in the body for the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from moothall.errors import MoothallError, PermissionDeniedError, Unauthenticated
from moothall.identity.refusal import FORBIDDEN_DID
from moothall.identity.server_nonces import ServerNonces

ACCEPT_SIGNATURE: Final = 'sig1=("@method" "@target-uri" "@authority" "content-digest");created;expires;nonce;keyid'
"""What a signature must cover and say, as a client reads it (RFC 9421 §5.1)."""

_UNQUOTABLE: Final = re.compile(r"[^ !#-\[\]-~]")


class Challenged(NamedTuple):
    """A challenge: the headers of the answer, and the same as JSON for the envelope's key ``challenge``."""

    headers: tuple[tuple[str, str], ...]
    mirror: Mapping[str, object]


class Challenger:
    """Makes the challenges of one node."""

    def __init__(self, realm: str, nonces: ServerNonces, now: Callable[[], float]) -> None:
        """Speak for `realm`, a host name; ask `now` for the time (Unix seconds)."""
        self._realm, self._nonces, self._now = _quotable(realm), nonces, now

    def of(self, error: MoothallError) -> Challenged | None:
        """The challenge that goes with an error; None for one that is not about who calls."""
        description = _quotable(error.message)
        if isinstance(error, Unauthenticated):
            nonce = self._nonces.issue(int(self._now()))
            mirror = {"code": 401, "error": error.reason, "error_description": description, "nonce": nonce}
            return Challenged((*self._headers(mirror), ("Accept-Signature", ACCEPT_SIGNATURE)), mirror)
        if isinstance(error, PermissionDeniedError) and error.reason == FORBIDDEN_DID:
            mirror = {"code": 403, "error": FORBIDDEN_DID, "error_description": description}
            return Challenged(self._headers(mirror), mirror)
        return None

    def _headers(self, mirror: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
        told = "".join(f', {name}="{value}"' for name, value in mirror.items() if name != "code")
        return ("WWW-Authenticate", f'DIDWba realm="{self._realm}"{told}'), ("Cache-Control", "no-store")


def _quotable(text: str) -> str:
    """`text` as a quoted string can hold it without escapes, which not everybody reads."""
    return _UNQUOTABLE.sub("?", text)
