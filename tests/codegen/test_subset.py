"""The subset of generated code: what it refuses, and that what it lets in runs in the sandbox."""

from collections.abc import Mapping
from typing import Any

import pytest

from moothall.codegen import subset
from moothall.codegen.module import MOST_LINES, Function, Manifest, Provenance
from moothall.codegen.sandbox.monty import MontySandbox

HANDLE = "def handle(request):\n    return {}\n"


def manifest(*may_call: str, parameters: dict[str, object] | None = None) -> Manifest:
    schema = parameters or {"type": "object", "properties": {"request": {}}, "required": ["request"]}
    functions = (Function(name="handle", parameters=schema),)
    return Manifest(
        kind="provider", name="n", functions=functions, may_call=may_call, provenance=Provenance(writer="person")
    )


def codes(source: str, *may_call: str) -> list[tuple[str, str]]:
    return [(each.stage, each.code) for each in subset.problems(source, manifest(*may_call))]


GOOD = '''"""A module."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

CALLBACK = "callback"
WORD = re.compile("[a-z]+")


class Box:
    def held(self, value: Any):
        self.value = value
        return self


def first(items: list[Any], *, default: str = "") -> str:
    return items[0] if items else default


def handle(request: Request) -> Response:
    names = [each.strip() for each in request.get("names", []) if WORD.match(each)]
    try:
        day = date.fromisoformat(request["day"])
    except (KeyError, ValueError) as error:
        raise ValueError("the day is none") from error
    match names:
        case [one]:
            total = 1
        case _:
            total = len(names)
    while total > 10:
        total -= 1
    reply = call(CALLBACK, {"request": {"name": first(names), "day": day.isoformat()}})
    return {"code": 200, "total": total, "reply": reply, "box": Box().held(1).value, "text": f"{total:>3}"}
'''


def test_a_module_of_plain_functions_is_let_in() -> None:
    assert subset.problems(GOOD, manifest("callback")) == []


async def test_what_is_let_in_runs() -> None:
    async def call(target: str, parameters: Mapping[str, Any]) -> Any:
        return dict(parameters)

    async with MontySandbox(workers=1) as sandbox:
        image = await sandbox.load(GOOD)
        ran = await sandbox.run(image, "handle", {"request": {"names": ["ada "], "day": "2026-01-02"}}, call=call)
    reply = {"request": {"name": "ada", "day": "2026-01-02"}}
    assert ran.value == {"code": 200, "total": 1, "reply": reply, "box": 1, "text": "  1"}


async def test_every_name_and_module_of_the_subset_is_there() -> None:
    imports = "\n".join(f"import {name}" for name in sorted(subset.IMPORTS - {"__future__"}))
    typing = f"from typing import {', '.join(sorted(subset.TYPING))}"
    names = f"def names():\n    return len([{', '.join(sorted(subset.BUILTINS))}])"
    async with MontySandbox(workers=1) as sandbox:
        image = await sandbox.load(f"{imports}\n{typing}\n{names}\n")
        assert (await sandbox.run(image, "names", {})).value == len(subset.BUILTINS)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_guide_names_every_module_and_name_of_the_subset(lang: str) -> None:
    text = subset.guide(lang)
    words = {word for piece in text.split("`")[1::2] for word in piece.split()}
    functions = {name for name in subset.BUILTINS if name[0].islower()}
    assert (subset.IMPORTS - {"__future__"}) | subset.TYPING | functions <= words


@pytest.mark.requirement("GEN-06")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("import socket", "import"),
        ("import os.path", "import"),
        ("from subprocess import run", "import"),
        ("from . import other", "import"),
        ("from json import *", "import"),
        ("from typing import TypedDict", "import"),
        ("import random", "import"),
        ("x = open('/etc/passwd')", "builtin"),
        ("x = eval('1')", "builtin"),
        ("x = getattr(1, 'real')", "builtin"),
        ("x = globals()", "builtin"),
        ("x = ().__class__", "name"),
        ("x = __import__('os')", "name"),
        ("__x = 1", "name"),
        ("import json as __j", "name"),
        ("def f(__a): pass", "name"),
        ("_moot_x = 1", "name"),
        ("from datetime import datetime\nx = datetime.now()", "clock"),
        ("async def f(): pass", "syntax"),
        ("def f():\n    yield 1", "syntax"),
        ("x = 1\ndel x", "syntax"),
        ("def f():\n    global x\n    x = 1", "syntax"),
        ("with x: pass", "syntax"),
        ("try:\n    pass\nexcept* ValueError:\n    pass", "syntax"),
        ("class A(Exception): pass", "inheritance"),
        ("class A(metaclass=B): pass", "inheritance"),
        ("def call(target): pass", "call"),
        ("call = 1", "call"),
        ("f = call", "call"),
        ("def f(call): pass", "call"),
        ("x = call('elsewhere', {})", "target"),
        ("x = call()", "target"),
        ("def f(t):\n    return call(t, {})", "target"),
        ("T = 'callback'\nT = 'elsewhere'\nx = call(T, {})", "target"),
    ],
)
def test_what_is_outside_of_the_subset_is_named(line: str, code: str) -> None:
    assert ("subset", code) in codes(f"{line}\n{HANDLE}", "callback")


def test_a_call_reaches_only_what_the_manifest_lists() -> None:
    source = "def handle(request):\n    return call('local:weather.forecast', {})\n"
    assert codes(source) == [("subset", "target")]
    assert codes(source, "local:weather.forecast") == []


@pytest.mark.parametrize(
    "source",
    ["def f(:\n", "x = '\x00'", "(" * 5000, "-" * 60_000 + "1", "x = " + "9" * 5000],
    ids=["syntax", "zero", "brackets", "minuses", "digits"],
)
def test_what_cannot_be_parsed_is_told_and_harms_nobody(source: str) -> None:
    assert [stage for stage, _ in codes(source)] == ["parse"]


def test_too_much_is_not_even_parsed() -> None:
    assert codes("x = 1\n" * (MOST_LINES + 1)) == [("parse", "size")]
    assert codes("#" * 70_000) == [("parse", "size")]


@pytest.mark.parametrize(
    "source",
    [
        "x = 1\n",
        "def handle(): return 1\n",
        "def handle(req): return 1\n",
        "def handle(request, more): return 1\n",
        "def handle(*request): return 1\n",
        "def handle(request, /): return 1\n",
        "def handle(request, **more): return 1\n",
        "def wrap(f): return f\n@wrap\ndef handle(request): return 1\n",
        "def handle(request): return 1\ndef handle(request): return 2\n",
        "def f():\n    def handle(request): return 1\n",
    ],
)
def test_the_functions_of_the_manifest_stand_at_the_top_with_their_parameters(source: str) -> None:
    assert {stage for stage, _ in codes(source)} == {"signature"}


def test_a_parameter_that_can_be_left_out_has_a_default() -> None:
    schema = {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a"]}
    wanted = manifest(parameters=schema)
    assert subset.problems("def handle(a, b=None): return a\n", wanted) == []
    assert subset.problems("def handle(*, a, b=None): return a\n", wanted) == []
    assert [each.stage for each in subset.problems("def handle(a, b): return a\n", wanted)] == ["signature"]


def test_the_line_of_a_problem_is_told() -> None:
    (problem,) = subset.problems(f"\n\nimport socket\n{HANDLE}", manifest())
    assert (problem.line, "socket" in problem.message) == (3, True)
