"""Kept answers as nobody can read them in the database: they hold tokens, and words of people (AES-256-GCM)."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from moothall.canonical import dumps, loads
from moothall.errors import Conflict, Told
from moothall.events.mentions import mentions

SECRET: Final = 32
"""Bytes of the node's secret."""
_NONCE: Final = 12


class Seal:
    """Seals and opens text with a secret of the node; what it seals stands for one place only."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)

    def close(self, text: str, place: str) -> str:
        """JSON text, sealed; beside it stands, as digests, what it names: erasing a run deletes what names it."""
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), place.encode())
        return dumps({"sealed": b64encode(sealed).decode(), "mentions": mentions(loads(text))}).decode()

    def open(self, kept: str, place: str) -> str:
        """The text.

        Raises:
            Conflict: it was sealed with another secret, or for another place.
        """
        try:
            sealed = b64decode(loads(kept)["sealed"])
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode()).decode()
        except (InvalidTag, LookupError, TypeError, ValueError) as error:
            raise not_kept() from error


def not_kept() -> Conflict:
    """The answer where the call is known to be made, and its answer is not there."""
    return Conflict("the call was made before, but its answer was not kept", told=Told("calls.answer_not_kept"))
