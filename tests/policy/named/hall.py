"""A hall with two parties: who calls, what is called, and the policies that decide; no store, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moothall.capability.entry import Arguments, Entry
from moothall.capability.spec import Annotations, CapabilitySpec
from moothall.grants.model import Chain
from moothall.identity.principal import Kind, Principal
from moothall.people.facts import Collaboration, PartyFacts
from moothall.policy import builtin
from moothall.policy.decision import AccessRequest, PermissionResult, Subject
from moothall.policy.file import Rules
from moothall.policy.judgement import Judged, Judgement
from moothall.policy.named.reader import read
from moothall.policy.policies import PolicySet
from moothall.policy.resources import AUDIT_LOG, Called, called_agent, called_capability, called_log
from moothall.policy.sources import PolicyConfig
from moothall.policy.world import Provider, World

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday
READS = Annotations(read_only=True)
STRANGER = PartyFacts(id="did:wba:stranger.example:e1_s")


def party(name: str = "ann", **facts: Any) -> PartyFacts:
    """An agent; of a person where facts say so."""
    return PartyFacts(id=f"did:wba:{name}.example:e1_x", **facts)


def principal(facts: PartyFacts, *, owner: bool = False) -> Principal:
    kind: Kind = "user" if facts.id.startswith("user:") else "did"
    return Principal(id=facts.id, kind=kind, binding="request", owner=owner)


def entry(name: str = "bank.balance", **options: Any) -> Entry:
    """A capability ``AGENT.NAME``; its code is of no interest here."""
    agent, _, short = name.partition(".")
    spec = CapabilitySpec(name=short, **{"annotations": READS, **options})

    async def invoke(*_: Any) -> None:
        return None

    return Entry(
        spec=spec,
        agent=agent,
        input_schema={},
        bind=lambda _: Arguments(),
        invoke=invoke,
        iterate=lambda *_: iter(()),  # type: ignore[arg-type,return-value]
        wire=lambda _: {},
        encode=lambda value: value,
        decode=lambda value: value,
    )


def policies(config: PolicyConfig | str) -> PolicySet:
    """The built-in policies with these; a text is that of policy.toml."""
    made = read(config) if isinstance(config, str) else config
    return PolicySet.of(made, builtin.sources(), builtin.schema())


USUAL = policies("")


class Hall:
    """Decides about calls of one agent's capabilities.

    Args:
        config: of policies; a text is that of policy.toml.
        provider: the agent that is called.
        people: others that are known, such as parties of delegations.
    """

    def __init__(self, config: PolicyConfig | PolicySet | str, provider: PartyFacts, *people: PartyFacts) -> None:
        self.policies = config if isinstance(config, PolicySet) else policies(config)
        self.provider = provider
        self.people = {one.id: one for one in people}
        self.world = World(
            policies=self.policies,
            rules=Rules.of({}, ()),
            dids={"bank": provider.id},
            providers={"bank": Provider(facts=provider)},
            numbers=(0, 0, 0),
        )

    def call(
        self,
        caller: PartyFacts,
        called: Entry | None = None,
        *,
        now: datetime = NOW,
        purpose: str = "",
        by: Principal | None = None,
        chains: tuple[Chain, ...] = (),
        collaborations: tuple[Collaboration, ...] = (),
    ) -> PermissionResult:
        """May this caller call this capability?"""
        return self.judge(
            caller, called, now=now, purpose=purpose, by=by, chains=chains, collaborations=collaborations
        ).result

    def judge(
        self,
        caller: PartyFacts,
        called: Entry | None = None,
        *,
        now: datetime = NOW,
        purpose: str = "",
        by: Principal | None = None,
        chains: tuple[Chain, ...] = (),
        collaborations: tuple[Collaboration, ...] = (),
    ) -> Judged:
        """The same, with how long it holds."""
        called = called or entry()
        resource = called_capability(called, self.provider, frozenset(), self.policies.config.resources)
        subject = self._subject(by or principal(caller), caller, chains, collaborations)
        request = AccessRequest(subject, called, "http", purpose)
        judgement = Judgement(world=self.world, subject=subject, called=resource, action=called.spec.acts)
        return judgement.decide(now, now.timestamp(), purpose=purpose, request=request)

    def on_agent(self, caller: PartyFacts, action: str, *, by: Principal | None = None) -> PermissionResult:
        """May this caller do this to the agent, whatever capability of it?"""
        agent = called_agent(self.provider, hosted=True, inherits=self.policies.inherits)
        return self._on(agent, caller, action, by)

    def on_log(self, caller: PartyFacts, action: str) -> PermissionResult:
        """May this caller do this to the audit log?"""
        return self._on(called_log(AUDIT_LOG), caller, action, None)

    def _on(self, called: Called, caller: PartyFacts, action: str, by: Principal | None) -> PermissionResult:
        subject = self._subject(by or principal(caller), caller, (), ())
        judgement = Judgement(world=self.world, subject=subject, called=called, action=action)
        return judgement.decide(NOW, NOW.timestamp()).result

    def _subject(
        self,
        by: Principal,
        facts: PartyFacts,
        chains: tuple[Chain, ...],
        collaborations: tuple[Collaboration, ...],
    ) -> Subject:
        parties: Mapping[str, PartyFacts] = self.people
        return Subject(principal=by, facts=facts, chains=chains, parties=parties, collaborations=collaborations)
