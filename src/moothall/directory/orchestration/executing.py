"""Carrying out a plan: in order where a step needs another, side by side where none does (row CRW-11)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import PydanticSerializationError, to_jsonable_python

from moothall.directory.orchestration.plan import Plan, State, Step, filled_in, pending, planned, wanted_of
from moothall.errors import MoothallError, Told, UpstreamInvalid
from moothall.messages import LANGS, explain, tell

Calls = Callable[[str, Mapping[str, Any], str], Awaitable[Any]]
"""Calls a target with arguments, under a key that makes a repetition harmless."""

Status = Literal["completed", "partial", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a step: its value, or why there is none."""

    state: State
    value: Any = None
    error: Mapping[str, Any] | None = None

    @property
    def told(self) -> dict[str, Any]:
        """As JSON."""
        if self.state == "done":
            return {"state": self.state, "value": self.value}
        return {"state": self.state, **({"error": dict(self.error)} if self.error else {})}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Outcome:
        """From JSON."""
        return cls(told["state"], told.get("value"), told.get("error"))


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a plan, step by step."""

    plan: Plan
    outcomes: Mapping[str, Outcome]

    @property
    def status(self) -> Status:
        """Whether all, some or none of it was done."""
        done = sum(outcome.state == "done" for outcome in self.outcomes.values())
        return "completed" if done == len(self.plan.steps) else "partial" if done else "failed"

    @property
    def values(self) -> dict[str, Any]:
        """The values of the steps that were done."""
        return {name: outcome.value for name, outcome in self.outcomes.items() if outcome.state == "done"}


Does = Callable[[Step, Mapping[str, Any]], Awaitable[Outcome]]
"""Does one step with the arguments that it gets; what it raises ends the whole work."""


async def carry_out(plan: Plan, do: Does, known: Mapping[str, Outcome] | None = None) -> dict[str, Outcome]:
    """Do every step whose turn comes; those after one that failed are skipped, all others are done.

    Args:
        plan: the plan.
        do: does one step.
        known: what came of steps before.

    Raises:
        Exception: what ``do`` raised, when the steps beside it have ended.
    """
    outcomes = dict(known or {})
    under_way: dict[asyncio.Task[Outcome], str] = {}
    broken: BaseException | None = None
    try:
        while True:
            if broken is None:
                for step in _startable(plan, outcomes, under_way.values()):
                    task = asyncio.create_task(_done(step, outcomes, do), name=f"step {step.id}")
                    under_way[task] = step.id
            if not under_way:
                break
            ended, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                name = under_way.pop(task)
                error = task.exception()
                if error is None:
                    outcomes[name] = task.result()
                else:
                    broken = broken or error
    finally:
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way)
    if broken is not None:
        raise broken
    return {step.id: outcomes[step.id] for step in plan.steps}


class CallOrchestrator:
    """Carries out plans in this process, without a memory; `Orchestrations` keeps them.

    Args:
        call: makes the calls.
    """

    def __init__(self, call: Calls) -> None:
        self._call = call

    async def run(self, steps: Plan | Sequence[Mapping[str, Any]]) -> Report:
        """Carry out a plan, or steps as `plan.Wanted` has them; a step that fails is reported, not raised.

        Raises:
            ValidationError: the steps are no plan.
        """
        if isinstance(steps, Plan):
            plan = steps
        else:
            wanted = wanted_of(list(steps))
            plan = planned([Step(each.id, each.target, each.arguments, tuple(each.after)) for each in wanted])

        async def do(step: Step, arguments: Mapping[str, Any]) -> Outcome:
            return await attempted(self._call(step.target, arguments, ""))

        return Report(plan, await carry_out(plan, do))


async def attempted(call: Awaitable[Any]) -> Outcome:
    """The outcome of a call; what it failed with is told by its code, and nothing else of it."""
    try:
        return Outcome("done", to_jsonable_python(await call))
    except MoothallError as error:
        return failure(error)
    except (PydanticSerializationError, ValueError):
        return no_json()


def failure(error: MoothallError) -> Outcome:
    """What a step failed with."""
    return Outcome("failed", error=error_told(error))


def error_told(error: MoothallError, code: str = "") -> dict[str, Any]:
    """An error as a plan keeps it: for programs, and under ``told`` for people in each language."""
    told = {lang: tell(error.told, lang) if error.told else explain(error, lang).message for lang in LANGS}
    return {"code": code or error.code, "message": error.message, "told": told}


def no_json() -> Outcome:
    """A value that cannot be kept."""
    error = UpstreamInvalid("the value has no JSON form", told=Told("intent.no_json"))
    return Outcome("failed", error=error_told(error, "RESULT"))


def _startable(plan: Plan, outcomes: dict[str, Outcome], under_way: Any) -> list[Step]:  # noqa: ANN401 - a view
    """The steps that can begin; those that never can are skipped here."""
    while True:
        free = [step for step in pending(plan, outcomes) if step.id not in set(under_way)]
        lost = [step for step in free if any(outcomes[name].state != "done" for name in step.after)]
        if not lost:
            return free
        for step in lost:
            outcomes[step.id] = Outcome("skipped")


async def _done(step: Step, outcomes: Mapping[str, Outcome], do: Does) -> Outcome:
    try:
        arguments = filled_in(step.arguments, {name: outcomes[name].value for name in step.after})
    except MoothallError as error:
        return failure(error)
    return await do(step, arguments)
