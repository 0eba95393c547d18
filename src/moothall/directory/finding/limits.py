"""What one look around may take. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MOST_PLACES: Final = 10_000
"""Places that a node remembers."""

MOST_OF_ONE: Final = 2_000
"""Listings of one document."""

LONGEST_URL: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one look around, from the place where it begins.

    Attributes:
        depth: links in a row that are followed.
        documents: that are asked for.
        bytes: of all of them; ``each``: of one.
        seconds: for all of it; ``waiting``: for one document.
        at_once: documents that are asked for at the same time.
    """

    depth: int = 3
    documents: int = 500
    bytes: int = 32 * 1024 * 1024
    each: int = 1024 * 1024
    seconds: float = 45.0
    waiting: float = 10.0
    at_once: int = 8
