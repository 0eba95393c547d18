"""Code that passes the gate: written, judged, mended, in so many rounds and no more (row GEN-09)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from pydantic import ValidationError

from moothall.codegen.module import Case, Manifest, Module, Provenance
from moothall.codegen.report import Problem, Report, StageReport
from moothall.codegen.task import CodingTask, Draft, Generated, Judge, Writer
from moothall.errors import CodeRefused, Told
from moothall.telemetry import logger

REPAIRS: Final = 3
"""Times that code is mended where nothing else is said."""

_log = logger("codegen")


def manifest_of(task: CodingTask, provenance: Provenance) -> Manifest:
    """The manifest of a task's module: what the task allows, whatever the code says."""
    return Manifest(
        kind=task.kind,
        name=task.name,
        functions=task.functions,
        may_call=tuple(callee.target for callee in task.callees),
        protocol=task.protocol,
        provenance=provenance,
        version=task.version,
    )


@dataclass(slots=True)
class _Work:
    """What was done about one task so far; ``own`` are the tests that the present writer made."""

    task: CodingTask
    repairs: int
    counterparts: tuple[Module, ...] = ()
    attempts: int = 0
    own: dict[str, Case] = field(default_factory=dict)
    report: Report = field(default_factory=Report)

    def take(self, draft: Draft) -> None:
        """Count a draft and take its tests; those of the task nobody can replace or withdraw."""
        self.attempts += 1
        for name in draft.withdrawn:
            self.own.pop(name, None)
        given = {case.name for case in (*self.task.cases, *self.task.hidden)}
        self.own |= {case.name: case for case in draft.cases if case.name not in given}

    @property
    def cases(self) -> tuple[Case, ...]:
        """All tests that the module is kept with."""
        return (*self.task.cases, *self.own.values())


class Generator:
    """Has code written until it passes the gate.

    Args:
        judge: the gate.
        writers: who is asked, one after another; the next one when one cannot, or its repairs come to nothing.
        repair_rounds: times that code may be mended for one task, whoever mends it.
    """

    def __init__(self, judge: Judge, writers: Sequence[Writer], repair_rounds: int = REPAIRS) -> None:
        self._judge = judge
        self._writers = tuple(writers)
        self._repairs = repair_rounds

    async def generate(self, task: CodingTask, counterparts: Sequence[Module] = ()) -> Generated:
        """Code for a task that passed the gate, against its ``counterparts``, too: what it has to talk to, or equal.

        Raises:
            CodeRefused: none did, or nobody could write it; `details` has the last ``report`` and the ``attempts``.
            ModelUnavailable, ModelTimeout, DecisionRefused, BudgetSpent: the model of a writer gives none.
            SandboxFault: the gate cannot look at it now (``busy``).
        """
        work = _Work(task, self._repairs, tuple(counterparts))
        for writer in self._writers:
            work.own.clear()
            draft = await writer.write(task)
            while draft is not None:
                work.take(draft)
                module = await self._judged(work, draft)
                if module is not None:
                    return Generated(module, work.report, work.attempts)
                draft = await self._mended(writer, work, draft)
        raise _refused(work)

    async def _judged(self, work: _Work, draft: Draft) -> Module | None:
        """The module of a draft if it passes the gate."""
        try:
            module = Module(
                manifest=manifest_of(work.task, draft.provenance),
                source=draft.source,
                cases=work.cases,
                policy=self._judge.revision,
            )
        except ValidationError as error:
            wrong = "; ".join(sorted({str(each["msg"]) for each in error.errors(include_url=False)}))
            work.report = _failed("parse", "form", f"it cannot be kept as a module: {wrong}")
            return None
        others = {"counterparts": work.counterparts} if work.counterparts else {}
        work.report = await self._judge.judge(module, work.task.callees, work.task.hidden, **others)
        if not work.report.passed:
            _log.info("attempt %d for %s does not pass: %s", work.attempts, work.task.name, _stage(work.report))
            return None
        return module

    async def _mended(self, writer: Writer, work: _Work, draft: Draft) -> Draft | None:
        """The writer's next draft, as long as there are repairs left."""
        if not work.repairs:
            return None
        mended = await writer.write(replace(work.task, cases=work.cases), draft.source, work.report)
        if mended is None:
            return None
        work.repairs -= 1
        if mended.source == draft.source:  # only its tests are others
            mended = replace(mended, provenance=draft.provenance)
        return mended


def _refused(work: _Work) -> CodeRefused:
    stage = _stage(work.report)
    told = Told("codegen.writing.refused", {"attempts": work.attempts, "stage": stage})
    if not work.attempts:
        told = Told("codegen.writing.unwritten")
    elif not work.repairs:
        spent = _failed("budget", "repairs", "the repairs are used up").stages
        work.report = Report(stages=(*work.report.stages, *spent))
    return CodeRefused(
        "no code passed the gate",
        told=told,
        details={"report": work.report.model_dump(mode="json"), "attempts": work.attempts},
    )


def _stage(report: Report) -> str:
    return next((stage.stage for stage in report.stages if not stage.passed), "")


def _failed(stage: Literal["parse", "budget"], code: str, message: str) -> Report:
    problem = Problem(stage=stage, code=code, message=message[:2_000])
    return Report(stages=(StageReport(stage=stage, passed=False, problems=(problem,)),))
