"""Which names a text that is kept unreadable contains, so that what names an erased run can be found. Pure."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

_WORD: Final = re.compile(r"[\w-]+")
_DIGITS: Final = 12


def mentions(value: Any) -> str:  # noqa: ANN401 - JSON of any shape
    """Digests of all words in the texts of a JSON value, its keys included; random words cannot be read from them."""
    found: set[str] = set()
    open_ = [value]
    while open_:
        item = open_.pop()
        if isinstance(item, str):
            found.update(map(_digest, _WORD.findall(item)))
        elif isinstance(item, dict):
            open_ += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            open_ += item
    return " ".join(sorted(found))


def marks(name: str) -> list[str]:
    """What `mentions` of a text that contains a name contains."""
    return [_digest(word) for word in _WORD.findall(name) or [name]]


def _digest(word: str) -> str:
    return hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
