"""From what is wanted to a version that is kept: understood, written, judged, signed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from moothall.canonical import canonical, sha256
from moothall.capability.entry import Entry
from moothall.clock import Clock
from moothall.codegen.kept import Routine
from moothall.codegen.module import Function, Module
from moothall.codegen.services.desk import ServiceDesk
from moothall.codegen.services.exact import exact
from moothall.codegen.services.records import ServiceRecord, VersionRecord, next_version
from moothall.codegen.services.understanding import Interface, Understanding
from moothall.codegen.services.wording import Words, callees_of, nothing
from moothall.codegen.signing import sign_module
from moothall.codegen.task import Callee, CodingTask, Generated
from moothall.errors import Told, Unavailable
from moothall.identity.keys import Signer
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.messages import Lang

_MOST_OFFERED: Final = 60


class Generates(Protocol):
    """Writes code until it passes the gate; `Generator` fills it."""

    async def generate(self, task: CodingTask, /) -> Generated:
        """A module for a task; raises CodeRefused where none passed."""
        ...


class Keeps(Protocol):
    """Keeps code; `RoutineStore` fills it."""

    async def get(self, key: str, /) -> Routine | None:
        """The code of this hash."""
        ...

    async def put(self, module: Module, token: str, /, *, origin: str = "", tested: bool = False) -> Routine:
        """Keep a module, with a token by which an agent vouches for it."""
        ...


Visible = Callable[[], Awaitable[Collection[Entry]]]
"""The capabilities that the node's owner may call in this process."""


@dataclass(frozen=True, slots=True)
class Writing:
    """Writes services and keeps what passed.

    Attributes:
        desk: takes the versions.
        routines: take the code.
        signer: the node's own agent vouches for it.
        clock: dates that.
        generator: writes; None: nothing can be written here, only what is kept runs.
        understanding: asks the model for interfaces; None as the generator.
        visible: what a service may be offered to call.
        words: what targets in words mean.
        lang: of what is written for people.
    """

    desk: ServiceDesk
    routines: Keeps
    signer: Signer
    clock: Clock
    generator: Generates | None
    understanding: Understanding | None
    visible: Visible
    words: Words = nothing
    lang: Lang = "en"

    async def offered(self, may_call: Sequence[str] | None = None, without: str = "") -> list[Callee]:
        """What a service may be offered: of what the owner may call, or of that only these targets.

        The capabilities by which the node itself is run are never among them, nor is the service itself.
        """
        entries = sorted(await self.visible(), key=lambda entry: entry.id)
        callees = [_callee(entry) for entry in entries if not _of_the_node(entry) and entry.id != without]
        if may_call is not None:
            callees = [each for each in callees if each.target in may_call]
            callees = [*await callees_of(may_call, self.words), *callees]
        return callees[:_MOST_OFFERED]

    async def understood(
        self, requirement: str, offered: Sequence[Callee], function: Function | None = None, *, words: bool = False
    ) -> Interface:
        """See `Understanding.of`; targets in words that mean nothing are left out.

        A function that is there and may call nothing needs no model.

        Raises:
            Unavailable: there is no model.
        """
        if function is not None and not offered:
            return Interface(function, "", ())
        if self.understanding is None:
            raise no_model()
        found = await self.understanding.of(requirement, offered, function, words=words)
        spoken = {callee.target for callee in await callees_of(found.may_call, self.words)}
        known = {each.target for each in offered} | spoken
        return replace(found, may_call=tuple(target for target in found.may_call if target in known))

    async def written(
        self, name: str, requirement: str, interface: Interface, offered: Sequence[Callee], version: str = ""
    ) -> Generated:
        """Code for an interface that passed the gate.

        Raises:
            CodeRefused: none did, within the repairs.
            Unavailable: there is no model.
            ModelUnavailable, ModelTimeout, DecisionRefused, BudgetSpent: as `BaseLLM`.
        """
        if self.generator is None:
            raise no_model()
        versions = await self.desk.services.versions(name)
        listed = {each.target: each for each in offered if each.target in interface.may_call}
        listed |= {each.target: each for each in await callees_of(interface.may_call, self.words)}
        return await self.generator.generate(
            CodingTask(
                kind="service",
                name=name,
                functions=(interface.function,),
                instruction=f"{requirement.strip()}\n\n{interface.instruction}".strip(),
                callees=tuple(listed.values()),
                version=version or next_version(versions, compatible=await self.fits(versions, interface.function)),
                lang=self.lang,
            )
        )

    async def kept(self, module: Module, requirement: str, actor: str) -> tuple[ServiceRecord, VersionRecord]:
        """Keep a module that passed the gate as a version of its service.

        Raises:
            Conflict: there is another one of its number.
        """
        key = module.hash
        await self.routines.put(module, sign_module(key, self.signer, self.clock.now()), tested=True)
        manifest = module.manifest
        made = VersionRecord(service=manifest.name, version=manifest.version, hash=key, requirement=requirement)
        return await self.desk.add(made, actor), made

    async def fits(self, versions: Sequence[VersionRecord], function: Function) -> bool:
        """Whether callers of the newest version can stay as they are."""
        if not versions or (routine := await self.routines.get(versions[-1].hash)) is None:
            return True
        before = routine.module.manifest.functions[0]
        return (before.parameters, before.returns) == (function.parameters, function.returns)


def wanted(requirement: str, function: Function | None = None) -> str:
    """``sha256:…`` of what was asked for: the words, and the function where that stood already."""
    return sha256(canonical([requirement.strip(), None if function is None else function.model_dump(mode="json")]))


def no_model() -> Unavailable:
    """The error of whoever wants code where no model writes any."""
    told = Told("codegen.service.no_model", hint="codegen.service.no_model_try")
    return Unavailable("no model writes code here", told=told)


def _callee(entry: Entry) -> Callee:
    returns = exact(entry.output_schema or {})
    return Callee(f"local:{entry.id}", exact(entry.input_schema), returns, entry.spec.description)


def _of_the_node(entry: Entry) -> bool:
    """Whether it is one of the rooms of the node itself, whose capabilities have names with dots."""
    return entry.agent == DEFAULT_AGENT and "." in entry.spec.name
