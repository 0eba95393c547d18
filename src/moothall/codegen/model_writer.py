"""Code by a language model: it is told the sandbox's subset, shown the material as data, and mends by the report.

The tests come from calls of their own, which never see the code (`case_writer`).
"""

from __future__ import annotations

from collections.abc import Sequence

from moothall.canonical import sha256
from moothall.codegen.case_writer import LONGEST, CaseWriter, described, own_cases, untested
from moothall.codegen.extraction import extract_code_from_llm_output
from moothall.codegen.generator import manifest_of
from moothall.codegen.module import Case, Provenance
from moothall.codegen.report import Report
from moothall.codegen.schemas.stubs import stubs_of
from moothall.codegen.services.wording import as_calls
from moothall.codegen.subset import guide
from moothall.codegen.task import CodingTask, Draft
from moothall.errors import DecisionRefused, InvalidInput
from moothall.llm.base import BaseLLM
from moothall.llm.fencing import fenced
from moothall.llm.prompt_files import prompt_text, refused_text


class ModelWriter:
    """Has a model write code; fills :class:`~moothall.codegen.task.Writer`."""

    def __init__(self, llm: BaseLLM) -> None:
        self._llm = llm
        self._cases = CaseWriter(llm)

    async def write(self, task: CodingTask, previous: str = "", report: Report | None = None) -> Draft | None:
        """A module for a task, with tests where the task brings none; or what mends the previous one.

        Raises:
            ModelUnavailable, ModelTimeout, DecisionRefused, BudgetSpent: the model gives none.
        """
        if report is None:
            draft = await self._coded(task, {})
            return draft if task.cases or task.hidden else _with_cases(draft, await self._cases.written(task))
        if _lacks_tests(task, report):
            draft = Draft(previous, self._provenance(""))
            return _with_cases(draft, await self._cases.further(task, report))
        draft = await self._coded(task, {"previous": previous, "report": report.text()})
        disputed = _disputed(task, report)
        if not disputed or draft.source.strip() != previous.strip():
            return draft
        stand = await self._cases.reviewed(task, disputed)
        return Draft(draft.source, draft.provenance, stand, tuple(case.name for case in disputed))

    async def _coded(self, task: CodingTask, more: dict[str, object]) -> Draft:
        """The model's code."""
        requirement = self._requirement(task, more)
        source = extract_code_from_llm_output(await self._llm.generate_code(requirement))
        if source is None:
            reason = fenced({"reason": "there is no whole Python module in a fenced block"})
            source = extract_code_from_llm_output(
                await self._llm.generate_code(f"{requirement}\n\n{refused_text(task.lang)}\n\n{reason}")
            )
        if source is None:
            raise DecisionRefused("the language model wrote no code")
        return Draft(f"{as_calls(source).rstrip()}\n", self._provenance(requirement))

    def _requirement(self, task: CodingTask, more: dict[str, object]) -> str:
        parts = described(task)
        stubs = _declarations(task)
        if stubs:
            parts["declarations"] = stubs
        if task.cases:
            parts["tests"] = [case.model_dump(mode="json") for case in task.cases]
        rules = f"Prompt code_write\n\n{prompt_text('code_write', task.lang)}\n\n{guide(task.lang)}"
        return f"{rules}\n\n{fenced({**parts, **more}, LONGEST)}"

    def _provenance(self, requirement: str) -> Provenance:
        prompt = sha256(requirement.encode("utf-8", "surrogatepass")) if requirement else ""
        return Provenance(writer="llm", prompt_hash=prompt, model=self._llm.model)


def _declarations(task: CodingTask) -> str:
    try:
        return stubs_of(manifest_of(task, Provenance(writer="llm")), task.callees)
    except InvalidInput:
        return ""  # a schema that is refused: the gate says so


def _lacks_tests(task: CodingTask, report: Report) -> bool:
    """Whether it is the tests that do not pass, and not the code: mistakes in it would not be noticed."""
    unnoticed = [problem.code for problem in report.problems if problem.stage == "mutation"]
    return "unnoticed" in unnoticed or (bool(unnoticed) and any(untested(task).values()))


def _disputed(task: CodingTask, report: Report) -> Sequence[Case]:
    """The tests of our own that failed."""
    said = [problem.message for problem in report.problems if problem.stage == "tests"]
    return [case for case in own_cases(task) if any(text.startswith(f"{case.name}: ") for text in said)]


def _with_cases(draft: Draft, cases: Sequence[Case]) -> Draft:
    return Draft(draft.source, draft.provenance, tuple(cases))
