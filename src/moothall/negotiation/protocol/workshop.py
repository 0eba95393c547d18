"""Where halves of protocols are made and run: one sandbox, its gate, and the writers of code that may be asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import product
from typing import Literal, Self

from moothall.codegen.cases import run_cases
from moothall.codegen.gate import Gate
from moothall.codegen.generator import Generator, manifest_of
from moothall.codegen.model_writer import ModelWriter
from moothall.codegen.module import Case, Function, Module, ScriptedCall
from moothall.codegen.report import Report
from moothall.codegen.sandbox.monty import MontySandbox
from moothall.codegen.sandbox.port import DEFAULT_LIMITS, Sandbox, SandboxLimits
from moothall.codegen.schemas.samples import samples
from moothall.codegen.task import CALLBACK, CodingTask, Draft, Generated, Judge, Writer
from moothall.codegen.template_writer import TemplateWriter
from moothall.llm.base import BaseLLM

Codegen = Literal["auto", "schema"]
"""Who may write code: templates and then a model; or templates alone, from the schemas."""

REPAIR_ROUNDS = 3
_SAMPLES = 6
"""Requests, and responses to each of them, in the tests of a half that hands them on."""


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

    async def generate(
        self, task: CodingTask, llm: BaseLLM | None, codegen: Codegen = "auto", other: CodingTask | None = None
    ) -> Generated:
        """Code for a half of a protocol: by a template where one fits, else by a model.

        Where a template fits the ``other`` half, the two have to understand each other. That one is put to no other
        use: the other side makes its own.

        Raises:
            as `Generator.generate`.
        """
        writers: list[Writer] = [HalfTemplates()]
        if llm is not None and codegen == "auto":
            writers.append(ModelWriter(llm))
        return await self.written(task, writers, () if other is None else await self._opposite(other))

    async def written(
        self, task: CodingTask, writers: Sequence[Writer], counterparts: Sequence[Module] = ()
    ) -> Generated:
        """Code for a task by the first of some writers who can, and that passes the gate.

        Raises:
            as `Generator.generate`.
        """
        return await Generator(self.judge, writers, self._repair_rounds).generate(task, counterparts)

    async def _opposite(self, task: CodingTask) -> tuple[Module, ...]:
        draft = await HalfTemplates().write(task)
        if draft is None:
            return ()
        return (Module(manifest=manifest_of(task, draft.provenance), source=draft.source),)

    async def fails(self, source: str, cases: Sequence[Case]) -> tuple[str, ...]:
        """What goes wrong when code is run on cases; nothing: it passes all of them.

        Raises:
            SandboxFault: the code cannot be loaded.
        """
        image = await self.sandbox.load(source, self.limits)
        results = await run_cases(self.sandbox, image, cases)
        return tuple(f"{each.case.name}: {each.why}" for each in results if not each.passed)


class HalfTemplates:
    """Templates; a provider's half hands the response of its business code on, which the host checks in any case."""

    def __init__(self) -> None:
        self._templates = TemplateWriter()

    async def write(self, task: CodingTask, previous: str = "", report: Report | None = None) -> Draft | None:
        """A half that only maps, or None."""
        callee = next((each for each in task.callees if each.target == CALLBACK), None)
        function = task.functions[0]
        if callee is None or callee.returns != function.returns:
            return await self._templates.write(task, previous, report)
        passing = replace(
            task,
            functions=(function.model_copy(update={"returns": {}}),),
            callees=(replace(callee, returns={}),),
        )
        draft = await self._templates.write(passing, previous, report)
        if draft is None:
            return None
        refusing = tuple(case for case in draft.cases if not case.calls)
        return replace(draft, cases=(*refusing, *_passed_on(function)))


def _passed_on(function: Function) -> Iterator[Case]:
    """Tests in which a response comes back as the business code gave it."""
    requests, responses = samples(function.parameters, _SAMPLES), samples(function.returns, _SAMPLES)
    for number, (given, reply) in enumerate(product(requests, responses), 1):
        called = ScriptedCall(target=CALLBACK, parameters=given, reply=reply)
        name = f"handed on, {number}"
        yield Case(name=name, function=function.name, arguments=given, expected=reply, calls=(called,))


@asynccontextmanager
async def lent(workshop: Workshop | None) -> AsyncIterator[Workshop]:
    """The given workshop, which stays open, or one that is closed afterwards."""
    if workshop is not None:
        yield workshop
        return
    async with Workshop() as own:
        yield own
