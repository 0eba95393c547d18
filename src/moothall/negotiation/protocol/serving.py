"""Agreed protocols as capabilities: ``protocol.<16 digits>`` of the agent that agreed to speak it.

A call checks the request against the agreed schema, runs the provider's half in the sandbox as its caller, and checks
the response. Who may call what the half calls is decided there, for this caller, as if it called itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import WithJsonSchema

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.members import members_of
from moothall.capability.registry import Registry
from moothall.codegen.module import Module
from moothall.codegen.sandbox.port import Sandbox, SandboxLimits
from moothall.codegen.services.binding import host_call
from moothall.codegen.store import RoutineStore
from moothall.errors import IntegrityError, InvalidInput, SandboxFault, Told, ValidationError
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.inlining import inlined
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.running import Half
from moothall.telemetry import logger

SECONDS = 60.0
"""Of a whole call; the code itself has limits of its own."""

_log = logger("negotiation")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedCapabilities:
    """Offers the protocols that agents of this node have agreed to speak.

    Attributes:
        registry: of the node.
        routines: where protocols and tested code are.
        sandbox: runs the code.
        limits: of one run.
        named: the agent of this node with a DID; empty: none.
    """

    registry: Registry = field(repr=False)
    routines: RoutineStore = field(repr=False)
    sandbox: Sandbox = field(repr=False)
    limits: SandboxLimits = field(default_factory=SandboxLimits)
    named: Callable[[str], str] = field(repr=False)

    def offer(self, agent: str, document: ProtocolDocument, module: Module) -> None:
        """Offer a protocol at an agent, unless it is offered there already."""
        if self.registry.snapshot.find(f"{agent}.{document.name}") is None:
            half = Half(document=document, module=module, sandbox=self.sandbox, limits=self.limits)
            self.registry.add(agent, members_of(_speaker(half)))

    async def restore(self) -> None:
        """Offer again what was agreed on in earlier lives of this node; what is not whole any more is left out.

        Raises:
            StorageError: the store cannot be read.
        """
        for agreed in await self.routines.agreements(role="provider"):
            if agent := self.named(agreed.agent):
                try:
                    await self._again(agent, agreed.protocol)
                except (InvalidInput, IntegrityError) as error:
                    _log.warning("the protocol %s is not offered any more: %s", agreed.protocol, error.message)

    async def _again(self, agent: str, protocol: str) -> None:
        kept = await self.routines.protocol(protocol)
        tested = [each for each in await self.routines.find(protocol, "provider") if each.tested_at]
        if kept is not None and tested:
            self.offer(agent, documents.read(kept.document), tested[0].module)


def _speaker(half: Half) -> Callable[..., Awaitable[JsonObject]]:
    """The function behind one protocol's capability."""
    document, manifest = half.document, half.module.manifest

    async def speak(ctx: CallContext, request: JsonObject) -> JsonObject:
        if document.request_problems(request):
            raise ValidationError("the request does not fit", told=Told("agreeing.front_request"))
        response = await half.run("handle", {"request": request}, host_call(ctx.call, manifest.may_call))
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
    made: Callable[..., Awaitable[JsonObject]] = capability(**options, tags=("protocol",), ai_optimized=False)(speak)
    return made


def _described(document: ProtocolDocument) -> str:
    """What it is for, in our own words: those of the document were agreed with a stranger."""
    return f"Speak the agreed protocol {document.digest}."
