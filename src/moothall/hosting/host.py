"""Hosting agents: their identities, their capabilities, the call path, and the ways in and out, put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from logging import DEBUG, INFO
from typing import Self

from moothall.approvals.asking import Ask
from moothall.calls.call import LOCAL
from moothall.calls.hooks import Hooks
from moothall.calls.looking import Looking
from moothall.calls.path import CallPath
from moothall.calls.ports import Connector
from moothall.calls.relay import Relay
from moothall.calls.revoking import TokenCapabilities
from moothall.calls.terms import Terms, agent_of_this_node
from moothall.capability.agents import Agent
from moothall.capability.context import CallContext
from moothall.capability.entry import Entry
from moothall.capability.life import abandon, run_all
from moothall.capability.lint import exposed, warnings
from moothall.capability.members import members_of
from moothall.capability.plugins import SOURCES
from moothall.capability.registry import Registry
from moothall.clock import Clock, parse_rfc3339
from moothall.directory.registry import AgentRegistry
from moothall.errors import InternalError, SettingsError, UsageError
from moothall.events.log import EventLog
from moothall.groups.master.ground import MasterGround
from moothall.hosting.agreeing import Agreeing
from moothall.hosting.authority import Authority, AuthorityGround, Books
from moothall.hosting.edges import Edges
from moothall.hosting.finding import Finding
from moothall.hosting.frame_sessions import FrameSessions, SessionGround
from moothall.hosting.grouping import Grouping
from moothall.hosting.house import House
from moothall.hosting.intent import Intent
from moothall.hosting.live import HostedGroups, Live
from moothall.hosting.mastering import master_ground
from moothall.hosting.tools import Tools
from moothall.identity.agent import AgentIdentity
from moothall.identity.apikeys import DEMAND, ApiKeys
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.identity.office import IdentityOffice, Place
from moothall.identity.principal import Principal
from moothall.identity.token_key import TokenKey
from moothall.llm.base import BaseLLM
from moothall.messages import Lang
from moothall.negotiation.protocol.meta_terms import Seal
from moothall.negotiation.protocol.signed_talk import keys_in
from moothall.policy.file import PolicyFile
from moothall.policy.sources import Narrowing
from moothall.protocols.anp.hosted import HostedAgent, Owner
from moothall.settings import Settings
from moothall.storage.store import Store
from moothall.telemetry import logger

_log = logger("hosting")


@dataclass(frozen=True, slots=True)
class Ground:
    """What a host stands on.

    ``place`` is where the node is for others, ``narrowing`` are policies in Python, ``llm`` writes whole texts.
    """

    settings: Settings
    clock: Clock
    store: Store
    log: EventLog
    place: Place
    owner_token: str
    hooks: Hooks
    narrowing: Sequence[Narrowing] = ()
    llm: BaseLLM | None = None
    lang: Lang = "en"
    profiles: AgentRegistry | None = None


class AgentHost:
    """Hosts the agents of one started node.

    Attributes:
        capabilities: the registry; it can be changed while the node runs.
        office: who the agents are, and who others are.
        path: the call path.
        edges: the ways in and out.
        own: ids of the capabilities that every node has.
        authority: who may do what.
        agreeing: agreed protocols and generated code.
        finding: what others offer, and the search over all of it.
        grouping: groups of agents.
        intent: calls in words, and plans of several.
        live: who is connected, and what they hear.
        frame_sessions: who negotiates over frames, where that is on.
    """

    def __init__(self, ground: Ground, office: IdentityOffice, named: PolicyFile, books: Books) -> None:
        """Use `open`."""
        settings = ground.settings
        self._ground = ground
        self._named = named
        self._keys = ApiKeys.of(settings, ground.owner_token)
        self._dids: Mapping[str, str] = {}
        self._agents: dict[str, Agent] = {}
        self._closing = False
        self._hosted: dict[str, HostedAgent] = {}
        self.office = office
        self.capabilities = Registry(threads=settings.call_threads, options=settings.capabilities)
        self.own: set[str] = set()
        self.authority = self._authority(books)
        keys = TokenKey.load(settings.data)
        house = self._house()
        self.agreeing = Agreeing(
            house, self.authority.trail, self.authority.desk, lambda agent: self.take_in({agent.name: agent})
        )
        self.finding = Finding(house)
        found = self.finding.search, self.finding.rights
        self.grouping = Grouping(house, self.authority.groups, self.authority.engine, found)
        self.intent = Intent(house, *found, self.finding.stops.stopped)
        self.frame_sessions = FrameSessions(self._session_ground(house))
        self.edges = Edges(house, lambda: self._hosted, keys.state_secret, self.agreeing.front.desk.check)
        if settings.enable_meta_frames:
            self.edges.frames.spoken = self.frame_sessions.spoken
        self.path = self._call_path(house, keys.reply_secret)
        self.path.heed(self.finding.stops)
        self.intent.join(self.path)
        self.live = Live(house, HostedGroups(self.grouping, lambda: self.path), self.grouping.mailboxes)
        self.path.parts[MasterGround] = master_ground(self, house)
        for offered in (
            Relay(self._visible),
            Looking(lambda: self.path, DEFAULT_AGENT),
            TokenCapabilities(office.gatehouse.revocations),
            *self.authority.capabilities,
            *self.agreeing.capabilities,
            *self.grouping.capabilities,
            *self.live.capabilities,
            *self.finding.capabilities,
            *self.intent.capabilities,
            *Tools(house).capabilities,
        ):
            self.take_in_own(offered)

    @classmethod
    async def open(cls, ground: Ground, agents: Mapping[str, Agent], own: Iterable[object]) -> Self:
        """Host agents; ``own`` are objects with the capabilities of the node itself.

        Raises:
            SettingsError, StorageError, InternalError: as `IdentityOffice.open`; or the files of the policy are wrong.
            Conflict: two capabilities have one name and version, or one path and verb.
        """
        named = PolicyFile.of(ground.settings)
        keys = ApiKeys.of(ground.settings, ground.owner_token)
        office = await IdentityOffice.open(ground.settings, ground.store, ground.place, ground.clock, keys, named)
        try:
            host = await cls._with_books(ground, office, named)
        except BaseException:
            await abandon(office.close)
            raise
        try:
            for each in own:
                host.take_in_own(each)
            host.take_in(agents)
            host.plug_in()
            host.tell()
            await host.authority.start()
            await host.agreeing.start()
            host.grouping.start()
            await host.finding.start()
            await host.live.start()
            await host.edges.start()
            await host.capabilities.start(host.path.direct)
        except BaseException:
            await abandon(host.close)
            raise
        return host

    @classmethod
    async def _with_books(cls, ground: Ground, office: IdentityOffice, named: PolicyFile) -> Self:
        """A host whose books are open; they are closed again where it cannot be made."""
        office.admit([DEFAULT_AGENT])  # its key signs the audit trail
        books = await Books.open(ground.settings, ground.store, ground.clock, office)
        try:
            return cls(ground, office, named, books)
        except BaseException:
            await abandon(books.trail.aclose)
            raise

    def take_in_own(self, offered: object) -> None:
        """Add the capabilities of an object to those of the node itself."""
        entries = self.capabilities.add(DEFAULT_AGENT, members_of(offered))
        self.own |= {entry.id for entry in entries}

    def plug_in(self) -> None:
        """Connect the sources that plug-ins bring along.

        Raises:
            SettingsError: one gives no connector.
        """
        for source in SOURCES.added():
            if source.connect is not None:
                connector = source.connect()
                if not isinstance(connector, Connector):
                    raise SettingsError(f"the plug-in for source {source.name} gives no connector")
                self.path.connect(connector)

    def tell(self) -> None:
        """Log what the network can reach and for whom, and what looks like a mistake (rows DEC-25, DEC-34)."""
        snapshot = self.capabilities.snapshot
        for entry in snapshot.newest:
            level = DEBUG if entry.id in self.own else INFO  # of itself it says the same at every start
            if line := exposed(entry):
                _log.log(level, "%s", line)
        for line in warnings(snapshot, self._ground.settings.capabilities):
            _log.warning("%s", line)

    def take_in(self, agents: Mapping[str, Agent]) -> None:
        """Host those of the agents that are not hosted yet.

        Raises:
            InvalidInput, StorageError, Conflict: as `open`.
            UsageError: the node has stopped.
        """
        if self._closing:
            raise UsageError("the node has stopped")
        fresh = [agent for name, agent in agents.items() if name not in self._agents]
        self.office.admit({agent.name: agent.did for agent in fresh})
        for agent in fresh:
            agent.join(self.capabilities)
            self._agents[agent.name] = agent
            self._hosted[agent.name] = self._shown(agent)
        if fresh:
            self._dids = {name: shown.identity.did.text for name, shown in self._hosted.items()}

    async def join(self, agent: Agent) -> None:
        """Host an agent while the node runs: its start hooks first, so that nothing of it is called before.

        Raises:
            InvalidInput, StorageError, Conflict, UsageError: as `take_in`.
            Exception: a start hook failed.
        """
        try:
            await agent.life.start()
            self.take_in({agent.name: agent})
        except BaseException:
            await abandon(agent.life.stop)
            raise

    @property
    def hosted(self) -> Mapping[str, HostedAgent]:
        """The agents as their documents show them."""
        return self._hosted

    def suspended(self, identity: str) -> bool:
        """Whether the policy, as it is now, refuses an identity whatever it may."""
        return identity in self._named.suspended

    async def close(self) -> None:
        """Stop the agents and let go of what is open, all of it; the first failure is raised at the end.

        The store is closed after it.
        """
        self._closing = True
        leaving = (partial(agent.leave, self.capabilities) for agent in self._agents.values())
        await run_all(
            [
                self.frame_sessions.aclose,
                self.live.rest,
                self.edges.rest,
                self.finding.rest,
                self.grouping.rest,
                self.agreeing.rest,
                self.path.aclose,
                self.capabilities.stop,
                *leaving,
                self.finding.aclose,
                self.agreeing.aclose,
                self.edges.aclose,
                self.authority.aclose,
                self.office.close,
            ]
        )

    async def _visible(self, ctx: CallContext) -> tuple[Entry, ...]:
        """What the caller of `Relay` may call; the owner's calls through it are made in this process."""
        return await self.path.visible(ctx.principal, LOCAL if ctx.principal.owner else ctx.door)

    def _authority(self, books: Books) -> Authority:
        """Who decides; what it needs of this host is there by the time that it asks."""
        ground = self._ground
        return Authority(
            AuthorityGround(
                settings=ground.settings,
                clock=ground.clock,
                store=ground.store,
                log=ground.log,
                office=self.office,
                named=self._named,
                agents=lambda: self._dids,
                snapshot=lambda: self.capabilities.snapshot,
                execute=self._execute,
                narrowing=ground.narrowing,
            ),
            books,
        )

    def _house(self) -> House:
        """What the rooms stand on; what they ask of this host is there by the time that they ask."""
        ground = self._ground
        return House(
            settings=ground.settings,
            clock=ground.clock,
            store=ground.store,
            log=ground.log,
            office=self.office,
            registry=self.capabilities,
            place=ground.place,
            profiles=ground.profiles,
            llm=ground.llm,
            lang=ground.lang,
            path=lambda: self.path,
            principals=self._principal,
            callers=self._caller,
            renewed=self._renewed,
            agents=lambda: self._dids,
            own=lambda: self.own,
            suspended=self.suspended,
        )

    def _call_path(self, house: House, secret: bytes) -> CallPath:
        """The call path; ``secret`` seals the replies that are kept."""
        return CallPath(
            self.capabilities,
            self.authority.engine,
            verifier=house.office.verifier,
            connectors=(*self.edges.connectors, *self.agreeing.connectors, *self.intent.connectors),
            store=house.store,
            secret=secret,
            clock=house.clock,
            terms=Terms(
                default_agent=DEFAULT_AGENT,
                agents=self._principal,
                caller_limit=house.settings.caller_limit,
                address_limit=house.settings.address_limit,
                max_hops=house.settings.max_hops,
                conceal=house.settings.conceal,
            ),
            hooks=self._ground.hooks,
            recorder=self.authority.trail,
            approvals=self.authority.desk,
            quotas=self.authority.quotas,
            renewed=self._renewed,
            guards=self.grouping.guards,
        )

    def _session_ground(self, house: House) -> SessionGround:
        return SessionGround(
            data=house.settings.data,
            clock=house.clock,
            gateway=house.path,
            callers=house.callers,
            own=self._own_did,
            seals=self._seal,
            llm=house.llm,
            workshop=self.agreeing.workshop,
            limits=self.agreeing.limits,
            codegen=house.settings.codegen,
            lang=house.lang,
        )

    def _own_did(self, agent: str) -> str:
        identity = self.office.agent(agent)
        return identity.did.text if identity else ""

    def _seal(self, agent: str) -> Seal | None:
        identity = self.office.agent(agent)
        return Seal(identity.signer, keys_in(self.office.resolver)) if identity else None

    def _caller(self, did: str) -> Principal:
        """A DID as the caller that it would be, were it to prove itself now."""
        own, granted = self.office.is_own(did), self._named.granted(did)
        return Principal(id=did, kind="did", binding="request", permissions=granted, owner=own)

    async def _execute(self, approval: str, ask: Ask) -> str:
        """Make an approved call; the path is made after what approves."""
        return await self.path.execute(approval, ask)

    def _renewed(self, principal: Principal) -> Principal | None:
        """Who asked for an approval, as it would be verified now; None where its key is gone, or was for one thing.

        The keys are those that this start has read. Which of several keys of one user or admin was shown is not kept.
        """
        match principal.kind:
            case "did":
                return principal
            case "user" if self._keys.has(principal.id):
                return replace(principal, permissions=frozenset({DEMAND}))  # what every user of a key has
            case "admin" if self._ground.settings.admin_api_key:
                return principal
            case "owner" if principal.owner:  # an agent that has no identity is, as long as it is here
                return principal
            case _:
                return None

    def _principal(self, agent: str) -> Principal:
        identity = self.office.agent(agent)
        if identity is None:
            return agent_of_this_node(agent)
        return Principal(id=identity.did.text, kind="did", binding="request", owner=True, key=identity.signer.keyid)

    def _shown(self, agent: Agent) -> HostedAgent:
        identity = self.office.agent(agent.name)
        if identity is None:
            raise InternalError(f"the agent {agent.name} was not given an identity")
        return HostedAgent(
            name=agent.name,
            identity=identity,
            description=agent.description,
            created=_created(identity, self._ground.clock),
            owner=Owner(name=self._ground.place.domain),
            listed=agent.listed,
        )


def _created(identity: AgentIdentity, clock: Clock) -> datetime:
    """When an agent came to be: the date of its document's proof, where it bears one."""
    written = str(identity.document.raw.get("proof", {}).get("created", ""))
    return parse_rfc3339(written) if written else clock.now()
