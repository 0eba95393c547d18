"""What an agent of this node has in a drafted negotiation, on either side: judgement, code, keys and what it keeps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import ValidationError as PydanticMisfit

from moothall.clock import Clock
from moothall.codegen.module import Module
from moothall.codegen.signing import verify
from moothall.codegen.store import RoutineStore
from moothall.codegen.task import CodingTask
from moothall.errors import (
    CallTimeout,
    IntegrityError,
    InvalidInput,
    Overloaded,
    SandboxFault,
    Told,
    UpstreamError,
)
from moothall.grants.ports import Documents, Signers
from moothall.identity.did import DidUrl
from moothall.llm.base import BaseLLM
from moothall.negotiation.protocol import transcript as transcripts
from moothall.negotiation.protocol.brain import Brain, Role
from moothall.negotiation.protocol.conduct import Conducted
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.halves import half_cases
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.making import KeepingCoder, needed
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.spending import Spending
from moothall.negotiation.protocol.transcript import Transcript
from moothall.negotiation.protocol.workshop import Codegen, Workshop
from moothall.telemetry import logger

_log = logger("negotiation")

_UNFIT = (
    PydanticMisfit,
    InvalidInput,
    IntegrityError,
    SandboxFault,
    UpstreamError,
    CallTimeout,
    Overloaded,
)
"""Why code that is offered is not taken."""

_MOST_SHARED = 4
"""Requesters' halves of one protocol that are kept for others; more would say the same."""

Calls = Callable[[str, str, Mapping[str, Any]], Awaitable[Any]]
"""Calls a target as an agent of this node, by its name; gives its value, raises what it failed with."""


class Minds(Protocol):
    """Makes a fresh judgement for one negotiation."""

    def __call__(self, spending: Spending, *, model: bool) -> tuple[Brain, BaseLLM | None]:
        """It, and the model behind it with a budget of its own, if there is one.

        Args:
            spending: what the negotiation has taken of the budget; follows what it takes from now on.
            model: whether a model may be asked at all.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyGround:
    """What both sides stand on.

    Attributes:
        clock: the time.
        minds: who judges and may write code.
        workshop: makes and tests code.
        routines: where protocols, code and agreements are kept.
        signers: the keys of this node's agents.
        documents: finds the documents of DIDs.
        limits: of one negotiation.
        codegen: ``schema``: no model writes code.
    """

    clock: Clock = field(repr=False)
    minds: Minds = field(repr=False)
    workshop: Workshop = field(repr=False)
    routines: RoutineStore = field(repr=False)
    signers: Signers = field(repr=False)
    documents: Documents = field(repr=False)
    limits: Limits = field(default_factory=Limits)
    codegen: Codegen = "auto"

    def coder(
        self, did: str, llm: BaseLLM | None, tasks: Callable[[ProtocolDocument, Sequence[JsonObject]], CodingTask]
    ) -> KeepingCoder:
        """Who makes the code of an agent."""
        return KeepingCoder(
            routines=self.routines,
            workshop=self.workshop,
            signer=needed(self.signers(did)),
            clock=self.clock,
            tasks=tasks,
            llm=llm,
            codegen=self.codegen,
        )

    def signed(self, did: str, transcript: Transcript, protocol: str) -> str:
        """An agent's signature over a conversation."""
        return transcripts.sign(transcript, needed(self.signers(did)), protocol)

    async def take_in(self, offered: object, peer: str, found: Conducted) -> None:
        """Keep the requester's half for others with the same need, if it is whole and passes the gate of this node."""
        said = offered if isinstance(offered, dict) else {}
        try:
            module = Module.of(said.get("module"))
            token = str(said.get("token", ""))
            manifest = module.manifest
            if (manifest.kind, manifest.protocol, manifest.may_call) != ("requester", found.digest, ()):
                return
            if await verify(token, module.hash, self.documents) != peer:
                return
            if sum(1 for each in await self.routines.find(found.digest, "requester") if each.tested_at) >= _MOST_SHARED:
                return
            tests = half_cases("requester", manifest.functions, found.cases)
            report = await self.workshop.judge.judge(module, (), tests)
        except _UNFIT as error:
            _log.info("the code that a requester offers is not kept: %s", type(error).__name__)
            return
        if report.passed:
            await self.routines.put(module, token, origin=peer, tested=True)

    async def check(self, transcript: Transcript, token: str, role: Role, protocol: str) -> None:
        """Make sure that the other side signed the conversation.

        Raises:
            IntegrityError: it did not.
            MoothallError: its document cannot be had.
        """
        keyid = transcripts.signer_of(token)
        document = await self.documents.resolve(DidUrl.parse(keyid).did.text)
        key = document.authentication.get(keyid) or document.assertion.get(keyid)
        if key is None:
            raise IntegrityError("signed with no key of that DID", told=Told("agreeing.transcript_signer"))
        transcripts.verify(transcript, token, role=role, key=key, protocol=protocol)
