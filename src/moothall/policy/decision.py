"""A question to the policy, and its answer. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol, Self, get_args

from moothall.canonical import digest
from moothall.capability.entry import Entry
from moothall.capability.spec import Action
from moothall.grants.model import Chain
from moothall.identity.principal import Principal
from moothall.people.facts import Collaboration, PartyFacts

Effect = Literal["allow", "deny", "approve"]

ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
"""What can be done with a capability, as its option ``action`` says."""

NOBODY_ALLOWS: Final = "no_policy_matched"
"""Stands for the policy of a denial that none made: nothing allows the call."""
INSUFFICIENT: Final = "No sufficient authorization"
"""The reason of such a denial (row SEC-03)."""
FAILED: Final = "evaluation-failed"
"""Stands for the policy of a denial that was made because the policies could not be asked."""

_NONE: Final[frozenset[str]] = frozenset()
_NO_PARTIES: Final[Mapping[str, PartyFacts]] = MappingProxyType({})
_NO_GROUPS: Final[Mapping[str, frozenset[str]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PermissionResult:
    """The answer (row ENV-08).

    Attributes:
        effect: ``approve`` means: allowed once somebody has approved this very call.
        reason: for the audit record; a stranger is not told.
        policy: the name of the policy that decided; `NOBODY_ALLOWS` where none spoke.
        policies: all that decided, sorted.
        revision: of the policies: a digest of their texts.
        redact: fields that are taken out of the answer (rows POL-07, POL-13): names, or dotted paths from its top.
        on_behalf_of: the root of the delegation that gave the right; empty: the caller's own.
        grants: ids of that chain's links.
        lenders: all who lent the right in that chain, the root first.
        quota: calls that the caller may make of the capability in a day; 0: not limited (row POL-14).
        charged: the root of the delegation, where that one's calls are limited as well: what is made with its right
            counts as its own; empty: nobody's but the caller's.
        sensitive: whether the call must not happen unless it is on record first (row POL-08).
        workflow: the steps of the approval that it waits for, by their name; empty: the usual ones.
    """

    effect: Effect
    reason: str = ""
    policy: str = ""
    policies: tuple[str, ...] = ()
    revision: str = ""
    redact: frozenset[str] = _NONE
    on_behalf_of: str = ""
    grants: tuple[str, ...] = ()
    lenders: tuple[str, ...] = ()
    quota: int = 0
    charged: str = ""
    sensitive: bool = False
    workflow: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the call may go ahead now."""
        return self.effect == "allow"

    @classmethod
    def ALLOWED(cls, reason: str = "", policy: str = "") -> Self:  # noqa: N802 - named by the specification
        """An answer that lets the call go ahead."""
        return cls("allow", reason, policy)

    @classmethod
    def DENIED(cls, reason: str = "", policy: str = "") -> Self:  # noqa: N802 - named by the specification
        """An answer that stops it."""
        return cls("deny", reason, policy)

    def key(self, principal: str, action: str, resource: str) -> str:
        """The digest that is the same for one decision at whatever door it is made."""
        policies = list(self.policies or ((self.policy,) if self.policy else ()))
        return digest([principal, action, resource, policies, self.reason, self.revision])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Subject:
    """A caller with all that decisions about it need, as it was at one moment; nothing in it ever changes.

    Attributes:
        principal: who calls.
        facts: what the node knows of it.
        chains: delegations that end at it and fit; whether they give a right is decided for each call.
        parties: facts of everybody else who is part of a chain.
        party_groups: the groups of the same, of those that have any.
        collaborations: of its teams as guests.
        groups: ids of groups that it belongs to, and of those with a link that lets it in (port `Memberships`).
        made: what whoever made it keeps with it.
    """

    principal: Principal
    facts: PartyFacts
    chains: tuple[Chain, ...] = ()
    parties: Mapping[str, PartyFacts] = field(default_factory=lambda: _NO_PARTIES)
    party_groups: Mapping[str, frozenset[str]] = field(default_factory=lambda: _NO_GROUPS)
    collaborations: tuple[Collaboration, ...] = ()
    groups: frozenset[str] = _NONE
    made: Any = None


@dataclass(slots=True)
class AccessRequest:  # not frozen: one is made for every call, and a frozen one takes three times as long
    """May this caller call this capability, through this door?

    ``purpose`` is what the caller says the call is for (header ``X-Moothall-Purpose``); policies may ask for one.
    """

    subject: Subject
    entry: Entry
    door: str
    purpose: str = ""


class Memberships(Protocol):
    """Who belongs to which groups; the groups fill it."""

    async def groups(self, identity: str) -> frozenset[str]:
        """Ids of the groups of a DID or user, and of those whose links let it in: what a caller brings along."""
        ...

    async def own_of_each(self, identities: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """Ids of the own groups of each of these alone, nothing of who is in none: what agents open themselves to.

        Were those of its groups' links among them, two groups with links to a third would reach each other.
        """
        ...


class Authorizer(Protocol):
    """What decides."""

    def known(self, principal: Principal) -> Subject | None:
        """The caller as it is now, where that needs no look into the store; never an old state."""
        ...

    async def subject(self, principal: Principal) -> Subject:
        """The caller as it is now.

        Raises:
            StorageError: the store cannot say, so that nothing can be decided.
        """
        ...

    def decide(self, request: AccessRequest) -> PermissionResult:
        """Decide; anything that is not allowed is denied, and so is what cannot be decided."""
        ...
