"""Callers, as policies see them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from moothall.identity.principal import EVERYTHING, Kind, Principal
from moothall.people.facts import PartyFacts
from moothall.people.roles import tier
from moothall.policy.entities import Entity, entity, refer, refer_all
from moothall.policy.roles import closure

_WHOLE: Final = tier("admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody who takes part in a call: the caller, or somebody whose right it uses.

    Attributes:
        acts: whether for the node's owner: its agents do, unless they are some person's.
        permissions: granted by name.
        groups: that it belongs to.
    """

    facts: PartyFacts
    kind: Kind
    verified: bool
    operator: bool
    acts: bool
    permissions: frozenset[str]
    suspended: bool
    groups: frozenset[str] = frozenset()


def caller(
    principal: Principal, facts: PartyFacts, granted: frozenset[str], groups: frozenset[str], *, suspended: bool
) -> Party:
    """The caller itself; who did not prove who it is has nothing but what its principal was given."""
    return Party(
        facts=facts,
        kind=principal.kind,
        verified=principal.verified,
        operator=principal.operator,
        acts=principal.verified and principal.owner and not principal.operator and not facts.person,
        permissions=_permissions(principal, granted),
        suspended=suspended,
        groups=groups,
    )


def _permissions(principal: Principal, granted: frozenset[str]) -> frozenset[str]:
    if principal.verified:
        return principal.permissions | granted
    return principal.permissions if principal.kind == "local" else frozenset()


def absent(
    facts: PartyFacts, granted: frozenset[str], groups: frozenset[str], *, hosted: bool, suspended: bool
) -> Party:
    """Somebody of a delegation, who signed it; ``hosted``: it is an agent of this node."""
    return Party(
        facts=facts,
        kind="did",
        verified=True,
        operator=False,
        acts=hosted and not facts.person,
        permissions=granted,
        suspended=suspended,
        groups=groups,
    )


def target(facts: PartyFacts, groups: frozenset[str] = frozenset(), *, suspended: bool = False) -> Party:
    """An agent that is called: nothing is known of its proofs, and nothing follows from them."""
    return Party(
        facts=facts,
        kind="did",
        verified=False,
        operator=False,
        acts=False,
        permissions=frozenset(),
        suspended=suspended,
        groups=groups,
    )


def party_entity(party: Party, inherits: Mapping[str, frozenset[str]]) -> Entity:
    """A party as an entity: inside its units and all above them, its duties and what they inherit, its groups."""
    facts = party.facts
    units = facts.teams | facts.departments | facts.organisations | facts.above
    parents = [("Unit", name) for name in sorted(units)]
    parents += [("Role", name) for name in sorted(closure(facts.duties, inherits))]
    parents += [("Group", name) for name in sorted(party.groups)]
    attributes = {
        "id": facts.id,
        "kind": party.kind,
        "verified": party.verified,
        "operator": party.operator,
        "acts": party.acts,
        **({"person": refer("Person", facts.person)} if facts.person else {}),
        "role": facts.role,
        "environment": facts.environment,
        "tier": _WHOLE if party.kind == "user" else tier(facts.role),
        "status": "suspended" if party.suspended else facts.status,
        "trust": facts.trust,
        "clearance": facts.clearance,
        "permissions": sorted(party.permissions - {EVERYTHING}),
        "everything": EVERYTHING in party.permissions,
        "teams": refer_all("Unit", facts.teams),
        "departments": refer_all("Unit", facts.departments),
        "organisations": refer_all("Unit", facts.organisations),
        "cross_agent_calls": facts.cross_agent_calls,
    }
    return entity("Agent", facts.id, attributes, parents)
