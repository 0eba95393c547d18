"""The capabilities at one moment: immutable, shared by every door."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Final

from moothall.capability.entry import Entry
from moothall.capability.spec import JsonObject
from moothall.capability.versions import precedence
from moothall.errors import Gone, ServiceNotFoundError

DEFAULT_AGENT: Final = "node"


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """An agent of this node; its DID is empty until it has one."""

    name: str
    description: str = ""
    did: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The capabilities at one moment.

    Attributes:
        version: rises with every change.
        entries: the newest version of each by ``AGENT.NAME``, and every version by ``AGENT.NAME@VERSION``.
        agents: every agent by its name.
        default_agent: the one whose capabilities need no agent's name.
        newest: the newest version of each, by name.
    """

    version: int = 0
    entries: Mapping[str, Entry] = field(default_factory=dict)
    agents: Mapping[str, AgentRecord] = field(default_factory=dict)
    default_agent: str = DEFAULT_AGENT
    newest: tuple[Entry, ...] = ()
    _short: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls, entries: Iterable[Entry], agents: Mapping[str, AgentRecord], version: int, default_agent: str
    ) -> Snapshot:
        """The snapshot of these entries, every version of each given once."""
        table: dict[str, Entry] = {}
        for entry in sorted(entries, key=_order):
            table[entry.key] = entry
            table[entry.id] = entry  # the last one that can be called is the newest
        return cls(
            version,
            MappingProxyType(table),
            MappingProxyType(dict(agents)),
            default_agent,
            tuple(entry for key, entry in sorted(table.items()) if key == entry.id),
            MappingProxyType(_short_names(table, default_agent)),
        )

    def of_agent(self, name: str) -> tuple[Entry, ...]:
        """The newest version of each capability of one agent."""
        return tuple(entry for entry in self.newest if entry.agent == name)

    def find(self, name: str, version: str = "") -> Entry | None:
        """The capability of a local name, as `resolve` reads it, in whatever state; None where there is none."""
        full = name if name in self.entries else self._short.get(name, name)
        return self.entries.get(f"{full}@{version}" if version else full)

    def resolve(self, name: str, version: str = "") -> Entry:
        """The capability of a local name: ``AGENT.NAME``, one of the default agent, or one that a single agent has.

        Raises:
            ServiceNotFoundError: there is none.
            Gone: it is disabled.
        """
        entry = self.find(name, version)
        if entry is None:
            raise ServiceNotFoundError("there is no such capability")
        if entry.state == "disabled":
            raise Gone("the capability is out of service")
        return entry

    def similar(self, name: str, among: Iterable[Entry] | None = None, most: int = 3) -> tuple[Entry, ...]:
        """Capabilities whose names look like this one, of all or of those that a caller may see."""
        near = self.newest if among is None else tuple(among)
        by_name = {entry.spec.name: entry for entry in near} | {entry.id: entry for entry in near}
        found = difflib.get_close_matches(name, by_name, n=most * 2, cutoff=0.6)
        return tuple({by_name[item].id: by_name[item] for item in found}.values())[:most]


def describe(entry: Entry) -> JsonObject:
    """What a caller reads about a capability before calling it."""
    spec = entry.spec
    described: JsonObject = {
        "id": entry.id,
        "name": spec.name,
        "agent": entry.agent,
        "version": spec.version,
        "description": spec.description,
        "tags": list(spec.tags),
        "source": spec.source,
        "expose_to": sorted(spec.exposure),
        "access": "public" if spec.public else spec.access,
        "permissions": list(spec.permissions),
        "action": spec.acts,
        "approval": spec.approval,
        "streams": entry.streams,
        "deprecated": entry.state == "deprecated",
        "annotations": _annotations(entry),
        "input_schema": entry.input_schema,
    }
    if entry.output_schema is not None:
        described["output_schema"] = entry.output_schema
    if spec.provenance is not None:
        described["provenance"] = asdict(spec.provenance)
    return described


def _annotations(entry: Entry) -> dict[str, Any]:
    effects = entry.spec.annotations
    return {
        "read_only": effects.read_only,
        "destructive": effects.destructive,
        "idempotent": entry.spec.idempotent,
        "open_world": effects.open_world,
    }


def _order(entry: Entry) -> tuple[bool, Any]:
    return entry.state != "disabled", precedence(entry.spec.version)


def _short_names(table: Mapping[str, Entry], default_agent: str) -> dict[str, str]:
    holders: dict[str, set[str]] = {}
    for entry in table.values():
        holders.setdefault(entry.spec.name, set()).add(entry.agent)
    return {
        name: f"{default_agent if default_agent in agents else next(iter(agents))}.{name}"
        for name, agents in holders.items()
        if default_agent in agents or len(agents) == 1
    }
