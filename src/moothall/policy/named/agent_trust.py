"""How far callers must be trusted (row POL-12). Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from moothall.policy.named.cedar import NOT_OPERATOR, OWN, entity, policy
from moothall.policy.named.named_policy import Flag, Id, NamedPolicy, Pattern, Trust, Whole
from moothall.policy.sources import PolicyConfig, PolicySource, ResourceRule
from moothall.policy.trust import TrustNetwork

_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)
_REASON: Final = "the caller is not trusted enough"


def _named(person: str) -> str:
    """A person in the id of a policy, which has none but plain letters."""
    return person if _PLAIN.fullmatch(person) else hashlib.sha256(person.encode()).hexdigest()[:16]


def _subject(value: str) -> str:
    if not value.startswith(("did:", "user:")):
        message = "trust is in a DID, or in 'user:NAME'"
        raise ValueError(message)
    return value


Subject = Annotated[str, AfterValidator(_subject)]
"""Somebody who is trusted: a DID, or ``user:NAME``."""


class AgentTrustPolicy(NamedPolicy):
    """Who is trusted less than a capability asks for (``min_trust``) is refused, or has to be approved.

    How far a caller is trusted is what the person says whose agent is called, here or through the API, of this agent
    or of its person; where that said nothing, what this node says. What a caller says of itself counts for nothing.

    Example::

        [trust]
        threshold = 3
        below = "approve"
        transitive = true

        [trust.network.zhang_san]
        "user:li_si" = 8
        "did:wba:agents.example.com:shop" = 6

        [trust.capabilities]
        "bank.*" = 7

    Attributes:
        threshold: asked for at every capability that is not public, in addition to what each asks for; 0: nothing.
        below: what becomes of a call: ``deny``, or ``approve``, which waits for somebody's approval.
        transitive: whether trust passes on, from a person to those whom it trusts; without it only own words count.
        hops: links that trust may pass over; left out: three.
        network: how far each person trusts DIDs and ``user:NAME``, 1 to 10. Trust passes on by these words alone: of
            what persons said through the API only the words of the one who is called count.
        capabilities: by patterns of ids: the trust that these ask for, in addition to their own option.
        person: only this person's agents, and its own words about `transitive`; empty: everybody's.
    """

    threshold: Annotated[Whole, Field(ge=0, le=10)] = 0
    below: Literal["deny", "approve"] = "deny"
    transitive: Flag = False
    hops: Annotated[Whole, Field(ge=2, le=6)] | None = None
    network: Mapping[Id, Mapping[Subject, Trust]] = Field(default_factory=dict)
    capabilities: Mapping[Pattern, Trust] = Field(default_factory=dict)
    person: Id | Literal[""] = ""

    def config(self) -> PolicyConfig:
        """The forbids, and the network."""
        transitive = frozenset({self.person}) if self.transitive and self.person else self.transitive
        name = f"trust:{_named(self.person)}" if self.person else "trust"
        return PolicyConfig(
            sources=(PolicySource("personal", name, "\n".join(self._forbids(name))),),
            resources=tuple(
                ResourceRule(capabilities=ids, set={"min_trust": level}) for ids, level in self.capabilities.items()
            ),
            trust=TrustNetwork(links=self.network, transitive=transitive, hops=self.hops),
        )

    def _forbids(self, name: str) -> Iterator[str]:
        away = f"!({OWN}) && {NOT_OPERATOR}"
        if self.below == "approve":
            away += " && !context.approved"
        if self.person:
            away += f" && resource has person && resource.person == {entity('Person', self.person)}"
        needs = "approval" if self.below == "approve" else "trust"
        asked = f"(context.trust < resource.min_trust || !resource.public && context.trust < {self.threshold})"
        head = "principal, action, resource is Moothall::"
        yield policy(name, "forbid", f"{head}Capability", f"{asked} && {away}", reason=_REASON, needs=needs)
        if self.threshold:
            when = f"context.trust < {self.threshold} && {away}"
            yield policy(
                name.replace("trust", "trust-agent", 1), "forbid", f"{head}Agent", when, reason=_REASON, needs=needs
            )
