"""What tests of the policy engine stand on: capabilities without code, and a store of people in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from moothall.capability.entry import Entry
from moothall.capability.spec import Annotations, CapabilitySpec
from moothall.clock import Clock, SystemClock
from moothall.errors import StorageError
from moothall.grants.model import Chain, Grant
from moothall.identity.principal import Principal
from moothall.people.facts import Collaboration, PartyFacts
from moothall.policy.decision import AccessRequest, PermissionResult
from moothall.policy.engine import PolicyEngine
from moothall.policy.ports import FixedRules, Policies, Sources
from moothall.policy.resources import AUDIT_LOG
from moothall.policy.sources import PolicyConfig
from moothall.policy.store import FixedPolicies

READS = Annotations(read_only=True)


def entry(agent: str = "node", name: str = "f", **options: Any) -> Entry:
    """A capability that nobody calls."""

    def nothing(*_: object) -> Any:
        raise AssertionError("no test of the policy makes a call")

    spec = CapabilitySpec(**{"name": name, **options})
    return Entry(
        spec=spec,
        agent=agent,
        input_schema={},
        bind=nothing,
        invoke=nothing,
        iterate=nothing,
        wire=nothing,
        encode=nothing,
        decode=nothing,
    )


def did(name: str) -> Principal:
    """A caller that signed its request."""
    return Principal(id=f"did:wba:{name}.example:e1_{name}", kind="did", binding="request")


def asked(engine: PolicyEngine, principal: Principal, capability: Entry, door: str = "http") -> PermissionResult:
    """A decision that needs no store."""
    subject = engine.known(principal)
    assert subject is not None
    return engine.decide(AccessRequest(subject, capability, door))


class Wall(SystemClock):
    """A clock on the wall, which somebody sets forward and back."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class Town:
    """People, delegations, revisions and hosted agents, all in memory; also the port of each of them."""

    def __init__(self, *facts: PartyFacts) -> None:
        self.people = {one.id: one for one in facts}
        self.chains: dict[str, tuple[Chain, ...]] = {}
        self.agreed: tuple[Collaboration, ...] = ()
        self.in_groups: dict[str, frozenset[str]] = {}
        self.agents: Mapping[str, str] = {}
        self.numbers: dict[str, int] = {}
        self.alone = True
        self.locked = False
        self.reads = 0
        self.at = 1_800_000_000.0

    async def facts(self, ids: Iterable[str]) -> Mapping[str, PartyFacts]:
        self._open()
        return {name: self.people[name] for name in ids if name in self.people}

    async def collaborations(self, teams: Collection[str]) -> tuple[Collaboration, ...]:
        self._open()
        return tuple(one for one in self.agreed if one.guest in teams)

    async def chains_for(self, holder: str) -> tuple[Chain, ...]:
        self._open()
        return self.chains.get(holder, ())

    async def groups(self, identity: str) -> frozenset[str]:
        self._open()
        return self.in_groups.get(identity, frozenset())

    async def own_of_each(self, identities: Iterable[str]) -> Mapping[str, frozenset[str]]:
        return {identity: await self.groups(identity) for identity in identities}

    def now(self) -> float:
        return self.at

    @property
    def known(self) -> Mapping[str, int] | None:
        return self.numbers if self.alone else None

    async def current(self) -> Mapping[str, int]:
        self._open()
        return dict(self.numbers)

    def _open(self) -> None:
        if self.locked:
            raise StorageError("the store is locked")
        self.reads += 1

    def know(self, *facts: PartyFacts) -> int:
        """Change what is known of somebody; the new revision."""
        self.people |= {one.id: one for one in facts}
        return self.count("people")

    def count(self, name: str) -> int:
        self.numbers[name] = self.numbers.get(name, 0) + 1
        return self.numbers[name]

    def engine(
        self,
        config: PolicyConfig | None = None,
        *,
        policies: Policies | None = None,
        rules: FixedRules | None = None,
        clock: Clock | None = None,
        **given: Any,
    ) -> PolicyEngine:
        """An engine over this town."""
        sources = Sources(
            settings=rules or FixedRules(),
            people=self,
            delegations=self,
            memberships=self,
            revisions=self,  # type: ignore[arg-type]
            agents=lambda: self.agents,
        )
        books = {"node.audit.list": AUDIT_LOG}
        return PolicyEngine(policies or FixedPolicies.of(config), sources, books=books, clock=clock, **given)


async def decided(engine: PolicyEngine, principal: Principal, capability: Entry, purpose: str = "") -> PermissionResult:
    """A decision about a caller as it is now."""
    subject = engine.known(principal) or await engine.subject(principal)
    return engine.decide(AccessRequest(subject, capability, "http", purpose))


def chain(*parties: str, actions: set[str], capabilities: set[str], **given: Any) -> Chain:
    """A delegation along these parties, which holds for two hours around the town's time."""
    limits = {"not_before": 1_799_996_400, "expires": 1_800_003_600, "classification": 3, **given}
    links = tuple(
        Grant(
            id=f"{delegator}>{delegate}",
            delegator=delegator,
            delegate=delegate,
            audience="https://node.example",
            actions=frozenset(actions),
            capabilities=frozenset(capabilities),
            issued=limits["not_before"],
            not_before=limits["not_before"],
            expires=limits["expires"],
            classification=limits["classification"],
        )
        for delegator, delegate in pairwise(parties)
    )
    return Chain(
        links=links,
        actions=frozenset(actions),
        capabilities=frozenset(capabilities),
        parties=parties,
        **limits,
    )


def owned(principal: Principal) -> Principal:
    """The same as an agent of this node."""
    return replace(principal, owner=True)
