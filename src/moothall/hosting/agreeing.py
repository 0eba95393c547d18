"""Agreed protocols and generated code at one node: sandbox, gate, store of code, services and the front door."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from moothall.approvals.asking import Approvals
from moothall.audit.record import Recorder
from moothall.calls.call import LOCAL
from moothall.calls.ports import CallFacts, Connector
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.capability.agents import Agent
from moothall.capability.life import run_all
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
from moothall.events.worker import Driver
from moothall.hosting.house import House
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.llm.base import BaseLLM
from moothall.llm.budget import BudgetedLLM
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

_LIMITS: Final = ("max_rounds", "max_protocol_bytes", "max_message_bytes")


class Agreeing:
    """The rooms of generated code and of protocols between two.

    Args:
        house: what every room stands on.
        recorder: the audit trail.
        approvals: the desk of approvals.
        admit: hosts an agent.

    Attributes:
        sandbox: runs generated code.
        routines: keeps it.
        workshop: makes halves of protocols.
        limits: of a negotiation.
        forge: generated services.
        front: negotiations over ``anp.negotiate``.
    """

    def __init__(self, house: House, recorder: Recorder, approvals: Approvals, admit: Callable[[Agent], None]) -> None:
        settings, clock = house.settings, house.clock
        self._house = house
        self._recorder, self._approvals, self._admit = recorder, approvals, admit
        self.limits = limits_of(settings)
        run = SandboxLimits(
            seconds=settings.sandbox_seconds, memory=settings.sandbox_memory, calls=settings.sandbox_calls
        )
        self.sandbox = MontySandbox(workers=settings.sandbox_workers, monotonic=clock.monotonic)
        self.routines = RoutineStore(house.store, clock)
        judge = Gate(self.sandbox)
        self.workshop = Workshop(self.sandbox, judge, limits=run, repair_rounds=settings.repair_rounds)
        self.forge = forges.Forge(self._forge_ground(judge, run))
        self.front = Front(self._front_ground(run))
        self.drivers: Mapping[str, Driver] = self.front.drivers
        self.connectors: Sequence[Connector] = (self.forge.connector,)
        self.capabilities: Sequence[object] = (
            self.forge.capabilities,
            RoutineCapabilities(self.routines),
            RoutineProofs(house.office.resolver),
            *self.front.capabilities,
        )

    def minds(self, spending: Spending, *, model: bool) -> tuple[Brain, BaseLLM | None]:
        """A judgement for one negotiation, and the model behind it with a budget of its own. See `parties.Minds`."""
        llm, limits = self._house.llm if model else None, self.limits
        budgeted = None
        if llm is not None:
            budgeted = BudgetedLLM(
                llm, limits.max_llm_calls, limits.max_tokens, calls=spending.calls, tokens=spending.tokens
            )
        spending.follow(budgeted)
        return brain_for(budgeted, self._house.lang), budgeted

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
        did = self._house.agents().get(agent)
        if did is None:
            return None
        base = f"{self._house.office.place.url}/agents/{agent}"
        ways = interfaces_of(f"{base}/rpc", document=f"{base}/interface.json", tasks=f"{base}/a2a")
        return Place(name=agent, did=did, terms=FrontTerms(interfaces=ways, security_profiles=security_of(base)))

    async def call(self, agent: str, target: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Call a target as an agent of this node; raises what it failed with."""
        principal = self._house.principals(agent)
        facts = CallFacts(door=LOCAL, principal=principal, request_id=fresh(), agent=agent)
        reply = await self._house.path().call(Target.parse(target), parameters, facts)
        if reply.error is not None:
            raise reply.error
        return reply.data

    def _named(self, did: str) -> str:
        return next((name for name, own in self._house.agents().items() if own == did), "")

    def _forge_ground(self, judge: Gate, run: SandboxLimits) -> forges.Ground:
        house, settings = self._house, self._house.settings
        signer = house.office.signer(house.office.did(DEFAULT_AGENT) or "")
        if signer is None:
            raise InternalError("the node's own agent has no identity")
        generator = None  # what a service does stands in words, which no template reads
        if house.llm is not None:
            generator = Generator(judge, [ModelWriter(house.llm)], settings.repair_rounds)
        return forges.Ground(
            registry=house.registry,
            store=house.store,
            clock=house.clock,
            recorder=self._recorder,
            approvals=self._approvals,
            sandbox=self.sandbox,
            judge=judge,
            routines=self.routines,
            signer=signer,
            generator=generator,
            llm=house.llm,
            admit=self._admit,
            gateway=house.path,
            principals=house.principals,
            terms=forges.Terms(
                limits=run,
                health=HealthLimits(error_rate=settings.service_error_rate, latency=settings.service_latency),
                share=settings.canary_share,
                lang=house.lang,
            ),
        )

    def _front_ground(self, run: SandboxLimits) -> FrontGround:
        house = self._house
        party = PartyGround(
            clock=house.clock,
            minds=self.minds,
            workshop=self.workshop,
            routines=self.routines,
            signers=house.office.signer,
            documents=house.office.resolver,
            limits=self.limits,
            codegen=house.settings.codegen,
        )
        return FrontGround(
            party=party,
            log=house.log,
            registry=house.registry,
            gateway=house.path,
            proves=house.office.verifier.prove_carried,
            approvals=self._approvals,
            place=self.place,
            principal=house.callers,
            named=self._named,
            calls=self.call,
            house=DEFAULT_AGENT,
            limits={
                **{name: getattr(self.limits, name) for name in _LIMITS},
                "max_request_bytes": house.settings.max_call_body,
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
