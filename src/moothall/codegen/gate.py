"""The gate: what generated code has to pass before anybody depends on it (rows GEN-09, GEN-10).

Stage after stage; one that fails ends it. Reading the code is a filter and never the boundary, which is the sandbox.
"""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property, partial
from typing import Final

from moothall.codegen import linting, subset
from moothall.codegen.cases import loaded, way_out
from moothall.codegen.differential import Other
from moothall.codegen.examining import Exam, Seen
from moothall.codegen.module import Case, JsonObject, Manifest, Module
from moothall.codegen.mutation import Trials
from moothall.codegen.properties import witnesses
from moothall.codegen.report import Problem, Report, Stage, StageReport
from moothall.codegen.sandbox.port import Image, Sandbox
from moothall.codegen.schemas.stubs import stubs_of
from moothall.codegen.schemas.validation import compiled
from moothall.codegen.standing_in import Answers
from moothall.codegen.task import Callee
from moothall.errors import InvalidInput, SandboxFault

REVISION: Final = "gate-1"
"""What these rules are called; part of the hash of every module."""

SAMPLES: Final = 12
"""Samples of the arguments of each function."""

SEED: Final = 0
MUTANTS: Final = 80
"""Mistakes that are put into a module, one at a time."""

MOST_CASES: Final = 100
_MOST_PROBLEMS: Final = 20

Look = Callable[[], Awaitable[StageReport]]


class Gate:
    """Judges modules.

    Args:
        sandbox: where their code runs.
        samples: of the arguments of each function.
        mutants: the mistakes that are tried.
    """

    def __init__(self, sandbox: Sandbox, *, samples: int = SAMPLES, mutants: int = MUTANTS) -> None:
        self._sandbox = sandbox
        self._samples = samples
        self._mutants = mutants

    @property
    def revision(self) -> str:
        """What the rules are called."""
        return REVISION

    async def judge(
        self,
        module: Module,
        callees: Sequence[Callee] = (),
        hidden: Sequence[Case] = (),
        *,
        counterparts: Sequence[Module] = (),
    ) -> Report:
        """Look at a module through every stage, until one fails.

        Args:
            module: what is judged.
            callees: what its code may call, as far as that is known; what is missing cannot be stood in for, and runs
                that call it count only in tests, which script its answers.
            hidden: further tests.
            counterparts: modules that passed; another half of the protocol is talked with, one with the same functions
                is compared with.

        Raises:
            SandboxFault: it could not be looked at now (``busy``).
        """
        looking = _Looking(self._sandbox, module, callees, (self._samples, self._mutants))
        stages: list[StageReport] = []
        for look in looking.stages(hidden, counterparts):
            stages.append(await look())
            if not stages[-1].passed:
                break
        return Report(stages=tuple(stages))


class _Looking:
    """One module on its way through the gate, and what the later stages need of the earlier ones."""

    def __init__(self, sandbox: Sandbox, module: Module, callees: Sequence[Callee], numbers: tuple[int, int]) -> None:
        self._sandbox = sandbox
        self._module = module
        self._callees = _listed(module.manifest, callees)
        self._known = callees
        self._samples, self._mutants = numbers
        self._image: Image
        self._exam: Exam
        self._seen: Seen = ()

    def stages(self, hidden: Sequence[Case], counterparts: Sequence[Module]) -> Sequence[Look]:
        """The stages, in the order of `STAGES`."""
        return (
            partial(self._read, "parse"),
            partial(self._read, "subset"),
            self._lint,
            self._types,
            partial(self._declared, hidden),
            partial(self._tests, hidden, counterparts),
            self._properties,
            self._differential,
            self._mutation,
        )

    async def _read(self, stage: Stage) -> StageReport:
        return _report(stage, [each for each in self._found if each.stage == stage])

    async def _lint(self) -> StageReport:
        stubs, problems = await self._stubs()
        found = [] if problems else await linting.lint(self._module.source, stubs)
        return _report("lint", [_in("lint", each) for each in found])

    async def _types(self) -> StageReport:
        stubs, problems = await self._stubs()
        found = [] if problems else await self._sandbox.check(self._module.source, stubs)
        return _report("types", [*problems, *_untyped(self._module.source), *(_in("types", each) for each in found)])

    @cached_property
    def _found(self) -> Sequence[Problem]:
        """What is wrong with the source as it is read."""
        return subset.problems(self._module.source, self._module.manifest)

    async def _stubs(self) -> tuple[str, Sequence[Problem]]:
        """The declarations of what the code is given, or why there can be none; made apart from the event loop."""
        try:
            return await asyncio.to_thread(stubs_of, self._module.manifest, self._callees), ()
        except InvalidInput as error:
            return "", [Problem(stage="types", code="schema", message=str(error)[:2_000])]

    async def _declared(self, hidden: Sequence[Case]) -> StageReport:
        """Whether the functions are as the manifest says, and whether that and the tests make sense."""
        wrong = [each for each in self._found if each.stage == "signature"]
        return _report("signature", [*wrong, *_senseless(self._module, hidden)])

    async def _tests(self, hidden: Sequence[Case], counterparts: Sequence[Module]) -> StageReport:
        try:
            self._image = await loaded(self._sandbox, self._module.source)
        except SandboxFault as error:
            why = f"the module cannot be loaded: {way_out(error)} ({error.details.get('text', '')})"
            return _report("tests", [Problem(stage="tests", code="load", message=why[:2_000])])
        manifest = self._module.manifest
        self._exam = Exam(
            self._sandbox,
            self._module,
            self._module.cases,
            hidden,
            await asyncio.to_thread(witnesses, self._module, self._samples, SEED),
            await asyncio.to_thread(Answers, manifest.may_call, self._known),
            [await self._loaded(each) for each in counterparts],
        )
        return await self._exam.tests(self._image)

    async def _loaded(self, other: Module) -> Other:
        image = await loaded(self._sandbox, other.source)
        answers = await asyncio.to_thread(Answers, other.manifest.may_call, self._known)
        return Other(other, image, answers, await asyncio.to_thread(witnesses, other, self._samples, SEED))

    async def _properties(self) -> StageReport:
        self._seen = await self._exam.observed(self._image)
        return await self._exam.properties(self._image, self._seen)

    async def _differential(self) -> StageReport:
        return await self._exam.differential(self._image, self._seen)

    async def _mutation(self) -> StageReport:
        return await Trials(self._exam, self._seen).report(self._mutants)


def _report(stage: Stage, problems: Sequence[Problem]) -> StageReport:
    return StageReport(stage=stage, passed=not problems, problems=tuple(problems[:_MOST_PROBLEMS]))


def _in(stage: Stage, problem: Problem) -> Problem:
    return problem if problem.stage == stage else problem.model_copy(update={"stage": stage})


def _listed(manifest: Manifest, callees: Sequence[Callee]) -> list[Callee]:
    """What the code may call, for its types; of what nobody described they say nothing."""
    known = {callee.target: callee for callee in callees}
    return [known.get(target) or Callee(target, {"type": "object"}) for target in manifest.may_call]


def _untyped(source: str) -> list[Problem]:
    """Functions that do not say the types of what they take and give."""
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            taken = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            if node.returns is None or any(each.annotation is None for each in taken):
                why = f"{node.name} does not say the types of its parameters and its result"
                found.append(Problem(stage="types", code="untyped", message=why, line=node.lineno))
    return found


def _senseless(module: Module, hidden: Sequence[Case]) -> list[Problem]:
    """What the manifest or the tests say that cannot be."""
    manifest, cases = module.manifest, (*module.cases, *hidden)
    found = [
        f"{function.name}: {error}"
        for function in manifest.functions
        for schema in (function.parameters, function.returns)
        if (error := _refused(schema))
    ]
    found += [f"test {case.name} calls what is no function" for case in cases if not manifest.function(case.function)]
    called = {call.target for case in cases for call in case.calls}
    found += [f"a test has a call of {target}, which is not listed" for target in called - set(manifest.may_call)]
    if len(cases) > MOST_CASES:
        found.append(f"there are more than {MOST_CASES} tests")
    return [Problem(stage="signature", code="manifest", message=why[:2_000]) for why in sorted(found)]


def _refused(schema: JsonObject) -> str:
    try:
        compiled(schema)
    except InvalidInput as error:
        return str(error)
    return ""
