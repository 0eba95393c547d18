"""What holds for every generated function, whatever it does, looked at over samples of its arguments in the sandbox.

For arguments that fit its schema it gives a value that fits, or raises ValueError; for others as well, and no other
error. It gives the same for the same, leaves its arguments as they came, is quick, and where two functions of a module
are each other's inverse by their schemas, the one undoes the other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from moothall.canonical import canonical
from moothall.codegen.cases import CASE_LIMITS, PATIENT, loaded, same_json, shown, way_out
from moothall.codegen.module import Case, Function, JsonObject, Module
from moothall.codegen.report import Problem
from moothall.codegen.sandbox.port import Image, JsonValue, Sandbox, SandboxLimits
from moothall.codegen.schemas.samples import samples, spoiled
from moothall.codegen.schemas.validation import compiled
from moothall.codegen.standing_in import Answers, StandIn
from moothall.errors import SandboxFault

SLOWEST: Final = 0.05
"""Seconds of work that a function may take for a sample."""

_TRIES: Final = 4
"""Runs that all have to be slower than that: one may have had to be repeated, or the system tells no work."""

_SPOILED: Final = 8
"""Spoiled arguments of each of the first samples; so many are tried to find them, and none is longer (characters)."""

_TRIED: Final = 24
_LONGEST: Final = 16_384

_FIRST: Final = 4
_GOOD: Final = 200
_MOST_PROBLEMS: Final = 10
_INVERSES: Final = frozenset({("encode", "decode"), ("pack", "unpack"), ("build", "parse")})


@dataclass(frozen=True, slots=True)
class Witness:
    """Arguments for a function: whether they fit its schema, and whether what it calls refuses."""

    function: Function
    arguments: JsonObject = field(repr=False)
    fits: bool = True
    refusing: bool = False

    def told(self) -> str:
        """The same in words."""
        refused = " and calls that are refused" if self.refusing else ""
        return f"{self.function.name} with {shown(self.arguments)}{refused}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: a value as JSON, or how it ended without one; digests of the calls that it made.

    Many of them are kept at one time, and a value of some kilobytes of JSON can be megabytes of objects.
    """

    text: str = field(default="null", repr=False)
    raised: str = ""
    calls: Sequence[str] = ()
    wrong: str = ""
    unknown: bool = False
    seconds: float = 0.0

    @property
    def value(self) -> JsonValue:
        """The value, read anew each time."""
        return json.loads(self.text)

    def same(self, other: Outcome) -> bool:
        """Whether nobody could tell the two apart."""
        if self.raised != other.raised or list(self.calls) != list(other.calls):
            return False
        return self.text == other.text or same_json(self.value, other.value)

    def told(self) -> str:
        """The same in words."""
        return self.raised or shown(self.value)


def witnesses(module: Module, count: int, seed: int) -> list[Witness]:
    """Samples of the arguments of every function, those that fit and those that do not.

    Raises:
        InvalidInput: a schema is refused.
    """
    found = [each for function in module.manifest.functions for each in _of(function, count, seed, module.cases)]
    if module.manifest.may_call:
        found += [replace(each, refusing=True) for each in found if each.fits]
    return found


def _of(function: Function, count: int, seed: int, cases: Sequence[Case]) -> list[Witness]:
    schema = compiled(function.parameters)
    fitting = [each for each in samples(function.parameters, count, seed) if isinstance(each, dict)]
    if not fitting:
        tried = [each.arguments for each in cases if each.function == function.name]
        fitting = [each for each in tried if schema.accepts(each)][:count]
    good = [found for each in fitting for found in _made_good(each) if schema.accepts(found)]
    found = [Witness(function, each) for each in _distinct([*fitting, *good])]
    names = set(function.parameters.get("properties", {}))
    for each in fitting[:_FIRST]:
        worse = [bad for bad in spoiled(function.parameters, each, seed, _TRIED) if isinstance(bad, dict)]
        usable = [bad for bad in worse if set(bad) == set(each) and set(bad) <= names and len(repr(bad)) <= _LONGEST]
        found += [Witness(function, bad, fits=False) for bad in usable[:_SPOILED]]
    return found


def _made_good(arguments: JsonObject) -> list[JsonObject]:
    """The same with a response that says that all went well, where an argument looks like a response."""
    return [
        {**arguments, name: {**value, "code": _GOOD}}
        for name, value in arguments.items()
        if isinstance(value, dict) and type(value.get("code")) is int
    ]


def _distinct(values: Sequence[JsonObject]) -> list[JsonObject]:
    return list({canonical(value): value for value in values}.values())


async def observe(sandbox: Sandbox, image: Image, witness: Witness, answers: Answers) -> Outcome:
    """Run a function with some arguments; a run that takes too long has a second chance with `PATIENT`.

    Raises:
        SandboxFault: it cannot be run now (``busy``).
    """
    outcome = await glimpse(sandbox, image, witness, answers)
    return await glimpse(sandbox, image, witness, answers, PATIENT) if outcome.raised == "time" else outcome


async def glimpse(
    sandbox: Sandbox, image: Image, witness: Witness, answers: Answers, limits: SandboxLimits = CASE_LIMITS
) -> Outcome:
    """Run a function with some arguments, without a second chance. Raises as `observe`."""
    host = StandIn(answers, refusing=witness.refusing)
    try:
        ran = await sandbox.run(image, witness.function.name, witness.arguments, call=host.call, limits=limits)
    except SandboxFault as error:
        return Outcome(raised=way_out(error), calls=host.made, wrong=host.wrong, unknown=host.unknown)
    return Outcome(json.dumps(ran.value), "", host.made, host.wrong, host.unknown, ran.work)


def broken(witness: Witness, outcome: Outcome) -> str:
    """What an outcome breaks of what holds for every function; empty: nothing."""
    if outcome.unknown:
        return ""
    if outcome.wrong:
        return f"{witness.told()}: {outcome.wrong}"
    if outcome.raised:
        allowed = {"ValueError", "RuntimeError"} if witness.refusing and outcome.calls else {"ValueError"}
        return "" if outcome.raised in allowed else f"{witness.told()} ends with {outcome.raised}, not ValueError"
    problems = compiled(witness.function.returns).problems(outcome.value)
    return f"{witness.told()} gives what does not fit its schema: {'; '.join(problems[:3])}" if problems else ""


async def properties(
    sandbox: Sandbox, image: Image, module: Module, seen: Sequence[tuple[Witness, Outcome]], answers: Answers
) -> list[Problem]:
    """What does not hold, given what was seen of all witnesses.

    Raises:
        SandboxFault: it cannot be looked at now (``busy``).
    """
    found = [_problem("value", why) for witness, outcome in seen if (why := broken(witness, outcome))]
    found += _never_good(module, seen)
    if not found:
        found += await _steady(sandbox, image, seen, answers)
        found += await _kept(sandbox, module, seen, answers)
        found += await inverse(sandbox, image, module, seen, answers)
    return found[:_MOST_PROBLEMS]


def _never_good(module: Module, seen: Sequence[tuple[Witness, Outcome]]) -> list[Problem]:
    """Functions that give no value for any arguments that fit, or for which none can be found."""
    found = []
    for function in module.manifest.functions:
        tried = [outcome for witness, outcome in seen if witness.function is function and witness.fits]
        if not tried:
            why = f"no arguments of {function.name} that fit its schema can be found: add a test with some"
            found.append(_problem("no_arguments", why))
        fitting = [outcome for outcome in tried if not outcome.unknown]
        if fitting and all(outcome.raised for outcome in fitting):
            found.append(_problem("no_value", f"{function.name} gives no value for any arguments that fit its schema"))
    return found


async def _steady(
    sandbox: Sandbox, image: Image, seen: Sequence[tuple[Witness, Outcome]], answers: Answers
) -> list[Problem]:
    """Witnesses for which a second run gives something else, or every run takes too long."""
    found = []
    for witness, outcome in seen:
        again = await observe(sandbox, image, witness, answers)
        if not outcome.same(again):
            found.append(_problem("steady", f"{witness.told()} gives {outcome.told()}, then {again.told()}"))
        fastest, tries = min(outcome.seconds, again.seconds), 2
        while fastest > SLOWEST and tries < _TRIES:
            fastest, tries = min(fastest, (await observe(sandbox, image, witness, answers)).seconds), tries + 1
        if fastest > SLOWEST:
            found.append(_problem("slow", f"{witness.told()} takes more than {SLOWEST:g} s"))
        if len(found) >= _MOST_PROBLEMS:
            break
    return found


_PROBE: Final = """

def gate_probe_{place}(given):
    gate_before = gate_copy.deepcopy(given)
    {name}(**given)
    return gate_before == given
"""


async def _kept(
    sandbox: Sandbox, module: Module, seen: Sequence[tuple[Witness, Outcome]], answers: Answers
) -> list[Problem]:
    """Functions that change their arguments, told by a function that is put beside each."""
    functions = module.manifest.functions
    probes = "".join(_PROBE.format(place=place, name=each.name) for place, each in enumerate(functions))
    image = await loaded(sandbox, f"import copy as gate_copy\n{module.source}{probes}")
    changed: dict[str, Problem] = {}
    for witness, outcome in seen:
        name = witness.function.name
        if outcome.raised or not witness.fits or name in changed:
            continue
        probe = Function(name=f"gate_probe_{functions.index(witness.function)}", parameters={})
        probed = replace(witness, function=probe, arguments={"given": witness.arguments})
        told = await observe(sandbox, image, probed, answers)
        if told.value is not True:
            changed[name] = _problem("changed", f"{witness.told()} changes its arguments")
    return list(changed.values())


async def inverse(
    sandbox: Sandbox,
    image: Image,
    module: Module,
    seen: Sequence[tuple[Witness, Outcome]],
    answers: Answers,
) -> list[Problem]:
    """Pairs of functions that are the two directions of a codec, of which the one does not undo the other.

    Raises:
        SandboxFault: it cannot be looked at now (``busy``).
    """
    found = []
    functions = module.manifest.functions
    for there, back in [(one, two) for one in functions for two in functions if one is not two and _undoes(one, two)]:
        (went,), (came,) = there.parameters["properties"], back.parameters["properties"]
        for witness, outcome in seen:
            if witness.function is not there or outcome.raised or not witness.fits:
                continue
            again = await observe(sandbox, image, Witness(back, {came: outcome.value}), answers)
            if again.raised or not same_json(again.value, witness.arguments[went]):
                why = f"{back.name} does not undo {there.name} with {shown(witness.arguments)}"
                found.append(_problem("inverse", why))
    return found


def _undoes(there: Function, back: Function) -> bool:
    """Whether two functions are by their names and schemas the two directions of a codec."""
    went, came = (_only_parameter(each) for each in (there, back))
    if (there.name, back.name) not in _INVERSES or went is None or came is None:
        return False
    wire, plain = canonical(there.returns), canonical(went)
    return wire != plain and wire == canonical(came) and plain == canonical(back.returns)


def _only_parameter(function: Function) -> Any:  # noqa: ANN401 - a schema
    parameters = function.parameters.get("properties", {})
    return next(iter(parameters.values())) if len(parameters) == 1 else None


def _problem(code: str, message: str) -> Problem:
    return Problem(stage="properties", code=code, message=message[:2_000])
