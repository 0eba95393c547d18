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


def tool_names(snapshot: Snapshot) -> Mapping[str, Entry]:
    """The capabilities of a node by the names that models use.

    Capabilities of the default agent have their own name, others ``AGENT_NAME``, with ``_`` for every dot; where that
    is not possible, or another has it, an end made from the id tells them apart. A name depends on the node only, never
    on who asks.
    """
    plain = {entry.id: _plain(entry, snapshot.default_agent) for entry in snapshot.newest}
    held = Counter(plain.values())

    def name_of(entry: Entry) -> str:
        name = plain[entry.id]
        own = held[name] == 1 or (entry.agent == snapshot.default_agent and entry.spec.name == name)
        return name if own and _fits(name) else _ended(name, entry.id)

    return {name_of(entry): entry for entry in snapshot.newest}


class ToolNames:
    """The names of one snapshot's capabilities, in both directions."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._entries = tool_names(snapshot)
        self._names = {entry.id: name for name, entry in self._entries.items()}

    def of(self, entry: Entry) -> str:
        """What models call a capability."""
        return self._names[entry.id]

    def find(self, name: str) -> Entry | None:
        """The capability of such a name, or of an id ``AGENT.NAME``; None where there is none."""
        return self._entries.get(name) or self._snapshot.entries.get(name)


def _plain(entry: Entry, default_agent: str) -> str:
    name = entry.spec.name if entry.agent == default_agent else f"{entry.agent}_{entry.spec.name}"
    return name.replace(".", "_")


def _fits(name: str) -> bool:
    return len(name) <= LONGEST and not _OTHER.search(name)


def _ended(name: str, key: str) -> str:
    digest = hashlib.sha256(key.encode()).hexdigest()[:_DIGITS]
    return f"{_OTHER.sub('_', name)[: LONGEST - _DIGITS - 1]}_{digest}"
