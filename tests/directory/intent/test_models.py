"""A model behind calls in words: it picks among what was found, and nothing else that it says counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from moothall.capability.agents import Agent
from moothall.capability.decorators import capability
from moothall.directory.crawler import UnifiedCrawler
from moothall.errors import Ambiguous, ModelUnavailable
from moothall.llm.scripted import ScriptedLLM
from tests.directory.intent.hall import arguments_of, candidates, opened
from tests.directory.intent.town import distractors, weather

pytestmark = pytest.mark.requirement("CRW-10")


def sky() -> Agent:
    @capability(read_only=True)
    def forecast(city: str) -> str:
        """获取城市的天气预报"""
        return f"forecast {city}"

    @capability(read_only=True)
    def warning(city: str, level: int = 1) -> str:
        """获取城市的天气预警"""
        return f"warning {city}"

    return Agent("sky", forecast, warning)


def model(ranking: list[str], *, certain: bool, arguments: dict[str, Any] | None = None) -> ScriptedLLM:
    chosen = json.dumps({"ranking": ranking, "certain": certain})
    filled = json.dumps({"arguments": arguments or {}})
    return ScriptedLLM([("which capability", lambda *_: chosen), ("find the arguments", lambda *_: filled)])


async def test_a_model_decides_between_what_rules_cannot_tell_apart(tmp_path: Path) -> None:
    llm = model(["local:sky.warning", "local:sky.forecast"], certain=True, arguments={"city": "北京市"})
    async with opened(tmp_path, sky(), llm=llm) as hall:
        reply = await hall.caller.try_call("auto:获取北京天气")
    assert reply.data == "warning 北京市"
    assert reply.metadata is not None
    assert reply.metadata.chosen is not None
    assert reply.metadata.chosen["by"] == "llm"


async def test_a_model_is_asked_once_for_the_same_choice_and_not_at_all_where_a_target_is_named(tmp_path: Path) -> None:
    asked: list[str] = []

    def choose(system: str, user: str) -> str:
        asked.append(user)
        return json.dumps({"ranking": ["local:sky.warning"], "certain": True})

    llm = ScriptedLLM([("which capability", choose), ("find the arguments", json.dumps({"arguments": {}}))])
    async with opened(tmp_path, sky(), llm=llm) as hall:
        for _ in range(3):
            assert await hall.caller.call("auto:获取北京天气", city="北京") == "warning 北京"
        assert len(asked) == 1
        assert await hall.caller.call("auto:获取北京天气 local:sky.forecast", city="北京") == "forecast 北京"
        assert len(asked) == 1
        hall.registry.disable("sky.warning")
        await hall.feed()
        assert await hall.caller.call("auto:获取北京天气", city="北京") == "forecast 北京"


async def test_a_target_that_was_not_found_is_ignored(tmp_path: Path) -> None:
    llm = model(["local:others.item_0", "mcp:evil.steal", "local:sky.forecast"], certain=True)
    async with opened(tmp_path, sky(), llm=llm) as hall:
        with pytest.raises(Ambiguous) as raised:
            await hall.caller.call("auto:获取北京天气")
    assert [each["target"] for each in candidates(raised.value)] == ["local:sky.forecast"]


async def test_a_model_that_doubts_leaves_the_choice_to_the_caller(tmp_path: Path) -> None:
    llm = model(["local:sky.warning", "local:sky.forecast"], certain=False)
    async with opened(tmp_path, sky(), llm=llm) as hall:
        with pytest.raises(Ambiguous) as raised:
            await hall.caller.call("auto:获取北京天气")
    assert [each["target"] for each in candidates(raised.value)] == [
        "local:sky.warning",
        "local:sky.forecast",
    ]


async def test_a_model_that_fails_leaves_it_to_the_rules(tmp_path: Path) -> None:
    llm = ScriptedLLM([(lambda *_: True, lambda *_: ModelUnavailable("away"))])  # type: ignore[list-item]
    async with opened(tmp_path, weather(), distractors(10), llm=llm) as hall:
        reply = await hall.caller.try_call("auto:获取北京天气")
    assert reply.data == {"city": "北京", "celsius": 4}
    assert reply.metadata is not None
    assert reply.metadata.chosen is not None
    assert reply.metadata.chosen["by"] == "fallback"


async def test_arguments_of_a_model_that_do_not_fit_are_left_to_the_rules(tmp_path: Path) -> None:
    llm = model(["local:sky.get_weather"], certain=True, arguments={"city": 7, "unknown": True})
    async with opened(tmp_path, weather(), distractors(3), llm=llm) as hall:
        assert arguments_of(await hall.caller.try_call("auto:获取北京天气")) == {"city": "北京"}
        assert arguments_of(await hall.caller.try_call("auto:获取天气", city="Rome")) == {"city": "Rome"}


@pytest.mark.requirement("CRW-03")
async def test_a_crawler_has_the_model_choose_and_fill_in(tmp_path: Path) -> None:
    llm = model(["local:sky.warning", "local:sky.forecast"], certain=True, arguments={"city": "沪", "level": 3})
    async with opened(tmp_path, sky(), llm=llm) as hall:
        made = await UnifiedCrawler(hall.path).intelligent_call("获取上海的天气")
    assert (made.value, made.target, made.arguments) == ("warning 沪", "local:sky.warning", {"city": "沪", "level": 3})


async def test_a_model_puts_what_was_found_in_another_order_and_adds_nothing(tmp_path: Path) -> None:
    async def order(folder: Path, llm: ScriptedLLM | None) -> list[str]:
        async with opened(folder, sky(), distractors(3), llm=llm) as hall:
            return [hit.listing.target for hit in await UnifiedCrawler(hall.path).search_resources("获取北京天气")]

    rules = await order(tmp_path / "rules", None)
    assert set(rules[:2]) == {"local:sky.forecast", "local:sky.warning"}
    llm = model(["mcp:evil.steal", rules[1], rules[0]], certain=True)
    ranked = await order(tmp_path / "llm", llm)
    assert ranked[:2] == rules[1::-1]
    assert set(ranked) == set(rules)


class Meaning:
    """Vectors of a provider that knows one meaning."""

    name, size = "horses", 2

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return [[1.0, 0.0] if "horses" in text or "farrier" in text else [0.0, 1.0] for text in texts]


async def test_without_a_model_text_finds_and_what_no_word_finds_the_nearness_of_vectors_does(tmp_path: Path) -> None:
    @capability(read_only=True)
    def shoe(town: str) -> str:
        """We shoe horses."""
        return town

    async def found(folder: Path, query: str, **more: Any) -> list[str]:
        async with opened(folder, Agent("smith", shoe), weather(), **more) as hall:
            await hall.index.settled()
            return [hit.listing.target for hit in await UnifiedCrawler(hall.path).search_resources(query)]

    assert "local:smith.shoe" in await found(tmp_path / "text", "horses")
    assert "local:smith.shoe" not in await found(tmp_path / "words", "farrier")
    assert (await found(tmp_path / "near", "farrier", embedder=Meaning()))[0] == "local:smith.shoe"
