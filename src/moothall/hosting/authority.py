"""Who may do what at a node, put together: audit trail, people, delegations, policies, approvals, quotas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Self

from moothall.approvals.asking import Execute
from moothall.approvals.capabilities import ApprovalCapabilities
from moothall.approvals.desk import ApprovalDesk
from moothall.approvals.driver import ApprovalDriver
from moothall.approvals.kept import KIND
from moothall.approvals.news import Bells
from moothall.approvals.notices import SCHEME, Deliver, deliver_notices
from moothall.approvals.parties import StoredParties
from moothall.approvals.rules import ApprovalConfig, Rules
from moothall.approvals.webhook import SignedPost
from moothall.audit.anchor_file import FILE as ANCHORS_FILE
from moothall.audit.capabilities import PERMISSION, READS_LOG, AuditCapabilities
from moothall.audit.trail import AuditTrail
from moothall.capability.life import abandon, run_all
from moothall.capability.registry import Snapshot
from moothall.clock import Clock
from moothall.errors import InternalError
from moothall.events.log import EventLog
from moothall.events.worker import Driver
from moothall.grants.capabilities import GrantCapabilities
from moothall.grants.delegation_system import AgentDelegationSystem
from moothall.grants.ports import Ground as GrantGround
from moothall.grants.service import Grants
from moothall.groups.store import GroupStore
from moothall.hosting.chores import Chores
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.identity.office import IdentityOffice
from moothall.identity.principal import OWNER, Principal
from moothall.people.capabilities import PeopleCapabilities
from moothall.people.control import Control
from moothall.people.file import NAME as PEOPLE_FILE
from moothall.people.file_watch import PeopleFileWatch
from moothall.people.house import People
from moothall.people.store import PeopleStore
from moothall.people.team_capabilities import TeamCapabilities
from moothall.policy.callers import OneStore
from moothall.policy.capabilities import PolicyCapabilities
from moothall.policy.engine import PolicyEngine
from moothall.policy.file import PolicyFile
from moothall.policy.holdings import Holdings
from moothall.policy.named.multi_agent import MultiAgentPermissionManager
from moothall.policy.named.plugins import read_with_installed as read_tables
from moothall.policy.ports import Sources
from moothall.policy.quota import Quotas
from moothall.policy.resources import AUDIT_LOG
from moothall.policy.sources import Narrowing, PolicyConfig
from moothall.policy.store import PolicyStore
from moothall.settings import Settings
from moothall.storage.revisions import Revisions
from moothall.storage.store import Store

FOLDER: Final = "policy"
"""Where the operator's files are, in the node's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityGround:
    """What it stands on.

    Attributes:
        settings, clock, store, log: of the node.
        office: who the agents are; the node's own agent has an identity already.
        named: what ``moothall.toml`` grants by name, and whom it refuses.
        agents: the DIDs of the hosted agents by their names; the same object as long as none comes or goes.
        snapshot: the capabilities as they are now.
        execute: makes an approved call.
        narrowing: policies in Python.
    """

    settings: Settings
    clock: Clock
    store: Store
    log: EventLog
    office: IdentityOffice
    named: PolicyFile
    agents: Callable[[], Mapping[str, str]]
    snapshot: Callable[[], Snapshot]
    execute: Execute
    narrowing: Sequence[Narrowing] = ()


@dataclass(frozen=True, slots=True)
class Books:
    """What has to be open before anything is decided: the audit trail, and the numbers of changes."""

    trail: AuditTrail
    revisions: Revisions

    @classmethod
    async def open(cls, settings: Settings, store: Store, clock: Clock, office: IdentityOffice) -> Self:
        """Open them; the node's own agent, whose key signs the trail, has its identity by now.

        Raises:
            StorageError: the store cannot be read or written.
        """
        signer = office.signer(office.did(DEFAULT_AGENT) or "")
        trail = await AuditTrail.open(store, clock, signer, settings.data / ANCHORS_FILE)
        try:
            revisions = Revisions(store)
            await revisions.current()
        except BaseException:
            await abandon(trail.aclose)
            raise
        return cls(trail, revisions)


class Authority:
    """The rooms that decide; every change in them is on record in `trail`."""

    def __init__(self, ground: AuthorityGround, books: Books) -> None:
        """Put it together; nothing is read but the operator's file of policies.

        Raises:
            SettingsError: the operator's files are wrong.
        """
        settings, store, office = ground.settings, ground.store, ground.office
        signer = office.signer(office.did(DEFAULT_AGENT) or "")
        if signer is None:
            raise InternalError("the node's own agent has no identity")
        folder = settings.policy_dir or settings.data / FOLDER
        trail, revisions = books.trail, books.revisions
        self.trail = trail
        self._named = ground.named
        self.quotas = Quotas(store, ground.clock)
        control = Control(office.place.url, office.resolver, office, office.gatehouse.nonces, ground.clock)
        self.people = People.of(PeopleStore(store, revisions, ground.clock, trail), control)
        self.groups = GroupStore(store, revisions, ground.clock, trail)
        self._people_file = PeopleFileWatch(folder / PEOPLE_FILE, self.people.store, office, trail)
        self.rules = Rules(ApprovalConfig())
        self.policies = PolicyStore(
            folder,
            partial(_config, ground.narrowing),
            validated=self.rules.validated,
            recorder=trail,
            monotonic=ground.clock.monotonic,
        )
        self.grants = Grants(self._grant_ground(ground, revisions))
        self.engine = PolicyEngine(
            self.policies,
            Sources(
                settings=ground.named,
                people=self.people.store,
                delegations=self.grants,
                callers=OneStore(self.people.store, self.grants),
                memberships=self.groups,
                revisions=revisions,
                agents=ground.agents,
            ),
            books={f"{DEFAULT_AGENT}.{name}": AUDIT_LOG for name in READS_LOG},
            clock=ground.clock,
        )
        self._holdings = Holdings(self.engine, lambda: ground.snapshot().newest)
        self.people.store.on_change(self.engine.people_changed)
        self.groups.on_change(self.engine.groups_changed)
        bells = Bells()
        self.desk = ApprovalDesk(ground.log, self.rules, bells, parties=StoredParties(self.people.store))
        self.drivers: Mapping[str, Driver] = {KIND: ApprovalDriver(ground.execute, trail, bells, self.rules)}
        post = SignedPost(office.egress, signer, ground.clock)
        self.deliveries: Mapping[str, Deliver] = {SCHEME: deliver_notices(self.rules, post)}
        self.capabilities: Sequence[object] = (
            PeopleCapabilities(self.people),
            TeamCapabilities(self.people),
            GrantCapabilities(self.grants),
            ApprovalCapabilities(self.desk),
            AuditCapabilities(store, trail, self._audited),
            PolicyCapabilities(self.engine, self.policies, entries=lambda: ground.snapshot().newest),
        )
        self._chores = Chores(ground.clock, self.policies, self._people_file, trail, settings.audit_days)

    def delegations(self, by: Principal = OWNER) -> AgentDelegationSystem:
        """The delegations of this node under the names of spec B §8.6, for one caller."""
        return AgentDelegationSystem(self.grants, self._holdings, by)

    def between_agents(self, by: Principal = OWNER) -> MultiAgentPermissionManager:
        """What agents may do to each other here, under the names of spec B §8.6; ``by`` reads and edits."""
        people = self.people
        return MultiAgentPermissionManager(
            people.identities, engine=self.engine, profiles=people.profiles, grants=self.grants, by=by
        )

    async def start(self) -> None:
        """Bring the operator's people into the store, and begin to look after the files.

        Raises:
            SettingsError: the file of people is wrong.
            StorageError: the store cannot be written.
        """
        await self._people_file.open()
        self._chores.start()

    async def aclose(self) -> None:
        """Let go of everything; the trail, which everybody writes to, last."""
        await run_all(
            [self._chores.aclose, self.people.store.aclose, self.grants.aclose, self.groups.aclose, self.trail.aclose]
        )

    def _grant_ground(self, ground: AuthorityGround, revisions: Revisions) -> GrantGround:
        """What delegations stand on; what can be given away is for the policies to say."""
        office = ground.office
        return GrantGround(
            store=ground.store,
            revisions=revisions,
            clock=ground.clock,
            audience=office.place.url,
            documents=office.resolver,
            signers=office.signer,
            held=self._held,
            recorder=self.trail,
            on_change=self._grants_changed,
        )

    async def _held(
        self, did: str, actions: frozenset[str], capabilities: frozenset[str] | None = None, /
    ) -> Mapping[str, frozenset[str]]:
        return await self._holdings(did, actions, capabilities)

    def _grants_changed(self, holders: frozenset[str], revision: int, /) -> None:
        self.engine.grants_changed(holders, revision)

    async def _audited(self, principal: Principal) -> frozenset[str] | None:
        """Whose records somebody sees (row UID-03).

        Operators and who was granted ``audit`` by name see everybody's, an agent those of its person, others theirs.
        """
        if principal.operator:
            return None
        if principal.holds(PERMISSION) or self._named.granted(principal.id).issuperset(PERMISSION):
            return None
        facts = (await self.people.store.facts([principal.id]))[principal.id]
        if not facts.person:
            return frozenset({principal.id})
        agents = await self.people.identities.get_user_agents(facts.person)
        return frozenset({principal.id, f"user:{facts.person}", *(agent.did for agent in agents)})


def _config(narrowing: Sequence[Narrowing], text: str, place: str) -> PolicyConfig:
    config = read_tables(text, place)
    return replace(config, narrowing=(*config.narrowing, *narrowing))
