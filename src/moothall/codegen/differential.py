"""Two modules of one protocol against each other, in the sandbox: halves talk, and equals are compared.

Samples of what the requester's user may ask go through both halves; every message in between has to fit what the other
side expects, and the requester's half has to make a result of whatever the provider's half answers. A module with the
same functions, written apart, has to give the same for every sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from moothall.canonical import canonical
from moothall.codegen.cases import shown
from moothall.codegen.module import Function, Manifest, Module
from moothall.codegen.properties import Outcome, Witness, observe
from moothall.codegen.report import Problem
from moothall.codegen.sandbox.port import Image, JsonValue, Sandbox
from moothall.codegen.schemas.validation import compiled
from moothall.codegen.standing_in import Answers

BUILD: Final = "build"
PARSE: Final = "parse"
HANDLE: Final = "handle"
GOOD: Final = 200
"""The ``code`` of a response that is good."""

_MOST_PROBLEMS: Final = 10


@dataclass(frozen=True, slots=True)
class Other:
    """A module, loaded; what stands in for what it calls, and samples for its functions."""

    module: Module
    image: Image
    answers: Answers
    witnesses: Sequence[Witness]


def compares(one: Manifest, other: Manifest) -> bool:
    """Whether two modules have to do the same: they are the same kind, with the same functions and calls."""
    return one.kind == other.kind and _forms(one) == _forms(other) and set(one.may_call) == set(other.may_call)


def talks(one: Manifest, other: Manifest) -> bool:
    """Whether two modules are the halves of one protocol."""
    return {one.kind, other.kind} == {"requester", "provider"} and one.protocol == other.protocol != ""


async def compared(sandbox: Sandbox, other: Other, seen: Sequence[tuple[Witness, Outcome]]) -> list[Problem]:
    """Samples for which another module gives something else.

    Raises:
        SandboxFault: it cannot be run now (``busy``).
    """
    found: list[Problem] = []
    for witness, outcome in seen:
        if not witness.fits or len(found) >= _MOST_PROBLEMS:
            continue
        function = other.module.manifest.function(witness.function.name)
        if function is None:
            continue
        expected = await observe(sandbox, other.image, witness, other.answers)
        if not outcome.same(expected):
            why = f"{witness.told()} gives {outcome.told()}, but {expected.told()} in code that was written apart"
            found.append(_problem("differs", why))
    return found


async def talked(sandbox: Sandbox, requester: Other, provider: Other) -> list[Problem]:
    """Samples with which the two halves do not come to a result.

    Raises:
        SandboxFault: they cannot be run now (``busy``).
    """
    found: list[Problem] = []
    for witness in requester.witnesses:
        if witness.function.name == BUILD and witness.fits and not witness.refusing:
            why = await _round(sandbox, requester, provider, witness)
            found += [_problem("talk", f"{witness.told()}: {why}")] if why else []
        if len(found) >= _MOST_PROBLEMS:
            break
    return found


async def _round(sandbox: Sandbox, requester: Other, provider: Other, witness: Witness) -> str:
    """What goes wrong in one conversation; empty: nothing."""
    request = await observe(sandbox, requester.image, witness, requester.answers)
    if request.raised:
        return ""  # it says itself that it cannot; whether it may is for the tests
    handled, why = await _passed(sandbox, provider, HANDLE, request.value)
    if why or handled is None:
        return why
    _, why = await _passed(sandbox, requester, PARSE, handled.value)
    return why


async def _passed(sandbox: Sandbox, to: Other, name: str, message: JsonValue) -> tuple[Outcome | None, str]:
    """Hand a message to the other half; what it made of it, and what is wrong with that."""
    function = to.module.manifest.function(name)
    parameter = None if function is None else next(iter(function.parameters.get("properties", {})), None)
    if function is None or parameter is None:
        return None, ""
    if name == PARSE and _says_no(message):
        return None, ""
    arguments = {parameter: message}
    if problems := compiled(function.parameters).problems(arguments):
        return None, f"{name} is given {shown(message)}, which does not fit: {'; '.join(problems[:3])}"
    outcome = await observe(sandbox, to.image, Witness(function, arguments), to.answers)
    if outcome.unknown or (name == PARSE and outcome.raised == "ValueError"):
        return None, ""
    if outcome.raised or outcome.wrong:
        return None, f"{name} ends with {outcome.raised} for {shown(message)}"
    return outcome, ""


def _says_no(response: JsonValue) -> bool:
    """Whether a response says that nothing came of the request; that is no fault of either half."""
    return isinstance(response, dict) and type(response.get("code")) is int and response["code"] != GOOD


def _forms(manifest: Manifest) -> dict[str, bytes]:
    return {each.name: _form(each) for each in manifest.functions}


def _form(function: Function) -> bytes:
    return canonical([function.parameters, function.returns])


def _problem(code: str, message: str) -> Problem:
    return Problem(stage="differential", code=code, message=message[:2_000])
