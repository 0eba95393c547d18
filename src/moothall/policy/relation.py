"""What two parties are to each other, as far as policies ask. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from moothall.people.facts import LEAST_TRUST, Collaboration, PartyFacts
from moothall.policy.parties import Party
from moothall.policy.resources import Called
from moothall.policy.roles import closure
from moothall.policy.trust import Trusting


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """The pair of a caller and what it calls; see the schema's `Context` for what each fact means."""

    same_person: bool
    own: bool
    self: bool
    trust: int
    trusted: bool
    consented: bool
    blocked: bool
    teammate: bool
    collaboration: bool
    duties: frozenset[str]


def relation(
    party: Party,
    called: Called,
    action: str,
    collaborations: Iterable[Collaboration],
    inherits: Mapping[str, frozenset[str]],
    trust: Trusting,
) -> Relation:
    """How a party stands to what it calls; ``collaborations`` are those of its teams that hold now.

    Who did not prove who it is stands in no relation to anybody.
    """
    mine, theirs = party.facts, called.facts
    names = _names(mine) if party.verified else ()
    same_person = party.verified and mine.person != "" and mine.person == theirs.person
    itself = party.verified and mine.id == theirs.id
    return Relation(
        same_person=same_person,
        own=owns(party, called),
        self=itself,
        trust=trust.level(theirs, mine) if party.verified else LEAST_TRUST,
        trusted=any(name in theirs.trusted for name in names),
        consented=any(name in theirs.consented for name in names),
        blocked=any(name in theirs.blocked for name in names),
        teammate=party.verified and _inside(mine, theirs, action),
        collaboration=party.verified and any(_covers(one, mine, called, action) for one in collaborations),
        duties=_duties(mine, theirs, inherits) if party.verified else frozenset(),
    )


def owns(party: Party, called: Called) -> bool:
    """Whether both are of one person, or both the node's own."""
    mine, theirs = party.facts, called.facts
    same_person = party.verified and mine.person != "" and mine.person == theirs.person
    return same_person or (called.own and (party.acts or party.operator))


def _names(facts: PartyFacts) -> tuple[str, ...]:
    """What a person's list may call somebody, the more exact first."""
    return (facts.id, f"user:{facts.person}") if facts.person else (facts.id,)


def _inside(mine: PartyFacts, theirs: PartyFacts, action: str) -> bool:
    """Whether both are in a team whose members may do this to each other's agents (row TEA-03)."""
    return any(action in theirs.inside.get(team, ()) for team in mine.teams & theirs.teams)


def _covers(one: Collaboration, mine: PartyFacts, called: Called, action: str) -> bool:
    """Whether a collaboration opens a capability (rows TEA-04, TEA-05).

    Whoever rules the host agrees for its members, so it opens no more than its members offer to their team.
    """
    named = not one.capabilities or called.capability in one.capabilities
    fits = one.guest in mine.teams and one.host in called.facts.teams
    return bool(called.capability) and called.shown and named and fits and action in one.actions


def _duties(mine: PartyFacts, theirs: PartyFacts, inherits: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """A duty in one organisation is none in another."""
    common = theirs.organisations | theirs.above
    held = frozenset().union(*(duties for unit, duties in mine.duties_in.items() if unit in common))
    return closure(held, inherits)
