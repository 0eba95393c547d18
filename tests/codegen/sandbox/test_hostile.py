"""Hostile modules end within their limits, reach nothing, and harm nobody (rows META-GEN-04, GEN-06)."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from moothall.codegen.sandbox.monty import MontySandbox
from moothall.codegen.sandbox.port import DEFAULT_LIMITS, SandboxLimits
from moothall.errors import SandboxFault
from tests.codegen.sandbox import hostile

SHORT = SandboxLimits(seconds=0.3)
GOOD = "def g(n):\n    return n + 1\n"

pytestmark = pytest.mark.requirement("META-GEN-04", "GEN-06")


async def call(target: str, parameters: Mapping[str, Any]) -> Any:
    return 1


async def kind(sandbox: MontySandbox, source: str) -> str:
    async def whole() -> None:
        image = await sandbox.load(source, SHORT)
        await sandbox.run(image, "f", {}, call=call, limits=SHORT)

    with pytest.raises(SandboxFault) as caught:
        await whole()
    return caught.value.kind


@pytest.mark.parametrize("name", hostile.REACHING)
async def test_what_reaches_for_the_host_gets_nothing(
    sandbox: MontySandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(hostile.SECRET, "secret")
    expression, expected = hostile.REACHING[name]
    assert await kind(sandbox, f"import os, sys\ndef f():\n    return {expression}\n") == expected


@pytest.mark.parametrize("name", hostile.IMPORTS)
async def test_what_leads_outside_cannot_be_imported(sandbox: MontySandbox, name: str) -> None:
    assert await kind(sandbox, f"def f():\n    import {name}\n") == "unsupported"
    assert await kind(sandbox, f"import {name}\n") == "unsupported"


@pytest.mark.parametrize("name", hostile.EXHAUSTING)
async def test_what_takes_without_end_is_ended_and_others_go_on_meanwhile(sandbox: MontySandbox, name: str) -> None:
    text, expected = hostile.EXHAUSTING[name]
    good = await sandbox.load(GOOD)
    assert (await sandbox.run(good, "g", {"n": 0})).value == 1
    end = asyncio.create_task(kind(sandbox, hostile.body(text)))
    answered = 0
    while not end.done():
        assert (await sandbox.run(good, "g", {"n": answered}, patience=20)).value == answered + 1
        answered += 1
    assert await end in expected | {"time"}  # on a machine that has much else to do, all of them take too long
    assert answered


FEW = {"time": "while True:\n    pass", "memory": "x = [0] * 10 ** 9", "recursion": hostile.EXHAUSTING["recursion"][0]}
FEW |= {"calls": hostile.EXHAUSTING["flood of calls"][0], "output": "return 'x' * 2 ** 21"}


@pytest.mark.parametrize("expected", FEW)
async def test_every_run_has_its_limits_however_often_the_module_ran_before(
    sandbox: MontySandbox, expected: str
) -> None:
    source = hostile.body(f"if harmless:\n    return 1\n{FEW[expected]}").replace("def f():", "def f(harmless):")
    limits = SandboxLimits(seconds=0.5) if expected == "time" else DEFAULT_LIMITS
    image = await sandbox.load(source, limits)
    kinds = []
    for _ in range(3):
        assert (await sandbox.run(image, "f", {"harmless": True}, call=call, limits=limits)).value == 1
        with pytest.raises(SandboxFault) as caught:
            await sandbox.run(image, "f", {"harmless": False}, call=call, limits=limits)
        kinds.append(caught.value.kind)
    assert kinds == [expected] * 3


@pytest.mark.parametrize("pattern", hostile.PATTERNS)
async def test_patterns_that_explode_elsewhere_are_answered(sandbox: MontySandbox, pattern: str) -> None:
    source = f"import re\ndef f():\n    return re.match({pattern!r}, 'a' * 5000 + 'c') is None\n"
    image = await sandbox.load(source, SHORT)
    assert (await sandbox.run(image, "f", {}, limits=SHORT)).value


@pytest.mark.parametrize(
    "top", ["while True:\n    pass\n", "x = [0] * 10 ** 9\n", "while True:\n    print('x' * 999)\n"]
)
async def test_the_top_of_a_module_has_limits_as_well(sandbox: MontySandbox, top: str) -> None:
    assert await kind(sandbox, top) in {"time", "memory", "output"}


async def test_a_module_that_is_large_when_loaded_is_refused(sandbox: MontySandbox) -> None:
    with pytest.raises(SandboxFault) as caught:
        await sandbox.load("x = 'x' * (20 * 2 ** 20)\n")
    assert caught.value.kind == "memory"


async def test_the_text_of_an_error_is_cut(sandbox: MontySandbox) -> None:
    image = await sandbox.load("def f():\n    raise ValueError('x' * 10 ** 6)\n")
    with pytest.raises(SandboxFault) as caught:
        await sandbox.run(image, "f", {})
    assert len(str(caught.value.details)) < 1000
    assert "xxx" not in str(caught.value)
