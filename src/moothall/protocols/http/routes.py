"""Which address is which capability: one table for each snapshot of the registry (rows DEC-46 and TPL-47). Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

from moothall.calls.target import Target
from moothall.capability.entry import Entry
from moothall.capability.snapshot import Snapshot
from moothall.errors import Gone, ServiceNotFoundError, Told, ValidationError

CAPABILITIES: Final = "/api/v1/capabilities"
"""The listing; every capability is below it."""

BELOW: Final = f"{CAPABILITIES}/"
CALL: Final = "POST"
"""The verb of an address below `BELOW`."""


@dataclass(frozen=True, slots=True)
class Found:
    """What an address names: where its calls go, and its entry where the address alone tells it."""

    target: Target
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Routes:
    """The addresses of one snapshot; what is not exposed to the network has none.

    Attributes:
        snapshot: what they are made of.
        names: what stands below `BELOW` with the agent's name.
        paths: the addresses that capabilities have of their own, and the verbs there; the registry sees to it that no
            two capabilities share one.
    """

    snapshot: Snapshot
    names: Mapping[str, Found] = field(default_factory=dict)
    paths: Mapping[str, Mapping[str, Found]] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        """The addresses of a snapshot."""
        names: dict[str, Found] = {}
        paths: dict[str, dict[str, Found]] = {}
        for name, entry in snapshot.entries.items():
            if "net" not in entry.spec.exposure:
                continue
            address, _, version = name.partition("@")
            names[name] = found = Found(Target("local", address, "", version), entry)
            if version and entry.spec.path:
                verbs = paths.setdefault(entry.spec.path, {})
                verbs.update((verb.upper(), found) for verb in entry.spec.methods)
        return cls(snapshot, names, paths)

    def without(self, paths: Container[str]) -> Self:
        """The same, where capabilities have none of these addresses of their own."""
        return replace(self, paths={path: verbs for path, verbs in self.paths.items() if path not in paths})

    def named(self, name: str) -> Found:
        """What stands at ``BELOW + name``; an unknown name is looked up again, and refused, by the call path.

        Raises:
            ServiceNotFoundError: nothing can have this name.
        """
        found = self.names.get(name)
        if found is not None:
            return found
        try:
            target = Target.parse(f"local:{name}")
        except ValidationError as error:
            raise ServiceNotFoundError("no such capability", told=Told("protocols.no_name")) from error
        try:
            entry = self.snapshot.resolve(target.address, target.version)
        except (ServiceNotFoundError, Gone):
            return Found(target)
        return Found(target, entry if "net" in entry.spec.exposure else None)
