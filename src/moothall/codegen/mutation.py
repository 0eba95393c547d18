"""Whether the tests of a module are worth something: small mistakes are put into it, and have to be noticed.

A mistake that gives another value for arguments that fit has to fail a test or a property. One that changes nothing
that is looked at may be none; but too many of them, or a result that nobody ever sees, mean that nobody looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from moothall.codegen.cases import CASE_LIMITS, once, way_out
from moothall.codegen.examining import Exam, Seen
from moothall.codegen.mistakes import DROPPED
from moothall.codegen.module import Function
from moothall.codegen.mutants import Mutant, constant, mutants
from moothall.codegen.properties import Outcome, Witness, broken, glimpse, inverse
from moothall.codegen.report import Problem, StageReport
from moothall.codegen.sandbox.port import Image, JsonValue
from moothall.codegen.schemas.samples import samples
from moothall.errors import SandboxFault

UNSEEN: Final = 0.25
"""The share of mistakes that may change nothing that is looked at; more, and too much of the code is never reached."""

FEW_UNSEEN: Final = 3
_CONSTANTS: Final = 3
"""Results of each function that it is made to give always."""

_IGNORED: Final = "the same result for all arguments"
_AT_ONCE: Final = 2
_MOST_PROBLEMS: Final = 10


class Trials:
    """Puts mistakes into one module; ``seen`` is what came of every witness without any."""

    def __init__(self, exam: Exam, seen: Seen) -> None:
        self._exam = exam
        self._seen = seen
        self._cases = [*exam.cases, *exam.hidden]
        self._order = list(range(len(seen)))

    async def report(self, most: int) -> StageReport:
        """Try so many mistakes, or one of each line where there are more of them, and constant results in addition.

        Raises:
            SandboxFault: it cannot be done now (``busy``).
        """
        source = self._exam.module.source
        made = [*self._constants(), *await asyncio.to_thread(mutants, source, most, every_line=True)]  # takes a while
        unnoticed: list[Problem] = []
        unseen: list[Mutant] = []
        for place in range(0, len(made), _AT_ONCE):
            if len(unnoticed) >= _MOST_PROBLEMS:
                break
            some = made[place : place + _AT_ONCE]
            tried = await asyncio.gather(*(self._tried(mutant) for mutant in some))
            for mutant, (noticed, difference) in zip(some, tried, strict=True):
                if difference:
                    unnoticed.append(_problem("unnoticed", difference, mutant.line))
                elif not noticed:
                    unseen.append(mutant)
        unnoticed += _unreached(unseen, len(made))
        if not made and not self._cases:
            unnoticed.append(_problem("untested", "there are no tests", 0))
        problems = tuple(unnoticed[:_MOST_PROBLEMS])
        note = f"{len(unseen)} change nothing" if unseen else ""
        return StageReport(stage="mutation", passed=not problems, problems=problems, count=len(made), note=note)

    def _constants(self) -> list[Mutant]:
        """Functions that give the same whatever they are given; what holds for all code holds for them, too.

        The last one of each gives what the function itself gave first: where that changes nothing, it ignores what it
        is given.
        """
        module = self._exam.module
        found: list[Mutant | None] = []
        for function in module.manifest.functions:
            others = samples(function.returns, _CONSTANTS)
            found += [constant(module.source, function.name, value) for value in others]
            if len(others) > 1 and len(own := self._values(function)) > 1:
                made = constant(module.source, function.name, own[0])
                found.append(made and replace(made, mistake=_IGNORED))
        return [mutant for mutant in found if mutant is not None]

    def _values(self, function: Function) -> list[JsonValue]:
        """What a function gave for arguments that fit."""
        return [
            outcome.value
            for witness, outcome in self._seen
            if witness.function is function and witness.fits and not (outcome.raised or outcome.unknown)
        ]

    async def _tried(self, mutant: Mutant) -> tuple[bool, str]:
        """Whether a mistake fails something; and where not, what it changes nevertheless."""
        try:
            image = await self._exam.sandbox.load(mutant.source, CASE_LIMITS)
        except SandboxFault as error:
            return bool(way_out(error)), ""
        if await self._fails_a_test(image):
            return True, ""
        return await self._looked_at(image, mutant)

    async def _fails_a_test(self, image: Image) -> bool:
        """Whether a test fails; the one that did is the first for the next mistake, since it may find that, too."""
        for case in [*self._cases]:
            if not (await once(self._exam.sandbox, image, case)).passed:
                self._cases.remove(case)
                self._cases.insert(0, case)
                return True
        return False

    async def _looked_at(self, image: Image, mutant: Mutant) -> tuple[bool, str]:
        exam, now, differs = self._exam, [*self._seen], []
        for place in [*self._order]:
            witness, before = self._seen[place]
            outcome = await glimpse(exam.sandbox, image, witness, exam.answers)
            if broken(witness, outcome):
                self._order.remove(place)
                self._order.insert(0, place)  # as with tests: it may find the next mistake, too
                return True, ""
            now[place] = (witness, outcome)
            if witness.fits and not outcome.same(before):
                differs.append(place)
        difference = _difference(mutant, self._seen[min(differs)], now[min(differs)][1]) if differs else ""
        if await inverse(exam.sandbox, image, exam.module, now, exam.answers) or await exam.differs(image, now):
            return True, ""
        return False, difference


def _difference(mutant: Mutant, seen: tuple[Witness, Outcome], outcome: Outcome) -> str:
    witness, before = seen
    return (
        f"{witness.told()} gives {before.told()}; with a mistake ({mutant.mistake}) it would give "
        f"{outcome.told()}, and no test notices: add one for these arguments"
    )


def _unreached(unseen: Sequence[Mutant], made: int) -> list[Problem]:
    """Where nobody looks: results that never come or never differ, or too much in which mistakes change nothing."""
    many = len(unseen) > max(FEW_UNSEEN, int(UNSEEN * made)) or len(unseen) == made
    return [
        _problem("unseen", f"nothing changes with this mistake: {each.mistake}; no test gets there", each.line)
        for each in unseen
        if many or each.mistake in {DROPPED, _IGNORED}
    ]


def _problem(code: str, message: str, line: int) -> Problem:
    return Problem(stage="mutation", code=code, message=message[:2_000], line=line)
