"""Where halves of protocols are made and run: one sandbox, its gate, and the writers of code that may be asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Literal, Self

from moothall.codegen.cases import run_cases
from moothall.codegen.gate import Gate
from moothall.codegen.generator import Generator
from moothall.codegen.model_writer import ModelWriter
from moothall.codegen.module import Case, ScriptedCall
from moothall.codegen.report import Report
from moothall.codegen.sandbox.monty import MontySandbox
from moothall.codegen.sandbox.port import DEFAULT_LIMITS, Sandbox, SandboxLimits
from moothall.codegen.schemas.samples import samples
from moothall.codegen.schemas.validation import compiled
from moothall.codegen.task import CALLBACK, CodingTask, Draft, Generated, Judge, Writer
from moothall.codegen.template_writer import TemplateWriter
from moothall.llm.base import BaseLLM
from moothall.negotiation.protocol.bases import GOOD

Codegen = Literal["auto", "schema"]
"""Who may write code: templates and then a model; or templates alone, from the schemas."""

REPAIR_ROUNDS = 3


class Workshop:
    """Makes code that passes its gate.

    Args:
        sandbox: runs code; None: one of this workshop's own, whose processes end with `aclose`.
        judge: the gate; None: the usual one over the sandbox.
        limits: of one run.
        repair_rounds: times that a model may mend what did not pass.
    """

    def __init__(
        self,
        sandbox: Sandbox | None = None,
        judge: Judge | None = None,
        *,
        limits: SandboxLimits = DEFAULT_LIMITS,
        repair_rounds: int = REPAIR_ROUNDS,
    ) -> None:
        self._own = MontySandbox(workers=2) if sandbox is None else None
        self.sandbox: Sandbox = sandbox or self._own  # type: ignore[assignment]
        self.judge: Judge = judge or Gate(self.sandbox)
        self.limits = limits
        self._repair_rounds = repair_rounds

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the processes of its own sandbox."""
        if self._own is not None:
            await self._own.aclose()

    async def generate(self, task: CodingTask, llm: BaseLLM | None, codegen: Codegen = "auto") -> Generated:
        """Code for a half of a protocol: by a template where one fits, else by a model.

        Raises:
            as `Generator.generate`.
        """
        writers: list[Writer] = [HalfTemplates()]
        if llm is not None and codegen == "auto":
            writers.append(ModelWriter(llm))
        return await self.written(task, writers)

    async def written(self, task: CodingTask, writers: Sequence[Writer]) -> Generated:
        """Code for a task by the first of some writers who can, and that passes the gate.

        Raises:
            as `Generator.generate`.
        """
        return await Generator(self.judge, writers, self._repair_rounds).generate(task)

    async def fails(self, source: str, cases: Sequence[Case]) -> tuple[str, ...]:
        """What goes wrong when code is run on cases; nothing: it passes all of them.

        Raises:
            SandboxFault: the code cannot be loaded.
        """
        image = await self.sandbox.load(source, self.limits)
        results = await run_cases(self.sandbox, image, cases)
        return tuple(f"{each.case.name}: {each.why}" for each in results if not each.passed)


class HalfTemplates:
    """Templates, with one test more for a provider's half: a response that only says that it is good is not."""

    def __init__(self) -> None:
        self._templates = TemplateWriter()

    async def write(self, task: CodingTask, previous: str = "", report: Report | None = None) -> Draft | None:
        """A half that only maps, or None."""
        draft = await self._templates.write(task, previous, report)
        more = () if draft is None or task.kind != "provider" else _empty_reply(task)
        return draft if draft is None else replace(draft, cases=(*draft.cases, *more))


def _empty_reply(task: CodingTask) -> tuple[Case, ...]:
    function, reply = task.functions[0], {"code": GOOD}
    callee = next((each for each in task.callees if each.target == CALLBACK), None)
    found = samples(function.parameters, 1)
    if callee is None or not found or compiled(callee.returns).accepts(reply):
        return ()
    called = ScriptedCall(target=CALLBACK, parameters=found[0], reply=reply)
    name = "a good response without anything in it"
    return (Case(name=name, function=function.name, arguments=found[0], raises="ValueError", calls=(called,)),)


@asynccontextmanager
async def lent(workshop: Workshop | None) -> AsyncIterator[Workshop]:
    """The given workshop, which stays open, or one that is closed afterwards."""
    if workshop is not None:
        yield workshop
        return
    async with Workshop() as own:
        yield own
