"""The first examples of the specification run as they are printed (row DEC-55)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moothall import Agent
from tests.codegen.services.hall import Smith, forged
from tests.doors import first_examples
from tests.doors.doubles import JsonService, lead_to, mcp_server, serving

EXAMPLES = [value for value in vars(first_examples).values() if hasattr(value, "__capability__")]
CODE = """def intelligent_analysis(data: dict) -> dict:
    if not isinstance(data, dict):
        raise ValueError("data is no object")
    return {"fields": len(data)}
"""


def get_weather(location: str) -> dict[str, str]:
    """Tell the weather."""
    return {"location": location, "weather": "windy"}


def oracle(arguments: Any) -> tuple[Any, list[dict[str, Any]]]:
    if not isinstance(arguments["data"], dict):
        raise TypeError
    return {"fields": len(arguments["data"])}, []


@pytest.mark.requirement("DEC-55", "DEC-12")
async def test_the_five_examples_run_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(EXAMPLES) == 5
    service = JsonService(lambda host, params: {"host": host, "text": f"{params['text']} ({params['target_lang']})"})
    async with mcp_server("weather", get_weather) as weather, serving(service) as backend:
        lead_to(monkeypatch, backend, "api.translate.com")
        reach = {
            "mcp": {"weather": {"url": weather}},
            "egress_allow": "http://localhost, http://api.translate.com",
        }
        agent = Agent("first", *EXAMPLES)
        async with forged(tmp_path, agent, llm=Smith("", [CODE], oracle).llm(), **reach) as site:
            assert await site.call("local:first.weather_service", city="北京") == {"city": "北京", "weather": "sunny"}
            assert await first_examples.weather_service("北京") == {"city": "北京", "weather": "sunny"}
            assert await site.call("local:first.calculate", a=2, b=3) == 5
            assert first_examples.calculate(2, 3) == 5
            assert (await site.call("local:first.get_weather", location="Oslo"))["weather"] == "windy"
            translated = await site.call("local:first.translate", text="你好", target_lang="en")
            assert translated == {"host": "api.translate.com", "text": "你好 (en)"}
            assert await site.seen_by() == set()
            await site.forge.declared.settled()
            assert await site.call("local:first.intelligent_analysis", data={"a": 1, "b": 2}) == {"fields": 2}
