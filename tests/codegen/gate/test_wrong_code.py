"""A wrong codec never passes: every mistake that changes what a good module does is refused, whatever the mistake."""

from __future__ import annotations

import pytest

from moothall.codegen.examining import Exam
from moothall.codegen.gate import MUTANTS, SAMPLES, SEED, Gate
from moothall.codegen.module import Module
from moothall.codegen.mutants import mutants
from moothall.codegen.properties import witnesses
from moothall.codegen.report import STAGES
from moothall.codegen.sandbox.port import Sandbox
from moothall.codegen.standing_in import Answers
from moothall.errors import SandboxFault
from tests.codegen.gate.modules import GOOD_MODULES, Good
from tests.codegen.gate.oracle import Oracle

THROUGH_ALL = 8
"""Mistakes of each module that go through the whole gate, stage by stage; all of them go through its later stages."""

good_ones = pytest.mark.parametrize("good", GOOD_MODULES.values(), ids=GOOD_MODULES)


def with_source(module: Module, source: str) -> Module:
    return module.model_copy(update={"source": source})


@good_ones
@pytest.mark.requirement("GEN-09", "GEN-10")
async def test_a_good_module_with_good_tests_passes_every_stage(good: Good, gate: Gate) -> None:
    report = await gate.judge(good.module, good.callees)
    assert report.text() == ""
    assert tuple(stage.stage for stage in report.stages) == STAGES
    assert report.passed
    mutation = report.stages[-1]
    assert mutation.count >= min(MUTANTS, 30)


@good_ones
@pytest.mark.requirement("GEN-09", "GEN-10")
async def test_every_mistake_that_changes_what_a_module_does_is_found(good: Good, sandbox: Sandbox) -> None:
    module = good.module
    answers = Answers(module.manifest.may_call, good.callees)
    exam = Exam(sandbox, module, module.cases, (), witnesses(module, SAMPLES, SEED), answers)
    oracle, missed, wrong = Oracle(good), [], 0
    for mutant in mutants(module.source, most=10_000):
        if oracle.differs(mutant.source):
            wrong += 1
            if await passes(exam, sandbox, mutant.source):
                missed.append((mutant.mistake, mutant.line))
    assert missed == []
    assert wrong >= 25


async def passes(exam: Exam, sandbox: Sandbox, source: str) -> bool:
    """Whether a source gets through the tests and what holds for all code."""
    try:
        image = await sandbox.load(source)
    except SandboxFault:
        return False
    if not (await exam.tests(image)).passed:
        return False
    seen = await exam.observed(image)
    return (await exam.properties(image, seen)).passed


@good_ones
@pytest.mark.requirement("GEN-09", "GEN-10")
async def test_a_wrong_module_does_not_get_through_the_whole_gate(good: Good, gate: Gate) -> None:
    oracle = Oracle(good)
    for mutant in mutants(good.module.source, THROUGH_ALL):
        if oracle.differs(mutant.source):
            report = await gate.judge(with_source(good.module, mutant.source), good.callees)
            assert not report.passed, (mutant.mistake, mutant.line)
            assert report.problems


WRONG = {
    "off_by_one_day": ("provider", "place + 1", "place"),
    "off_by_one_bound": ("requester", "1 <= days <= 7", "1 <= days < 7"),
    "swapped_fields": (
        "provider",
        '"low": each["min"], "high": each["max"]',
        '"low": each["max"], "high": each["min"]',
    ),
    "swapped_arguments": ("requester", '"location": city, "first": 1', '"location": "first", "first": 1'),
    "dropped_key": ("requester", '"location": city, "first": 1, ', '"location": city, '),
    "wrong_constant": ("requester", "GOOD = 200", "GOOD = 404"),
    "other_unit": ("requester", '"F" if', '"C" if'),
    "swallowed_error": ("requester", 'raise ValueError("the provider refused")', "return {}"),
    "swallowed_refusal": ("provider", '"code": 500, "message": "there is no forecast now"', '"code": 200, "days": []'),
    "ignored_code": ("requester", ' or response.get("code") != GOOD', ""),
    "missing_code": ("interface", 'if response["code"] != 200:', 'if "code" not in response:'),
    "first_of_many": ("requester", "max(highs)", "highs[0]"),
    "last_lost": ("provider", "enumerate(found)", "enumerate(found[:-1])"),
    "threshold": ("service", "goods >= 100", "goods > 100"),
    "rounding": ("service", "goods // 10", "(goods + 5) // 10"),
    "one_item_only": ("service", "goods += price * count", "goods = price * count"),
    "always_member": ("service", "if member else 0", "if True else 0"),
    "asks_for_more": ("provider", '"until": last', '"until": 7'),
    "text_of_number": ("service", '"off": off,', '"off": str(off),'),
    "extra_key": ("provider", '{"code": 200, "days": days}', '{"code": 200, "days": days, "debug": True}'),
    "says_it_is_good": (
        "provider",
        '"code": 404, "message": "nothing is known of this place"',
        '"code": 200, "days": []',
    ),
    "asked_twice": (
        "provider",
        "    if not found:",
        '    found = call("callback", {"city": city, "until": last})\n    if not found:',
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.requirement("GEN-09", "GEN-10")
async def test_a_wrong_codec_is_refused(wrong: str, gate: Gate) -> None:
    name, right, instead = WRONG[wrong]
    good = GOOD_MODULES[name]
    assert right in good.module.source
    report = await gate.judge(with_source(good.module, good.module.source.replace(right, instead)), good.callees)
    assert not report.passed


@good_ones
@pytest.mark.requirement("GEN-09", "GEN-10")
async def test_good_code_whose_tests_are_too_weak_is_refused_where_mistakes_are_tried(good: Good, gate: Gate) -> None:
    without = good.module.model_copy(update={"cases": ()})
    report = await gate.judge(without, good.callees)
    assert not report.passed
    assert [stage.stage for stage in report.stages if not stage.passed] == ["mutation"]
    first = report.problems[0]
    assert first.line > 0
    assert "no test notices" in first.message


@good_ones
@pytest.mark.requirement("GEN-10")
async def test_hidden_tests_count_as_those_of_the_module(good: Good, gate: Gate) -> None:
    without = good.module.model_copy(update={"cases": ()})
    assert (await gate.judge(without, good.callees, good.module.cases)).passed
    first = good.module.cases[0].model_copy(update={"expected": "secret", "name": "hidden"})
    report = await gate.judge(good.module, good.callees, [first])
    assert [problem.stage for problem in report.problems] == ["tests"]
    assert all(secret not in report.text() for secret in ("secret", "hidden", repr(first.arguments)))
