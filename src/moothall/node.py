"""The composition root: builds the parts of a node, starts, recovers and stops them; the only file that may."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import date
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar

from moothall.approvals.notices import by_scheme
from moothall.calls.caller import UnifiedCaller
from moothall.calls.hooks import Hooks
from moothall.calls.reply import Reply
from moothall.capability.agents import Agent
from moothall.capability.life import abandon, run_all
from moothall.clock import Clock, SystemClock
from moothall.directory.activities import load_activities
from moothall.directory.capabilities import AgentCapabilities
from moothall.directory.concepts import load_vocabulary
from moothall.directory.index import RegistrySnapshot
from moothall.directory.places import load_gazetteer
from moothall.directory.profiles import AgentProfile
from moothall.directory.registry import AgentRegistry, init_mock_agents
from moothall.errors import Conflict, InternalError, UsageError
from moothall.events.log import EventLog
from moothall.events.outbox import Outbox
from moothall.events.retention import Retention
from moothall.events.worker import Worker
from moothall.hosting.edges import Visitors
from moothall.hosting.host import AgentHost, Ground
from moothall.hosting.overview import Governance
from moothall.hosting.participants import Participating, ParticipatingGround
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.identity.office import Place
from moothall.identity.principal import OWNER, Principal
from moothall.llm.base import BaseLLM
from moothall.llm.configured import configured_decisions, configured_llm, configured_model
from moothall.messages import Lang, system_lang
from moothall.negotiation.demand.capabilities import DemandCapabilities
from moothall.negotiation.demand.capacity import Capacity
from moothall.negotiation.demand.driver import KIND, DemandDriver, RunSpawner
from moothall.negotiation.demand.model.briefs import demand_briefs
from moothall.negotiation.demand.participants import Participant, ParticipantFactory
from moothall.negotiation.demand.people_capabilities import PeopleCapabilities
from moothall.negotiation.demand.persona import Persona
from moothall.negotiation.demand.questions import RecursionLimits
from moothall.negotiation.demand.replay import REPLAY, ReplayDriver
from moothall.negotiation.demand.reports import SCHEME as RUNS
from moothall.negotiation.demand.reports import deliver_reports
from moothall.negotiation.demand.rules.brain import rules_brain
from moothall.negotiation.demand.rules.phrasing import Lexica
from moothall.negotiation.demand.service import DemandService
from moothall.negotiation.demand.submissions import SubmitLimit
from moothall.negotiation.demand.talks import Limits
from moothall.policy.sources import Narrowing
from moothall.protocols.anp.crawler import Crawl
from moothall.resilience import RateLimiter
from moothall.server.app import ServerApp, create_app
from moothall.server.cors import Cors
from moothall.server.language import accepted
from moothall.server.parts import ServerParts
from moothall.settings import Settings
from moothall.storage.store import Store

PartT = TypeVar("PartT")


class Node:
    """One node of the network: a store, agents and their capabilities, a worker, and the doors in front of them.

    Use it as an async context manager, or call :meth:`start` and :meth:`stop`.

    Args:
        settings: how to run; read from the environment when left out.
        participants: who speaks for an agent in a negotiation; by default a persona in this process that decides
            from the agent's profile. Wrap or replace it to bring in people or remote agents.
        clock: the source of time.
        policies: policies in Python, which may refuse what the node's files allow.
        text_model: the language model that negotiates protocols and writes code; by default the configured one, if
            there is one.

    Attributes:
        agent: the agent whose capabilities need no agent's name; `include` gives it some.
        hooks: what is done before, around and after calls, and on their errors.

    Raises:
        StoreLocked, StorageError, SettingsError: at start, when the store cannot be opened.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        participants: ParticipantFactory | None = None,
        clock: Clock | None = None,
        policies: Iterable[Narrowing] = (),
        text_model: BaseLLM | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.clock = clock or SystemClock()
        self.owner_token = secrets.token_urlsafe(32)
        self.agent = Agent(DEFAULT_AGENT, description="The node itself, and what it offers in its own name")
        self.hooks = Hooks()
        self._narrowing = tuple(policies)
        lexica = self._lexica = Lexica(load_vocabulary(), load_gazetteer(), load_activities())
        rules = rules_brain(lexica.vocabulary, lexica.gazetteer, lexica.activities)
        briefs = demand_briefs(lexica, rules)
        self.llm = configured_model(self.settings, briefs, self.clock.monotonic)
        self.decisions = configured_decisions(self.settings, rules, self.llm, briefs, self.clock.monotonic)
        self.text_model = text_model or configured_llm(self.settings, self.clock.monotonic, self.llm)
        self.submissions = SubmitLimit(RateLimiter(self.settings.rate_limit, self.clock.monotonic))
        self._participants = participants or self.persona
        self._agents = {DEFAULT_AGENT: self.agent}
        self._place = Place.of(self.settings, self.settings.port, secure=bool(self.settings.tls_cert))
        self._store: Store | None = None
        self._log: EventLog | None = None
        self._registry: AgentRegistry | None = None
        self._demands: DemandService | None = None
        self._worker: Worker | None = None
        self._outbox: Outbox | None = None
        self._retention: Retention | None = None
        self._host: AgentHost | None = None
        self._participating: Participating | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def log(self) -> EventLog:
        """The event log."""
        return _started(self._log)

    @property
    def registry(self) -> AgentRegistry:
        """The agents that negotiate."""
        return _started(self._registry)

    @property
    def demands(self) -> DemandService:
        """The front desk of demand negotiations."""
        return _started(self._demands)

    @property
    def host(self) -> AgentHost:
        """The agents that this node hosts, with their identities, capabilities and the call path."""
        return _started(self._host)

    @property
    def participating(self) -> Participating:
        """The agents of other nodes that take part in negotiations here."""
        return _started(self._participating)

    @property
    def ready(self) -> bool:
        """Whether the node takes demands."""
        return self._worker is not None

    @property
    def url(self) -> str:
        """How others reach this node; its agents' DIDs name that host and port."""
        return self._place.url

    def listen_on(self, port: int, *, secure: bool = False) -> None:
        """Say where the node will be served, where the settings do not; before it starts.

        Raises:
            UsageError: it has started.
        """
        if self._store is not None:
            raise UsageError("the node has started; its agents have their names already")
        self._place = Place.of(self.settings, port, secure=secure)

    def include(self, *capabilities: object) -> None:
        """Give the node's own agent capabilities; see `Agent.include`."""
        self.agent.include(*capabilities)

    def add(self, *agents: Agent) -> None:
        """Host agents, each with its own identity, capabilities and addresses.

        Raises:
            Conflict: there is one of that name.
            OptionError: as `Agent.include`.
            UsageError: the node runs already and an agent has hooks, for which `join` waits.
        """
        for agent in agents:
            self._refuse_known(agent)
            if self._host is not None:
                if agent.life:
                    raise UsageError(
                        f"the node runs and the agent {agent.name} has start or stop hooks",
                        hint="await node.join(agent): it runs the hooks before the agent can be called",
                    )
                self._host.take_in({agent.name: agent})
            self._agents[agent.name] = agent

    async def join(self, *agents: Agent) -> None:
        """The same, also for agents with hooks while the node runs: each can be called once its start hooks have run.

        Raises:
            Conflict, OptionError: as `add`.
            Exception: a start hook failed; the agent is not hosted.
        """
        for agent in agents:
            if (host := self._host) is None:
                self.add(agent)
                continue
            self._refuse_known(agent)
            self._agents[agent.name] = agent
            try:
                await host.join(agent)
            except BaseException:
                del self._agents[agent.name]
                raise

    @property
    def agents(self) -> Mapping[str, Agent]:
        """The agents that this node hosts, by name."""
        return MappingProxyType(self._agents)

    def caller(self, agent: str = DEFAULT_AGENT, *, principal: Principal = OWNER) -> UnifiedCaller:
        """What makes calls as ``principal``, by default the owner; an agent signs those that leave the node."""
        return UnifiedCaller(self.host.path, principal, agent)

    async def call(self, target: str, params: Mapping[str, Any] | None = None, /, **named: Any) -> Any:  # noqa: ANN401
        """Call a target as the owner of the node; see `UnifiedCaller.call`."""
        return await self.caller().call(target, params or {}, **named)

    async def try_call(self, target: str, params: Mapping[str, Any] | None = None, /, **named: Any) -> Reply[Any]:  # noqa: ANN401
        """The same, with failures in the reply."""
        return await self.caller().try_call(target, params or {}, **named)

    def stream(self, target: str, params: Mapping[str, Any] | None = None, /, **named: Any) -> AsyncIterator[Any]:  # noqa: ANN401
        """The same, value by value."""
        return self.caller().stream(target, params or {}, **named)

    def proxy(self, protocol: type[PartT], target: str) -> PartT:
        """A typed client of a target, from a Protocol class; see `UnifiedCaller.proxy`."""
        return self.caller().proxy(protocol, target)

    async def crawl(self, domain: str) -> Crawl:
        """The agents that another node lists (``HOST`` or ``HOST:PORT``); see `Crawler.crawl`."""
        return await self.host.edges.crawler.crawl(domain)

    def persona(self, profile: AgentProfile) -> Participant:
        """The default participant: decides in this process, from the profile alone."""
        return Persona(profile, self.decisions, self.today)

    def today(self) -> date:
        """The calendar date where this node runs."""
        return self.clock.now().astimezone().date()

    async def start(self) -> None:
        """Open the store, load the sample agents into a fresh registry, and go on with every open negotiation."""
        settings = self.settings
        self._store = await Store.open(settings.data, settings.database_url, synchronous=settings.sqlite_synchronous)
        try:
            if self.llm is not None:
                self.llm.start()
            await self._build(self._store)
        except BaseException:
            await abandon(self.stop)
            raise

    async def stop(self) -> None:
        """Stop in reverse order; open negotiations stay in the log and go on at the next start.

        Everything is stopped and closed, whatever fails; the first failure is raised at the end.
        """
        try:
            await run_all(
                (
                    self._stop_worker,
                    *(part.stop for part in (self._retention, self._outbox) if part is not None),
                    self._close_host,
                    self.decisions.stop,
                    *(model.aclose for model in (self.text_model,) if model is not None),
                    *(part.close for part in (self._log, self._store) if part is not None),
                )
            )
        finally:
            self._outbox = self._retention = self._log = self._registry = self._demands = self._store = None

    def app(self) -> ServerApp:
        """The node's HTTP application (ASGI)."""
        host = self.host
        lang: Lang = self.settings.lang or system_lang(os.environ)
        origins = Cors.of(self.settings.cors_origins).origins
        visitors = Visitors(lang=lang, accepted=accepted, origins=origins)
        return create_app(
            ServerParts(
                settings=self.settings,
                log=self.log,
                registry=self.registry,
                demands=self.demands,
                clock=self.clock,
                owner_token=self.owner_token,
                ready=lambda: self.ready,
                llm=self.llm,
                gateway=host.path,
                submissions=self.submissions,
                verifier=host.office.verifier,
                challenger=host.office.verifier.challenger,
                suspended=host.suspended,
                doors=(*host.edges.doors(visitors), *host.live.doors(visitors)),
                sockets=(*host.edges.sockets(), *host.live.sockets(visitors)),
                meters=[host.path.meter],
            )
        )

    async def _build(self, store: Store) -> None:
        settings = self.settings
        log = self._log = EventLog(store, clock=self.clock, sweep_seconds=settings.sweep_seconds)
        await log.start()
        self._registry = AgentRegistry(store, self.clock)
        if settings.demo_agents:
            await init_mock_agents(self._registry)
        driver = DemandDriver(
            decisions=self.decisions,
            participants=lambda profile: self.participating.speaker(profile, self._participants),
            registered=self._registered,
            vocabulary=load_vocabulary(),
            spawner=RunSpawner(log),
            limits=_limits(settings),
        )
        self._demands = DemandService(log, _capacity(log, settings), self.today, self._lexica)
        await self._open_calls(store, log, self._demands, self._registry)
        authority, agreeing = self.host.authority, self.host.agreeing
        self._outbox = Outbox(log, by_scheme({RUNS: deliver_reports(log), **authority.deliveries}))
        await self._outbox.start()
        worker = Worker(
            log,
            {
                KIND: driver,
                REPLAY: ReplayDriver(log),
                **authority.drivers,
                **agreeing.drivers,
                **self.host.grouping.drivers,
                **self.host.intent.drivers,
            },
            lease_seconds=settings.lease_seconds,
            sweep_seconds=settings.sweep_seconds,
            concurrency=settings.max_open_runs,
        )
        await worker.start()
        self._worker = worker
        self._retention = Retention(log, settings.retention_days)
        await self._retention.start()

    async def _open_calls(self, store: Store, log: EventLog, demands: DemandService, registry: AgentRegistry) -> None:
        own = (
            DemandCapabilities(demands, self.submissions),
            PeopleCapabilities(demands),
            AgentCapabilities(registry),
            *self._take_part(store, registry).capabilities,
            Governance(lambda: self.host),
        )
        ground = Ground(
            self.settings,
            self.clock,
            store,
            log,
            self._place,
            self.owner_token,
            self.hooks,
            self._narrowing,
            self.text_model,
            self.settings.lang or system_lang(os.environ),
            registry,
        )
        self._host = await AgentHost.open(ground, self._agents, own)

    def _take_part(self, store: Store, registry: AgentRegistry) -> Participating:
        self._participating = Participating(
            ParticipatingGround(
                settings=self.settings,
                clock=self.clock,
                store=store,
                registry=registry,
                caller=self.caller,
                search=lambda: self.host.finding.search,
            )
        )
        return self._participating

    def _refuse_known(self, agent: Agent) -> None:
        if agent.name in self._agents:
            raise Conflict(f"there is an agent {agent.name} already", details={"agent": agent.name})

    async def _stop_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.stop()

    async def _close_host(self) -> None:
        host, self._host = self._host, None
        if host is not None:
            await host.close()

    async def _registered(self) -> RegistrySnapshot:
        return await self.registry.snapshot()


def _started(part: PartT | None) -> PartT:
    if part is None:
        message = "the node is not started"
        raise InternalError(message)
    return part


def _capacity(log: EventLog, settings: Settings) -> Capacity:
    return Capacity(log, settings.max_open_runs, settings.max_open_per_user if settings.api_keys else None)


def _limits(settings: Settings) -> Limits:
    return Limits(
        response_timeout=settings.response_timeout,
        feedback_timeout=settings.feedback_timeout,
        feedback_timeout_policy=settings.feedback_timeout_policy,
        subnet_timeout=settings.subnet_timeout,
        confirm_timeout=settings.confirm_timeout,
        recursion=RecursionLimits(
            min_importance=settings.subnet_min_importance,
            min_gain=settings.subnet_min_gain,
            min_benefit=settings.subnet_min_benefit,
            max_cost_share=settings.subnet_max_cost_share,
        ),
    )
