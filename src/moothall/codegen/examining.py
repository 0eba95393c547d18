"""One module under examination: its tests, what holds for all code, other modules, and whether mistakes are noticed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from moothall.codegen.cases import CASE_LIMITS, CaseResult, run_case, way_out
from moothall.codegen.differential import Other, compared, compares, talked, talks
from moothall.codegen.module import Case, Module
from moothall.codegen.mutants import DROPPED, Mutant, constant, mutants
from moothall.codegen.properties import Outcome, Witness, broken, inverse, observe, properties
from moothall.codegen.report import Problem, StageReport
from moothall.codegen.sandbox.port import Image, Sandbox
from moothall.codegen.schemas.samples import samples
from moothall.codegen.standing_in import Answers
from moothall.errors import SandboxFault

Seen = Sequence[tuple[Witness, Outcome]]

UNSEEN: Final = 0.25
"""The share of mistakes that may change nothing that is looked at; more, and too much of the code is never reached."""

FEW_UNSEEN: Final = 3

LONGEST: Final = 5.0
"""Seconds that all tests may take together."""

_MOST_PROBLEMS: Final = 10
_CONSTANTS: Final = 3
"""Results of each function that it is made to give always."""


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
            if seconds > LONGEST:
                found.append(Problem(stage="tests", code="slow", message=f"the tests take more than {LONGEST:g} s"))
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
            if wrong >= _MOST_PROBLEMS:
                break
        return seen

    async def properties(self, image: Image, seen: Seen) -> StageReport:
        """Whether what holds for all code holds for this."""
        found = await properties(self.sandbox, image, self.module, seen, self.answers)
        return StageReport(stage="properties", passed=not found, problems=tuple(found), count=len(seen))

    async def differential(self, image: Image, seen: Seen) -> StageReport:
        """Whether other modules agree with it."""
        found = await self._differs(image, seen)
        note = "" if self.others else "no other module to hold it against"
        return StageReport(
            stage="differential", passed=not found, problems=tuple(found), count=len(self.others), note=note
        )

    async def mutation(self, seen: Seen, most: int) -> StageReport:
        """Whether mistakes would be noticed.

        A mistake that gives another value for arguments that fit has to fail some test or property. One that changes
        nothing that is looked at may be none, but too many of them mean that nobody looks.
        """
        made = [*self._constants(), *mutants(self.module.source, most)]
        unnoticed: list[Problem] = []
        unseen: list[Mutant] = []
        for mutant in made:
            if len(unnoticed) >= _MOST_PROBLEMS:
                break
            noticed, difference = await self._noticed(mutant, seen)
            if difference:
                unnoticed.append(_problem("unnoticed", difference, mutant.line))
            elif not noticed:
                unseen.append(mutant)
        unnoticed += _unreached(unseen, len(made))
        if not made and not self.cases and not self.hidden:
            unnoticed.append(_problem("untested", "there are no tests", 0))
        problems = tuple(unnoticed[:_MOST_PROBLEMS])
        note = f"{len(unseen)} change nothing" if unseen else ""
        return StageReport(stage="mutation", passed=not problems, problems=problems, count=len(made), note=note)

    def _constants(self) -> list[Mutant]:
        """Functions that give the same whatever they are given; what holds for all code holds for them, too."""
        found = [
            constant(self.module.source, function.name, value)
            for function in self.module.manifest.functions
            for value in samples(function.returns, _CONSTANTS)
        ]
        return [mutant for mutant in found if mutant is not None]

    async def _noticed(self, mutant: Mutant, seen: Seen) -> tuple[bool, str]:
        """Whether a mistake fails something; and where not, what it changes nevertheless."""
        try:
            image = await self.sandbox.load(mutant.source, CASE_LIMITS)
        except SandboxFault as error:
            return bool(way_out(error)), ""
        for case in (*self.cases, *self.hidden):
            if not (await run_case(self.sandbox, image, case)).passed:
                return True, ""
        difference = ""
        now: list[tuple[Witness, Outcome]] = []
        for witness, before in seen:
            outcome = await observe(self.sandbox, image, witness, self.answers)
            if broken(witness, outcome):
                return True, ""
            now.append((witness, outcome))
            if witness.fits and not difference and not outcome.same(before):
                difference = (
                    f"{witness.told()} gives {before.told()}; with a mistake ({mutant.mistake}) it would give "
                    f"{outcome.told()}, and no test notices: add one for these arguments"
                )
        if await inverse(self.sandbox, image, self.module, now, self.answers) or await self._differs(image, now):
            return True, ""
        return False, difference

    async def _differs(self, image: Image, seen: Seen) -> list[Problem]:
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


def _unreached(unseen: Sequence[Mutant], made: int) -> list[Problem]:
    """Where nobody looks: results that are never given, or too much in which mistakes change nothing."""
    many = len(unseen) > max(FEW_UNSEEN, int(UNSEEN * made)) or len(unseen) == made
    return [
        _problem("unseen", f"nothing changes with this mistake: {each.mistake}; no test gets there", each.line)
        for each in unseen
        if many or each.mistake == DROPPED
    ]


def _problem(code: str, message: str, line: int) -> Problem:
    return Problem(stage="mutation", code=code, message=message[:2_000], line=line)
