"""The capabilities of a node: an immutable, versioned snapshot that every door reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from moothall.capability.entry import Entry


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The capabilities at one moment.

    Attributes:
        version: rises with every change.
        entries: the newest version of each by ``AGENT.NAME``, and every version by ``AGENT.NAME@VERSION``.
    """

    version: int = 0
    entries: Mapping[str, Entry] = field(default_factory=dict)
