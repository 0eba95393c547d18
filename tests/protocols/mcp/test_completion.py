"""Completion over MCP: what the capability offers, and what its schema lists."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal

import pytest

from moothall import prompt, resource
from tests.protocols.mcp.hall import ANNA, Hall, hall


class Colour(Enum):
    RED = "red"
    ROSE = "rose"
    BLUE = "blue"


async def rivers(start: str) -> list[str]:
    return [name for name in ("Rhine", "Rhone") if name.startswith(start)]


def failing(start: str) -> list[str]:
    raise RuntimeError("SECRET")


@prompt(
    access="public",
    completions={
        "city": ["Paris", "Prague", "Rome"],
        "street": lambda start: [f"{start}{number}" for number in range(150)],
        "river": rivers,
        "broken": failing,
    },
)
def travel(
    city: str,
    street: str,
    river: str,
    broken: str,
    colour: Colour,
    mode: Literal["walk", "train"] | None,
    fast: bool,
    note: str,
) -> str:
    """Plan a way."""
    return city


@resource("maps://{city}", completions={"city": ["Paris"]}, access="authenticated")
def map_of(city: str) -> str:
    """A map."""
    return city


def asked(argument: str, value: str, ref: dict[str, str] | None = None) -> dict[str, Any]:
    return {"ref": ref or {"type": "ref/prompt", "name": "travel"}, "argument": {"name": argument, "value": value}}


async def complete(open_: Hall, *about: Any, **more: Any) -> dict[str, Any]:
    return dict((await open_.modern("completion/complete", asked(*about), **more)).json())


@pytest.mark.parametrize(
    ("argument", "value", "values"),
    [
        ("city", "p", ["Paris", "Prague"]),
        ("river", "Rh", ["Rhine", "Rhone"]),
        ("colour", "r", ["red", "rose"]),
        ("mode", "", ["walk", "train"]),
        ("fast", "t", ["true"]),
        ("note", "a", []),
    ],
    ids=["listed", "found", "enumeration", "literal", "switch", "nothing"],
)
async def test_an_argument_is_completed(argument: str, value: str, values: list[str]) -> None:
    async with hall(travel) as open_:
        answer = await complete(open_, argument, value)
    assert answer["result"]["completion"] == {"values": values, "total": len(values), "hasMore": False}


async def test_of_many_values_a_hundred_are_told() -> None:
    async with hall(travel) as open_:
        found = (await complete(open_, "street", "a"))["result"]["completion"]
    assert (len(found["values"]), found["total"], found["hasMore"]) == (100, 150, True)


async def test_a_template_is_completed_for_whom_it_is_for() -> None:
    template = {"type": "ref/resource", "uri": "maps://{city}"}
    async with hall(map_of) as open_:
        known = await complete(open_, "city", "P", template, who=ANNA)
        unknown = await complete(open_, "city", "P", template)
    assert known["result"]["completion"]["values"] == ["Paris"]
    assert unknown["error"]["code"] == -32602


async def test_unknown_arguments_and_failures_are_errors_that_tell_nothing() -> None:
    async with hall(travel) as open_:
        unknown = await complete(open_, "nothing", "")
        failed = await complete(open_, "broken", "")
    assert unknown["error"]["code"] == -32602
    assert failed["error"]["data"]["code"] == "INTERNAL_ERROR"
    assert "SECRET" not in str(failed)


LET_GO = threading.Event()
BEGUN = threading.Semaphore(0)
WHERE: list[str] = []


def slow(start: str) -> Iterator[str]:
    WHERE.append(threading.current_thread().name)
    BEGUN.release()
    LET_GO.wait()
    yield start


async def lazy(start: str) -> Iterator[str]:
    def numbers() -> Iterator[str]:
        WHERE.append(threading.current_thread().name)
        yield start

    return numbers()


@prompt(access="public", completions={"slow": slow, "lazy": lazy})
def dawdle(slow: str, lazy: str) -> str:
    """Take one's time."""
    return slow + lazy


async def test_completions_run_in_the_threads_of_capabilities_and_only_so_many_of_one_caller() -> None:
    dawdling = {"type": "ref/prompt", "name": "dawdle"}
    LET_GO.clear()
    WHERE.clear()
    async with hall(dawdle) as open_:
        waiting = [asyncio.create_task(complete(open_, "slow", "a", dawdling)) for _ in range(4)]
        for _ in waiting:
            await asyncio.to_thread(BEGUN.acquire)
        refused = await complete(open_, "slow", "a", dawdling)
        other = await complete(open_, "lazy", "b", dawdling, who=ANNA)
        LET_GO.set()
        answers = await asyncio.gather(*waiting)
        assert "result" in await complete(open_, "slow", "a", dawdling)
    assert refused["error"]["data"]["code"] == "UNAVAILABLE"
    assert other["result"]["completion"]["values"] == ["b"]
    assert all(answer["result"]["completion"]["values"] == ["a"] for answer in answers)
    assert all(name.startswith("capability-") for name in WHERE)
