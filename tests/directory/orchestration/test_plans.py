"""Plans: what is none, what follows what, and what is told of a step that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from moothall.directory.orchestration.executing import CallOrchestrator
from moothall.directory.orchestration.plan import Step, filled_in, planned, wanted_of
from moothall.errors import UpstreamError, ValidationError

pytestmark = pytest.mark.requirement("CRW-11")


class Places:
    """Calls that a test answers; those that wait for each other prove that they run side by side."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.met = asyncio.Barrier(2)

    async def call(self, target: str, arguments: Mapping[str, Any], _key: str) -> Any:
        self.made.append(target)
        if target == "local:fails":
            raise UpstreamError("the secret of somebody else")
        if target == "local:meets":
            async with asyncio.timeout(5):
                await self.met.wait()
        return {"made": target, **arguments}


async def test_three_dependent_steps_run_in_order_with_the_results_of_those_before() -> None:
    places = Places()
    report = await CallOrchestrator(places.call).run(
        [
            {"id": "c", "target": "local:third", "arguments": {"x": {"$step": "b", "at": "/n"}, "y": {"$step": "a"}}},
            {"id": "a", "target": "local:first", "arguments": {"n": 1}},
            {"id": "b", "target": "local:second", "arguments": {"n": {"$step": "a", "at": "/n"}}},
        ]
    )
    assert places.made == ["local:first", "local:second", "local:third"]
    assert report.status == "completed"
    assert report.values["c"] == {"made": "local:third", "x": 1, "y": {"made": "local:first", "n": 1}}


async def test_a_value_that_cannot_be_kept_is_told_in_both_languages() -> None:
    async def call(_target: str, _arguments: Mapping[str, Any], _key: str) -> Any:
        return object()

    report = await CallOrchestrator(call).run([{"id": "odd", "target": "local:odd"}])
    error = report.outcomes["odd"].error
    assert error is not None
    assert (error["code"], error["told"]["zh"]) == ("RESULT", "其返回值没有 JSON 形式")


async def test_independent_steps_run_side_by_side() -> None:
    places = Places()
    report = await CallOrchestrator(places.call).run([{"target": "local:meets"}, {"target": "local:meets"}])
    assert report.status == "completed"


async def test_a_partial_failure_is_told_step_by_step() -> None:
    places = Places()
    report = await CallOrchestrator(places.call).run(
        [
            {"id": "ill", "target": "local:fails"},
            {"id": "after", "target": "local:never", "after": ["ill"]},
            {"id": "last", "target": "local:never", "arguments": {"x": {"$step": "after"}}},
            {"id": "well", "target": "local:other"},
        ]
    )
    assert report.status == "partial"
    assert {name: outcome.state for name, outcome in report.outcomes.items()} == {
        "ill": "failed",
        "after": "skipped",
        "last": "skipped",
        "well": "done",
    }
    assert report.outcomes["ill"].error is not None
    assert report.outcomes["ill"].error["code"] == "UPSTREAM_ERROR"
    told = report.outcomes["ill"].error["told"]
    assert told["en"] != told["zh"]
    assert "secret" not in told["en"] + told["zh"], "what was not written for people is not told to them"
    assert "local:never" not in places.made


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [{"target": ""}],
        [{"id": "a", "target": "x", "colour": 1}],
        [{"id": "a", "target": "x"}, {"id": "a", "target": "y"}],
        [{"id": "a", "target": "x", "after": ["b"]}],
        [{"id": "a", "target": "x", "after": ["b"]}, {"id": "b", "target": "y", "arguments": {"n": {"$step": "a"}}}],
        [{"target": "x"}] * 33,
        "x",
    ],
)
async def test_what_is_no_plan_is_refused_and_nothing_runs(steps: Any) -> None:
    places = Places()
    with pytest.raises(ValidationError):
        await CallOrchestrator(places.call).run(steps)
    assert places.made == []


def test_a_part_that_a_result_has_not_is_told() -> None:
    arguments = {"x": [{"$step": "a", "at": "/rows/1/name"}], "plain": {"$step": 3}}
    assert filled_in(arguments, {"a": {"rows": [{}, {"name": "n"}]}}) == {"x": ["n"], "plain": {"$step": 3}}
    with pytest.raises(ValidationError):
        filled_in(arguments, {"a": {"rows": []}})


def test_the_digest_of_a_plan_changes_with_what_it_does() -> None:
    def digest(amount: int) -> str:
        return planned_of([{"target": "local:pay", "arguments": {"amount": amount}}])

    assert digest(1) == digest(1) != digest(2)


def planned_of(steps: list[dict[str, Any]]) -> str:
    return planned([Step(each.id, each.target, each.arguments) for each in wanted_of(steps)]).digest
