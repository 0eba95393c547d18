"""One module under examination: its tests, what holds for all code, and what other modules say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from moothall.codegen.cases import CaseResult, run_case
from moothall.codegen.differential import Other, compared, compares, talked, talks
from moothall.codegen.module import Case, Module
from moothall.codegen.properties import Outcome, Witness, broken, observe, properties
from moothall.codegen.report import Problem, StageReport
from moothall.codegen.sandbox.port import Image, Sandbox
from moothall.codegen.standing_in import Answers

Seen = Sequence[tuple[Witness, Outcome]]

LONGEST: Final = 5.0
"""Seconds of work that all tests may take together."""

_MOST_PROBLEMS: Final = 10


@dataclass(frozen=True, slots=True)
class Exam:
    """A module and all that it is held against."""

    sandbox: Sandbox
    module: Module
    cases: Sequence[Case]
    hidden: Sequence[Case]
    witnesses: Sequence[Witness]
    answers: Answers
    others: Sequence[Other] = ()

    async def tests(self, image: Image) -> StageReport:
        """Whether the tests pass; of hidden ones nobody learns more than the function, and how it ended."""
        found: list[Problem] = []
        seconds = 0.0
        for place, case in enumerate((*self.cases, *self.hidden)):
            result = await run_case(self.sandbox, image, case)
            seconds += result.seconds
            if not result.passed:
                found.append(_failed(result, hidden=place >= len(self.cases)))
            if seconds > LONGEST or result.raised == "time":
                why = f"the tests take more than {LONGEST:g} s, or one does not end"
                found.append(Problem(stage="tests", code="slow", message=why))
                break
        problems = tuple(found[:_MOST_PROBLEMS])
        return StageReport(
            stage="tests", passed=not problems, problems=problems, count=len(self.cases) + len(self.hidden)
        )

    async def observed(self, image: Image) -> Seen:
        """What comes of the witnesses; of all, unless many of them show that something is wrong."""
        seen: list[tuple[Witness, Outcome]] = []
        wrong = 0
        for witness in self.witnesses:
            outcome = await observe(self.sandbox, image, witness, self.answers)
            seen.append((witness, outcome))
            wrong += bool(broken(witness, outcome))
            if wrong >= _MOST_PROBLEMS or outcome.raised == "time":
                break
        return seen

    async def properties(self, image: Image, seen: Seen) -> StageReport:
        """Whether what holds for all code holds for this."""
        found = await properties(self.sandbox, image, self.module, seen, self.answers)
        return StageReport(stage="properties", passed=not found, problems=tuple(found), count=len(seen))

    async def differential(self, image: Image, seen: Seen) -> StageReport:
        """Whether other modules agree with it."""
        found = await self.differs(image, seen)
        note = "" if self.others else "no other module to hold it against"
        return StageReport(
            stage="differential", passed=not found, problems=tuple(found), count=len(self.others), note=note
        )

    async def differs(self, image: Image, seen: Seen) -> list[Problem]:
        """What other modules do not agree with, given what was seen of all witnesses."""
        found: list[Problem] = []
        this = Other(self.module, image, self.answers, self.witnesses)
        for other in self.others:
            if compares(self.module.manifest, other.module.manifest):
                found += await compared(self.sandbox, other, seen)
            elif talks(self.module.manifest, other.module.manifest):
                requester, provider = (this, other) if self.module.manifest.kind == "requester" else (other, this)
                found += await talked(self.sandbox, requester, provider)
        return found[:_MOST_PROBLEMS]


def _failed(result: CaseResult, *, hidden: bool) -> Problem:
    why = f"{result.case.name}: {result.why}"
    if hidden:
        ended = f"it ends with {result.raised}" if result.raised else "it gives or calls something else"
        why = f"a test that is not shown, of {result.case.function}: {ended}"
    return Problem(stage="tests", code="failed", message=why[:2_000])
