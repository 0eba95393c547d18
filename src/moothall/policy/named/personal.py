"""The policies of one person (row POL-10). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, model_validator

from moothall.policy.named.agent_trust import AgentTrustPolicy, Subject
from moothall.policy.named.joining import joined
from moothall.policy.named.named_policy import Flag, Name, NamedPolicy, Pattern, Table, Trust, Whole
from moothall.policy.named.privacy import PersonalDataProtectionPolicy, PrivacyControlPolicy, PrivacySettings
from moothall.policy.named.usage import UsageLimitPolicy
from moothall.policy.sources import PolicyConfig
from moothall.policy.trust import TrustNetwork

_T = TypeVar("_T")


@dataclass(kw_only=True)
class PersonalAuthorizationConfig:
    """What a person sets up for its agents on this node. Patterns speak of these agents' capabilities only.

    Attributes:
        user_id: the person.
        personal_agents: names of its agents on this node.
        trust_network: whom it trusts, and how far; nobody else's words in it count.
        privacy_settings: what of its data is private; patterns of names without the agent (``notes.*``).
        threshold: trust that others need for anything that is not public; 0: none.
        below: what becomes of calls of others: ``deny``, or ``approve``.
        per_day: by patterns of names: how often one caller may call in a day.
    """

    user_id: str = field(kw_only=False)
    personal_agents: list[str] = field(default_factory=list)
    trust_network: TrustNetwork = field(default_factory=TrustNetwork)
    privacy_settings: PrivacySettings = field(default_factory=PrivacySettings)
    threshold: int = 0
    below: Literal["deny", "approve"] = "deny"
    per_day: Mapping[str, int] = field(default_factory=dict)

    def setup_personal_policies(self) -> tuple[NamedPolicy, ...]:
        """The four: protection of personal data, trust, privacy, limits of use."""
        settings, network = self.privacy_settings, self.trust_network
        own = network.links.get(self.user_id, {})
        transitive = network.transitive if isinstance(network.transitive, bool) else self.user_id in network.transitive
        return (
            PersonalDataProtectionPolicy(personal_data=tuple(self._at_own(dict.fromkeys(settings.personal_data)))),
            AgentTrustPolicy(
                person=self.user_id,
                threshold=self.threshold,
                below=self.below,
                network={self.user_id: own} if own else {},
                transitive=transitive,
                hops=network.hops,
            ),
            PrivacyControlPolicy(private=self._at_own(settings.private)),
            UsageLimitPolicy(per_day=self._at_own(self.per_day)),
        )

    def config(self) -> PolicyConfig:
        """All four for the engine."""
        return joined(policy.config() for policy in self.setup_personal_policies())

    def _at_own(self, patterns: Mapping[str, _T]) -> dict[str, _T]:
        """The same at each of the person's agents, by patterns of whole ids."""
        return {f"{agent}.{name}": value for agent in self.personal_agents for name, value in patterns.items()}


class PersonalTable(Table):
    """One person's table in ``policy.toml``.

    Example::

        [personal.zhang_san]
        agents = ["zhang", "zhang-work"]
        threshold = 3
        below = "approve"
        transitive = false

        [personal.zhang_san.trust]
        "user:li_si" = 8

        [personal.zhang_san.privacy]
        personal_data = ["diary.*"]

        [personal.zhang_san.privacy.private]
        "calendar" = ["place"]

        [personal.zhang_san.per_day]
        "*" = 200

    Attributes:
        agents: names of the person's agents on this node; patterns speak of their capabilities only, and may not stand
            there without them: they would protect nothing.
        trust: how far the person trusts DIDs and ``user:NAME``.
        transitive: whether its trust passes on.
    """

    agents: tuple[Name, ...] = ()
    threshold: Annotated[Whole, Field(ge=0, le=10)] = 0
    below: Literal["deny", "approve"] = "deny"
    transitive: Flag = False
    trust: Mapping[Subject, Trust] = Field(default_factory=dict)
    privacy: PrivacySettings = Field(default_factory=PrivacySettings)
    per_day: Mapping[Pattern, Annotated[Whole, Field(ge=1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whose(self) -> Self:
        if not self.agents and (self.per_day or self.privacy.personal_data or self.privacy.private):
            message = "`agents` names nobody, so that these patterns would protect nothing"
            raise ValueError(message)
        return self

    def of(self, person: str) -> PersonalAuthorizationConfig:
        """The same as the configuration of a person."""
        return PersonalAuthorizationConfig(
            person,
            personal_agents=list(self.agents),
            trust_network=TrustNetwork(links={person: self.trust}, transitive=self.transitive),
            privacy_settings=self.privacy,
            threshold=self.threshold,
            below=self.below,
            per_day=self.per_day,
        )
