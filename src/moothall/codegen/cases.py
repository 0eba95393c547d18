"""Tests of generated code: each calls a function in the sandbox, with scripted answers to what it calls itself."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from moothall.codegen.module import Case, ScriptedCall
from moothall.codegen.sandbox.port import Departure, Image, JsonValue, Refusal, Sandbox, SandboxLimits, fault
from moothall.errors import SandboxFault

CASE_LIMITS: Final = SandboxLimits(seconds=0.25, memory=64 * 1024 * 1024, calls=50, output=256 * 1024, depth=200)
"""What a test may use."""

PATIENT: Final = replace(CASE_LIMITS, seconds=2.0)
"""What it may use when it ran out of time before: the machine may have been busy with something else."""

NOT_NOW: Final = frozenset({"busy"})
"""How a run ends that says nothing about the code."""

_SHOWN: Final = 300
"""Characters of a value in a message."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How a test went.

    Attributes:
        case: the test.
        passed: whether it did.
        why: what was wrong, for whoever mends the code; may repeat values of the test and the code.
        value: what the function gave.
        raised: the name of the exception, or how else the run ended without a value.
        seconds: of work that it took; of one that ended without a value, all that it took.
    """

    case: Case
    passed: bool
    why: str = ""
    value: JsonValue = field(default=None, repr=False)
    raised: str = ""
    seconds: float = 0.0


def same_json(one: JsonValue, other: JsonValue) -> bool:
    """Whether two JSON values are the same: 1 is 1.0, but not true; the order of keys says nothing."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same_json(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same_json, one, other))
    return type(one) is type(other) and bool(one == other)


def shown(value: JsonValue) -> str:
    """A value in a message: its beginning."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def way_out(error: SandboxFault) -> str:
    """How a run ended without a value: the exception's name where the code raised one, else the kind of the fault.

    Raises:
        SandboxFault: this very one, where it says nothing about the code.
    """
    if error.kind in NOT_NOW:
        raise error
    raised = error.details.get("raised")
    return raised if error.kind == "raised" and isinstance(raised, str) else error.kind


async def loaded(sandbox: Sandbox, source: str) -> Image:
    """A module, ready for tests.

    Raises:
        SandboxFault: it cannot be loaded, also not when it has more time.
    """
    try:
        return await sandbox.load(source, CASE_LIMITS)
    except SandboxFault as error:
        if error.kind != "time":
            raise
    return await sandbox.load(source, PATIENT)


async def run_cases(
    sandbox: Sandbox, image: Image, cases: Iterable[Case], limits: SandboxLimits = CASE_LIMITS
) -> list[CaseResult]:
    """Run tests, one after the other, each from the module's first state.

    Raises:
        SandboxFault: they cannot be run now (``busy``).
    """
    return [await run_case(sandbox, image, case, limits) for case in cases]


async def run_case(sandbox: Sandbox, image: Image, case: Case, limits: SandboxLimits = CASE_LIMITS) -> CaseResult:
    """Run one test; one that takes too long has a second chance with `PATIENT`. Raises as `run_cases`."""
    result = await once(sandbox, image, case, limits)
    return await once(sandbox, image, case, PATIENT) if result.raised == "time" else result


async def once(sandbox: Sandbox, image: Image, case: Case, limits: SandboxLimits = CASE_LIMITS) -> CaseResult:
    """Run one test, without a second chance. Raises as `run_cases`."""
    script, began = _Script(case.calls), time.monotonic()
    try:
        ran = await sandbox.run(image, case.function, case.arguments, call=script.answer, limits=limits)
    except SandboxFault as error:
        raised = way_out(error)
        why = script.wrong or _raised_wrongly(case, raised, error) or script.left()
        return CaseResult(case, not why, why, raised=raised, seconds=time.monotonic() - began)
    why = script.wrong or _valued_wrongly(case, ran.value) or script.left()
    return CaseResult(case, not why, why, value=ran.value, seconds=ran.work)


class _Script:
    """Answers host calls as a test says, in its order; what it does not expect ends the run."""

    def __init__(self, calls: tuple[ScriptedCall, ...]) -> None:
        self._calls = calls
        self._next = 0
        self.wrong = ""

    async def answer(self, target: str, parameters: Mapping[str, JsonValue]) -> JsonValue:
        if self._next == len(self._calls):
            self._refuse(f"it called {shown(target)}, which is one call too many")
        expected = self._calls[self._next]
        self._next += 1
        if target != expected.target:
            self._refuse(f"it called {shown(target)} where {shown(expected.target)} was expected")
        if not same_json(dict(parameters), expected.parameters):
            given, wanted = shown(dict(parameters)), shown(expected.parameters)
            self._refuse(f"it called {shown(target)} with {given}, expected were {wanted}")
        if expected.error:
            raise Refusal(expected.error)
        return expected.reply

    def left(self) -> str:
        missing = len(self._calls) - self._next
        return f"it ended {missing} calls before the last that is expected" if missing else ""

    def _refuse(self, why: str) -> None:
        self.wrong = self.wrong or why
        raise Departure(fault("calls", why))


def _raised_wrongly(case: Case, raised: str, error: SandboxFault) -> str:
    if error.kind == "raised" and case.raises == raised:
        return ""
    text = error.details.get("text", "")
    wanted = f"{case.raises} was expected" if case.raises else f"expected was {shown(case.expected)}"
    return f"with {shown(case.arguments)} it ended with {raised} ({text}), {wanted}"


def _valued_wrongly(case: Case, value: JsonValue) -> str:
    if case.raises:
        return f"with {shown(case.arguments)} it gave {shown(value)}, {case.raises} was expected"
    if same_json(value, case.expected):
        return ""
    return f"with {shown(case.arguments)} it gave {shown(value)}, expected was {shown(case.expected)}"
