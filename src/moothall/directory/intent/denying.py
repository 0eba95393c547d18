"""What a request does not want, and whether it is consent: who denies, asks or sets a condition agrees to nothing."""

from __future__ import annotations

import re
from typing import Final

from moothall.directory.search.words import words

_CLAUSE: Final = re.compile(r"[，。；！？,;!?\n]+|\.(?:\s|$)|(?:但是?|而是|\bbut\b|\binstead\b)", re.IGNORECASE)
_DENIES: Final = re.compile(
    r"\s*(?:(?:请|你|您|千万|绝对?|永远|麻烦|先|暂时|可|也|再|都)+\s*)?"
    r"(?:不要|不用|不必|不许|不准|不能|不可以?|无需|无须|勿|切勿|请勿|别(?!的|人|处|名|称|号|墅|致|忘)|莫(?!斯))(?!忘|担心|紧)"
    r"|\s*(?:please\s+)?(?:do\s+not|don['’]?t|never|must\s+not|should\s+not|shouldn['’]?t)\b"
    r"(?!\s+(?:forget|worry|hesitate|miss|fail)\b)",
    re.IGNORECASE,
)
"""A clause that begins so forbids what it says."""
_TALK: Final = re.compile(
    r"[?？不别勿莫没未吗呢禁若]|是否|能否|可否|会否|要是|如果|假如|万一|除非|拒绝|停止|避免|防止"
    r"|n['’]t\b|\b(?:not|no|never|dont|without|avoid|prevent|stop|refuse|forbid\w*|rather|unless|if|whether|when"
    r"|should|would|could|may|might|can|why|how|what|does|is|are)\b",
    re.IGNORECASE,
)
"""Words with which one denies, asks or sets a condition. One too many costs a question, one too few an order."""


def wanted(text: str) -> str:
    """The clauses of a text that forbid nothing; empty where it does nothing else."""
    kept = [clause for clause in _CLAUSE.split(text) if not _DENIES.match(clause)]
    left = " . ".join(clause.strip() for clause in kept if clause.strip())
    return left if words(left) else ""


def outright(text: str, name: str) -> bool:
    """Whether a text that names a target says no more of it than that it be called: nothing is denied or asked."""
    return _TALK.search(text.replace(name, " ")) is None
