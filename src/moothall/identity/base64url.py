"""Base64 with the URL's alphabet and without padding (RFC 7515 §2), read strictly. Pure."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from typing import Final

from moothall.errors import InvalidInput, Told

_URL: Final = bytes.maketrans(b"+/", b"-_")
_CHARACTERS: Final = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


def encode(data: bytes) -> str:
    """Write bytes."""
    return b2a_base64(data, newline=False).rstrip(b"=").translate(_URL).decode("ascii")


def decode(text: str) -> bytes:
    """Read bytes; there is one way only to write them, so that no second text stands for the same ones.

    Raises:
        InvalidInput: padding, a foreign character, a length that cannot be, or bits left over at the end.
    """
    if _CHARACTERS.fullmatch(text) and len(text) % 4 != 1:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if encode(data) == text:
            return data
    raise InvalidInput("not base64url without padding", told=Told("identity.base64url"))
