"""What is prepared about one subject and one resource, and stays the same from decision to decision. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from moothall.grants.model import Chain
from moothall.identity.principal import Principal
from moothall.people.facts import Collaboration, PartyFacts
from moothall.policy.decision import Subject
from moothall.policy.evaluation import Question
from moothall.policy.order import considered
from moothall.policy.parties import Party, absent, caller, party_entity
from moothall.policy.relation import Relation, owns, relation
from moothall.policy.resources import Called
from moothall.policy.world import World

_NEVER: Final = (inf, -inf)


@dataclass(slots=True, kw_only=True)
class Case:
    """The parties of a call, the questions about them, and the delegations that cover it.

    Attributes:
        chains: those that are tried, in order.
        window: Unix seconds around the moment in which nothing of the subject begins or ends.
    """

    world: World
    subject: Subject
    called: Called
    action: str
    chains: Sequence[Chain] = ()
    window: tuple[float, float] = _NEVER
    _live: Sequence[Collaboration] = ()
    _questions: dict[tuple[str, bool], Question] = field(default_factory=dict)
    _parties: dict[str, Party] = field(default_factory=dict)

    def turn_to(self, at: float) -> None:
        """Take everything as it stands at a moment."""
        since, until = self.window
        if since <= at < until:
            return
        self._questions.clear()
        self._live = [one for one in self.subject.collaborations if one.expires is None or at < one.expires]
        self.chains = considered(self._covering(at), self.own)
        self.window = _window(self.subject, at)

    def question(self, name: str) -> Question:
        """The question whether a party may do this to what is called."""
        return self._question(name, self.called, log=False)

    def about_log(self, name: str, log: Called) -> Question:
        """The question whether it may do this to the log that the call reads."""
        return self._question(name, log, log=True)

    def _question(self, name: str, called: Called, *, log: bool) -> Question:
        found = self._questions.get((name, log))
        if found is None:
            policies, who = self.world.policies, self.party(name)
            found = self._questions[name, log] = Question.of(
                policies, party_entity(who, policies.inherits), self.action, called, self._relation(who, called)
            )
        return found

    @property
    def volatile(self) -> bool:
        """Whether a policy that may speak of anybody who was asked about reads what changes from call to call."""
        return any(question.selection.volatile for question in self._questions.values())

    @property
    def hears_approval(self) -> bool:
        """Whether one of them asks whether the call is approved."""
        return any(question.selection.hears_approval for question in self._questions.values())

    def party(self, name: str) -> Party:
        """The caller, or somebody of a delegation."""
        found = self._parties.get(name)
        if found is None:
            found = self._parties[name] = self._made(name)
        return found

    def own(self, name: str) -> bool:
        """Whether a party belongs to the side of what is called, or is it."""
        party = self.party(name)
        return owns(party, self.called) or (party.verified and name == self.called.facts.id)

    def standing_in(self, name: str) -> Subject:
        """Somebody of a delegation as if the call were its own: what policies in Python are asked with."""
        mine, party = self.subject.principal, self.party(name)
        if name == mine.id:
            return self.subject
        hosted = name in self.world.hosted
        principal = Principal(
            id=name, kind="did", binding=mine.binding, permissions=party.permissions, owner=hosted, key_bound=False
        )
        return Subject(principal=principal, facts=party.facts, groups=party.groups)

    def _made(self, name: str) -> Party:
        world, subject = self.world, self.subject
        granted_by_name, itself = world.permissions(name), name == subject.principal.id
        facts = subject.facts if itself else subject.parties.get(name) or PartyFacts(id=name)
        suspended = world.suspended(name, facts.person)
        if itself:
            return caller(subject.principal, facts, granted_by_name, subject.groups, suspended=suspended)
        groups = subject.party_groups.get(name, frozenset())
        return absent(facts, granted_by_name, groups, hosted=name in world.hosted, suspended=suspended)

    def _relation(self, party: Party, called: Called) -> Relation:
        live = self._live if party.facts.id == self.subject.facts.id else ()
        policies = self.world.policies
        return relation(party, called, self.action, live, policies.inherits, policies.config.trust)

    def _covering(self, at: float) -> list[Chain]:
        """Delegations that cover the call now; of an agent as a resource, those that open anything of it.

        The right to read a log cannot be passed on.
        """
        called, action = self.called, self.action
        if called.log is not None:
            return []
        if called.options is not None:
            level = called.options.classification
            return [one for one in self.subject.chains if one.covers(action, called.capability, level, at)]
        beginnings = tuple(f"{name}." for name in self.world.names(called.uid[1]))
        return [
            one
            for one in self.subject.chains
            if any(
                capability.startswith(beginnings) and one.covers(action, capability, 0, at)
                for capability in one.capabilities
            )
        ]


def _window(subject: Subject, at: float) -> tuple[float, float]:
    points = [float(point) for chain in subject.chains for point in (chain.not_before, chain.expires)]
    points += [float(one.expires) for one in subject.collaborations if one.expires is not None]
    return max((point for point in points if point <= at), default=-inf), min(
        (point for point in points if point > at), default=inf
    )
