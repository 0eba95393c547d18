"""Syntax and types are looked at without running anything."""

import pytest

from moothall.codegen.sandbox.monty import MontySandbox
from moothall.errors import SandboxFault

STUBS = """from typing import TypedDict


class Request(TypedDict):
    n: int


class Response(TypedDict):
    code: int
"""


async def found(sandbox: MontySandbox, source: str, stubs: str = STUBS) -> list[tuple[str, str, int]]:
    return [(each.stage, each.code, each.line) for each in await sandbox.check(source, stubs)]


async def test_code_that_fits_its_types_has_no_problems(sandbox: MontySandbox) -> None:
    source = "def handle(request: Request) -> Response:\n    call('x', {'n': request['n']})\n    return {'code': 200}\n"
    assert await found(sandbox, source) == []


async def test_code_without_stubs_can_be_checked(sandbox: MontySandbox) -> None:
    assert await found(sandbox, "def f(a: int) -> int:\n    return call('x', {'a': a})\n", "") == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("return {'code': request['m']}", "invalid-key"),
        ("return {'code': 'x'}", "invalid-argument-type"),
        ("return {'code': unknown}", "unresolved-reference"),
        ("return {'code': call(1, {})}", "invalid-argument-type"),
    ],
)
async def test_a_wrong_type_is_found_where_it_stands(sandbox: MontySandbox, line: str, code: str) -> None:
    source = f"def handle(request: Request) -> Response:\n    {line}\n"
    assert ("types", code, 2) in await found(sandbox, source)


async def test_what_is_no_python_is_a_problem_of_parsing(sandbox: MontySandbox) -> None:
    problems = await found(sandbox, "def f(:\n")
    assert {stage for stage, _, _ in problems} == {"parse"}


async def test_a_module_may_begin_as_modules_do(sandbox: MontySandbox) -> None:
    source = '"""What it does."""\n\nfrom __future__ import annotations\n\nx: int = 1\n'
    assert await found(sandbox, source) == []


async def test_code_that_is_nested_beyond_measure_is_a_problem_or_a_fault(sandbox: MontySandbox) -> None:
    assert {stage for stage, _, _ in await found(sandbox, f"x = {'(' * 10_000}1{')' * 10_000}\n")} == {"parse"}


async def test_nothing_of_it_runs(sandbox: MontySandbox) -> None:
    assert await found(sandbox, "while True:\n    pass\n") == []
    assert await found(sandbox, "raise ValueError('it ran')\n") == []


async def test_a_closed_sandbox_looks_at_nothing(sandbox: MontySandbox) -> None:
    await sandbox.aclose()
    with pytest.raises(SandboxFault) as caught:
        await sandbox.check("x = 1\n")
    assert caught.value.kind == "busy"
