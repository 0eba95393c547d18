"""Code written and mended until it passes, in so many rounds and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from moothall.codegen.generator import Generator, manifest_of
from moothall.codegen.module import LONGEST_SOURCE, Case, Function, Module, Provenance
from moothall.codegen.report import Problem, Report, StageReport
from moothall.codegen.task import Callee, CodingTask, Draft
from moothall.errors import BudgetSpent, CodeRefused, ModelUnavailable

BY_MODEL = Provenance(writer="llm", prompt_hash="sha256:1", model="m")
GIVEN = Case(name="given", function="double", arguments={"n": 1}, expected=2)
HIDDEN = Case(name="hidden", function="double", arguments={"n": 2}, expected=4)
OWN = Case(name="own", function="double", arguments={"n": 3}, expected=6)
WRONG = Case(name="wrong", function="double", arguments={"n": 4}, expected=9)
TASK = CodingTask(
    kind="service",
    name="double",
    functions=(Function(name="double", parameters={"type": "object"}),),
    instruction="double a number",
    callees=(Callee("local:log", {"type": "object"}),),
    cases=(GIVEN,),
    hidden=(HIDDEN,),
    protocol="sha256:2",
    version="1.0.0",
)


@dataclass
class Judge:
    """Lets the sources pass that it is told, when no test is wrong, and remembers what it saw."""

    good: str = "good"
    revision: str = "gate-test"
    seen: list[tuple[Module, Sequence[Callee], Sequence[Case]]] = field(default_factory=list)

    async def judge(self, module: Module, callees: Sequence[Callee] = (), hidden: Sequence[Case] = ()) -> Report:
        self.seen.append((module, callees, hidden))
        passed = module.source == self.good and WRONG not in module.cases
        problems = () if passed else (Problem(stage="tests", code="failed", message=f"not {module.source}"),)
        return Report(stages=(StageReport(stage="tests", passed=passed, problems=problems),))


@dataclass
class Writer:
    """Writes what it is told, one after another, then nothing."""

    drafts: list[Draft | Exception | str]
    asked: list[tuple[CodingTask, str, Report | None]] = field(default_factory=list)

    async def write(self, task: CodingTask, previous: str = "", report: Report | None = None) -> Draft | None:
        self.asked.append((task, previous, report))
        if not self.drafts:
            return None
        said = self.drafts.pop(0)
        if isinstance(said, Exception):
            raise said
        return Draft(said, BY_MODEL) if isinstance(said, str) else said


@pytest.mark.requirement("GEN-09")
async def test_the_first_draft_that_passes_is_the_module() -> None:
    judge, writer = Judge(), Writer([Draft("good", BY_MODEL, (OWN,))])
    generated = await Generator(judge, [writer]).generate(TASK)
    module = generated.module
    assert (module.source, module.policy, generated.attempts) == ("good", "gate-test", 1)
    assert module.cases == (GIVEN, OWN)
    assert module.manifest == manifest_of(TASK, BY_MODEL)
    assert (module.manifest.may_call, module.manifest.protocol) == (("local:log",), "sha256:2")
    assert judge.seen == [(module, TASK.callees, TASK.hidden)]
    assert generated.report.passed


@pytest.mark.requirement("GEN-09")
async def test_a_draft_that_fails_is_mended_by_its_report() -> None:
    judge, writer = Judge(), Writer(["bad", Draft("worse", BY_MODEL, (OWN,)), "good"])
    generated = await Generator(judge, [writer]).generate(TASK)
    assert (generated.attempts, generated.module.cases) == (3, (GIVEN, OWN)), "tests of earlier drafts stand"
    assert [previous for _, previous, _ in writer.asked] == ["", "bad", "worse"]
    reports = [report for _, _, report in writer.asked]
    assert reports[0] is None
    assert [each.text() for each in reports[1:] if each] == [
        "tests/failed line 0: not bad",
        "tests/failed line 0: not worse",
    ]
    assert [task.cases for task, _, _ in writer.asked] == [(GIVEN,), (GIVEN,), (GIVEN, OWN)]
    assert all(task.hidden == TASK.hidden for task, _, _ in writer.asked)


@pytest.mark.requirement("GEN-09")
@pytest.mark.parametrize("rounds", [0, 1, 3])
async def test_the_repairs_end_at_their_limit(rounds: int) -> None:
    judge, writer = Judge(), Writer(["bad"] * 9)
    with pytest.raises(CodeRefused) as refused:
        await Generator(judge, [writer], rounds).generate(TASK)
    assert len(judge.seen) == len(writer.asked) == rounds + 1
    assert refused.value.details["attempts"] == rounds + 1
    report = Report.model_validate(refused.value.details["report"])
    assert [stage.stage for stage in report.stages] == ["tests", "budget"]
    assert not report.passed


@pytest.mark.requirement("GEN-09")
async def test_three_repairs_where_nothing_else_is_said() -> None:
    judge = Judge()
    with pytest.raises(CodeRefused):
        await Generator(judge, [Writer(["bad"] * 9)]).generate(TASK)
    assert len(judge.seen) == 4


async def test_the_next_writer_is_asked_when_one_cannot_and_begins_anew() -> None:
    judge = Judge()
    none, template = Writer([]), Writer([Draft("by template", Provenance(writer="template"), (OWN,))])
    model = Writer(["bad", "good"])
    generated = await Generator(judge, [none, template, model], 1).generate(TASK)
    assert (generated.attempts, generated.module.manifest.provenance) == (3, BY_MODEL)
    assert generated.module.cases == (GIVEN,), "what another writer expected does not bind this one"
    assert len(template.asked) == 2, "it was told of its failure"
    assert model.asked[0] == (TASK, "", None)


async def test_repairs_are_counted_for_the_task_and_not_for_each_writer() -> None:
    judge = Judge()
    with pytest.raises(CodeRefused):
        await Generator(judge, [Writer(["bad"] * 9), Writer(["bad"] * 9)], 2).generate(TASK)
    assert len(judge.seen) == 4


async def test_nobody_who_can_write_it_is_a_refusal_of_its_own() -> None:
    with pytest.raises(CodeRefused) as refused:
        await Generator(Judge(), [Writer([])]).generate(TASK)
    assert refused.value.details["attempts"] == 0
    assert refused.value.told is not None
    assert refused.value.told.why == "codegen.writing.unwritten"


async def test_a_test_that_is_withdrawn_is_gone_but_never_one_that_was_given() -> None:
    judge = Judge()
    mended = Draft("good", replace_model(BY_MODEL, "sha256:3"), (OWN,), ("wrong", "given", "hidden"))
    writer = Writer([Draft("good", BY_MODEL, (WRONG,)), mended])
    generated = await Generator(judge, [writer]).generate(TASK)
    assert generated.module.cases == (GIVEN, OWN)
    assert generated.module.manifest.provenance == BY_MODEL, "the code is still the first"


async def test_given_tests_are_not_replaced_by_a_writers_own_of_the_same_name() -> None:
    other = GIVEN.model_copy(update={"expected": 3})
    hidden = HIDDEN.model_copy(update={"expected": 3})
    generated = await Generator(Judge(), [Writer([Draft("good", BY_MODEL, (other, hidden))])]).generate(TASK)
    assert generated.module.cases == (GIVEN,)


@pytest.mark.parametrize("source", ["x" * (LONGEST_SOURCE + 1), "\ud800"], ids=["too long", "half a sign"])
async def test_what_cannot_be_kept_is_not_judged_and_can_be_mended(source: str) -> None:
    judge, writer = Judge(), Writer([source, "good"])
    generated = await Generator(judge, [writer]).generate(TASK)
    assert (generated.attempts, len(judge.seen)) == (2, 1)
    report = writer.asked[1][2]
    assert report is not None
    assert report.problems[0].stage == "parse"


@pytest.mark.parametrize("error", [ModelUnavailable("gone"), BudgetSpent("spent")], ids=["gone", "spent"])
async def test_a_model_that_gives_none_ends_it(error: Exception) -> None:
    with pytest.raises(type(error)):
        await Generator(Judge(), [Writer(["bad", error]), Writer(["good"])]).generate(TASK)


async def test_code_says_nothing_about_its_own_manifest() -> None:
    judge = Judge(good="MAY_CALL = ['local:pay']")
    generated = await Generator(judge, [Writer([judge.good])]).generate(replace(TASK, callees=()))
    assert generated.module.manifest.may_call == ()


def replace_model(provenance: Provenance, prompt: str) -> Provenance:
    return provenance.model_copy(update={"prompt_hash": prompt})


async def test_writers_that_give_up_early_are_no_spent_budget() -> None:
    with pytest.raises(CodeRefused) as refused:
        await Generator(Judge(), [Writer(["bad"])]).generate(TASK)
    report = Report.model_validate(refused.value.details["report"])
    assert [stage.stage for stage in report.stages] == ["tests"]
    assert refused.value.details["attempts"] == 1
