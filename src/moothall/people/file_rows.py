"""The rows that a file of people stands for, and what has to be written so that the store has just these. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from moothall.people.file import NAME, FileAgent, PeopleFile, broken

K = TypeVar("K")
Row = Mapping[str, Any]

ORIGIN: Final = "file"


@dataclass(frozen=True, slots=True)
class FileRows:
    """What the file states, by the keys of rows: people, agents, units, memberships (unit, member, role)."""

    people: Mapping[str, Row] = field(default_factory=dict)
    agents: Mapping[str, Row] = field(default_factory=dict)
    units: Mapping[str, Row] = field(default_factory=dict)
    memberships: Mapping[tuple[str, str, str], Row] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """What is new, what has other values, and what has gone."""

    new: Mapping[Any, Row]
    changed: Mapping[Any, Row]
    gone: tuple[Any, ...]

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone)


def rows_of(file: PeopleFile, did_of: Callable[[str], str | None], is_own: Callable[[str], bool]) -> FileRows:
    """The rows of a file; `did_of` and `is_own` know the agents of this node by name and DID.

    Raises:
        SettingsError: an agent is none of this node's, whose keys are the proof, or stands there twice.
    """
    agents: dict[str, Row] = {}
    for person in file.person:
        for agent in person.agent:
            did = _own(agent, did_of, is_own)
            if did in agents:
                raise broken(NAME, f"the agent {did} stands there twice")
            agents[did] = {
                "person": person.id,
                "role": agent.role,
                "environment": agent.environment or "",
                "clearance": agent.clearance,
            }
    return FileRows(
        people={person.id: person.model_dump(exclude={"id", "agent"}, exclude_unset=True) for person in file.person},
        agents=agents,
        units=dict(_units(file)),
        memberships={(unit.id, member, role): {} for unit in file.unit for member, role in unit.roles()},
    )


def difference(before: Mapping[K, Row], after: Mapping[K, Row]) -> Difference:
    """What has to happen to `before` so that it has what `after` states; the rest of a row is as it is."""
    return Difference(
        {key: row for key, row in after.items() if key not in before},
        {key: row for key, row in after.items() if key in before and row.items() - before[key].items()},
        tuple(key for key in before if key not in after),
    )


def _units(file: PeopleFile) -> Iterator[tuple[str, Row]]:
    for unit in file.unit:
        rules = {} if unit.rules is None else {"config": unit.rules.model_dump_json()}
        yield unit.id, {"kind": unit.kind, "parent": unit.parent, "name": unit.name, **rules}


def _own(agent: FileAgent, did_of: Callable[[str], str | None], is_own: Callable[[str], bool]) -> str:
    did = agent.did or did_of(agent.agent)
    if did is None or (agent.did and not is_own(did)):  # by its name: the node has its keys, also while it is away
        raise broken(NAME, f"{agent.did or agent.agent} is no agent of this node; others register with a proof")
    return did
