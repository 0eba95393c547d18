"""Agreed protocols as capabilities: ``protocol.<16 digits>`` of the agent that agreed to speak it.

A call checks the request against the agreed schema, runs the provider's half in the sandbox as its caller, and checks
the response. Who may call what the half calls is decided there, for this caller, as if it called itself.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, cast

from pydantic import WithJsonSchema

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.entry import Entry
from moothall.capability.members import members_of
from moothall.capability.registry import Registry
from moothall.capability.spec import UNLISTED
from moothall.codegen.kept import Routine
from moothall.codegen.module import Module
from moothall.codegen.sandbox.port import FaultKind, Sandbox, SandboxLimits, fault
from moothall.codegen.services.binding import host_call
from moothall.codegen.store import RoutineStore
from moothall.errors import (
    Conflict,
    IntegrityError,
    InvalidInput,
    SandboxFault,
    ServiceNotFoundError,
    Told,
    ValidationError,
)
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.inlining import inlined
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.running import Half
from moothall.negotiation.protocol.selection import capability_of
from moothall.telemetry import logger

SECONDS: Final = 60.0
"""Of a whole call; the code itself has limits of its own."""

MOST_OFFERED: Final = 500
MOST_OF_PEER: Final = 25
"""Agreed protocols that are offered at once: in all, and of those with one peer."""

MOST_RESTORED: Final = 100
"""Those that a node offers from its start; older ones are offered again when somebody asks for them."""

MOST_NAMED: Final = 8
"""Protocols that one selection may name."""

_UNFIT: Final = 400
"""The code of a response that says that the request is none that can be answered."""

_DIGEST: Final = re.compile("sha256:[0-9a-f]{64}")

_log = logger("negotiation")


@dataclass(frozen=True, slots=True)
class _Place:
    """What is offered: the digest of a protocol, and the DID with which it was agreed first."""

    digest: str
    peer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedCapabilities:
    """Offers the protocols that agents of this node have agreed to speak.

    Each is a capability, which costs memory and a new snapshot of all of them, and strangers bring them about. So no
    more than `MOST_OFFERED` are there at once, and `MOST_OF_PEER` with one peer. The one that was not spoken the
    longest makes room; whoever names its digest in a selection has it offered again.

    Attributes:
        registry: of the node.
        routines: where protocols and tested code are.
        sandbox: runs the code.
        limits: of one run.
        named: the agent of this node with a DID; empty: none.
        did: the DID of an agent of this node; empty: there is none.
    """

    registry: Registry = field(repr=False)
    routines: RoutineStore = field(repr=False)
    sandbox: Sandbox = field(repr=False)
    limits: SandboxLimits = field(default_factory=SandboxLimits)
    named: Callable[[str], str] = field(repr=False)
    did: Callable[[str], str] = field(repr=False)
    _offered: dict[str, _Place] = field(default_factory=dict, repr=False)

    def offer(self, agent: str, document: ProtocolDocument, module: Module, peer: str = "") -> None:
        """Offer a protocol at an agent, unless it is offered there already.

        Raises:
            Conflict: another capability of the agent has that name.
        """
        key = f"{agent}.{document.name}"
        if self.registry.snapshot.find(key) is not None:
            if (there := self._offered.get(key)) is None or there.digest != document.digest:
                raise Conflict("another capability has that name", told=Told("agreeing.front_taken"))
            self._spoke(key)
            return
        self._offered.pop(key, None)
        self._make_room(peer)
        half = Half(document=document, module=module, sandbox=self.sandbox, limits=self.limits)
        self.registry.add(agent, members_of(_speaker(half, lambda: self._spoke(key))))
        self._offered[key] = _Place(document.digest, peer)

    async def spoken(self, agent: str, named: Sequence[object]) -> Sequence[Entry]:
        """The capabilities of agreed protocols that an agent speaks, among those named by digest or name.

        What was agreed in another process on the same store, or made room meanwhile, is offered from now on.

        Raises:
            StorageError: the store cannot be read.
        """
        found: dict[str, Entry] = {}
        for each in dict.fromkeys(each for each in named[:MOST_NAMED] if isinstance(each, str)):
            name = capability_of(each) if _DIGEST.fullmatch(each) else each
            key = f"{agent}.{name}"
            if name != each and key not in self._offered:
                await self._recall(agent, each)
            there, entry = self._offered.get(key), self.registry.snapshot.find(key)
            if there is not None and entry is not None and each in {name, there.digest}:
                found[key] = entry
        return tuple(found.values())

    async def restore(self) -> None:
        """Offer again what was agreed on in earlier lives of this node, the newest; what is not whole is left out.

        Raises:
            StorageError: the store cannot be read.
        """
        newest = {
            (each.agent, each.protocol): each for each in reversed(await self.routines.agreements(role="provider"))
        }
        for agreed in list(newest.values())[-MOST_RESTORED:]:
            if agent := self.named(agreed.agent):
                await self._again(agent, agreed.protocol, agreed.peer)

    async def _recall(self, agent: str, digest: str) -> None:
        own = self.did(agent)
        for agreed in await self.routines.agreements(role="provider", protocol=digest):
            if own and agreed.agent == own:
                await self._again(agent, digest, agreed.peer)
                return

    async def _again(self, agent: str, protocol: str, peer: str) -> None:
        try:
            kept = await self.routines.protocol(protocol)
            tested = own_halves(agent, await self.routines.find(protocol, "provider"))
            if kept is not None and tested:
                self.offer(agent, documents.read(kept.document), tested[0].module, peer)
        except (InvalidInput, IntegrityError, Conflict) as error:
            _log.warning("the protocol %s is not offered any more: %s", protocol, error.message)

    def _make_room(self, peer: str) -> None:
        own = [key for key, there in self._offered.items() if peer and there.peer == peer]
        leaving = own[: max(len(own) - MOST_OF_PEER + 1, 0)]
        left = [key for key in self._offered if key not in leaving]
        for key in (*leaving, *left[: max(len(left) - MOST_OFFERED + 1, 0)]):
            del self._offered[key]
            with suppress(ServiceNotFoundError):
                self.registry.remove(key)

    def _spoke(self, key: str) -> None:
        """The last in the order are those that were spoken last."""
        if (there := self._offered.pop(key, None)) is not None:
            self._offered[key] = there


def own_halves(agent: str, routines: Iterable[Routine]) -> list[Routine]:
    """Tested halves that call capabilities of this agent and of no other: agents of a node may speak the same."""
    own = f"local:{agent}."
    return [
        each
        for each in routines
        if each.tested_at and all(target.startswith(own) for target in each.module.manifest.may_call)
    ]


def _speaker(half: Half, spoke: Callable[[], None]) -> Callable[..., Awaitable[JsonObject]]:
    """The function behind one protocol's capability."""
    document, manifest = half.document, half.module.manifest

    async def speak(ctx: CallContext, request: JsonObject) -> JsonObject:
        if document.request_problems(request):
            raise ValidationError("the request does not fit", told=Told("agreeing.front_request"))
        spoke()
        try:
            response = await half.run("handle", {"request": request}, host_call(ctx.call, manifest.may_call))
        except SandboxFault as error:
            return _refused(error, document)
        if not isinstance(response, dict) or document.response_problems(response):
            raise SandboxFault("the response does not fit", told=Told("agreeing.bad_response"))
        return response

    speak.__doc__ = _described(document)
    speak.__annotations__ = {
        "ctx": CallContext,
        "request": Annotated[dict[str, Any], WithJsonSchema(inlined(document.request))],
        "return": Annotated[dict[str, Any], WithJsonSchema(inlined(document.returns))],
    }
    options: dict[str, Any] = {"name": document.name, "access": "authenticated", "timeout": SECONDS}
    made: Callable[..., Awaitable[JsonObject]] = capability(**options, tags=("protocol", UNLISTED), ai_optimized=False)(
        speak
    )
    return made


def _refused(error: SandboxFault, document: ProtocolDocument) -> JsonObject:
    """What a caller hears of code that gave no response: that it takes the request for none, or how it ended.

    What the code said goes into the log: it may be anything that it worked with.

    Raises:
        SandboxFault: the code itself is at fault.
    """
    _log.info("%s gave no response: %s", document.name, error.kind)
    _log.debug("%s: %s", document.name, dict(error.details))
    if error.details.get("raised") == "ValueError":
        return {"code": _UNFIT}
    raise fault(cast("FaultKind", error.kind)) from None


def _described(document: ProtocolDocument) -> str:
    """What it is for, in our own words: those of the document were agreed with a stranger."""
    return f"Speak the agreed protocol {document.digest}."
