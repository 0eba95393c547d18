"""What decisions need to know of somebody: an immutable slice of what the store says. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

AgentStatus = Literal["active", "suspended", "revoked"]
UnitKind = Literal["organisation", "department", "team"]

LEAST_TRUST: Final = 1
USUAL_TRUST: Final = 5
MOST_TRUST: Final = 10

_NONE: Final[frozenset[str]] = frozenset()
_EMPTY: Final[Mapping[str, int]] = MappingProxyType({})
_NO_SETS: Final[Mapping[str, frozenset[str]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyFacts:
    """Somebody who calls, or whose capability is called.

    Attributes:
        id: a principal's id: a DID, ``user:NAME``, ``owner``, ….
        person: whose agent it is; of ``user:NAME`` that NAME; empty: nobody's that this node knows.
        role: among the agents of its person (``personal``, ``work``, ``admin``, …); empty where it has no person.
        environment: ``dev``, ``staging``, ``prod`` or another name; empty: none.
        status: only who is active may do anything.
        trust: 1 to 10, as this node sees it; who is registered nowhere has `LEAST_TRUST`.
        clearance: 0 public, 1 internal, 2 confidential, 3 restricted.
        duties: roles in its organisations, as they were given; what those inherit is for the policy.
        duties_in: the same for each organisation: a duty in one is none in another.
        teams: ids.
        departments: those it was put into, and the nearest one around each of its teams.
        organisations: those it was put into, and all around its departments and teams.
        above: every department and organisation around its teams and departments, however far up.
        inside: for each of `teams`, what its members may do to each other's agents (row TEA-03).
        blocked, consented, trusted: of the person, as ids of DIDs and users: who is refused, who may read what is
            personal, and how far it trusts others.
        cross_agent_calls: whether the person allows calls between its agents that no role allows (PRM-04).
    """

    id: str
    person: str = ""
    role: str = ""
    environment: str = ""
    status: AgentStatus = "active"
    trust: int = LEAST_TRUST
    clearance: int = 0
    duties: frozenset[str] = _NONE
    duties_in: Mapping[str, frozenset[str]] = field(default_factory=lambda: _NO_SETS)
    teams: frozenset[str] = _NONE
    departments: frozenset[str] = _NONE
    organisations: frozenset[str] = _NONE
    above: frozenset[str] = _NONE
    inside: Mapping[str, frozenset[str]] = field(default_factory=lambda: _NO_SETS)
    blocked: frozenset[str] = _NONE
    consented: frozenset[str] = _NONE
    trusted: Mapping[str, int] = field(default_factory=lambda: _EMPTY)
    cross_agent_calls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Collaboration:
    """What the members of team ``guest`` may do at the capabilities of team ``host``; both teams have agreed.

    Attributes:
        id: its id.
        actions: of the policy.
        capabilities: ids; only these of what the host's members offer to its own team. Empty: all of that.
        project: empty: an access that was granted for good.
        expires: Unix seconds; None: until one of the teams takes it back.
    """

    id: str
    host: str
    guest: str
    actions: frozenset[str]
    capabilities: frozenset[str] = _NONE
    project: str = ""
    expires: int | None = None
