"""Halves of protocols as module directories: made where they are not there yet, taken as they are where they are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from moothall.codegen.module import Case, Module
from moothall.codegen.task import CodingTask
from moothall.errors import (
    BudgetSpent,
    CodeRefused,
    DecisionRefused,
    IntegrityError,
    InvalidInput,
    ModelTimeout,
    ModelUnavailable,
    SandboxFault,
    StorageError,
)
from moothall.llm.base import BaseLLM
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.brain import Role
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.halves import half_task, opposite_task
from moothall.negotiation.protocol.module_files import kept_module, module_name, write_module
from moothall.negotiation.protocol.needs import JsonObject, Need
from moothall.negotiation.protocol.workshop import Codegen, Workshop, lent

NO_CODE = (
    CodeRefused,
    SandboxFault,
    BudgetSpent,
    ModelUnavailable,
    ModelTimeout,
    DecisionRefused,
    InvalidInput,
    StorageError,
    IntegrityError,
)
"""Why there is no code for a protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleMaker:
    """Makes one side's halves and keeps them below a directory; fills `conduct.Coder`.

    Attributes:
        workshop: makes and tests code.
        llm: may be asked where no template fits; None: templates only.
        root: where the module directories are.
        role: this side's.
        need: the requester's.
        codegen: ``schema``: no model is asked for code.
    """

    workshop: Workshop = field(repr=False)
    llm: BaseLLM | None = field(repr=False)
    root: Path
    role: Role
    need: Need | None = None
    codegen: Codegen = "auto"

    async def code(self, document: str, cases: Sequence[JsonObject]) -> str:
        """The hash of this side's half, kept in its module directory.

        Raises:
            InvalidInput: the protocol cannot be read.
            CodeRefused, BudgetSpent, ModelUnavailable, ModelTimeout, DecisionRefused, SandboxFault: there is no code.
            StorageError: it cannot be written.
        """
        return (await self.half(documents.read(document), cases)).hash

    def path(self, digest: str) -> Path:
        """The module directory of a protocol."""
        return self.root / module_name(digest)

    def task(self, document: ProtocolDocument, cases: Sequence[JsonObject] = ()) -> CodingTask:
        """What this side's half has to do."""
        return half_task(self.role, document, self.need, cases)

    async def half(self, document: ProtocolDocument, cases: Sequence[JsonObject] = ()) -> Module:
        """This side's half: the one that is there, if it passes the cases, else a new one, written."""
        task = self.task(document, cases)
        found = await self.kept(document)
        if found is not None and found.manifest.functions == task.functions and not await self._fails(found, task):
            return found
        return await self.make(document, task)

    async def make(self, document: ProtocolDocument, task: CodingTask) -> Module:
        """A new half, written."""
        other = opposite_task(document, task.kind)
        generated = await self.workshop.generate(task, self.llm, self.codegen, other)
        await asyncio.to_thread(write_module, self.root, document.text, self.role, generated.module)
        return generated.module

    async def kept(self, document: ProtocolDocument) -> Module | None:
        """The half that is there and whole; one that was changed is not used, and that is logged."""
        files = await asyncio.to_thread(kept_module, self.root, document.digest)
        return None if files is None else files.halves.get(self.role)

    async def failures(
        self, document: ProtocolDocument, module: Module, cases: Sequence[JsonObject]
    ) -> tuple[str, ...]:
        """Which of the agreed cases this side's half fails.

        Raises:
            SandboxFault: it cannot be run.
        """
        return await self._fails(module, self.task(document, cases))

    async def _fails(self, module: Module, task: CodingTask) -> tuple[str, ...]:
        wanted: tuple[Case, ...] = task.cases
        return await self.workshop.fails(module.source, wanted) if wanted else ()


class ProtocolCodeGenerator:
    """Makes the code for one side of a protocol and writes its module directory (row META-PROTO-17).

    Args:
        llm: may be asked where no template fits; None: templates only.
        output_path: where the module directories are.
        workshop: makes and tests the code; None: one for each call.
        need: the requester's.
        codegen: ``schema``: no model is asked for code.
    """

    def __init__(
        self,
        llm: BaseLLM | None,
        output_path: str | Path,
        *,
        workshop: Workshop | None = None,
        need: Need | None = None,
        codegen: Codegen = "auto",
    ) -> None:
        self._llm, self._root = llm, Path(output_path)
        self._workshop, self._need, self._codegen = workshop, need, codegen
        self.reason = ""
        """Why the last call failed."""

    async def generate(
        self, protocol_doc: str, role: Role, cases: Sequence[JsonObject] = ()
    ) -> tuple[bool, Path | None]:
        """Whether there is code for one side of a protocol now, and where; on failure `reason` says why.

        A protocol that cannot be read, or code that does not pass, leaves nothing behind.
        """
        self.reason = ""
        try:
            document = documents.read(protocol_doc)
            async with lent(self._workshop) as workshop:
                maker = ModuleMaker(
                    workshop=workshop,
                    llm=self._llm,
                    root=self._root,
                    role=role,
                    need=self._need,
                    codegen=self._codegen,
                )
                await maker.half(document, cases)
        except NO_CODE as error:
            self.reason = str(error)
            return False, None
        return True, maker.path(document.digest)
