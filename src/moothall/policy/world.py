"""What all decisions of one moment share: policies, the hosted agents, and what the operator's settings grant. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from zoneinfo import ZoneInfo

from moothall.people.facts import PartyFacts
from moothall.people.parties import user
from moothall.policy.file import Rules
from moothall.policy.policies import PolicySet

Numbers = tuple[int, int, int]
"""Revisions of people, grants and groups."""

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What is known of an agent of this node, and of the groups that it belongs to."""

    facts: PartyFacts
    groups: frozenset[str] = _NONE


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class World:
    """One state; a change makes another one, and whatever was derived from the old one counts no longer.

    Attributes:
        rules: of the settings: permissions by name, and who is suspended.
        dids: of the hosted agents, by their names.
        providers: the same agents; those that are missing have no facts.
        numbers: revisions of the store that the facts are of.
        hosted: the DIDs.
        zone: in which policies are told the time.
    """

    policies: PolicySet
    rules: Rules
    dids: Mapping[str, str]
    providers: Mapping[str, Provider]
    numbers: Numbers
    hosted: frozenset[str] = field(init=False)
    zone: tzinfo = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hosted", frozenset(self.dids.values()))
        object.__setattr__(self, "zone", ZoneInfo(self.policies.config.zone))

    def provider(self, agent: str) -> Provider:
        """The agent of a capability, by its name."""
        found = self.providers.get(agent)
        return Provider(facts=PartyFacts(id=self.dids.get(agent, agent))) if found is None else found

    def names(self, did: str) -> tuple[str, ...]:
        """What a hosted agent is called in the ids of its capabilities."""
        return tuple(name for name, known in self.dids.items() if known == did)

    def permissions(self, identity: str) -> frozenset[str]:
        """What the settings grant by name."""
        return self.rules.permissions.get(identity, _NONE)

    def suspended(self, identity: str, person: str = "") -> bool:
        """Whether the settings refuse somebody, or the person whose agent it is."""
        return identity in self.rules.suspended or (person != "" and user(person) in self.rules.suspended)
