"""The nodes of a run: each with its store of tested code, its gate, and a door at which others ask for code."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moothall.calls.path import CallPath
from moothall.calls.ports import CallFacts
from moothall.calls.target import Target
from moothall.canonical import canonical, sha256
from moothall.capability.members import members_of
from moothall.capability.registry import Registry
from moothall.clock import SystemClock
from moothall.codegen.fetching import Fetcher
from moothall.codegen.gate import Gate
from moothall.codegen.module import Case, Module
from moothall.codegen.report import Report
from moothall.codegen.sandbox.port import HostCall, Image, JsonValue, Ran, Sandbox, SandboxLimits
from moothall.codegen.sharing import RoutineCapabilities
from moothall.codegen.store import RoutineStore
from moothall.codegen.task import Callee
from moothall.errors import UpstreamError
from moothall.identity.agent import AgentIdentity, new_identity
from moothall.identity.document import DidDocument
from moothall.identity.keys import Signer
from moothall.identity.principal import Principal
from moothall.negotiation.protocol.artifact import artifact_of
from moothall.negotiation.protocol.document import read
from moothall.negotiation.protocol.workshop import Workshop
from moothall.policy.engine import PolicyEngine
from moothall.storage.store import Store

CLOCK = SystemClock()
Ask = Callable[[str, Mapping[str, Any]], Awaitable[Any]]


class TimedSandbox:
    """A sandbox whose runs are timed, while `times` is a list."""

    def __init__(self, inner: Sandbox) -> None:
        self._inner = inner
        self.times: list[float] | None = None

    async def check(self, source: str, stubs: str = "") -> Sequence[Any]:
        return await self._inner.check(source, stubs)

    async def load(self, source: str, limits: SandboxLimits = SandboxLimits()) -> Image:  # noqa: B008 - frozen
        return await self._inner.load(source, limits)

    async def run(
        self,
        image: Image,
        function: str,
        arguments: Mapping[str, JsonValue],
        *,
        call: HostCall | None = None,
        limits: SandboxLimits = SandboxLimits(),  # noqa: B008 - frozen
        patience: float | None = None,
    ) -> Ran:
        began = time.perf_counter()
        ran = await self._inner.run(image, function, arguments, call=call, limits=limits, patience=patience)
        if self.times is not None:
            self.times.append(time.perf_counter() - began)
        return ran


@dataclass
class Verdicts:
    """What gates found, remembered by everything that they look at: source, forms, tests, callees.

    The names of a module and of its protocol are no part of that, so the same code for another user's wording is not
    looked at again. What was made and what was fetched are looked at apart. ``every``: nothing is remembered;
    ``mutants``: mistakes that a gate tries.
    """

    every: bool = False
    mutants: int = 60
    known: dict[str, Report] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    looked: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    refused: int = 0


class RememberingGate:
    """The product's gate, and what it found before; fills `task.Judge`."""

    def __init__(self, gate: Gate, verdicts: Verdicts, purpose: str) -> None:
        self._gate, self._verdicts, self._purpose = gate, verdicts, purpose

    @property
    def revision(self) -> str:
        return self._gate.revision

    async def judge(
        self,
        module: Module,
        callees: Sequence[Callee] = (),
        hidden: Sequence[Case] = (),
        *,
        counterparts: Sequence[Module] = (),
    ) -> Report:
        kept, key = self._verdicts, self._key(module, callees, hidden)
        kept.asked[self._purpose] += 1
        if kept.every or counterparts or key not in kept.known:
            began = time.perf_counter()
            kept.known[key] = await self._gate.judge(module, callees, hidden, counterparts=counterparts)
            kept.looked[self._purpose] += 1
            kept.seconds.append(time.perf_counter() - began)
            kept.refused += not kept.known[key].passed
        return kept.known[key]

    def _key(self, module: Module, callees: Sequence[Callee], hidden: Sequence[Case]) -> str:
        body = module.model_dump(mode="json")
        for name in ("name", "protocol", "provenance"):
            del body["manifest"][name]
        called = [[each.target, each.parameters, each.returns] for each in callees]
        return sha256(canonical([self._purpose, body, called, [each.model_dump(mode="json") for each in hidden]]))


@dataclass
class House:
    """One node."""

    routines: RoutineStore
    maker: Workshop
    taker: Workshop
    fetcher: Fetcher
    path: CallPath

    def door(self, caller: str) -> Ask:
        """Its capabilities ``routines.*``, called from outside."""
        facts = CallFacts(door="http", principal=Principal(id=caller, kind="did", binding="request"))

        async def ask(target: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
            reply = await self.path.call(Target.parse(f"local:node.{target}"), dict(parameters), facts)
            if reply.error is not None:
                raise reply.error
            return reply.data

        return ask


@dataclass
class Town:
    """All nodes and the agents that live there. Five agents live in a house."""

    houses: list[House] = field(default_factory=list)
    agents: dict[str, AgentIdentity] = field(default_factory=dict)
    at: dict[str, House] = field(default_factory=dict)
    documents: dict[str, DidDocument] = field(default_factory=dict)

    def did(self, name: str) -> str:
        return self.agents[name].did.text

    def signer(self, did: str, /) -> Signer | None:
        return next((each.signer for each in self.agents.values() if each.did.text == did), None)

    async def resolve(self, did: str, /, *, refresh: bool = False) -> DidDocument:
        del refresh
        if did not in self.documents:
            raise UpstreamError("its host does not answer")
        return self.documents[did]

    def settle(self, name: str, house: House) -> None:
        """Let an agent live in a house."""
        made = new_identity(name, "town.example", ("agents", name), created=CLOCK.now()).identity
        self.agents[name], self.at[name], self.documents[made.did.text] = made, house, made.document


def _derived(text: str) -> Mapping[str, Any]:
    return artifact_of(read(text)).model_dump(mode="json")


@asynccontextmanager
async def town(
    folder: Path, sandbox: Sandbox, verdicts: Verdicts, groups: Sequence[Sequence[str]]
) -> AsyncIterator[Town]:
    """Nodes for groups of agents, for the time of the block."""
    async with AsyncExitStack() as stack:
        found = Town()
        gate = Gate(sandbox, mutants=verdicts.mutants)
        for number, names in enumerate(groups):
            store = await Store.open(folder / f"house{number}")
            stack.push_async_callback(store.close)
            routines = RoutineStore(store, CLOCK)
            taking = RememberingGate(gate, verdicts, "fetched")
            registry = Registry()
            registry.add("node", members_of(RoutineCapabilities(routines)))
            house = House(
                routines,
                Workshop(sandbox, RememberingGate(gate, verdicts, "made")),
                Workshop(sandbox, taking),
                Fetcher(routines, taking, found, _derived),
                CallPath(registry, PolicyEngine.usual()),
            )
            found.houses.append(house)
            for name in names:
                found.settle(name, house)
        yield found
