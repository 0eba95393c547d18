"""What an agent offers the network, by the names under which it is called there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from moothall.capability.entry import Entry
from moothall.capability.registry import Snapshot

Methods = Mapping[str, Entry]
"""Capabilities by ``NAME``; of versions other than the newest by ``NAME@VERSION``."""

_NONE: Final[Methods] = {}


def methods_by_agent(snapshot: Snapshot) -> Mapping[str, Methods]:
    """What each agent exposes on the network, sorted by name; agents that expose nothing are left out."""
    entries = snapshot.entries
    found: dict[str, dict[str, Entry]] = {}
    for key, entry in sorted(entries.items()):
        if "net" not in entry.spec.exposure or entry.state == "disabled":
            continue
        newest = entries.get(entry.id) is entry
        if newest and "@" in key:
            continue  # it stands under its name alone, too
        name = entry.spec.name if newest else f"{entry.spec.name}@{entry.spec.version}"
        found.setdefault(entry.agent, {})[name] = entry
    return found


def methods_of(agent: str, every: Mapping[str, Methods]) -> Methods:
    """What one agent exposes."""
    return every.get(agent, _NONE)
