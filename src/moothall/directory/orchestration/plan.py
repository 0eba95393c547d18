"""A plan of several calls: what depends on what, and how results become arguments. Pure.

An argument ``{"$step": "a"}`` is what step ``a`` gave, ``{"$step": "a", "at": "/data/city"}`` a part of it (RFC 6901).
A step follows those whose results it takes, and those that it names in ``after``; all others may run beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic import ValidationError as Misfit

from moothall.canonical import digest
from moothall.errors import Told, ValidationError

MOST_STEPS: Final = 32
RESULT: Final = "$step"
_AT: Final = "at"
_DEPTH: Final = 20

State = Literal["waiting", "done", "failed", "skipped", "cancelled"]


class Wanted(BaseModel):
    """A step as somebody writes it; its target may be one in words (``auto:…``)."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(default="", max_length=40, pattern=r"^[\w-]*$")
    target: str = Field(min_length=1, max_length=2048)
    arguments: dict[str, Any] = {}
    after: list[str] = []


@dataclass(frozen=True, slots=True)
class Step:
    """One call.

    Attributes:
        id: its name in the plan.
        target: what is called.
        arguments: by name; results of other steps in place of some.
        after: the steps that come before it.
        read_only: whether it changes nothing.
        about: what it does, for whoever looks at the plan.
    """

    id: str
    target: str
    arguments: Mapping[str, Any]
    after: tuple[str, ...] = ()
    read_only: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps, each after those that it needs."""

    steps: tuple[Step, ...]
    request: str = ""

    @property
    def read_only(self) -> bool:
        """Whether nothing is changed by it."""
        return all(step.read_only for step in self.steps)

    @property
    def digest(self) -> str:
        """What tells it from every other plan."""
        return digest([[step.id, step.target, dict(step.arguments), list(step.after)] for step in self.steps])


def wanted_of(written: object) -> list[Wanted]:
    """Steps as somebody wrote them; those without an id get one.

    Raises:
        ValidationError: they have no such form.
    """
    if isinstance(written, list) and len(written) > MOST_STEPS:  # before anything is looked for
        raise too_many()
    try:
        found = TypeAdapter(list[Wanted]).validate_python(written)
    except Misfit as error:
        where = ".".join(map(str, error.errors(include_input=False, include_url=False)[0]["loc"]))
        raise wrong(f"steps.{where}") from None
    return [each.model_copy(update={"id": each.id or f"s{place}"}) for place, each in enumerate(found, 1)]


def planned(steps: Sequence[Step], request: str = "") -> Plan:
    """A plan of these steps, each after those whose results it takes.

    Raises:
        ValidationError: there are none or too many, two have one id, one waits for a step that is not there, or for
            itself.
    """
    if not 1 <= len(steps) <= MOST_STEPS:
        raise too_many()
    ids = [step.id for step in steps]
    if len(set(ids)) != len(ids):
        raise wrong("id")
    ordered: list[Step] = []
    waiting = [_following(step) for step in steps]
    for step in waiting:
        if unknown := set(step.after) - set(ids):
            raise wrong(f"{step.id}: {', '.join(sorted(unknown))}?")
    while waiting:
        done = {step.id for step in ordered}
        ready = [step for step in waiting if done.issuperset(step.after)]
        if not ready:
            raise wrong(" ↔ ".join(step.id for step in waiting))
        ordered += ready
        waiting = [step for step in waiting if step not in ready]
    return Plan(tuple(ordered), request)


def filled_in(arguments: Mapping[str, Any], results: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments with the results in their places.

    Raises:
        ValidationError: a result has no such part.
    """
    return {name: _filled(value, results) for name, value in arguments.items()}


def taken_by(value: object) -> Iterator[str]:
    """The steps whose results a value takes."""
    if isinstance(value, Mapping):
        if is_result(value):
            yield value[RESULT]
            return
        for each in value.values():
            yield from taken_by(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from taken_by(each)


def is_result(value: object) -> bool:
    """Whether a value stands for a result."""
    return isinstance(value, Mapping) and isinstance(value.get(RESULT), str) and value.keys() <= {RESULT, _AT}


def wrong(problem: str) -> ValidationError:
    """The error of a plan that is none."""
    return ValidationError("the plan cannot be carried out", told=Told("intent.plan", {"problem": problem}))


def too_many() -> ValidationError:
    """The error of a plan with more steps than a plan may have, or with none."""
    return wrong(f"1-{MOST_STEPS}")


def pending(plan: Plan, over: Collection[str]) -> list[Step]:
    """The steps that are not over, and that nothing stands before."""
    known = set(over)
    return [step for step in plan.steps if step.id not in known and known.issuperset(step.after)]


def _following(step: Step) -> Step:
    after = tuple(dict.fromkeys((*step.after, *taken_by(dict(step.arguments)))))
    return Step(step.id, step.target, step.arguments, after, step.read_only, step.about)


def _filled(value: object, results: Mapping[str, Any], depth: int = 0) -> Any:  # noqa: ANN401
    if depth > _DEPTH:
        raise wrong("depth")
    if isinstance(value, Mapping):
        if is_result(value):
            return _part(results[value[RESULT]], str(value.get(_AT, "")), value[RESULT])
        return {name: _filled(each, results, depth + 1) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(each, results, depth + 1) for each in value]
    return value


def _part(value: Any, pointer: str, step: str) -> Any:  # noqa: ANN401
    for name in pointer.split("/")[1:]:
        key = name.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            raise wrong(f"{step}{pointer}?")
    return value
