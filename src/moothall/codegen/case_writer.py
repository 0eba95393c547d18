"""Tests by a language model that does not see the code which they are for (row GEN-10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic import ValidationError

from moothall.canonical import canonical
from moothall.codegen.gate import SAMPLES, SEED
from moothall.codegen.generator import manifest_of
from moothall.codegen.module import Case, JsonObject, Module, Provenance
from moothall.codegen.properties import witnesses
from moothall.codegen.report import Report
from moothall.codegen.schemas.samples import samples, spoiled
from moothall.codegen.schemas.validation import compiled
from moothall.codegen.task import CodingTask
from moothall.errors import DecisionRefused, InvalidInput
from moothall.llm.base import BaseLLM
from moothall.llm.fencing import fenced, shown_whole
from moothall.llm.prompt_files import prompt_text, refused_text
from moothall.llm.reading import object_in
from moothall.telemetry import logger

MOST: Final = 60
"""Tests that are taken of one answer."""

LONGEST: Final = 65_536
"""Characters of the material that are shown."""

_SPOILED_SAMPLES: Final = 4
_SPOILED: Final = 40
_UNFIT: Final = 24
"""Arguments of a function that do not fit, from so many samples with so many changes each."""

_OWN: Final = "model: "
"""What the names of its tests begin with."""

_KEYS: Final = frozenset(Case.model_fields)
_ERRORS: Final = frozenset({"ValueError", "RuntimeError"})
_log = logger("codegen")


class CaseWriter:
    """Has a model write tests from the description that the code is written from."""

    def __init__(self, llm: BaseLLM) -> None:
        self._llm = llm

    async def written(self, task: CodingTask) -> tuple[Case, ...]:
        """Tests for a task; none where the model's answer holds none.

        Raises:
            ModelUnavailable, ModelTimeout, DecisionRefused, BudgetSpent: the model gives no answer.
        """
        return await self._asked("code_cases", task, untested(task))

    async def further(self, task: CodingTask, report: Report) -> tuple[Case, ...]:
        """Tests beside those that the task has, for what they leave open, as a report of the gate says.

        Raises:
            as `written`.
        """
        gaps = [_gap(problem.message) for problem in report.problems]
        return await self._asked("code_cases", task, {**untested(task), "tests": _shown(task), "gaps": gaps})

    async def reviewed(self, task: CodingTask, disputed: Sequence[Case]) -> tuple[Case, ...]:
        """Tests that stand after somebody held these for wrong: as they were, corrected, or left out.

        Raises:
            as `written`.
        """
        others = replace(task, cases=tuple(case for case in task.cases if case not in disputed))
        shown = [each.model_dump(mode="json") for each in disputed]
        return await self._asked("code_review", others, {"disputed": shown})

    async def _asked(self, prompt: str, task: CodingTask, more: Mapping[str, object]) -> tuple[Case, ...]:
        user = fenced({**described(task), **more}, LONGEST)
        system = f"Prompt {prompt}\n\n{prompt_text(prompt, task.lang)}"
        answer = await self._llm.async_generate_response(system, user)
        try:
            found = _cases(answer, task)
        except DecisionRefused as refusal:
            again = f"{user}\n\n{refused_text(task.lang)}\n\n{fenced({'reason': str(refusal)})}"
            found = _cases(await self._llm.async_generate_response(system, again), task)
        return found


def own_cases(task: CodingTask) -> list[Case]:
    """The tests of a task that were written here."""
    return [case for case in task.cases if case.name.startswith(_OWN)]


def described(task: CodingTask) -> dict[str, object]:
    """What a task is, for a model."""
    parts: dict[str, object] = {"instruction": task.instruction}
    if task.material:
        parts["material"] = task.material
    parts["functions"] = [each.model_dump(mode="json") for each in task.functions]
    if task.callees:
        parts["callees"] = [
            {
                "target": each.target,
                "parameters": each.parameters,
                "returns": each.returns,
                "description": each.description,
            }
            for each in task.callees
        ]
    return parts


def _shown(task: CodingTask) -> list[JsonObject]:
    """The tests that are there, without what they expect."""
    return [{"name": each.name, "function": each.function, "arguments": each.arguments} for each in task.cases]


def untested(task: CodingTask) -> dict[str, list[JsonObject]]:
    """Arguments that there is no test for: ``inputs`` that the gate tries mistakes with, and ``unfit`` ones."""
    tested = [(case.function, case.arguments) for case in task.cases]
    found: dict[str, list[JsonObject]] = {"inputs": [], "unfit": []}
    try:
        for part, arguments in [("inputs", _fitting(task)), ("unfit", _unfit(task))]:
            found[part] = [
                {"function": name, "arguments": each}
                for name, each in arguments
                if (name, each) not in tested and shown_whole(each)  # a test of anything else would be of other ones
            ]
    except InvalidInput:
        _log.info("%s: a schema is refused, which the gate says, too", task.name)
    return found


def _fitting(task: CodingTask) -> list[tuple[str, JsonObject]]:
    module = Module(manifest=manifest_of(task, Provenance(writer="llm")), source="")
    seen = witnesses(module, SAMPLES, SEED)
    return [(each.function.name, each.arguments) for each in seen if each.fits and not each.refusing]


def _unfit(task: CodingTask) -> list[tuple[str, JsonObject]]:
    """Arguments that break their schema in one place, beginning with those that break it least."""
    found: list[tuple[str, JsonObject]] = []
    for function in task.functions:
        worse: dict[bytes, JsonObject] = {}
        for each in samples(function.parameters, SAMPLES, SEED)[:_SPOILED_SAMPLES]:
            for bad in spoiled(function.parameters, each, SEED, _SPOILED) if isinstance(each, dict) else ():
                if isinstance(bad, dict) and bad.keys() == each.keys():
                    worse[canonical(bad)] = bad
        found += [(function.name, worse[text]) for text in sorted(worse, key=len)[:_UNFIT]]
    return found


def _gap(message: str) -> str:
    """What is not tested, without what the code gives there: that would be the answer that a test is to find."""
    return message.partition(" gives ")[0]


def _cases(answer: str, task: CodingTask) -> tuple[Case, ...]:
    """The tests in an answer that make sense.

    Raises:
        DecisionRefused: it is no list of tests.
    """
    listed = object_in(answer).get("cases")
    if not isinstance(listed, list):
        raise DecisionRefused("the answer has no list of cases")
    found = list(_sound(listed, task))[:MOST]
    if len(found) < len(listed):
        _log.info("%d of %d tests that the model wrote are taken", len(found), len(listed))
    return tuple(found)


def _sound(listed: Sequence[Any], task: CodingTask) -> Iterator[Case]:
    taken = {case.name for case in task.cases}
    for number, each in enumerate(listed, 1):
        if not isinstance(each, Mapping):
            continue
        name = str(each.get("name") or number).removeprefix(_OWN)
        said = {key: value for key, value in each.items() if key in _KEYS and value is not None}
        try:
            case = Case.model_validate({**said, "name": f"{_OWN}{name[:150]}"})
            if _makes_sense(case, task):
                if case.name in taken:
                    case = case.model_copy(update={"name": f"{case.name} ({len(taken)})"})
                taken.add(case.name)
                yield case
        except (ValidationError, InvalidInput):
            continue


def _makes_sense(case: Case, task: CodingTask) -> bool:
    """Whether code can pass it that keeps to the schemas and calls what it may."""
    function = next((each for each in task.functions if each.name == case.function), None)
    if function is None or (case.raises and case.raises not in _ERRORS):
        return False
    if not case.raises and not (
        compiled(function.parameters).accepts(case.arguments) and compiled(function.returns).accepts(case.expected)
    ):
        return False
    if not set(case.arguments) <= set(function.parameters.get("properties", {})):
        return False
    callees = {each.target: each for each in task.callees}
    return all(
        call.target in callees
        and compiled(callees[call.target].parameters).accepts(call.parameters)
        and (bool(call.error) or compiled(callees[call.target].returns).accepts(call.reply))
        for call in case.calls
    )
