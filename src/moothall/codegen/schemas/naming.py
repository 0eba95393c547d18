"""Names of members as words, so that ``userId``, ``user_id`` and ``User IDs`` are found to be the same. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[\u4e00-\u9fff]+|[^\W\d_A-Za-z\u4e00-\u9fff]+")
_LONGEST: Final = 200
_IES: Final = 4
_S: Final = 3

WRAPPERS: Final = frozenset(
    "data result results body payload response request output input value arguments params parameters content".split()
)
"""Members that only hold what matters: their name adds nothing to that of what they hold."""

STATUS: Final = frozenset("code status message error reason success detail details".split())
"""Members that say how a call went."""

Words = tuple[str, ...]


@lru_cache(maxsize=4096)
def words(name: str) -> Words:
    """The words of a name in small letters, in the singular."""
    return tuple(_singular(word.lower()) for word in _WORD.findall(name[:_LONGEST]))


def _singular(word: str) -> str:
    if len(word) > _IES and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > _IES and word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > _S and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def is_wrapper(name: str) -> bool:
    """Whether a member only holds what matters."""
    return name.lower() in WRAPPERS


def said(schema: object) -> tuple[Words, str]:
    """What a member is called in words: its title, and its description without regard to space and case."""
    if not isinstance(schema, dict):
        return (), ""
    found: dict[str, Any] = schema
    description = " ".join(str(found.get("description", ""))[:_LONGEST].casefold().split())
    return words(str(found.get("title", ""))), description
