"""Session ids that need no session: sealed, so that one of them is good for its principal and for nobody else.

They are what the handshake era gets where the node keeps no sessions: clients open the stream for what changes only if
they were given one, and tell with it which of their own requests they want to cancel.
"""

from __future__ import annotations

import hashlib
import hmac
from secrets import token_hex
from typing import Final

_NONCE: Final = 8
_TAG: Final = 32
_LABEL: Final = b"moothall/mcp/session\0"


class SessionIds:
    """Makes and recognises them."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, _LABEL, hashlib.sha256)

    def issue(self, principal: str) -> str:
        """A fresh one for a principal."""
        nonce = token_hex(_NONCE)
        return nonce + self._tag(nonce, principal)

    def holds(self, session: str, principal: str) -> bool:
        """Whether it was issued to this principal."""
        nonce, tag = session[: 2 * _NONCE], session[2 * _NONCE :]
        return hmac.compare_digest(tag.encode(), self._tag(nonce, principal).encode())

    def _tag(self, nonce: str, principal: str) -> str:
        text = f"{nonce}\0{principal}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()[:_TAG]
