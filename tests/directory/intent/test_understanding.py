"""Capabilities whose work is found by words, and calls whose arguments are words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from moothall.calls.target import Target
from moothall.capability.agents import Agent
from moothall.capability.decorators import capability
from moothall.errors import ModelUnavailable, RateLimited, Told, Unavailable
from moothall.llm.scripted import ScriptedLLM
from tests.calls.hall import facts
from tests.directory.intent.hall import ALICE, opened
from tests.directory.intent.town import distractors, weather


@capability(source="auto", access="authenticated")
def anywhere(city: str) -> dict[str, Any]:  # type: ignore[empty-body]
    """weather"""


@capability(source="auto", expose_to="network", ai_enhanced=True, access="authenticated")
def weather_service(query: str) -> dict:  # type: ignore[empty-body, type-arg]
    """智能天气服务 - 理解自然语言查询"""


def _said(**parts: Any) -> str:
    return json.dumps(parts, ensure_ascii=False)


@pytest.mark.requirement("DEC-14", "DEC-12")
async def test_an_empty_function_does_what_its_words_say_and_the_reply_names_who_did_it(tmp_path: Path) -> None:
    async with opened(tmp_path, weather(), Agent("guide", anywhere), distractors(20)) as hall:
        for caller in (hall.caller, hall.by(ALICE)):
            reply = await caller.try_call("local:guide.anywhere", city="Rome")
            assert reply.data == {"city": "Rome", "celsius": 4}
            assert reply.metadata is not None
            assert reply.metadata.chosen is not None
            assert reply.metadata.chosen["target"] == "local:sky.get_weather"


@pytest.mark.requirement("DEC-14")
async def test_where_nothing_does_the_work_its_caller_hears_that_it_cannot_be_done_now(tmp_path: Path) -> None:
    async with opened(tmp_path, Agent("guide", anywhere), distractors(5)) as hall:
        with pytest.raises(Unavailable):
            await hall.caller.call("local:guide.anywhere", city="Rome")


@pytest.mark.requirement("DEC-21")
async def test_a_sentence_becomes_typed_arguments(tmp_path: Path) -> None:
    called: list[tuple[str, int]] = []

    @capability(ai_enhanced=True)
    def forecast(city: str, days: int = 1) -> str:
        """Forecast."""
        called.append((city, days))
        return f"{city} {days}"

    llm = ScriptedLLM([("find the arguments", _said(arguments={"city": "Beijing", "days": 2, "secret": "x"}))])
    async with opened(tmp_path, Agent("sky", forecast), llm=llm) as hall:
        assert await hall.caller.call("local:sky.forecast", query="weather in Beijing tomorrow") == "Beijing 2"
        assert await hall.caller.call("local:sky.forecast", city="Rome") == "Rome 1"
    assert called == [("Beijing", 2), ("Rome", 1)]
    assert llm.calls == 1


@pytest.mark.requirement("DEC-21")
async def test_a_sentence_means_the_same_when_its_call_is_made_again(tmp_path: Path) -> None:
    @capability(ai_enhanced=True, idempotent=True)
    def forecast(city: str, days: list[int]) -> str:
        """Forecast."""
        days.append(0)
        return f"{city} {days}"

    said = [_said(arguments={"city": city, "days": [1]}) for city in ("Beijing", "Rome")]
    llm = ScriptedLLM([("find the arguments", said)])
    async with opened(tmp_path, Agent("sky", forecast), llm=llm) as hall:
        for _ in range(2):
            assert await hall.caller.call("local:sky.forecast", query="in Beijing") == "Beijing [1, 0]"
        assert await hall.caller.call("local:sky.forecast", query="in Rome") == "Rome [1, 0]"


@pytest.mark.requirement("DEC-21")
async def test_a_caller_over_its_limit_costs_no_model(tmp_path: Path) -> None:
    @capability(ai_enhanced=True, rate_limit="1/minute")
    def forecast(city: str) -> str:
        """Forecast."""
        return city

    llm = ScriptedLLM([("find the arguments", _said(arguments={"city": "Beijing"}))])
    async with opened(tmp_path, Agent("sky", forecast), llm=llm) as hall:
        assert await hall.caller.call("local:sky.forecast", query="in Beijing") == "Beijing"
        with pytest.raises(RateLimited):
            await hall.caller.call("local:sky.forecast", query="in Beijing")
    assert llm.calls == 1


@pytest.mark.requirement("DEC-21")
async def test_without_a_model_a_sentence_is_a_clear_error_and_nothing_runs(tmp_path: Path) -> None:
    called: list[str] = []

    @capability(ai_enhanced=True)
    def forecast(city: str) -> str:
        """Forecast."""
        called.append(city)
        return city

    async with opened(tmp_path, Agent("sky", forecast)) as hall:
        with pytest.raises(Unavailable) as raised:
            await hall.caller.call("local:sky.forecast", query="weather in Beijing tomorrow")
    assert raised.value.told is not None
    assert raised.value.told.why == "intent.no_model"
    assert called == []


@pytest.mark.requirement("SOA-11", "DEC-21")
async def test_a_service_in_natural_language_calls_what_is_below_it_and_answers_in_words(tmp_path: Path) -> None:
    llm = ScriptedLLM(
        [
            ("which capability", _said(ranking=["local:sky.get_weather"], certain=True)),
            ("find the arguments", _said(arguments={"city": "北京"})),
            ("what came of a request", _said(answer="北京现在 4 度。")),
        ]
    )
    async with opened(tmp_path, weather(), Agent("guide", weather_service), distractors(5), llm=llm) as hall:
        target = Target.parse("local:guide.weather_service")
        reply = await hall.path.call(target, {"query": "北京明天冷不冷？"}, facts(ALICE, "http"))
    assert reply.data == {"answer": "北京现在 4 度。", "data": {"city": "北京", "celsius": 4}}


@pytest.mark.requirement("SOA-11")
async def test_what_was_done_is_told_where_the_model_finds_no_words_for_it(tmp_path: Path) -> None:
    def silent(*_: object) -> str:
        raise ModelUnavailable("away")

    llm = ScriptedLLM(
        [
            ("which capability", _said(ranking=["local:sky.get_weather"], certain=True)),
            ("find the arguments", _said(arguments={"city": "北京"})),
            ("what came of a request", silent),
        ]
    )
    async with opened(tmp_path, weather(), Agent("guide", weather_service), distractors(5), llm=llm) as hall:
        reply = await hall.path.call(
            Target.parse("local:guide.weather_service"), {"query": "北京冷不冷？"}, facts(ALICE, "http")
        )
    assert reply.data == {"answer": "", "data": {"city": "北京", "celsius": 4}}
    assert reply.metadata is not None
    assert reply.metadata.degraded


@pytest.mark.requirement("SOA-11")
async def test_such_a_service_without_a_model_does_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path, weather(), Agent("guide", weather_service)) as hall:
        target = Target.parse("local:guide.weather_service")
        reply = await hall.path.call(target, {"query": "北京明天冷不冷？"}, facts(ALICE, "http"))
    assert isinstance(reply.error, Unavailable)
    assert reply.error.told == Told("intent.no_model")
