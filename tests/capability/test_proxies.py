"""A function whose work is done elsewhere can be called like any other, through the node that included it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from moothall.capability.agents import Agent
from moothall.capability.decorators import capability
from moothall.capability.entry import Entry
from moothall.capability.registry import Registry
from moothall.errors import UsageError

DID = "did:wba:x.example"


class Recording:
    """Answers with what it was asked."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    async def call(self, entry: Entry, params: Mapping[str, Any]) -> Any:
        return self.name, entry.id, dict(params)

    async def stream(self, entry: Entry, params: Mapping[str, Any]) -> AsyncIterator[Any]:
        yield entry.id
        yield dict(params)


def proxies() -> tuple[Any, Any, Any]:
    @capability(source="did", did=DID)
    async def translate(text: str, lang: str = "zh") -> Any:
        """Translate it there."""

    @capability(source="did", did=DID)
    def measure(text: str) -> Any: ...

    @capability(source="did", did=DID)
    async def watch(text: str) -> AsyncIterator[str]: ...  # type: ignore[empty-body]

    return translate, measure, watch


@pytest.mark.requirement("DEC-15", "DEC-11")
async def test_calling_a_proxy_calls_what_stands_behind_it() -> None:
    translate, measure, watch = proxies()
    registry = Registry()
    Agent("a", translate, measure, watch).join(registry)
    await registry.start(Recording())
    assert await translate("hi") == ("", "a.translate", {"text": "hi"})
    assert await translate(lang="en", text="hi") == ("", "a.translate", {"text": "hi", "lang": "en"})
    assert await measure("hi") == ("", "a.measure", {"text": "hi"})
    assert await asyncio.to_thread(measure, "hi") == ("", "a.measure", {"text": "hi"})
    assert [value async for value in await watch("hi")] == ["a.watch", {"text": "hi"}]
    with pytest.raises(TypeError):
        await translate("hi", wrong=1)
    await registry.stop()


def test_a_proxy_looks_like_the_function() -> None:
    translate, measure, _ = proxies()
    assert (translate.__name__, translate.__doc__) == ("translate", "Translate it there.")
    assert str(inspect.signature(translate)) == "(text: 'str', lang: 'str' = 'zh') -> 'Any'"
    assert inspect.iscoroutinefunction(translate)
    assert not inspect.iscoroutinefunction(measure)


async def test_without_a_running_node_a_proxy_says_what_is_missing() -> None:
    translate, measure, _ = proxies()
    registry = Registry()
    Agent("a", translate).join(registry)
    for call in (lambda: translate("x"), lambda: asyncio.to_thread(measure, "x")):
        with pytest.raises(UsageError, match="include it in a node"):
            await call()
    await registry.start(Recording())
    await registry.stop()
    with pytest.raises(UsageError):
        await translate("x")


async def test_the_node_that_took_it_in_last_counts_until_it_stops_or_gives_it_up() -> None:
    translate, _, _ = proxies()
    first, second = Registry(), Registry()
    for registry, name in ((first, "a"), (second, "b")):
        Agent(name, translate).join(registry)
        await registry.start(Recording(name))
    assert (await translate("x"))[0] == "b"
    second.remove("b.translate")
    assert (await translate("x"))[0] == "a"
    Agent("c", translate).join(second)
    assert (await translate("x"))[1] == "c.translate"
    await second.stop()
    assert (await translate("x"))[1] == "a.translate"
    await first.stop()


async def test_methods_can_be_proxies() -> None:
    class Remote:
        @capability(source="did", did=DID)
        async def ask(self, what: str) -> Any: ...

    remote, registry = Remote(), Registry()
    Agent("a", remote).join(registry)
    await registry.start(Recording())
    assert await remote.ask("x") == ("", "a.ask", {"what": "x"})
    await registry.stop()


async def test_a_declared_fallback_is_the_body_and_not_the_proxy() -> None:
    @capability(source="did", did=DID)
    @capability(source="local")
    async def guess(what: str) -> str:
        return f"maybe {what}"

    registry = Registry()
    Agent("a", guess).join(registry)
    entry = registry.snapshot.resolve("a.guess")
    assert await entry.invoke(entry.bind(["x"]), None) == "maybe x"  # type: ignore[arg-type]
    await registry.start(Recording())
    assert await guess("x") == ("", "a.guess", {"what": "x"})
    await registry.stop()
