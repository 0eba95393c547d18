"""Tests of code that a template wrote: what the mapping itself gives, worked out apart from that code. Pure.

They are made of the very samples that the gate looks at (`properties.witnesses`), so that every mistake that shows
there fails a test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from typing import Final

from moothall.codegen.module import Case, Function, JsonObject, ScriptedCall
from moothall.codegen.schemas.mapping import Mapping
from moothall.codegen.schemas.running import JsonValue
from moothall.codegen.schemas.samples import samples, spoiled
from moothall.codegen.schemas.validation import compiled
from moothall.codegen.task import Callee
from moothall.codegen.template_plan import GOOD, Written

MOST_CASES: Final = 90
"""Tests of one module, those of its task included; the gate takes a hundred."""

_SAMPLES: Final = 12
_FIRST: Final = 4
_SPOILED: Final = 6
_REPLIES: Final = 8


def cases_of(written: Sequence[Written], others: int = 0) -> tuple[Case, ...]:
    """The tests of all functions, so many that there is room for ``others``."""
    most = max(0, MOST_CASES - others) // len(written)
    return tuple(
        case.model_copy(update={"name": f"{case.function}, sample {place}"})
        for each in written
        for place, case in enumerate(islice(_of(each), most), 1)
    )


def _of(written: Written) -> Iterator[Case]:
    function = written.function
    fitting = [each for each in samples(function.parameters, _SAMPLES) if isinstance(each, dict)]
    every = [*fitting, *(made for each in fitting for made in _made_good(function, each))]
    if written.callee and written.asks:
        good = list(_calling(written, written.callee, written.asks, every))
    else:
        good = [_plain(written, arguments) for arguments in every]
    worse = [bad for each in fitting[:_FIRST] for bad in spoiled(function.parameters, each, count=_SPOILED)]
    names = set(function.parameters.get("properties", {}))
    refused = [
        _case(function, bad, raises="ValueError") for bad in worse if isinstance(bad, dict) and set(bad) == names
    ]
    for pair in zip_longest(good, refused):  # in turn, so that mistakes of either kind show early
        yield from (case for case in pair if case is not None)


def _plain(written: Written, arguments: JsonObject) -> Case:
    given = written.given(arguments)
    if written.wants_good and given["code"] != GOOD:
        return _case(written.function, arguments, raises="ValueError")
    return _ending(written, arguments, given, ())


def _calling(written: Written, callee: Callee, asks: Mapping, every: Sequence[JsonObject]) -> Iterator[Case]:
    """What comes of every call; of the first also with other replies, with some that do not fit, and refused."""
    replies = samples(callee.returns, _REPLIES)
    asked = [(arguments, _asked(written, callee, asks, arguments)) for arguments in every]
    for place, (arguments, called) in enumerate(asked):
        if called is None:
            yield _case(written.function, arguments, raises="ValueError")
        elif replies:
            yield _replied(written, arguments, called, replies[place % len(replies)])
    first = next(((arguments, called) for arguments, called in asked if called), None)
    if first is None or not replies:
        return
    arguments, called = first
    yield from (_replied(written, arguments, called, reply) for reply in replies[1:])
    for reply in [bad for good in replies[:3] for bad in spoiled(callee.returns, good, count=_SPOILED)]:
        yield _case(written.function, arguments, (called.model_copy(update={"reply": reply}),), raises="ValueError")
    refused = called.model_copy(update={"error": "the call failed"})
    yield _case(written.function, arguments, (refused,), raises="RuntimeError")


def _asked(written: Written, callee: Callee, asks: Mapping, arguments: JsonObject) -> ScriptedCall | None:
    """The call that is made; None where it would not fit."""
    try:
        parameters = asks.apply(written.given(arguments))
    except ValueError:
        return None
    fits = compiled(callee.parameters).accepts(parameters)
    return ScriptedCall(target=callee.target, parameters=parameters) if fits else None


def _replied(written: Written, arguments: JsonObject, called: ScriptedCall, reply: JsonValue) -> Case:
    return _ending(written, arguments, reply, (called.model_copy(update={"reply": reply}),))


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
