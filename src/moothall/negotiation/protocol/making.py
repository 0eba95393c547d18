"""This node's halves of protocols in its store of tested code: found there, or made, signed and put there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from moothall.clock import Clock
from moothall.codegen.kept import Routine
from moothall.codegen.module import Function
from moothall.codegen.signing import sign_module
from moothall.codegen.store import RoutineStore
from moothall.codegen.task import CodingTask
from moothall.errors import InternalError
from moothall.identity.keys import Signer
from moothall.llm.base import BaseLLM
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.artifact import artifact_of, signed
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.halves import opposite_task
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.workshop import Codegen, Workshop

Tasks = Callable[[ProtocolDocument, Sequence[JsonObject]], CodingTask]
"""What a half has to do, for a document and the agreed cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepingCoder:
    """Fills `conduct.Coder`.

    Attributes:
        routines: where code is kept.
        workshop: makes and tests it.
        signer: the agent's, which vouches for it.
        clock: dates the signature.
        tasks: what is to be made.
        llm: may be asked where no template fits.
        codegen: ``schema``: no model is asked.
    """

    routines: RoutineStore = field(repr=False)
    workshop: Workshop = field(repr=False)
    signer: Signer = field(repr=False)
    clock: Clock = field(repr=False)
    tasks: Tasks
    llm: BaseLLM | None = field(default=None, repr=False)
    codegen: Codegen = "auto"

    async def code(self, document: str, cases: Sequence[JsonObject]) -> str:
        """The hash of this side's half. Raises as `conduct.Coder.code`."""
        return (await self.half(documents.read(document), cases)).hash

    async def half(self, document: ProtocolDocument, cases: Sequence[JsonObject] = ()) -> Routine:
        """This side's half: tested code that is here and fits, else new code, put there.

        Raises:
            CodeRefused, BudgetSpent, ModelUnavailable, ModelTimeout, DecisionRefused, SandboxFault: there is none.
            StorageError, IntegrityError: it cannot be kept or read.
        """
        task = self.tasks(document, cases)
        found = await self.kept(document, task)
        if found is not None and not (task.cases and await self.workshop.fails(found.module.source, task.cases)):
            return found
        other = opposite_task(document, task.kind)
        generated = await self.workshop.generate(task, self.llm, self.codegen, other)
        artifact = signed(artifact_of(document, cases), self.signer)
        await self.routines.put_protocol(document.text, artifact.model_dump(mode="json"))
        token = sign_module(generated.module.hash, self.signer, self.clock.now())
        return await self.routines.put(generated.module, token, tested=True)

    async def kept(self, document: ProtocolDocument, task: CodingTask) -> Routine | None:
        """Tested code that is here and does what the task wants."""
        for each in await self.routines.find(document.digest, task.kind):
            manifest = each.module.manifest
            may = {callee.target for callee in task.callees}
            if each.tested_at and _same(manifest.functions, task.functions) and set(manifest.may_call) <= may:
                return each
        return None


def needed(signer: Signer | None) -> Signer:
    """The key of an agent that is to vouch for something.

    Raises:
        InternalError: the agent is not of this node.
    """
    if signer is None:
        raise InternalError("the agent has no key here")
    return signer


def _same(one: Sequence[Function], other: Sequence[Function]) -> bool:
    return {each.name: each for each in one} == {each.name: each for each in other}
