"""Base58 with Bitcoin's alphabet, as Multikey and proofs write bytes. Pure."""

from __future__ import annotations

from typing import Final

from moothall.errors import InvalidInput, Told

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {char: value for value, char in enumerate(_ALPHABET)}
_LONGEST: Final = 256
"""Characters; reading takes quadratic time, and no key or signature is longer."""


def encode(data: bytes) -> str:
    """Write bytes; every leading zero byte becomes a ``1``."""
    number, chars = int.from_bytes(data, "big"), []
    while number:
        number, value = divmod(number, 58)
        chars.append(_ALPHABET[value])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(chars))


def decode(text: str) -> bytes:
    """Read bytes.

    Raises:
        InvalidInput: a character that is not of the alphabet, or more than 256 of them.
    """
    if len(text) > _LONGEST:
        raise InvalidInput("not base58", told=Told("identity.base58"))
    number = 0
    for char in text:
        value = _VALUES.get(char, -1)
        if value < 0:
            raise InvalidInput("not base58", told=Told("identity.base58"))
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
