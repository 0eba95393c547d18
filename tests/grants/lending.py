"""Nodes with delegations on one database: agents of this node, agents elsewhere, and what each may do now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from moothall.audit.record import AuditRecord
from moothall.errors import Unavailable, UpstreamError
from moothall.grants.giving import Terms
from moothall.grants.model import Grant
from moothall.grants.ports import Ground
from moothall.grants.service import Grants
from moothall.grants.signing import sign
from moothall.grants.views import Delegation
from moothall.identity.agent import AgentIdentity, new_identity
from moothall.identity.document import DidDocument
from moothall.identity.keys import Algorithm, Signer
from moothall.identity.principal import OWNER_BY_TOKEN, Principal
from moothall.storage.revisions import Revisions
from moothall.storage.store import Store
from tests.support.clock import ManualClock

URL = "https://hall.example"
OPERATOR = OWNER_BY_TOKEN
DAY = 86_400


def identity(name: str, domain: str = "hall.example", algorithm: Algorithm = "Ed25519") -> AgentIdentity:
    created = ManualClock().now()
    return new_identity(name, domain, ("agents", name), created=created, algorithm=algorithm).identity


def proved(who: AgentIdentity | str, **other: Any) -> Principal:
    did = who if isinstance(who, str) else who.did.text
    return replace(Principal(id=did, kind="did", binding="request"), **other)


@dataclass
class World:
    """Everything outside the delegations."""

    here: dict[str, AgentIdentity] = field(default_factory=dict)
    elsewhere: dict[str, AgentIdentity] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    rights: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)
    resolved: list[str] = field(default_factory=list)
    asked: list[frozenset[str] | None] = field(default_factory=list)

    def agent(self, name: str, **rights: str) -> AgentIdentity:
        """An agent of this node that may do this: ``read="hall.a hall.b"``."""
        return self._with(self.here, identity(name), rights)

    def far(self, name: str, algorithm: Algorithm = "Ed25519", **rights: str) -> AgentIdentity:
        """An agent of another node."""
        return self._with(self.elsewhere, identity(name, "far.example", algorithm), rights)

    def _with(self, where: dict[str, AgentIdentity], who: AgentIdentity, rights: Mapping[str, str]) -> AgentIdentity:
        where[who.did.text] = who
        self.may(who, **rights)
        return who

    def may(self, who: AgentIdentity, **rights: str) -> None:
        self.rights[who.did.text] = {action: frozenset(ids.split()) for action, ids in rights.items()}

    async def resolve(self, did: str, /, *, refresh: bool = False) -> DidDocument:
        self.resolved.append(did)
        found = self.here.get(did) or self.elsewhere.get(did)
        if found is None or did in self.silent:
            raise UpstreamError("its host does not answer")
        return found.document

    def signer(self, did: str, /) -> Signer | None:
        found = self.here.get(did)
        return found.signer if found else None

    async def held(
        self, did: str, actions: frozenset[str], capabilities: frozenset[str] | None = None, /
    ) -> Mapping[str, frozenset[str]]:
        await asyncio.sleep(0)
        self.asked.append(capabilities)
        found = {action: ids for action, ids in self.rights.get(did, {}).items() if action in actions}
        return {action: ids if capabilities is None else ids & capabilities for action, ids in found.items()}


@dataclass
class Lender:
    """One node, and what it told others; `full`: there is room for no more records, `failing`: there was before."""

    grants: Grants
    store: Store
    clock: ManualClock
    world: World
    revisions: Revisions
    records: list[AuditRecord] = field(default_factory=list)
    changes: list[tuple[frozenset[str], int]] = field(default_factory=list)
    full: bool = False
    failing: bool = False

    def put(self, record: AuditRecord) -> None:
        if self.full or self.failing:
            raise Unavailable("nothing more can be put on record now")
        self.records.append(record)

    async def settle(self, record: AuditRecord) -> None:
        self.records.append(record)

    async def give(
        self,
        giver: AgentIdentity,
        taker: AgentIdentity,
        actions: str = "read",
        capabilities: str = "hall.a",
        *,
        by: Principal | None = None,
        **more: Any,
    ) -> Delegation:
        """Delegate with a key of this node, as the delegator unless somebody else asks for it."""
        terms = Terms(
            delegator=giver.did.text,
            delegate=taker.did.text,
            actions=frozenset(actions.split()),
            capabilities=frozenset(capabilities.split()),
            **more,
        )
        return await self.grants.create(by or proved(giver), terms)

    async def opens(self, holder: AgentIdentity, action: str = "read", capability: str = "hall.a") -> bool:
        """Whether a delegation opens this to its holder now, as far as chains alone decide."""
        chains = await self.grants.chains_for(holder.did.text)
        return any(chain.covers(action, capability, 0, self.grants.now()) for chain in chains)

    def in_days(self, days: float) -> datetime:
        return self.clock.now() + timedelta(days=days)


@dataclass
class Street:
    """Opens nodes on one database."""

    url: str
    folder: Path
    stack: AsyncExitStack
    world: World = field(default_factory=World)
    clock: ManualClock = field(default_factory=ManualClock)
    nodes: int = 0

    async def lender(self, name: str = "", **other: Any) -> Lender:
        self.nodes += 1
        store = await Store.open(self.folder / (name or f"node{self.nodes}"), self.url)
        self.stack.push_async_callback(store.close)
        return self.on(store, **other)

    def on(self, store: Store, **other: Any) -> Lender:
        """Delegations on an open store, as a process that has just started sees them."""
        lender: Lender
        revisions = Revisions(store)

        def changed(holders: frozenset[str], revision: int, /) -> None:
            lender.changes.append((holders, revision))

        class Records:
            def check(self) -> None:
                if lender.full:
                    raise Unavailable("nothing more can be put on record now")

            def put(self, record: AuditRecord) -> None:
                lender.put(record)

            async def settle(self, record: AuditRecord) -> None:
                await lender.settle(record)

        ground = Ground(
            store=store,
            revisions=revisions,
            clock=self.clock,
            audience=URL,
            documents=self.world,
            signers=self.world.signer,
            held=self.world.held,
            recorder=Records(),
            on_change=changed,
        )
        grants = Grants(replace(ground, **other))
        self.stack.push_async_callback(grants.aclose)
        lender = Lender(grants, store, self.clock, self.world, revisions)
        return lender


def token(giver: AgentIdentity, taker: AgentIdentity | str, clock: ManualClock, **more: Any) -> str:
    """A delegation that its delegator signed somewhere else."""
    return sign(grant(giver, taker, clock, **more), giver.signer)


def grant(giver: AgentIdentity, taker: AgentIdentity | str, clock: ManualClock, **more: Any) -> Grant:
    now = int(clock.now().timestamp())
    usual: dict[str, Any] = {
        "id": "0b1d6f3e-0000-4000-8000-000000000001",
        "delegator": giver.did.text,
        "delegate": taker if isinstance(taker, str) else taker.did.text,
        "audience": URL,
        "actions": frozenset({"read"}),
        "capabilities": frozenset({"hall.a"}),
        "issued": now,
        "not_before": now,
        "expires": now + DAY,
    }
    return Grant(**{**usual, **more})
