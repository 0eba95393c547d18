"""Whole nodes that negotiate: identity, call path, ANP room, event log, worker, sandbox and the front door."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moothall.calls.caller import UnifiedCaller
from moothall.capability.members import members_of
from moothall.clock import SystemClock
from moothall.codegen.module import Case, Module
from moothall.codegen.report import Report, StageReport
from moothall.codegen.sharing import RoutineCapabilities
from moothall.codegen.store import RoutineStore
from moothall.codegen.task import Callee
from moothall.events.log import EventLog
from moothall.events.worker import Worker
from moothall.identity.principal import Principal
from moothall.llm.base import BaseLLM
from moothall.llm.budget import BudgetedLLM
from moothall.negotiation.protocol.asked import Place, Quote
from moothall.negotiation.protocol.brain import Brain
from moothall.negotiation.protocol.front import Front, FrontGround
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.negotiator import brain_for
from moothall.negotiation.protocol.offers import FrontTerms, interfaces_of
from moothall.negotiation.protocol.parties import PartyGround
from moothall.negotiation.protocol.spending import Spending
from moothall.negotiation.protocol.spoken import Speaker
from moothall.negotiation.protocol.workshop import Workshop
from tests.protocols.anp.town import House, house


class EasyJudge:
    """A gate that lets everything pass: what is judged how is the business of other tests, and takes its time."""

    revision = "easy"

    async def judge(
        self,
        module: Module,
        callees: Sequence[Callee] = (),
        hidden: Sequence[Case] = (),
        *,
        counterparts: Sequence[Module] = (),
    ) -> Report:
        return Report(stages=(StageReport(stage="parse", passed=True),))


LIMITS = Limits(message_timeout=20.0, negotiation_timeout=40.0, code_generation_timeout=40.0)


@dataclass
class FrontNode:
    """A node that negotiates."""

    house: House
    front: Front
    log: EventLog
    routines: RoutineStore
    worker: Worker

    async def die_after(self, key: str) -> None:
        """Stop every driver once some run has an event of this key, and begin again with what the log has."""
        while not await self._has(key):
            pass  # each look is a turn for the drivers
        await self.worker.stop()
        self.worker = Worker(self.log, self.front.drivers)
        await self.worker.start()

    async def _has(self, key: str) -> bool:
        events = [event for run in await self.log.runs() for event in await self.log.load(run.id)]
        return any(event.key == key for event in events)

    def did(self, agent: str) -> str:
        return self.house.did(agent)

    def speaker(self, agent: str) -> Speaker:
        async def calls(target: str, params: Mapping[str, Any]) -> Any:
            return await self.calls(agent, target, params)

        return Speaker(name=agent, did=self.did(agent), calls=calls)

    async def calls(self, agent: str, target: str, params: Mapping[str, Any]) -> Any:
        principal = Principal(id=self.did(agent), kind="did", binding="request", owner=True)
        return await UnifiedCaller(self.house.path, principal, agent).call(target, params)


@asynccontextmanager
async def front_node(
    data: Path,
    agents: Mapping[str, tuple[Callable[..., Any], ...]],
    workshop: Workshop,
    *,
    llm: BaseLLM | None = None,
    limits: Limits = LIMITS,
) -> AsyncIterator[FrontNode]:
    """A node with these agents, for the time of the block."""
    nodes: list[FrontNode] = []

    async def holds(caller: Principal, agent: str, capability: str, quote: Quote) -> None:
        await nodes[0].front.desk.check(caller, agent, capability, quote)

    def minds(spending: Spending, *, model: bool) -> tuple[Brain, BaseLLM | None]:
        budgeted = None
        if llm is not None and model:
            budgeted = BudgetedLLM(llm, limits.max_llm_calls, calls=spending.calls)
        spending.follow(budgeted)
        return brain_for(budgeted, "en"), budgeted

    async with house(data, dict(agents), names=list(agents), holds=holds) as found:
        clock = SystemClock()
        log, routines = EventLog(found.store), RoutineStore(found.store, clock)
        signers = {each.did: each.identity.signer for each in found.agents.values()}
        names = {each.did: name for name, each in found.agents.items()}

        def place(agent: str) -> Place | None:
            if agent not in found.agents:
                return None
            base = f"{found.base}/agents/{agent}"
            ways = interfaces_of(f"{base}/rpc", document=f"{base}/interface.json", tasks=f"{base}/a2a")
            return Place(name=agent, did=found.did(agent), terms=FrontTerms(interfaces=ways))

        async def calls(agent: str, target: str, params: Mapping[str, Any]) -> Any:
            return await nodes[0].calls(agent, target, params)

        front = Front(
            FrontGround(
                party=PartyGround(
                    clock=clock,
                    minds=minds,
                    workshop=workshop,
                    routines=routines,
                    signers=signers.get,
                    documents=found.resolver,
                    limits=limits,
                ),
                log=log,
                registry=found.registry,
                gateway=lambda: found.path,
                proves=found.verifier.prove_carried,
                approvals=None,
                place=place,
                principal=lambda did: Principal(id=did, kind="did", binding="request", owner=did in signers),
                named=lambda did: names.get(did, ""),
                calls=calls,
                house="node",
                patience=0.25,
            )
        )
        node = FrontNode(found, front, log, routines, Worker(log, front.drivers))
        nodes.append(node)
        for each in (*front.capabilities, RoutineCapabilities(routines)):
            found.registry.add("node", members_of(each))
        await log.start()
        await front.start()
        await node.worker.start()
        try:
            yield node
        finally:
            await node.worker.stop()
            await log.close()
