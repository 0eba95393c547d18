"""A run of generated code: what goes in, what comes out, what it may ask for."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from moothall.codegen.sandbox import monty
from moothall.codegen.sandbox.monty import MontySandbox
from moothall.codegen.sandbox.port import Departure, Ran, Refusal, SandboxLimits
from moothall.errors import Forbidden, SandboxFault

ECHO = "def echo(value):\n    return value\n"


async def run(
    sandbox: MontySandbox, source: str, function: str = "f", arguments: dict[str, Any] | None = None, **how: Any
) -> Ran:
    image = await sandbox.load(source)
    return await sandbox.run(image, function, arguments or {}, **how)


async def fault(
    sandbox: MontySandbox, source: str, function: str = "f", arguments: dict[str, Any] | None = None, **how: Any
) -> SandboxFault:
    with pytest.raises(SandboxFault) as caught:
        await run(sandbox, source, function, arguments, **how)
    return caught.value


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -1.5, 10**400, "", "中文 \U0001f600", [], {}, {"a": [1, {"b": None}], "": ""}, 2**53 + 1],
    ids=["null", "true", "zero", "decimal", "long", "empty", "text", "list", "object", "nested", "beyond 2^53"],
)
async def test_json_goes_in_and_comes_out_as_it_is(sandbox: MontySandbox, value: Any) -> None:
    ran = await run(sandbox, ECHO, "echo", {"value": value})
    assert (ran.value, type(ran.value)) == (value, type(value))


async def test_names_in_an_object_come_out_as_texts(sandbox: MontySandbox) -> None:
    assert (await run(sandbox, "def f():\n    return {1: 2}\n")).value == {"1": 2}


async def test_tuples_come_out_as_lists(sandbox: MontySandbox) -> None:
    assert (await run(sandbox, "def f():\n    return (1, (2,))\n")).value == [1, [2]]


async def test_what_is_printed_is_told(sandbox: MontySandbox) -> None:
    ran = await run(sandbox, "def f():\n    print('one', 2)\n    print('three', end='')\n")
    assert (ran.printed, ran.value) == ("one 2\nthree", None)


async def test_every_run_starts_from_the_same_state(sandbox: MontySandbox) -> None:
    source = "seen = []\ndef f():\n    seen.append(1)\n    return len(seen)\n"
    assert [(await run(sandbox, source)).value for _ in range(10)] == [1] * 10


async def test_what_is_handed_in_twice_is_two_values_inside(sandbox: MontySandbox) -> None:
    one = [1]
    source = "def f(a, b):\n    a.append(2)\n    return b\n"
    assert (await run(sandbox, source, arguments={"a": one, "b": one})).value == [1]
    assert one == [1]


async def test_a_call_reaches_the_host_and_its_answer_comes_back(sandbox: MontySandbox) -> None:
    asked = []

    async def call(target: str, parameters: Mapping[str, Any]) -> Any:
        asked.append((target, dict(parameters)))
        return {"n": parameters["n"] + 1}

    source = "def f():\n    a = call('x', {'n': 1})\n    return call(target='y', parameters={'n': a['n']})\n"
    ran = await run(sandbox, source, call=call)
    assert (ran.value, ran.calls) == ({"n": 3}, 2)
    assert asked == [("x", {"n": 1}), ("y", {"n": 2})]


async def test_a_call_by_another_name_is_the_same_call(sandbox: MontySandbox) -> None:
    async def call(target: str, parameters: Mapping[str, Any]) -> Any:
        return target

    assert (await run(sandbox, "def f():\n    other = call\n    return other('x', {})\n", call=call)).value == "x"


async def test_without_a_call_there_is_no_such_name(sandbox: MontySandbox) -> None:
    error = await fault(sandbox, "def f():\n    return call('x', {})\n")
    assert (error.kind, error.details["raised"]) == ("raised", "NameError")


CAUGHT = "def f():\n    try:\n        call('x', {})\n    except RuntimeError as error:\n        return str(error)\n"


async def test_a_refusal_is_told_with_its_own_words(sandbox: MontySandbox) -> None:
    async def call(target: str, parameters: Mapping[str, Any]) -> Any:
        raise Refusal("no room left")

    assert (await run(sandbox, CAUGHT, call=call)).value == "no room left"


async def test_a_refusal_may_say_anything(sandbox: MontySandbox) -> None:
    async def call(target: str, parameters: Mapping[str, Any]) -> Any:
        raise Refusal("half \ud800 a character")

    assert (await run(sandbox, CAUGHT, call=call)).value == "half ? a character"


@pytest.mark.parametrize("error", [Forbidden("secret"), ValueError("secret"), KeyError("secret")], ids=repr)
async def test_no_other_text_of_the_host_crosses(sandbox: MontySandbox, error: Exception) -> None:
    async def call(target: str, parameters: Mapping[str, Any]) -> Any:
        raise error

    assert (await run(sandbox, CAUGHT, call=call)).value == "the call failed"


async def test_an_answer_that_is_no_json_does_not_cross(sandbox: MontySandbox) -> None:
    async def call(target: str, parameters: Mapping[str, Any]) -> Any:
        return {"host": object()}

    assert (await run(sandbox, CAUGHT, call=call)).value == "the call failed"


async def test_a_departure_ends_the_run_with_its_error(sandbox: MontySandbox) -> None:
    async def call(target: str, parameters: Mapping[str, Any]) -> Any:
        raise Departure(Forbidden("no"))

    source = "def f():\n    try:\n        call('x', {})\n    except BaseException:\n        return 1\n"
    image = await sandbox.load(source)
    with pytest.raises(Forbidden):
        await sandbox.run(image, "f", {}, call=call)


@pytest.mark.parametrize(
    "made",
    ["call()", "call(1, {})", "call('x', 1)", "call('x', {}, 1)", "call('x', other=1)", "call('x', {1: 2})"],
)
async def test_a_call_of_another_form_is_refused_inside(sandbox: MontySandbox, made: str) -> None:
    async def call(target: str, parameters: Mapping[str, Any]) -> Any:
        raise AssertionError

    source = f"def f():\n    try:\n        {made}\n    except TypeError:\n        return 'refused'\n"
    assert (await run(sandbox, source, call=call)).value == "refused"


async def test_an_error_of_the_code_is_told_with_name_text_and_line(sandbox: MontySandbox) -> None:
    error = await fault(sandbox, "def g():\n    raise ValueError('too short')\ndef f():\n    return g()\n")
    assert error.kind == "raised"
    assert error.details == {"kind": "raised", "line": 2, "raised": "ValueError", "text": "too short"}


@pytest.mark.parametrize(
    "value",
    ["{1, 2}", "b'a'", "float('nan')", "float('inf')", "lambda: 1", "10 ** 5000", "object_in_itself()", "Box()"],
)
async def test_a_value_that_is_no_json_is_no_value(sandbox: MontySandbox, value: Any) -> None:
    itself = "class Box:\n    pass\ndef object_in_itself():\n    a = []\n    a.append(a)\n    return a\n"
    assert (await fault(sandbox, f"{itself}def f():\n    return {value}\n")).kind == "result"


@pytest.mark.parametrize(
    "value", [float("nan"), {1: 2}, {1}, object(), "\ud800"], ids=["nan", "key", "set", "object", "half"]
)
async def test_arguments_that_are_no_json_are_refused(sandbox: MontySandbox, value: Any) -> None:
    assert (await fault(sandbox, ECHO, "echo", {"value": value})).kind == "result"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("def f(:\n", "syntax"),
        ("x = '\ud800'\n", "syntax"),
        ("class A(Exception):\n    pass\n", "unsupported"),
        ("def f():\n    yield 1\n", "unsupported"),
        ("import socket\n", "unsupported"),
        ("x = 1 / 0\n", "raised"),
        ("call('x', {})\n", "raised"),
    ],
)
async def test_a_module_that_cannot_be_loaded_says_why(sandbox: MontySandbox, source: str, kind: str) -> None:
    with pytest.raises(SandboxFault) as caught:
        await sandbox.load(source)
    assert caught.value.kind == kind


@pytest.mark.parametrize("function", ["", "f()", "f; g", "__import__", "F", "f\n", "é"])
async def test_only_the_name_of_a_function_can_be_called(sandbox: MontySandbox, function: str) -> None:
    assert (await fault(sandbox, ECHO, function)).kind == "unsupported"


async def test_a_function_that_is_not_there_is_a_fault(sandbox: MontySandbox) -> None:
    assert (await fault(sandbox, ECHO, "g")).details["raised"] == "NameError"


async def test_limits_of_a_run_are_its_own(sandbox: MontySandbox) -> None:
    async def call(target: str, parameters: Mapping[str, Any]) -> Any:
        return 1

    source = "def f(n):\n    for i in range(n):\n        call('x', {})\n    return n\n"
    image = await sandbox.load(source)
    few = SandboxLimits(calls=3)
    assert (await sandbox.run(image, "f", {"n": 3}, call=call, limits=few)).calls == 3
    with pytest.raises(SandboxFault) as caught:
        await sandbox.run(image, "f", {"n": 4}, call=call, limits=few)
    assert caught.value.kind == "calls"
    assert (await sandbox.run(image, "f", {"n": 50}, call=call)).calls == 50


async def test_a_module_is_loaded_once(sandbox: MontySandbox) -> None:
    assert await sandbox.load(ECHO) is await sandbox.load(ECHO)


async def test_a_module_that_is_loaded_at_the_same_time_is_one_image(sandbox: MontySandbox) -> None:
    one, two = await asyncio.gather(sandbox.load(ECHO), sandbox.load(ECHO))
    assert one is two


async def test_loaded_modules_are_kept_within_bounds(sandbox: MontySandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await sandbox.load(ECHO)
    monkeypatch.setattr(monty, "_HEAVIEST_IMAGES", 2 * len(first.state))
    for n in range(4):
        await sandbox.load(f"{ECHO}n = {n}\n")
    assert await sandbox.load(ECHO) is not first
    assert (await sandbox.run(first, "echo", {"value": 1})).value == 1


async def test_a_value_that_is_nested_beyond_measure_does_not_cross(sandbox: MontySandbox) -> None:
    source = "def f(n):\n    x = []\n    for i in range(n):\n        x = [x]\n    return x\n"
    assert (await run(sandbox, source, arguments={"n": 90})).value
    assert (await fault(sandbox, source, arguments={"n": 150})).kind == "result"


async def test_a_module_that_answers_for_the_host_is_refused(sandbox: MontySandbox) -> None:
    source = "def _moot_arguments():\n    return {}\ndef f():\n    return 1\n"
    assert (await fault(sandbox, source)).kind == "unsupported"
    source = "def _moot_arguments():\n    return call('x', {})\ndef f():\n    return 1\n"
    assert (await fault(sandbox, source)).kind == "unsupported"


async def test_work_is_told_apart_from_waiting(sandbox: MontySandbox) -> None:
    async def call(target: str, parameters: Mapping[str, Any]) -> Any:
        return 1

    source = "def f(n):\n    for i in range(n):\n        call('x', {})\n    return n\n"
    ran = await run(sandbox, source, arguments={"n": 20}, call=call)
    assert ran.work > 0
