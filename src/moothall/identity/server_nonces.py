"""Nonces that this node gives out with a challenge; nothing is stored of them (row WIRE-NONCE-02). Pure."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from typing import Final

from moothall.errors import InvalidInput
from moothall.identity import base64url

LIFE: Final = 300
"""Seconds in which a nonce must come back."""

_MARK: Final = "mh-"
_RANDOM, _TIME, _SEAL = 12, 8, 16
_LENGTH: Final = len(_MARK) + (_RANDOM + _TIME + _SEAL) * 4 // 3


class ServerNonces:
    """Makes and recognises the nonces of this node by a secret; that each works once is for the store to say."""

    def __init__(self, secret: bytes) -> None:
        """Seal nonces with `secret`, which whoever is to recognise them must have too."""
        self._secret = secret

    def issue(self, now: int) -> str:
        """A new nonce, good until `LIFE` seconds after `now` (Unix)."""
        content = secrets.token_bytes(_RANDOM) + (now + LIFE).to_bytes(_TIME, "big")
        return _MARK + base64url.encode(content + self._seal(content))

    def expiry(self, nonce: str) -> int | None:
        """Until when a nonce counts (Unix seconds), which may be over; None for one that this node did not give out."""
        if len(nonce) != _LENGTH or not nonce.startswith(_MARK):
            return None
        try:
            whole = base64url.decode(nonce.removeprefix(_MARK))
        except InvalidInput:
            return None
        content, seal = whole[:-_SEAL], whole[-_SEAL:]
        return int.from_bytes(content[_RANDOM:], "big") if hmac.compare_digest(seal, self._seal(content)) else None

    def _seal(self, content: bytes) -> bytes:
        return hmac.digest(self._secret, content, sha256)[:_SEAL]
