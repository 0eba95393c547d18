"""One question to Cedar: may this party do this to that, as far as the policies say? Pure.

Whatever Cedar cannot evaluate is no permission: a policy that fails is left out by Cedar, so that a refusal could
vanish; therefore an answer with errors is never an allowance. The slice is read with the schema, without which the
groups of actions would be unknown and refusals over a group left out as well; so is the first request of its form.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final, Literal, Self

import cedarpy

from moothall.canonical import dumps
from moothall.clock import rfc3339
from moothall.identity.principal import Binding
from moothall.policy.entities import Entity
from moothall.policy.heads import NAMESPACE, Uid, action_uid
from moothall.policy.policies import PolicySet, Selection
from moothall.policy.relation import Relation
from moothall.policy.resources import Called

Step = Literal["direct", "root", "link"]

_LOOK: Final = frozenset({"read", "query"})
_OUTSIDE: Final = frozenset({"audit"})
"""Actions that are in no group."""


def action_groups(action: str) -> frozenset[Uid]:
    """The groups of an action, as the schema has them."""
    names = ([] if action in _OUTSIDE else ["any"]) + (["look"] if action in _LOOK else [])
    return frozenset(action_uid(name) for name in names)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Cedar said.

    Attributes:
        policies: ids of those that decided: the permits of an allowance, the forbids of a denial.
        errors: what could not be evaluated; then nothing is allowed.
    """

    allowed: bool
    policies: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def forbidden(self) -> bool:
        """Whether it was refused outright, and not only because nothing allows it."""
        return not self.allowed and bool(self.policies or self.errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What changes from call to call."""

    now: datetime
    purpose: str
    zone: tzinfo

    def written(self) -> dict[str, Any]:
        """As the schema's `Call`."""
        local = self.now.astimezone(self.zone)
        return {
            "now": {"__extn": {"fn": "datetime", "arg": rfc3339(self.now)}},
            "minute": local.hour * 60 + local.minute,
            "weekday": local.isoweekday(),
            "purpose": self.purpose,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A party before a resource, with the slice that holds both and the policies that may speak of them."""

    party: Entity
    action: str
    called: Called
    relation: Relation
    selection: Selection
    slice: cedarpy.Entities
    schema: cedarpy.Schema

    @classmethod
    def of(cls, policies: PolicySet, party: Entity, action: str, called: Called, relation: Relation) -> Self:
        """Prepare a question: the slice is parsed here, once.

        Raises:
            ValueError: the facts do not fit the schema.
        """
        acted = (action_uid(action), action_groups(action))
        return cls(
            party=party,
            action=action,
            called=called,
            relation=relation,
            selection=policies.selection((party.uid, party.inside), acted, (called.uid, called.inside)),
            slice=called.slice(party, policies.schema),
            schema=policies.schema,
        )

    @property
    def text(self) -> str:
        """The slice, for a digest of it."""
        return self.party.text + self.called.text

    def ask(
        self, step: Step, depth: int, binding: Binding, moment: Moment, *, approved: bool, opened: bool = False
    ) -> Verdict:
        """Ask Cedar; ``opened``: a delegation of the called agent's own side names the capability.

        Raises:
            ValueError: the question cannot be read.
        """
        relation = self.relation
        context: dict[str, Any] = {
            "binding": binding,
            "step": step,
            "depth": depth,
            "approved": approved,
            "granted": opened,
            "same_person": relation.same_person,
            "own": relation.own,
            "self": relation.self,
            "trust": relation.trust,
            "trusted": relation.trusted,
            "consented": relation.consented,
            "blocked": relation.blocked,
            "teammate": relation.teammate,
            "collaboration": relation.collaboration,
            "duties": sorted(relation.duties),
        }
        fits = self.action in self.called.fits
        if self.selection.volatile or not fits:
            context["call"] = moment.written()
        answer = cedarpy.is_authorized(
            {
                "principal": _named(self.party.uid),
                "action": {"type": f"{NAMESPACE}::Action", "id": self.action},
                "resource": _named(self.called.uid),
                "context": dumps(context).decode(),
            },
            self.selection.cedar,
            self.slice,
            None if fits else self.schema,
        )
        diagnostics = answer.diagnostics
        errors = tuple(str(error) for error in diagnostics.errors)
        if answer.decision is cedarpy.Decision.NoDecision and not errors:
            errors = ("no decision",)
        if not errors:
            self.called.fits.add(self.action)
        return Verdict(answer.allowed and not errors, tuple(sorted(diagnostics.reasons)), errors)


def _named(uid: Uid) -> dict[str, str]:
    return {"type": uid[0], "id": uid[1]}
