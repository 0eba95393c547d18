"""People, delegations and policies on a real store: one process of a node, as hosting puts them together."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from moothall.capability.entry import Entry
from moothall.grants.ports import Ground
from moothall.grants.service import Grants
from moothall.identity.agent import AgentIdentity
from moothall.identity.keys import Signer
from moothall.identity.principal import Principal
from moothall.policy.callers import OneStore
from moothall.policy.decision import AccessRequest, PermissionResult
from moothall.policy.engine import PolicyEngine
from moothall.policy.holdings import Holdings
from moothall.policy.named.multi_agent import MultiAgentPermissionManager
from moothall.policy.named.reader import usual
from moothall.policy.ports import FixedRules, Policies, Sources
from moothall.policy.store import FixedPolicies
from tests.people.house import NODE, House, agent


@dataclass
class City:
    house: House
    entries: dict[str, Entry] = field(default_factory=dict)
    hosted: dict[str, str] = field(default_factory=dict)
    grants: Grants = field(init=False)
    engine: PolicyEngine = field(init=False)

    @classmethod
    async def open(cls, url: str, data: Path, stack: AsyncExitStack, policies: Policies | None = None) -> City:
        """A process with these policies, the usual ones unless given."""
        city = cls(await House.open(url, data, stack))
        house, people = city.house, city.house.people.store
        ground = Ground(
            store=house.storage, revisions=house.revisions, clock=house.clock, audience=NODE, documents=house.world,
            signers=city.signer, held=city.held, recorder=house.records, on_change=city.grants_changed,
        )  # fmt: skip
        city.grants = Grants(ground)
        stack.push_async_callback(city.grants.aclose)
        sources = Sources(
            settings=FixedRules(), people=people, delegations=city.grants, callers=OneStore(people, city.grants),
            revisions=house.revisions, agents=lambda: city.hosted,
        )  # fmt: skip
        city.engine = PolicyEngine(policies or FixedPolicies.of(usual()), sources, clock=house.clock)
        people.on_change(city.engine.people_changed)
        return city

    def signer(self, did: str, /) -> Signer | None:
        return self.house.world.identities[did].signer if did in self.hosted.values() else None

    async def held(
        self, did: str, actions: frozenset[str], capabilities: frozenset[str] | None = None, /
    ) -> Mapping[str, frozenset[str]]:
        return await Holdings(self.engine, self.entries.values)(did, actions, capabilities)

    def grants_changed(self, holders: frozenset[str], revision: int, /) -> None:
        self.engine.grants_changed(holders, revision)

    def host(self, entry: Entry, identity: AgentIdentity) -> None:
        """Let an agent of this node offer a capability."""
        self.entries[entry.id] = entry
        self.hosted = {**self.hosted, entry.agent: identity.did.text}

    async def agent_of(self, person: str, role: str, **options: str) -> str:
        """A registered agent of a person, by its DID."""
        identity = self.house.world.made(f"{person}:{role}{len(self.house.world.identities)}")
        await self.house.register(person, identity, role, **options)
        return identity.did.text

    async def call(self, caller: str, entry: Entry, purpose: str = "") -> PermissionResult:
        """May this agent call this capability, by the way that every door takes?"""
        principal = agent(caller)
        subject = self.engine.known(principal) or await self.engine.subject(principal)
        return self.engine.decide(AccessRequest(subject, entry, "http", purpose))

    def manager(self, by: Principal) -> MultiAgentPermissionManager:
        people = self.house.people
        return MultiAgentPermissionManager(
            people.identities, engine=self.engine, profiles=people.profiles, grants=self.grants, by=by
        )


__all__ = ["City", "agent"]
