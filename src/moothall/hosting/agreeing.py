"""Agreed protocols and generated code at one node: sandbox, gate, store of code, services and the front door."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from moothall.approvals.asking import Approvals
from moothall.audit.record import Recorder
from moothall.calls.call import LOCAL
from moothall.calls.ports import CallFacts, Connector, Gateway
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.capability.agents import Agent
from moothall.capability.life import run_all
from moothall.capability.registry import Registry
from moothall.clock import Clock
from moothall.codegen import forge as forges
from moothall.codegen.gate import Gate
from moothall.codegen.generator import Generator
from moothall.codegen.model_writer import ModelWriter
from moothall.codegen.proof import RoutineProofs
from moothall.codegen.sandbox.monty import MontySandbox
from moothall.codegen.sandbox.port import SandboxLimits
from moothall.codegen.services.health import HealthLimits
from moothall.codegen.sharing import RoutineCapabilities
from moothall.codegen.store import RoutineStore
from moothall.errors import InternalError
from moothall.events.log import EventLog
from moothall.events.worker import Driver
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.identity.office import IdentityOffice
from moothall.identity.principal import Principal
from moothall.llm.base import BaseLLM
from moothall.llm.budget import BudgetedLLM
from moothall.messages import Lang
from moothall.negotiation.protocol.asked import Place
from moothall.negotiation.protocol.brain import Brain
from moothall.negotiation.protocol.front import Front, FrontGround
from moothall.negotiation.protocol.limits import MAX_MESSAGE_BYTES, MAX_PROTOCOL_BYTES, Limits
from moothall.negotiation.protocol.negotiator import brain_for
from moothall.negotiation.protocol.offers import FrontTerms, interfaces_of, security_of
from moothall.negotiation.protocol.parties import PartyGround
from moothall.negotiation.protocol.spending import Spending
from moothall.negotiation.protocol.workshop import Workshop
from moothall.settings import Settings
from moothall.storage.store import Store

_LIMITS: Final = ("max_rounds", "max_protocol_bytes", "max_message_bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreeingGround:
    """What it stands on.

    Attributes:
        settings, clock, store, log, office, registry: of the node.
        recorder: the audit trail.
        approvals: the desk of approvals.
        llm: the model for whole texts; None: the deterministic engine and schemas alone.
        gateway: the call path, which is made after this.
        principals: who an agent of this node is as a caller, by its name.
        callers: a DID as a caller, without a proof at hand.
        agents: the DIDs of the hosted agents by their names.
        admit: hosts an agent.
        lang: of what is written for people.
    """

    settings: Settings
    clock: Clock
    store: Store
    log: EventLog
    office: IdentityOffice
    registry: Registry
    recorder: Recorder
    approvals: Approvals
    llm: BaseLLM | None
    gateway: Callable[[], Gateway]
    principals: Callable[[str], Principal]
    callers: Callable[[str], Principal]
    agents: Callable[[], Mapping[str, str]]
    admit: Callable[[Agent], None]
    lang: Lang


class Agreeing:
    """The rooms of generated code and of protocols between two.

    Attributes:
        sandbox: runs generated code.
        routines: keeps it.
        workshop: makes halves of protocols.
        limits: of a negotiation.
        forge: generated services.
        front: negotiations over ``anp.negotiate``.
    """

    def __init__(self, ground: AgreeingGround) -> None:
        settings, clock = ground.settings, ground.clock
        self._ground = ground
        self.limits = limits_of(settings)
        run = SandboxLimits(
            seconds=settings.sandbox_seconds, memory=settings.sandbox_memory, calls=settings.sandbox_calls
        )
        self.sandbox = MontySandbox(workers=settings.sandbox_workers, monotonic=clock.monotonic)
        self.routines = RoutineStore(ground.store, clock)
        judge = Gate(self.sandbox)
        self.workshop = Workshop(self.sandbox, judge, limits=run, repair_rounds=settings.repair_rounds)
        self.forge = forges.Forge(self._forge_ground(judge, run))
        self.front = Front(self._front_ground(run))
        self.drivers: Mapping[str, Driver] = self.front.drivers
        self.connectors: Sequence[Connector] = (self.forge.connector,)
        self.capabilities: Sequence[object] = (
            self.forge.capabilities,
            RoutineCapabilities(self.routines),
            RoutineProofs(ground.office.resolver),
            *self.front.capabilities,
        )

    def minds(self, spending: Spending, *, model: bool) -> tuple[Brain, BaseLLM | None]:
        """A judgement for one negotiation, and the model behind it with a budget of its own. See `parties.Minds`."""
        llm, limits = self._ground.llm if model else None, self.limits
        budgeted = None
        if llm is not None:
            budgeted = BudgetedLLM(
                llm, limits.max_llm_calls, limits.max_tokens, calls=spending.calls, tokens=spending.tokens
            )
        spending.follow(budgeted)
        return brain_for(budgeted, self._ground.lang), budgeted

    async def start(self) -> None:
        """Offer what is kept; the agents are hosted by now.

        Raises:
            StorageError, IntegrityError: what is kept cannot be read, or was changed.
        """
        await self.front.start()
        await self.forge.start()

    async def rest(self) -> None:
        """End what is under way for others; while the call path still runs."""
        await self.forge.aclose()

    async def aclose(self) -> None:
        """End every process of the sandbox."""
        await run_all([self.workshop.aclose, self.sandbox.aclose])

    def place(self, agent: str) -> Place | None:
        """An agent of this node at whose door somebody knocks."""
        did = self._ground.agents().get(agent)
        if did is None:
            return None
        base = f"{self._ground.office.place.url}/agents/{agent}"
        ways = interfaces_of(f"{base}/rpc", document=f"{base}/interface.json", tasks=f"{base}/a2a")
        return Place(name=agent, did=did, terms=FrontTerms(interfaces=ways, security_profiles=security_of(base)))

    async def call(self, agent: str, target: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Call a target as an agent of this node; raises what it failed with."""
        principal = self._ground.principals(agent)
        facts = CallFacts(door=LOCAL, principal=principal, request_id=fresh(), agent=agent)
        reply = await self._ground.gateway().call(Target.parse(target), parameters, facts)
        if reply.error is not None:
            raise reply.error
        return reply.data

    def _named(self, did: str) -> str:
        return next((name for name, own in self._ground.agents().items() if own == did), "")

    def _forge_ground(self, judge: Gate, run: SandboxLimits) -> forges.Ground:
        ground, settings = self._ground, self._ground.settings
        signer = ground.office.signer(ground.office.did(DEFAULT_AGENT) or "")
        if signer is None:
            raise InternalError("the node's own agent has no identity")
        generator = None  # what a service does stands in words, which no template reads
        if ground.llm is not None:
            generator = Generator(judge, [ModelWriter(ground.llm)], settings.repair_rounds)
        return forges.Ground(
            registry=ground.registry,
            store=ground.store,
            clock=ground.clock,
            recorder=ground.recorder,
            approvals=ground.approvals,
            sandbox=self.sandbox,
            judge=judge,
            routines=self.routines,
            signer=signer,
            generator=generator,
            llm=ground.llm,
            admit=ground.admit,
            gateway=ground.gateway,
            principals=ground.principals,
            terms=forges.Terms(
                limits=run,
                health=HealthLimits(error_rate=settings.service_error_rate, latency=settings.service_latency),
                share=settings.canary_share,
                lang=ground.lang,
            ),
        )

    def _front_ground(self, run: SandboxLimits) -> FrontGround:
        ground = self._ground
        party = PartyGround(
            clock=ground.clock,
            minds=self.minds,
            workshop=self.workshop,
            routines=self.routines,
            signers=ground.office.signer,
            documents=ground.office.resolver,
            limits=self.limits,
            codegen=ground.settings.codegen,
        )
        return FrontGround(
            party=party,
            log=ground.log,
            registry=ground.registry,
            gateway=ground.gateway,
            proves=ground.office.verifier.prove_carried,
            approvals=ground.approvals,
            place=self.place,
            principal=ground.callers,
            named=self._named,
            calls=self.call,
            house=DEFAULT_AGENT,
            limits={
                **{name: getattr(self.limits, name) for name in _LIMITS},
                "max_request_bytes": ground.settings.max_call_body,
            },
            sandbox_limits=run,
        )


def limits_of(settings: Settings) -> Limits:
    """What a negotiation may take, as the settings say."""
    return Limits(
        max_rounds=settings.negotiation_rounds,
        max_protocol_bytes=MAX_PROTOCOL_BYTES,
        max_message_bytes=MAX_MESSAGE_BYTES,
        negotiation_timeout=settings.negotiation_timeout,
        message_timeout=settings.message_timeout,
        code_generation_timeout=settings.code_generation_timeout,
        max_llm_calls=settings.negotiation_llm_calls,
        max_tokens=settings.negotiation_tokens,
    )
