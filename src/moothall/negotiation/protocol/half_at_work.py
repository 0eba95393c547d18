"""This side's half in a session: made, tested on the agreed cases, mended, and the end of the protocol that runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from moothall.codegen.module import Module
from moothall.errors import BudgetSpent, Conflict, MoothallError, SandboxFault
from moothall.negotiation.protocol.bases import Send
from moothall.negotiation.protocol.brain import Brain, Diagnosis
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.generating import NO_CODE, ModuleMaker
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.running import (
    GeneratedProvider,
    GeneratedRequester,
    Half,
    provider_class,
    requester_class,
)

_MENDING: Final = (
    "An earlier version of this code had the error that the other side describes at the end of the material. Look for "
    "its cause and write the code without it."
)
_LONGEST_DESCRIPTION: Final = 8_000


class HalfAtWork:
    """One side's half of one agreed protocol.

    Args:
        maker: makes and keeps the code.
        document: the agreed protocol.
        send: carries a request or response to the other side.
    """

    def __init__(self, maker: ModuleMaker, document: ProtocolDocument, send: Send) -> None:
        self._maker, self._document, self._send = maker, document, send
        self._module: Module | None = None
        self._class: type[GeneratedRequester | GeneratedProvider] | None = None
        self.instance: GeneratedRequester | GeneratedProvider | None = None
        self.reason = ""
        """Why there is no code, or why it was not reported as good."""

    @property
    def document(self) -> ProtocolDocument:
        """The agreed protocol."""
        return self._document

    @property
    def path(self) -> Path:
        """The module directory."""
        return self._maker.path(self._document.digest)

    @property
    def module(self) -> Module | None:
        """The code, where there is some."""
        return self._module

    @property
    def generated_class(self) -> type[GeneratedRequester | GeneratedProvider]:
        """The class of this end of the protocol.

        Raises:
            Conflict: there is no code.
        """
        if self._class is None:
            raise Conflict("there is no code for the protocol", why=self.reason)
        return self._class

    async def make(self, cases: Sequence[JsonObject]) -> bool:
        """Make the code, or take what is there; whether there is some that passes the cases."""
        try:
            self._use(await self._maker.half(self._document, cases))
        except NO_CODE as error:
            self.reason = "budget" if isinstance(error, BudgetSpent) else error.message
            return False
        return True

    async def passes(self, cases: Sequence[JsonObject]) -> bool:
        """Whether the code passes the agreed cases in the sandbox, at worst after it was made anew for them."""
        if self._module is None:
            return False
        try:
            if not await self._maker.failures(self._document, self._module, cases):
                return True
        except SandboxFault as error:
            self.reason = error.message
        return await self.make(cases)

    async def diagnose(self, brain: Brain, description: str, cases: Sequence[JsonObject]) -> Diagnosis:
        """Whether an error that the other side describes is one of this code; a failing agreed case settles it."""
        if self._module is None:
            return Diagnosis(confirmed=False, reason="there is no code")
        try:
            if await self._maker.failures(self._document, self._module, cases):
                return Diagnosis(confirmed=True)
        except SandboxFault:
            return Diagnosis(confirmed=True)
        return await brain.diagnose(self._document.text, self._module.source, description)

    async def mend(self, description: str, cases: Sequence[JsonObject]) -> bool:
        """Make the code anew without an error; whether there is another one now that passes the cases."""
        task = self._maker.task(self._document, cases)
        told = f"{task.material}\n\n---\nThe error:\n{description[:_LONGEST_DESCRIPTION]}"
        task = replace(task, material=told, instruction=f"{task.instruction} {_MENDING}")
        before = self._module
        try:
            module = await self._maker.make(self._document, task)
        except NO_CODE as error:
            self.reason = "budget" if isinstance(error, BudgetSpent) else error.message
            return False
        self._use(module)
        if before is not None and module.source == before.source:
            self.reason = "the code could not be made without the error"
            return False
        return True

    def close(self, error: MoothallError) -> None:
        """End every request that waits; no further one is sent or answered."""
        if isinstance(self.instance, GeneratedRequester):
            self.instance.close(error)
        elif self.instance is not None:
            self.instance.close()

    def _use(self, module: Module) -> None:
        half = Half(self._document, module, self._maker.workshop.sandbox, self._maker.workshop.limits)
        self._module = module
        if self._class is not None:
            self._class.half = half
            return
        if self._maker.role == "requester":
            requester = requester_class(half)
            self._class, self.instance = requester, requester()
            self.instance.block()
        else:
            self._class = provider_class(half)
            self.instance = self._class()
        self.instance.set_send_callback(self._send)
