"""A registry with functions in it, and a context to run them with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from moothall.capability.agents import Agent
from moothall.capability.context import CallContext
from moothall.capability.entry import Entry
from moothall.capability.questions import Answers, Questions
from moothall.capability.registry import Registry
from moothall.identity.principal import OWNER


class Nowhere:
    """Calls nobody."""

    async def call(self, target: str, params: Mapping[str, Any], *, as_agent: bool) -> Any:
        raise AssertionError(target)

    def stream(self, target: str, params: Mapping[str, Any], *, as_agent: bool) -> AsyncIterator[Any]:
        raise AssertionError(target)

    async def progress(self, done: float, total: float | None, message: str) -> None:
        raise AssertionError(message)

    async def ask(self, questions: Questions) -> Answers:
        raise AssertionError(questions)

    async def log(self, level: str, data: Any, topic: str) -> None:
        raise AssertionError(data)


def context(entry: Entry) -> CallContext:
    return CallContext(
        principal=OWNER,
        agent=entry.agent,
        capability=entry.spec.name,
        door="local",
        request_id="r",
        deadline=0.0,
        calling=Nowhere(),
    )


def entry_of(function: object, **registry: Any) -> Entry:
    """The entry of the only function that is included."""
    kept = Registry(**registry)
    Agent("shop", function).join(kept)
    (entry,) = kept.snapshot.newest
    return entry


async def run(entry: Entry, params: Any) -> Any:
    """What a caller in this process gets."""
    return entry.check(await entry.invoke(entry.bind(params), context(entry)))
