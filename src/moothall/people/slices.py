"""What the store says of a few parties, as facts: read in one snapshot, by indexed look-ups alone.

Five statements for any number of parties up to `_CHUNK`, however many people and units there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.people import stored
from moothall.people.facts import LEAST_TRUST, PartyFacts
from moothall.people.parties import person_named, user
from moothall.people.roles import environment_of
from moothall.people.units import DEPARTMENT, INVITED, MEMBER, ORGANISATION, OWNER, TEAM, upwards
from moothall.storage.authority import membership, person, person_agent, person_relation, unit
from moothall.storage.prepared import Prepared

_CHUNK: Final = 500

_AGENTS: Final = Prepared(
    lambda ids: sa.select(
        person_agent.c.did,
        person_agent.c.person,
        person_agent.c.role,
        person_agent.c.environment,
        person_agent.c.clearance,
        person_agent.c.status,
    ).where(person_agent.c.did.in_(ids))
)
_PEOPLE: Final = Prepared(
    lambda ids: sa.select(person.c.id, person.c.trust, person.c.policy).where(person.c.id.in_(ids))
)
_RELATIONS: Final = Prepared(
    lambda ids: sa.select(
        person_relation.c.person, person_relation.c.kind, person_relation.c.subject, person_relation.c.level
    ).where(person_relation.c.person.in_(ids))
)
_MEMBERSHIPS: Final = Prepared(
    lambda ids: (
        sa.select(membership.c.member, membership.c.role, unit.c.id, unit.c.kind, unit.c.parent, unit.c.config)
        .join(unit, unit.c.id == membership.c.unit)
        .where(membership.c.member.in_(ids), membership.c.role != INVITED)
    )
)


def _above(ids: Any) -> sa.Select[Any]:  # noqa: ANN401 - what stands after IN
    """The given units and all that contain them: found upwards, from parent to parent."""
    columns = (unit.c.id, unit.c.kind, unit.c.parent)
    start = sa.select(*columns).where(unit.c.id.in_(ids)).cte("up", recursive=True)
    up = start.union(sa.select(*columns).join(start, unit.c.id == start.c.parent))
    return sa.select(up.c.id, up.c.kind, up.c.parent)


ABOVE: Final = Prepared(_above)


@dataclass(slots=True)
class _Belonging:
    """Where one member belongs: its units by their kinds, what contains these, its teams' parents, and its rights."""

    units: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    duties: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    inside: dict[str, frozenset[str]] = field(default_factory=dict)
    parents: set[str] = field(default_factory=set)
    around: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Containing:
    """The units that contain others: what contains them in turn, and their kinds."""

    parents: Mapping[str, str | None]
    kinds: Mapping[str, str]

    def line(self, start: Iterable[str]) -> frozenset[str]:
        """These units and all above them."""
        return frozenset(at for at in upwards(self.parents, start) if at in self.kinds)

    def department(self, start: str) -> str:
        """The first department on the way up; empty: there is none."""
        return next((at for at in upwards(self.parents, [start]) if self.kinds.get(at) == DEPARTMENT), "")


def facts(connection: Connection, ids: Iterable[str]) -> Mapping[str, PartyFacts]:
    """The facts of every one of `ids`; of those that nobody has registered, what their names say."""
    found: dict[str, PartyFacts] = {}
    remaining = iter(dict.fromkeys(ids))
    while chunk := tuple(islice(remaining, _CHUNK)):
        found |= _chunk(connection, chunk)
    return found


def _chunk(connection: Connection, ids: Sequence[str]) -> dict[str, PartyFacts]:
    agents = {row.did: row for row in _AGENTS.rows(connection, [id_ for id_ in ids if id_.startswith("did:")])}
    names = {id_: str(agents[id_].person) if id_ in agents else person_named(id_) for id_ in ids}
    named = sorted({name for name in names.values() if name})
    people = {row.id: row for row in _PEOPLE.rows(connection, named)}
    relations: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in _RELATIONS.rows(connection, named):
        relations[row.person][row.kind][row.subject] = stored.trust_level(row.level)
    belonging = _belonging(connection, {*ids, *map(user, named)})
    containing = _containing(connection, belonging)
    made: dict[str, PartyFacts] = {}
    for id_, name in names.items():
        own = [belonging[key] for key in ((id_, user(name)) if name else (id_,)) if key in belonging]
        made[id_] = PartyFacts(
            id=id_,
            person=name,
            **_agent(id_, agents.get(id_)) | _of_person(people.get(name), relations.get(name, {})),
            **_in_units(own, containing),
        )
    return made


def _agent(id_: str, row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of `_AGENTS`, or None
    if row is None or not stored.sound_agent(row):
        return {"environment": environment_of(id_), "status": "active" if row is None else "suspended"}
    return {
        "role": row.role,
        "environment": row.environment or environment_of(id_),
        "clearance": row.clearance,
        "status": row.status,
    }


def _of_person(row: Any, relations: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:  # noqa: ANN401 - as `_agent`
    policy = None if row is None else stored.person_policy(row)
    return {
        **({"status": "suspended"} if row is not None and policy is None else {}),
        "trust": LEAST_TRUST if policy is None else row.trust,
        "cross_agent_calls": policy is not None and policy.allow_cross_agent_calls,
        **(_lists(relations) if relations else {}),
    }


def _lists(relations: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    return {
        "blocked": frozenset(relations.get("block", ())),
        "consented": frozenset(relations.get("consent", ())),
        "trusted": MappingProxyType(dict(relations.get("trust", {}))),
    }


def _belonging(connection: Connection, members: Iterable[str]) -> Mapping[str, _Belonging]:
    found: dict[str, _Belonging] = defaultdict(_Belonging)
    for row in _MEMBERSHIPS.rows(connection, sorted(members)):
        belongs = found[row.member]
        belongs.units[row.kind].add(row.id)
        if row.parent:
            belongs.parents.add(row.parent)
        if row.kind == TEAM:
            belongs.around |= {row.parent} if row.parent else set()
            belongs.inside[row.id] = stored.team_rules(row.id, row.config).internal.actions
        elif row.kind == ORGANISATION and row.role not in {OWNER, MEMBER}:
            belongs.duties[row.id].add(row.role)
    return found


def _containing(connection: Connection, belonging: Mapping[str, _Belonging]) -> _Containing:
    start = sorted({parent for belongs in belonging.values() for parent in belongs.parents})
    rows = ABOVE.rows(connection, start)
    return _Containing({row.id: row.parent for row in rows}, {row.id: row.kind for row in rows})


def _in_units(own: Sequence[_Belonging], containing: _Containing) -> dict[str, Any]:
    if not own:
        return {}
    units, duties = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for belongs in own:
        for kind, ids in belongs.units.items():
            units[kind] |= ids
        for organisation, given in belongs.duties.items():
            duties[organisation] |= given
    above = containing.line(parent for belongs in own for parent in belongs.parents)
    nearest = {containing.department(parent) for belongs in own for parent in belongs.around}
    return {
        "teams": frozenset(units[TEAM]),
        "departments": frozenset(units[DEPARTMENT] | nearest - {""}),
        "organisations": frozenset(units[ORGANISATION]) | {at for at in above if containing.kinds[at] == ORGANISATION},
        "above": above,
        "duties": frozenset().union(*duties.values()),
        "duties_in": MappingProxyType({organisation: frozenset(given) for organisation, given in duties.items()}),
        "inside": MappingProxyType({team: actions for belongs in own for team, actions in belongs.inside.items()}),
    }
