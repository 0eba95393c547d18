"""The names under which models see capabilities: every provider takes ``[a-zA-Z0-9_-]``, at most 64 of them. Pure."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from moothall.capability.entry import Entry
from moothall.capability.snapshot import Snapshot

LONGEST: Final = 64
_OTHER: Final = re.compile(r"[^a-zA-Z0-9_-]")
_DIGITS: Final = 8


class ToolNames:
    """The names of one snapshot's capabilities.

    Capabilities of the default agent have their own name, others ``AGENT_NAME``; where that is not possible, or another
    has it, an end made from the id tells them apart. A name depends on the node only, never on who asks.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        plain = {entry.id: _plain(entry, snapshot.default_agent) for entry in snapshot.newest}
        held = Counter(plain.values())
        own = {plain[entry.id]: entry.id for entry in snapshot.newest if entry.agent == snapshot.default_agent}
        self._snapshot = snapshot
        self._names = {
            key: name if _fits(name) and (held[name] == 1 or own.get(name) == key) else _ended(name, key)
            for key, name in plain.items()
        }
        self._entries: Mapping[str, Entry] = {self._names[entry.id]: entry for entry in snapshot.newest}

    def of(self, entry: Entry) -> str:
        """What models call a capability."""
        return self._names[entry.id]

    def find(self, name: str) -> Entry | None:
        """The capability of such a name, or of an id ``AGENT.NAME``; None where there is none."""
        return self._entries.get(name) or self._snapshot.entries.get(name)


def _plain(entry: Entry, default_agent: str) -> str:
    return entry.spec.name if entry.agent == default_agent else f"{entry.agent}_{entry.spec.name}"


def _fits(name: str) -> bool:
    return len(name) <= LONGEST and not _OTHER.search(name)


def _ended(name: str, key: str) -> str:
    digest = hashlib.sha256(key.encode()).hexdigest()[:_DIGITS]
    return f"{_OTHER.sub('_', name)[: LONGEST - _DIGITS - 1]}_{digest}"
