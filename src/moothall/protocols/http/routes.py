"""Which address is which capability: one table for each snapshot of the registry (rows DEC-46 and TPL-47). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from moothall.calls.target import Target
from moothall.capability.entry import Entry
from moothall.capability.registry import Snapshot
from moothall.errors import Conflict, ServiceNotFoundError, Told, ValidationError
from moothall.telemetry import logger

CAPABILITIES: Final = "/api/v1/capabilities"
"""The listing; every capability is below it."""

BELOW: Final = f"{CAPABILITIES}/"
CALL: Final = "POST"
"""The verb of an address below `BELOW`."""

DEFAULT_AGENT: Final = "node"

_log = logger("http")


@dataclass(frozen=True, slots=True)
class Found:
    """What an address names: where its calls go, and its entry where the address alone tells it."""

    target: Target
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Routes:
    """The addresses of one snapshot.

    Attributes:
        version: of the snapshot.
        names: what may stand below `BELOW`, with and without the agent.
        paths: the addresses that capabilities have of their own, and the verbs there.
    """

    version: int = -1
    names: Mapping[str, Found] = field(default_factory=dict)
    paths: Mapping[str, Mapping[str, Found]] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot, *, strict: bool = True) -> Self:
        """The addresses of a snapshot; what is not exposed to the network has none.

        Raises:
            Conflict: two capabilities want one address and verb; unless ``strict``, the first keeps it.
        """
        newest = {name: entry for name, entry in snapshot.entries.items() if "@" not in name and _open(entry)}
        names: dict[str, Found] = {}
        for name, entry in snapshot.entries.items():
            if _open(entry):
                address, _, version = name.partition("@")
                names[name] = Found(Target("local", address, "", version), entry)
        for short, entry in _short(newest):
            names.setdefault(short, Found(Target("local", short), entry))
        paths: dict[str, dict[str, Found]] = {}
        for name, entry in newest.items():
            for verb in entry.spec.methods if entry.spec.path else ():
                verbs = paths.setdefault(entry.spec.path, {})
                if verb.upper() in verbs:
                    _clash(verb, entry.spec.path, strict=strict)
                else:
                    verbs[verb.upper()] = names[name]
        return cls(snapshot.version, names, paths)

    def named(self, name: str) -> Found:
        """What stands at ``BELOW + name``; an unknown name is looked up again, and refused, by the call path.

        Raises:
            ServiceNotFoundError: nothing can have this name.
        """
        found = self.names.get(name)
        if found is not None:
            return found
        try:
            return Found(Target.parse(f"local:{name}"))
        except ValidationError as error:
            raise ServiceNotFoundError("no such capability", told=Told("protocols.no_name")) from error


def _open(entry: Entry) -> bool:
    return "net" in entry.spec.exposure


def _short(newest: Mapping[str, Entry]) -> Iterator[tuple[str, Entry]]:
    """Names without their agent: of the default agent's, and of what only one agent has."""
    owners: dict[str, list[Entry]] = {}
    for entry in newest.values():
        owners.setdefault(entry.spec.name, []).append(entry)
    for name, entries in owners.items():
        own = [entry for entry in entries if entry.agent == DEFAULT_AGENT]
        if own or len(entries) == 1:
            yield name, (own or entries)[0]


def _clash(verb: str, path: str, *, strict: bool) -> None:
    if strict:
        raise Conflict(
            f"two capabilities answer {verb.upper()} {path}",
            told=Told("protocols.path_taken", {"verb": verb.upper(), "path": path}),
            hint="give one of them another path or other methods in @api_service",
        )
    _log.error("two capabilities answer %s %s; the first one keeps it", verb.upper(), path)
