"""Semantic versions (semver.org 2.0.0): which text is one, and which of two is newer. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_NUMBER: Final = r"(?:0|[1-9]\d*)"
_IDENTIFIER: Final = rf"(?:{_NUMBER}|\d*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER: Final = re.compile(
    rf"(?P<core>{_NUMBER}\.{_NUMBER}\.{_NUMBER})"
    rf"(?:-(?P<pre>{_IDENTIFIER}(?:\.{_IDENTIFIER})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)

Precedence = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]


def is_version(text: str) -> bool:
    """Whether it is a semantic version."""
    return _SEMVER.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def precedence(text: str) -> Precedence:
    """What to sort versions by: a pre-release stands below its release, build metadata does not count.

    Raises:
        ValueError: it is no semantic version.
    """
    match = _SEMVER.fullmatch(text)
    if match is None:
        raise ValueError("not a semantic version")
    core = tuple(int(part) for part in match["core"].split("."))
    parts = match["pre"].split(".") if match["pre"] else []
    pre = tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts)
    return core, not pre, pre
