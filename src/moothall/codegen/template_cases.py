"""Tests of code that a template wrote: what the mapping itself gives, worked out apart from that code. Pure.

They are made of the very samples that the gate looks at (`properties.witnesses`), so that every mistake that shows
there fails a test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from moothall.codegen.module import Case, Function, JsonObject, ScriptedCall
from moothall.codegen.schemas.mapping import Mapping
from moothall.codegen.schemas.running import JsonValue
from moothall.codegen.schemas.samples import samples, spoiled
from moothall.codegen.schemas.validation import compiled
from moothall.codegen.task import Callee
from moothall.codegen.template_plan import GOOD, Written

_SAMPLES: Final = 12
_FIRST: Final = 4
_SPOILED: Final = 6
_REPLIES: Final = 3


def cases_of(written: Sequence[Written]) -> tuple[Case, ...]:
    """The tests of all functions."""
    return tuple(
        case.model_copy(update={"name": f"{case.function}, sample {place}"})
        for each in written
        for place, case in enumerate(_of(each), 1)
    )


def _of(written: Written) -> Iterator[Case]:
    function = written.function
    fitting = [each for each in samples(function.parameters, _SAMPLES) if isinstance(each, dict)]
    for arguments in [*fitting, *(good for each in fitting for good in _made_good(function, each))]:
        if written.callee and written.asks:
            yield from _calling(written, written.callee, written.asks, arguments)
        else:
            yield _plain(written, arguments)
    for arguments in fitting[:_FIRST]:
        for bad in spoiled(function.parameters, arguments, count=_SPOILED):
            if isinstance(bad, dict) and set(bad) == set(arguments):
                yield _case(function, bad, raises="ValueError")


def _plain(written: Written, arguments: JsonObject) -> Case:
    given = written.given(arguments)
    if written.wants_good and given["code"] != GOOD:
        return _case(written.function, arguments, raises="ValueError")
    return _ending(written, arguments, given, ())


def _calling(written: Written, callee: Callee, asks: Mapping, arguments: JsonObject) -> Iterator[Case]:
    """What comes of replies that fit, of some that do not, and of a call that is refused."""
    function = written.function
    try:
        asked = asks.apply(written.given(arguments))
    except ValueError:
        asked = None
    if asked is None or not compiled(callee.parameters).accepts(asked):
        yield _case(function, arguments, raises="ValueError")
        return
    called = ScriptedCall(target=callee.target, parameters=asked)
    replies = samples(callee.returns, _REPLIES)
    for reply in replies:
        yield _ending(written, arguments, reply, (called.model_copy(update={"reply": reply}),))
    for reply in spoiled(callee.returns, replies[-1], count=_REPLIES) if replies else ():
        yield _case(function, arguments, (called.model_copy(update={"reply": reply}),), raises="ValueError")
    yield _case(function, arguments, (called.model_copy(update={"error": "the call failed"}),), raises="RuntimeError")


def _ending(written: Written, arguments: JsonObject, value: JsonValue, calls: tuple[ScriptedCall, ...]) -> Case:
    """What a function gives of a value that fits: of what it is given, or of the reply."""
    function = written.function
    try:
        expected = written.gives.apply(value)
    except ValueError:
        return _case(function, arguments, calls, raises="ValueError")
    if not compiled(function.returns).accepts(expected):
        return _case(function, arguments, calls, raises="ValueError")
    return _case(function, arguments, calls, expected)


def _made_good(function: Function, arguments: JsonObject) -> Iterator[JsonObject]:
    """The same with a response that is good, where an argument is one."""
    schema = compiled(function.parameters)
    for name, value in arguments.items():
        if isinstance(value, dict) and type(value.get("code")) is int and value["code"] != GOOD:
            made = {**arguments, name: {**value, "code": GOOD}}
            if schema.accepts(made):
                yield made


def _case(
    function: Function,
    arguments: JsonObject,
    calls: tuple[ScriptedCall, ...] = (),
    expected: JsonValue = None,
    *,
    raises: str = "",
) -> Case:
    return Case(
        name="sample", function=function.name, arguments=arguments, expected=expected, raises=raises, calls=calls
    )
