"""Tests of generated code: what passes, what does not, and that the host answers only as they say."""

from __future__ import annotations

from typing import Any

import pytest

from moothall.codegen.cases import run_cases, same_json
from moothall.codegen.module import Case, ScriptedCall
from moothall.codegen.sandbox.port import Sandbox

SOURCE = '''
def double(n: object) -> object:
    if n == 0:
        raise ValueError("zero")
    if n == 1:
        return {}["missing"]
    if n == 2:
        while True:
            n = n + 1
    return n * 2


def relay(n: object) -> object:
    """Asks twice, and takes a refusal for nothing."""
    try:
        return [call("one", {"n": n}), call("two", {"n": n})]
    except RuntimeError as error:
        return str(error)
'''


def doubled(n: Any, expected: Any = None, raises: str = "") -> Case:
    return Case(name=f"{n!r} {expected!r}", function="double", arguments={"n": n}, expected=expected, raises=raises)


def relayed(expected: Any, *calls: ScriptedCall) -> Case:
    return Case(name="relay", function="relay", arguments={"n": 5}, expected=expected, calls=calls)


def answered(target: str, reply: Any = None, error: str = "", n: float = 5) -> ScriptedCall:
    return ScriptedCall(target=target, parameters={"n": n}, reply=reply, error=error)


async def passed(sandbox: Sandbox, *cases: Case) -> list[bool]:
    image = await sandbox.load(SOURCE)
    results = await run_cases(sandbox, image, cases)
    assert all(bool(result.why) is not result.passed for result in results)
    return [result.passed for result in results]


@pytest.mark.requirement("GEN-10")
async def test_a_test_passes_where_the_value_or_the_error_is_what_it_expects(sandbox: Sandbox) -> None:
    right = [doubled(4, 8), doubled(4, 8.0), doubled("ab", "abab"), doubled(0, raises="ValueError")]
    right += [doubled(1, raises="KeyError")]
    assert await passed(sandbox, *right) == [True] * len(right)
    wrong = [doubled(4, 9), doubled(4, True), doubled(4), doubled(0, 0), doubled(0, raises="KeyError")]
    wrong += [doubled(4, 8, raises="ValueError"), doubled(2, 4), doubled(2, raises="ValueError")]
    assert await passed(sandbox, *wrong) == [False] * len(wrong)


@pytest.mark.requirement("GEN-10")
async def test_what_code_calls_is_part_of_the_test(sandbox: Sandbox) -> None:
    one, two = answered("one", 1), answered("two", [2])
    right = [relayed([1, [2]], one, two), relayed("busy", answered("one", error="busy"))]
    right += [relayed([1, [2]], answered("one", 1, n=5.0), two)]
    assert await passed(sandbox, *right) == [True] * len(right)
    wrong = [
        relayed([1, [2]], one),  # one call too many, whatever the code makes of that
        relayed([1, [2]], one, two, two),
        relayed([1, [2]], two, one),
        relayed([1, [2]], answered("one", 1, n=6), two),
        relayed([1, [3]], one, two),
        relayed("the call failed"),
    ]
    assert await passed(sandbox, *wrong) == [False] * len(wrong)


async def test_a_failed_test_says_with_what_and_why(sandbox: Sandbox) -> None:
    image = await sandbox.load(SOURCE)
    wrong, raised = await run_cases(sandbox, image, [doubled(4, 9), doubled(1, 2)])
    assert all(part in wrong.why for part in ("'n': 4", "8", "9"))
    assert all(part in raised.why for part in ("'n': 1", "KeyError", "2"))
    assert (wrong.value, wrong.raised, raised.raised) == (8, "", "KeyError")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (0, None, False),
        ("", None, False),
        ("1", 1, False),
        ([1, {"a": 2.0}], [1.0, {"a": 2}], True),
        ([1, 2], [2, 1], False),
        ([1], [1, 1], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": None}, False),
        ({}, [], False),
        (2**60, 2**60 + 1, False),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_values_are_compared_as_json(one: Any, other: Any, same: bool) -> None:
    assert same_json(one, other) is same
    assert same_json(other, one) is same
