"""Each stage of the gate refuses what it is there for, says so, and ends it; what is for another stage gets that far."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from moothall.codegen.cases import CASE_LIMITS
from moothall.codegen.gate import MOST_CASES, REVISION, Gate
from moothall.codegen.module import Case, JsonObject, Module, ScriptedCall
from moothall.codegen.properties import SLOWEST
from moothall.codegen.report import STAGES, Report
from moothall.codegen.sandbox.port import Ran, Sandbox, SandboxLimits, fault
from moothall.codegen.task import Callee
from moothall.errors import SandboxFault
from tests.codegen.gate.modules import (
    GOOD,
    GOOD_MODULES,
    PROVIDER,
    PROVIDER_SOURCE,
    REQUEST,
    REQUESTER,
    RESULT,
    SERVICE,
    TEXT,
    WANTED,
    case,
    module,
    obj,
)

WORDS = obj(text=TEXT)
GREETS = 'def greet(text: str) -> str:\n    if not isinstance(text, str):\n        raise ValueError("no text")\n'


def greeting(body: str, /, top: str = "", *cases: Case, returns: JsonObject | None = None, **more: Any) -> Module:
    """A service with one function ``greet(text)``, checked arguments, and the body at hand."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return module("service", {"greet": (WORDS, returns or {"type": "string"})}, top + GREETS + lines, *cases, **more)


def refused_by(report: Report) -> tuple[str, set[str]]:
    """The stage that refused, and with which codes; all before it passed, and none was entered after it."""
    assert not report.passed
    assert [stage.stage for stage in report.stages] == list(STAGES[: len(report.stages)])
    assert all(stage.passed for stage in report.stages[:-1])
    assert all(problem.stage == report.stages[-1].stage for problem in report.problems)
    return report.stages[-1].stage, {problem.code for problem in report.problems}


@pytest.mark.requirement("GEN-09")
@pytest.mark.parametrize(
    ("made", "stage"),
    [
        (greeting("return text +"), "parse"),
        (greeting("import os\nreturn os.getcwd()"), "subset"),
        (greeting('return eval("text")'), "subset"),
        (greeting("return text.__class__.__name__"), "subset"),
        (greeting("return open(text).read()"), "subset"),
        (greeting("return text + str(random.random())", "import random\n"), "subset"),
        (greeting("return undefined"), "lint"),
        (greeting("return len(text)"), "types"),
        (module("service", {"greet": (WORDS, {})}, "def greet(text):\n    return text\n"), "types"),
        (module("service", {"greet": (WORDS, {})}, "def greet(text: str):\n    return text\n"), "types"),
        (module("service", {"welcome": (WORDS, {})}, GREETS + "    return text\n"), "signature"),
        (module("service", {"greet": (obj(name=TEXT), {})}, GREETS + "    return text\n"), "signature"),
        (greeting("return text", "", Case(name="x", function="other", arguments={})), "signature"),
        (greeting("return text", "", case("greet", "a", ScriptedCall(target="files"), text="a")), "signature"),
        (greeting("return text", "", *[case("greet", f"{n}", text=f"{n}") for n in range(MOST_CASES + 1)]), "signature"),
        (greeting("return text", "N = 1 // 0\n"), "tests"),
        (greeting("return text", "", case("greet", "b", text="a")), "tests"),
        (greeting("return text", "", case("greet", raises="KeyError", text="a")), "tests"),
        (greeting("while True:\n    text = text + text[:1]"), "properties"),
        (greeting('return {"a": "b"}[text]'), "properties"),
        (greeting('raise ValueError("never")'), "properties"),
    ],
    ids=[
        "syntax", "import", "eval", "introspection", "file", "random", "undefined_name", "wrong_type", "untyped", "untyped_result",
        "missing_function", "other_parameter", "test_of_nothing", "test_calls_unlisted", "too_many_tests", "top_fails",
        "wrong_value", "no_such_error", "endless", "wrong_error", "never_good",
    ],
)  # fmt: skip
async def test_each_stage_refuses_what_it_is_there_for(made: Module, stage: str, gate: Gate) -> None:
    assert refused_by(await gate.judge(made))[0] == stage


@pytest.mark.requirement("GEN-09")
@pytest.mark.parametrize(
    ("made", "code"),
    [
        (greeting("return text * 50", returns={"type": "string", "maxLength": 41}), "value"),
        (module("service", {"greet": (WORDS, {"type": "string"})}, "def greet(text: str) -> str:\n    return text + '!'\n"), "value"),
        (
            module(
                "service",
                {"last": (obj(texts={"type": "array", "items": TEXT, "minItems": 1, "maxItems": 5}), {"type": "string"})},
                "def last(texts: list[str]) -> str:\n"
                "    if not isinstance(texts, list) or not texts or not all(isinstance(each, str) for each in texts):\n"
                '        raise ValueError("no texts")\n'
                "    return texts.pop()\n",
            ),
            "changed",
        ),
    ],
    ids=["misfit", "wrong_error_for_spoiled", "changes_its_arguments"],
)  # fmt: skip
async def test_what_holds_for_all_code_is_demanded_of_each(made: Module, code: str, gate: Gate) -> None:
    assert refused_by(await gate.judge(made)) == ("properties", {code})


@pytest.mark.requirement("GEN-09")
async def test_arguments_that_may_be_left_out_may_be_left_out(gate: Gate) -> None:
    shouts = (
        "def shout(text: str, loud: bool = True) -> str:\n"
        "    if not isinstance(text, str) or not isinstance(loud, bool):\n"
        '        raise ValueError("no text")\n'
        '    return text + "!" if loud else text\n'
    )
    functions = {"shout": (obj("text", text=TEXT, loud={"type": "boolean"}), {"type": "string"})}
    tests = (
        case("shout", "a!", text="a"),
        case("shout", "a!", text="a", loud=True),
        case("shout", "bc", text="bc", loud=False),
    )
    assert (await gate.judge(module("service", functions, shouts, *tests))).text() == ""


CODEC = """
def encode(plain: list[int]) -> str:
    if not isinstance(plain, list) or len(plain) > 6:
        raise ValueError("no list of digits")
    if not all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= 9 for n in plain):
        raise ValueError("no digits")
    return "".join([str(n) for n in plain])


def decode(wire: str) -> list[int]:
    if not isinstance(wire, str) or len(wire) > 6:
        raise ValueError("no text")
    return [int(c) for c in wire]
"""
DIGITS = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 9}, "maxItems": 6}
WIRE = {"type": "string", "pattern": "^[0-9]{0,6}$"}


@pytest.mark.requirement("GEN-09")
async def test_a_codec_has_to_undo_what_it_did(gate: Gate) -> None:
    functions = {"encode": (obj(plain=DIGITS), WIRE), "decode": (obj(wire=WIRE), DIGITS)}
    right = module("service", functions, CODEC)
    assert refused_by(await gate.judge(right))[0] == "mutation", "without a test it could be another codec"
    tests = (
        case("encode", "907", plain=[9, 0, 7]),
        case("encode", "", plain=[]),
        case("encode", "123456", plain=[1, 2, 3, 4, 5, 6]),
        case("encode", raises="ValueError", plain=[1, 2, 3, 4, 5, 6, 7]),
    )
    assert (await gate.judge(right, hidden=tests)).text() == ""
    wrong = module("service", functions, CODEC.replace("for c in wire", "for c in wire[::-1]"))
    assert refused_by(await gate.judge(wrong)) == ("properties", {"inverse"})


@pytest.mark.requirement("GEN-09")
async def test_halves_that_do_not_understand_each_other_are_refused(gate: Gate) -> None:
    provider = GOOD_MODULES["provider"]
    for one, other in ((REQUESTER, PROVIDER), (PROVIDER, REQUESTER)):
        report = await gate.judge(one, provider.callees, counterparts=[other])
        assert report.text() == ""
    functions = {"build": (obj(arguments=WANTED), REQUEST), "parse": (obj(response=GOOD), RESULT)}
    only_good = module("requester", functions, REQUESTER.source, *REQUESTER.cases)
    report = await gate.judge(only_good, provider.callees, counterparts=[PROVIDER])
    assert report.text() == "", "an answer that says that nothing came of it is no fault"
    shy = PROVIDER.model_copy(update={"source": PROVIDER_SOURCE.replace('"code": 200,', '"code": 200, "more": 1,')})
    report = await gate.judge(REQUESTER, provider.callees, counterparts=[shy])
    assert refused_by(report) == ("differential", {"talk"})
    broken = PROVIDER.model_copy(update={"source": PROVIDER_SOURCE.replace('each["min"]', 'each["least"]')})
    assert refused_by(await gate.judge(REQUESTER, provider.callees, counterparts=[broken])) == (
        "differential",
        {"talk"},
    )


@pytest.mark.requirement("GEN-09")
async def test_code_that_was_written_apart_has_to_give_the_same(gate: Gate) -> None:
    report = await gate.judge(SERVICE, counterparts=[SERVICE])
    assert report.text() == ""
    half_off = SERVICE.source.replace("goods // 10", "goods // 2")
    other = SERVICE.model_copy(update={"source": half_off})
    report = await gate.judge(SERVICE, counterparts=[other])
    assert refused_by(report) == ("differential", {"differs"})
    weak = SERVICE.model_copy(update={"cases": ()})
    assert (await gate.judge(weak, counterparts=[SERVICE])).passed, "what was written apart notices the mistakes"


@pytest.mark.requirement("GEN-09", "GEN-10")
async def test_a_result_that_no_test_ever_sees_is_refused(gate: Gate) -> None:
    trap = SERVICE.source.replace(
        "    goods = 0\n", '    if len(items) == 1 and items[0] == {"price": 4711, "count": 4711}:\n'
        '        return {"goods": 1, "off": 0, "parcel": 0, "total": 0}\n    goods = 0\n'
    )  # fmt: skip
    report = await gate.judge(SERVICE.model_copy(update={"source": trap}))
    assert refused_by(report) == ("mutation", {"unseen"})


@pytest.mark.requirement("GEN-09")
async def test_code_calls_only_what_its_manifest_lists_and_as_it_is_described(gate: Gate) -> None:
    calls = 'call("prices", {"name": text})\nreturn text'
    unlisted = greeting(calls)
    assert refused_by(await gate.judge(unlisted))[0] in {"subset", "types"}
    callee = Callee("prices", obj(label=TEXT), {"type": "integer"})
    otherwise = greeting(calls, may_call=("prices",))
    assert refused_by(await gate.judge(otherwise, [callee]))[0] in {"types", "properties"}


class Slow:
    """A sandbox that says of every run that it took longer than a function may."""

    def __init__(self, inner: Sandbox) -> None:
        self.check, self.load, self._inner = inner.check, inner.load, inner

    async def run(self, *args: Any, **more: Any) -> Ran:
        return replace(await self._inner.run(*args, **more), work=SLOWEST * 1.2)


async def test_code_that_takes_too_long_in_every_try_is_refused(sandbox: Sandbox) -> None:
    assert refused_by(await Gate(Slow(sandbox)).judge(SERVICE)) == ("properties", {"slow"})


class Laden:
    """A sandbox on a machine that is busy: every run waits, and none gets far in a quarter of a second."""

    def __init__(self, inner: Sandbox) -> None:
        self.check, self.load, self._inner = inner.check, inner.load, inner

    async def run(self, *args: Any, limits: SandboxLimits, **more: Any) -> Ran:
        if limits == CASE_LIMITS:
            raise fault("time")
        return replace(await self._inner.run(*args, limits=limits, **more), seconds=60.0)


async def test_a_machine_that_is_busy_makes_no_code_wrong(sandbox: Sandbox) -> None:
    passed = {stage.stage for stage in (await Gate(Laden(sandbox)).judge(SERVICE)).stages if stage.passed}
    assert passed >= {"tests", "properties", "differential"}


@pytest.mark.requirement("GEN-09", "GEN-10")
async def test_code_that_ignores_what_it_is_given_is_refused_although_its_own_tests_ask_for_that(gate: Gate) -> None:
    ignoring = greeting('return "hello"', "", case("greet", "hello", text="Anna"), case("greet", "hello", text="Ben"))
    assert refused_by(await gate.judge(ignoring)) == ("mutation", {"unseen"})


async def test_what_no_sample_can_be_made_of_is_looked_at_with_arguments_of_tests_or_not_at_all(gate: Gate) -> None:
    rare = {"type": "string", "not": {"maxLength": 5_000}}
    source = GREETS + "    return text\n"
    untried = module("service", {"greet": (obj(text=rare), TEXT)}, source)
    assert refused_by(await gate.judge(untried)) == ("properties", {"no_arguments"})
    text = "x" * 5_001
    tried = module("service", {"greet": (obj(text=rare), TEXT)}, source, case("greet", text, text=text))
    report = await gate.judge(tried)
    assert refused_by(report) == ("properties", {"value"})


class Busy:
    """A sandbox that looks at code and loads it, and has no process free to run it."""

    def __init__(self, inner: Sandbox) -> None:
        self.check, self.load = inner.check, inner.load

    async def run(self, *_: Any, **__: Any) -> Ran:
        raise fault("busy")


async def test_what_cannot_be_run_now_is_not_refused(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxFault):
        await Gate(Busy(sandbox)).judge(SERVICE)


def test_the_rules_have_a_name(gate: Gate) -> None:
    assert gate.revision == REVISION
