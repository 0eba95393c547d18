"""The forge of a node: generated services and everything around them, put together.

The composition root makes a `Forge`, connects `Forge.connector`, takes in `Forge.capabilities`, calls `start` when the
agents are there, and `aclose` before the call path is closed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from moothall.audit.record import Recorder
from moothall.calls.call import LOCAL
from moothall.calls.ports import Gateway
from moothall.capability.agents import Agent
from moothall.capability.entry import Entry
from moothall.capability.registry import Registry
from moothall.capability.snapshot import describe
from moothall.capability.spec import JsonObject
from moothall.clock import Clock
from moothall.codegen.llm_connector import LLMConnector
from moothall.codegen.orchestration import Orchestrator
from moothall.codegen.sandbox.port import DEFAULT_LIMITS, Sandbox, SandboxLimits
from moothall.codegen.service_capabilities import ServiceCapabilities
from moothall.codegen.services.declared import DeclaredServices
from moothall.codegen.services.desk import ServiceDesk
from moothall.codegen.services.generating import Decorated, LLMCodeGenerator, Service
from moothall.codegen.services.health import USUAL, HealthLimits
from moothall.codegen.services.offering import Offering
from moothall.codegen.services.publication import Approvals, Publication
from moothall.codegen.services.running import RunTerms, ServiceRunner
from moothall.codegen.services.store import ServiceStore
from moothall.codegen.services.understanding import Understanding
from moothall.codegen.services.wording import house_of, in_words
from moothall.codegen.services.writing import Generates, Keeps, Writing
from moothall.codegen.task import Judge
from moothall.identity.keys import Signer
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.identity.principal import OWNER, Principal
from moothall.llm.base import BaseLLM
from moothall.messages import Lang
from moothall.storage.store import Store

__all__ = ["Decorated", "Forge", "Ground", "LLMCodeGenerator", "Service", "Terms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How services are run.

    Attributes:
        limits: of one run in the sandbox.
        health: when a version is too ill to go on.
        share: of the calls that another version of a published service gets at first; 0: all at once.
        lang: of what models are told, and of what is written for people.
    """

    limits: SandboxLimits = DEFAULT_LIMITS
    health: HealthLimits = USUAL
    share: float = 0.0
    lang: Lang = "en"


USUAL_TERMS = Terms()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a forge stands on.

    Attributes:
        registry, store, clock, recorder: of the node.
        sandbox: runs generated code; started and closed by whoever made it.
        judge: the gate.
        routines: keeps code.
        signer: of the node's own agent.
        generator: writes code; it has to be one that reads what a service is to do.
        llm: designs interfaces, and plans; None: only what is kept runs.
        admit: hosts an agent, so that it has an identity.
        gateway: the call path, which may be made after this.
        principals: who an agent of this node is as a caller, by its name.
        approvals: takes asks, and makes what was approved.
        terms: see `Terms`.
    """

    registry: Registry
    store: Store
    clock: Clock
    recorder: Recorder
    sandbox: Sandbox
    judge: Judge
    routines: Keeps
    signer: Signer
    generator: Generates | None
    llm: BaseLLM | None
    admit: Callable[[Agent], None]
    gateway: Callable[[], Gateway]
    principals: Callable[[str], Principal]
    approvals: Approvals
    terms: Terms = USUAL_TERMS


class Forge:
    """Generated services of one node.

    Attributes:
        desk: changes where services stand.
        code: makes services from words.
        connector: does the work of capabilities of source ``llm``.
        capabilities: what can be asked of it through every door.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        terms, clock = ground.terms, ground.clock
        services = ServiceStore(ground.store, clock)
        offering = Offering(ground.registry, ground.admit)
        self.desk = desk = ServiceDesk(services, ground.routines, offering, ground.recorder)
        run_terms = RunTerms(limits=terms.limits, health=terms.health)
        runner = ServiceRunner(services, ground.routines, ground.sandbox, clock.monotonic, run_terms, desk.ill)
        desk.forget = runner.forget
        writing = Writing(
            desk=desk,
            routines=ground.routines,
            signer=ground.signer,
            clock=clock,
            generator=None if ground.llm is None else ground.generator,  # what a service does stands in words
            understanding=None if ground.llm is None else Understanding(ground.llm, terms.lang),
            visible=self._visible,
            words=in_words(ground.gateway),
            lang=terms.lang,
        )
        self.publication = publication = Publication(
            desk, ground.routines, ground.approvals, lambda: ground.registry.snapshot, self._house
        )
        self.code = LLMCodeGenerator(writing, ground.judge, publication, terms.share)
        self.declared = DeclaredServices(ground.registry, writing, publication, runner, terms.share)
        planner = Orchestrator(ground.llm, ground.gateway, ground.approvals, self._house, clock.monotonic, terms.lang)
        self.connector = LLMConnector(self.declared.answer, planner.run, self._about)
        self.capabilities = ServiceCapabilities(desk, self.code, publication, ground.routines)

    async def start(self) -> None:
        """Offer what is kept, and begin to write what is declared and has no body."""
        await self.desk.show_all()
        self.declared.start()

    async def aclose(self) -> None:
        """End what is under way."""
        await self.declared.aclose()
        await self.desk.aclose()

    def _house(self) -> Principal:
        return self._ground.principals(DEFAULT_AGENT)

    async def _visible(self) -> tuple[Entry, ...]:
        gateway = self._ground.gateway()
        own = house_of(gateway)
        return tuple(entry for entry in await gateway.visible(OWNER, LOCAL) if entry.id not in own)

    def _about(self, capability: str) -> JsonObject | None:
        entry = self._ground.registry.snapshot.find(capability)
        return None if entry is None else describe(entry)
