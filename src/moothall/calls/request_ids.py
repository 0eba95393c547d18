"""Ids of calls: random UUIDs (version 4), made from blocks of the system's randomness since one is needed per call."""

from __future__ import annotations

import os
from typing import Final

_IDS: Final = 256
_BYTES: Final = 16
_VARIANT: Final = "89ab"
_pool: list[str] = []


def fresh() -> str:
    """A new random UUID, as text (RFC 9562 §5.4)."""
    try:
        return _pool.pop()
    except IndexError:
        _pool.extend(_block())
        return _pool.pop()


def _block() -> list[str]:
    digits = os.urandom(_IDS * _BYTES).hex()
    return [_uuid(digits[at : at + 2 * _BYTES]) for at in range(0, len(digits), 2 * _BYTES)]


def _uuid(digits: str) -> str:
    variant = _VARIANT[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


os.register_at_fork(after_in_child=_pool.clear)
