"""Every environment variable that the specification names sets something that can be seen (row NEG-OPS-05)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from moothall.clock import Clock
from moothall.errors import ModelTimeout, ModelUnavailable, MoothallError
from moothall.negotiation.demand.service import Submitted
from moothall.node import Node
from moothall.settings import Settings
from tests.server.door import DEMAND, SUBMIT, served, team
from tests.support.clock import ManualClock
from tests.support.demand import negotiate, of_type, running
from tests.support.fake_llm import HANG, KEY, FakeLLM, fake_llm_thread

pytestmark = pytest.mark.requirement("NEG-OPS-05")


@pytest.fixture
def llm(llm: FakeLLM, monkeypatch: pytest.MonkeyPatch) -> FakeLLM:
    """A model at Anthropic's wire format, configured by the environment alone."""
    for name, value in llm.environment().items():
        monkeypatch.setenv(name, value)
    return llm


@asynccontextmanager
async def node(data: Path, clock: Clock | None = None) -> AsyncIterator[Node]:
    async with running(data, team(), clock=clock) as started:
        yield started


async def submitted(data: Path) -> Submitted:
    async with node(data) as started:
        return await started.demands.submit(DEMAND)


async def understood_by(started: Node) -> str:
    """Who understood a demand; returns when its negotiation has ended, so that it asks nobody any more."""
    (payload,) = of_type(await negotiate(started, DEMAND), "demand.understood")
    return str(payload["source"])


def test_the_defaults_are_the_specifications() -> None:
    settings = Settings()
    assert settings.anthropic_api_key == ""
    assert settings.anthropic_base_url == "https://api.anthropic.com"
    assert settings.llm_model == "claude-sonnet-4-5-20250929"
    assert (settings.llm_timeout, settings.llm_failure_threshold, settings.llm_recovery_timeout) == (10, 3, 30)
    assert settings.cors_origins == "http://localhost:3000,http://localhost:5173"
    assert not settings.llm_strict


async def test_anthropic_api_key_lets_a_model_decide_and_is_what_it_is_shown(
    tmp_path: Path, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await submitted(tmp_path / "with")).source == "llm"
    assert llm.requests[0].headers["x-api-key"] == KEY
    llm.forget()
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    assert (await submitted(tmp_path / "without")).source == "rules"
    assert llm.counts == {}


async def test_anthropic_base_url_says_who_is_asked(
    tmp_path: Path, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake_llm_thread() as proxy:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", proxy.url)
        assert (await submitted(tmp_path)).source == "llm"
        proxy.release()
        assert proxy.counts["understand"] == 1
    assert llm.counts == {}


async def test_llm_model_is_the_model_that_is_asked_for(
    tmp_path: Path, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    await submitted(tmp_path / "default")
    assert llm.requests[0].body["model"] == "claude-sonnet-4-5-20250929"
    llm.forget()
    monkeypatch.setenv("LLM_MODEL", "claude-of-the-house")
    await submitted(tmp_path / "named")
    assert llm.requests[0].body["model"] == "claude-of-the-house"


@pytest.mark.parametrize(
    "variables", [{"LLM_TIMEOUT": "0.2"}, {"LLM_TIMEOUT": "60", "LLM_TIMEOUT_P1": "0.2"}], ids=["all", "one prompt"]
)
async def test_llm_timeout_ends_the_wait_for_a_model(
    tmp_path: Path, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    llm.script["understand"] = HANG
    reply = await submitted(tmp_path)
    assert (reply.source, reply.degraded, reply.understanding.confidence) == ("fallback", True, "low")


@pytest.mark.parametrize(("threshold", "calls"), [("1", 1), ("2", 2)])
async def test_llm_failure_threshold_opens_the_breaker(
    tmp_path: Path, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch, threshold: str, calls: int
) -> None:
    monkeypatch.setenv("LLM_FAILURE_THRESHOLD", threshold)
    llm.script["*"] = 500
    async with node(tmp_path) as started:
        events = await negotiate(started, DEMAND)
    assert len(llm.requests) == calls
    assert of_type(events, "demand.understood")[0]["degraded"]


async def test_llm_recovery_timeout_is_how_long_the_model_is_left_alone(
    tmp_path: Path, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_FAILURE_THRESHOLD", "1")
    monkeypatch.setenv("LLM_RECOVERY_TIMEOUT", "7")
    llm.script["understand"] = [500]
    clock = ManualClock()
    async with node(tmp_path, clock) as started:
        sources = [await understood_by(started)]
        await clock.advance(6.9)
        sources.append(await understood_by(started))
        await clock.advance(0.2)
        sources.append(await understood_by(started))
    assert sources == ["fallback", "fallback", "llm"]


@pytest.mark.parametrize(("reply", "error"), [(500, ModelUnavailable), (HANG, ModelTimeout)])
async def test_llm_strict_refuses_what_the_model_cannot_understand(
    tmp_path: Path, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch, reply: Any, error: type[MoothallError]
) -> None:
    monkeypatch.setenv("LLM_STRICT", "1")
    monkeypatch.setenv("LLM_TIMEOUT", "0.2" if reply is HANG else "60")
    llm.script["understand"] = reply
    with pytest.raises(error):
        await submitted(tmp_path)


async def test_cors_origins_names_the_pages_that_may_use_the_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORS_ORIGINS", "https://hall.example")
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    async with served(tmp_path) as door:
        known = await door.client.options(SUBMIT, headers={"Origin": "https://hall.example", **asks})
        default = await door.client.options(SUBMIT, headers={"Origin": "http://localhost:3000", **asks})
    assert known.headers["access-control-allow-origin"] == "https://hall.example"
    assert "access-control-allow-origin" not in default.headers


@pytest.mark.parametrize(
    ("provider", "path", "header"),
    [
        ("openai", "/v1/chat/completions", f"Bearer {KEY}"),
        ("azure", "/openai/deployments/our-deployment/chat/completions", KEY),
        ("openrouter", "/api/v1/chat/completions", f"Bearer {KEY}"),
    ],
)
async def test_each_other_provider_is_set_up_by_its_own_variables(
    tmp_path: Path, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch, provider: str, path: str, header: str
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    for name, value in llm.environment(provider).items():
        monkeypatch.setenv(name, value)
    assert (await submitted(tmp_path)).source == "llm"
    asked = llm.requests[0]
    assert asked.path == path
    assert asked.headers["api-key" if provider == "azure" else "authorization"] == header


async def test_llm_provider_chooses_among_keys(tmp_path: Path, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in llm.environment("openrouter").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LLM_PROVIDER", "openrouter")
    assert (await submitted(tmp_path / "openrouter")).source == "llm"
    assert {asked.api for asked in llm.requests} == {"openrouter"}
    monkeypatch.setenv("LLM_PROVIDER", "none")
    assert (await submitted(tmp_path / "none")).source == "rules"
