"""Whole texts from the four providers: what goes over the wire, and time, retries and secrets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from moothall.errors import BudgetSpent, DecisionRefused, InvalidInput, ModelTimeout, ModelUnavailable, SettingsError
from moothall.llm.base import BaseLLM
from moothall.llm.budget import BudgetedLLM
from moothall.llm.configured import configured_llm
from moothall.llm.meter import Meter
from moothall.llm.named import AnthropicLLM, AzureLLM, OpenAILLM, OpenRouterLLM
from moothall.llm.texts import ProviderLLM, jitter
from moothall.resilience import Breaker
from moothall.settings import Settings
from tests.llm.small import CHOOSE, Ask, brain
from tests.support.clock import ManualClock
from tests.support.fake_llm import HANG, INPUT_TOKENS, KEY, OUTPUT_TOKENS, FakeLLM, Late, Page

PROVIDERS = ["anthropic", "openai", "azure", "openrouter"]
LLMS = {"anthropic": AnthropicLLM, "openai": OpenAILLM, "azure": AzureLLM, "openrouter": OpenRouterLLM}
SENT = {"host", "accept", "accept-encoding", "connection", "content-type", "content-length", "user-agent"}


@pytest.fixture
async def opened() -> AsyncIterator[list[ProviderLLM]]:
    """The models of a test, closed at its end."""
    made: list[ProviderLLM] = []
    yield made
    for each in made:
        await each.aclose()


@pytest.fixture
def azure(llm: FakeLLM, opened: list[ProviderLLM]) -> Any:
    """Builds Azure models that ask the fake server and do not pause between attempts."""

    def build(**options: Any) -> AzureLLM:
        made = AzureLLM(llm.url, KEY, "our-deployment", "2024-10-21", **{"pause": lambda _: 0.0, **options})
        opened.append(made)
        return made

    return build


def of(llm: FakeLLM, provider: str, opened: list[ProviderLLM], **more: Any) -> ProviderLLM:
    made = configured_llm(Settings(**llm.settings(provider, **more)), ManualClock().monotonic)
    assert made is not None
    opened.append(made)
    return made


@pytest.mark.requirement("META-LLM-02")
async def test_azure_gets_the_deployment_in_the_path_the_version_in_the_query_and_the_key_in_its_header(
    llm: FakeLLM, azure: Any
) -> None:
    llm.script["text"] = "# Requirements\n\nhello"
    answer = await azure().async_generate_response("You negotiate.", "Which protocol?")
    asked = llm.requests[-1]
    assert answer == "# Requirements\n\nhello"
    assert (asked.path, asked.query) == (
        "/openai/deployments/our-deployment/chat/completions",
        "api-version=2024-10-21",
    )
    assert asked.headers["api-key"] == KEY
    assert (asked.system, asked.user) == ("You negotiate.", "Which protocol?")
    assert set(asked.headers) == SENT | {"api-key"}


@pytest.mark.requirement("META-LLM-03")
async def test_openrouter_gets_a_bearer_token_at_its_path(llm: FakeLLM, opened: list[ProviderLLM]) -> None:
    llm.script["text"] = "hello"
    model = OpenRouterLLM(KEY, "vendor/model", f"{llm.url}/api/v1")
    opened.append(model)
    assert await model.async_generate_response("s", "u") == "hello"
    asked = llm.requests[-1]
    assert asked.path == "/api/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body["model"] == "vendor/model"
    assert set(asked.headers) == SENT | {"authorization"}


@pytest.mark.requirement("META-LLM-04")
async def test_anthropic_gets_its_version_and_its_key(llm: FakeLLM, opened: list[ProviderLLM]) -> None:
    llm.script["text"] = "hello"
    model = AnthropicLLM(KEY, "claude-haiku-4-5", llm.url)
    opened.append(model)
    assert await model.async_generate_response("s", "u") == "hello"
    asked = llm.requests[-1]
    assert asked.path == "/v1/messages"
    assert asked.headers["x-api-key"] == KEY
    assert asked.headers["anthropic-version"].startswith("20")
    assert set(asked.headers) == SENT | {"x-api-key", "anthropic-version"}


@pytest.mark.requirement("META-LLM-04")
async def test_the_settings_name_model_key_and_address_of_anthropic(llm: FakeLLM, opened: list[ProviderLLM]) -> None:
    model = of(llm, "anthropic", opened, llm_model="claude-haiku-4-5")
    assert isinstance(model, AnthropicLLM)
    assert await model.async_generate_response("s", "u") == "a text"
    assert llm.requests[-1].body["model"] == "claude-haiku-4-5"
    assert (model.model, model.provider) == ("claude-haiku-4-5", "anthropic")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.requirement("META-LLM-01", "GEN-04")
async def test_a_text_comes_from_any_provider_that_the_settings_name(
    llm: FakeLLM, opened: list[ProviderLLM], provider: str
) -> None:
    model = of(llm, provider, opened)
    llm.script["text"] = ["  a text\nas it is\n", "```python\nx = 1\n```"]
    assert type(model) is LLMS[provider]
    assert await model.async_generate_response("the system", "the user") == "  a text\nas it is\n"
    assert await model.generate_code("add two numbers") == "```python\nx = 1\n```"
    assert "tools" not in llm.requests[-1].body
    assert llm.requests[-1].user == "add two numbers"
    assert "Python" in llm.requests[-1].system


@pytest.mark.requirement("META-LLM-01")
async def test_a_double_with_two_methods_is_a_model() -> None:
    class Double(BaseLLM):
        async def async_generate_response(self, system_prompt: str, user_prompt: str) -> str:
            return f"{system_prompt}, {user_prompt}"

        async def generate_code(self, requirement: str) -> str:
            return f"code for {requirement}"

    budgeted = BudgetedLLM(Double(), 2)
    assert await budgeted.async_generate_response("a", "b") == "a, b"
    assert await budgeted.generate_code("c") == "code for c"
    with pytest.raises(BudgetSpent):
        await budgeted.generate_code("c")


@pytest.mark.requirement("META-LLM-01")
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        pytest.param("", DecisionRefused, id="empty"),
        pytest.param(" \n", DecisionRefused, id="blank"),
        pytest.param(400, ModelUnavailable, id="400"),
        pytest.param(401, ModelUnavailable, id="401"),
        pytest.param(500, ModelUnavailable, id="500"),
        pytest.param(Page(200, b"{", {"content-type": "application/json"}), ModelUnavailable, id="no API"),
        pytest.param(Page(307, b"", {"location": "/"}), ModelUnavailable, id="redirect"),
        pytest.param(HANG, ModelTimeout, id="hangs"),
    ],
)
async def test_each_way_to_fail_has_its_error_without_what_was_written_there(
    llm: FakeLLM, azure: Any, reply: Any, error: type[Exception]
) -> None:
    llm.script["text"] = reply
    with pytest.raises(error) as raised:
        await azure(timeout=0.3).async_generate_response("s", "u")
    assert "scripted" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.requirement("META-LLM-06")
@pytest.mark.parametrize("before", [[], [429, 503]], ids=["at once", "after two retries"])
async def test_a_server_that_hangs_ends_the_call_at_the_limit_with_and_without_retries(
    llm: FakeLLM, azure: Any, before: list[int]
) -> None:
    model = azure(timeout=2.5, breaker=Breaker(9, 30.0, ManualClock().monotonic))
    llm.script["text"] = ["warm", *before, HANG]
    await model.async_generate_response("s", "u")
    began = asyncio.get_running_loop().time()
    with pytest.raises(ModelTimeout):
        await model.async_generate_response("s", "u")
    assert asyncio.get_running_loop().time() - began >= 2.5
    assert len(llm.requests) == len(before) + 2
    assert model.breaker.snapshot().consecutive_failures == len(before) + 1, "every attempt counts, the last one, too"


@pytest.mark.requirement("META-LLM-06")
async def test_the_limit_of_the_settings_holds(llm: FakeLLM, opened: list[ProviderLLM]) -> None:
    llm.script["text"] = HANG
    with pytest.raises(ModelTimeout):
        await of(llm, "openai", opened, llm_timeout=0.2).async_generate_response("s", "u")
    assert len(llm.requests) == 1, "what timed out is not tried again"


@pytest.mark.requirement("META-LLM-06")
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 529])
async def test_what_passes_by_itself_is_tried_again(llm: FakeLLM, azure: Any, status: int) -> None:
    model = azure()
    llm.script["text"] = [status, "at last"]
    assert await model.async_generate_response("s", "u") == "at last"
    assert len(llm.requests) == 2
    assert model.breaker.snapshot().consecutive_failures == 0
    assert model.meter.snapshot().outcomes == {"unavailable": 1, "ok": 1}


@pytest.mark.requirement("META-LLM-06")
@pytest.mark.parametrize(
    "reply",
    [400, 401, 403, 404, 408, 422, "", pytest.param(Page(200, b"<html>"), id="no API")],
)
async def test_anything_else_is_not_tried_again(llm: FakeLLM, azure: Any, reply: Any) -> None:
    llm.script["text"] = [reply, "never asked for"]
    with pytest.raises((ModelUnavailable, DecisionRefused)):
        await azure().async_generate_response("s", "u")
    assert len(llm.requests) == 1


@pytest.mark.requirement("META-LLM-06")
async def test_three_failed_attempts_of_one_call_open_the_breaker(llm: FakeLLM, azure: Any) -> None:
    model = azure(attempts=9)
    llm.script["text"] = 500
    with pytest.raises(ModelUnavailable):
        await model.async_generate_response("s", "u")
    assert (len(llm.requests), model.breaker.state) == (3, "open"), "an open breaker ends the attempts"
    with pytest.raises(ModelUnavailable):
        await model.async_generate_response("s", "u")
    assert len(llm.requests) == 3


@pytest.mark.requirement("META-LLM-06")
async def test_three_failed_calls_open_the_breaker(llm: FakeLLM, azure: Any) -> None:
    model = azure(attempts=1)
    llm.script["text"] = 500
    for _ in range(4):
        with pytest.raises(ModelUnavailable):
            await model.async_generate_response("s", "u")
    assert (len(llm.requests), model.breaker.state) == (3, "open")


@pytest.mark.requirement("META-LLM-06")
async def test_failures_of_decisions_and_texts_count_together(llm: FakeLLM, opened: list[ProviderLLM]) -> None:
    mind = brain(llm, "openai", llm_failure_threshold=3)
    settings = Settings(**llm.settings("openai"))
    model = configured_llm(settings, ManualClock().monotonic, mind)
    assert model is not None
    opened.append(model)
    llm.script["*"] = 400
    llm.script["choose"] = [500, 500]
    for _ in range(2):
        await mind.answer(CHOOSE, Ask())
    llm.script["text"] = 500
    with pytest.raises(ModelUnavailable):
        await model.async_generate_response("s", "u")
    assert mind.breaker.state == "open"
    assert llm.counts == {"choose": 2, "text": 1}
    assert {kind: one.calls for kind, one in mind.meter.snapshot().by_prompt.items()} == {"choose": 2, "text": 1}


@pytest.mark.requirement("META-LLM-06")
async def test_the_probe_of_a_half_open_breaker_is_one_attempt(llm: FakeLLM, azure: Any) -> None:
    clock = ManualClock()
    model = azure(breaker=Breaker(1, 30.0, clock.monotonic))
    llm.script["text"] = 500
    with pytest.raises(ModelUnavailable):
        await model.async_generate_response("s", "u")
    await clock.advance(30.0)
    with pytest.raises(ModelUnavailable):
        await model.async_generate_response("s", "u")
    assert (len(llm.requests), model.breaker.state) == (2, "open")
    await clock.advance(30.0)
    llm.script["text"] = "back"
    assert await model.async_generate_response("s", "u") == "back"
    assert model.breaker.state == "closed"


@pytest.mark.requirement("META-LLM-06")
async def test_a_breaker_that_others_opened_during_the_pause_ends_the_call(llm: FakeLLM, azure: Any) -> None:
    breaker = Breaker(2, 30.0, ManualClock().monotonic)
    one, other = azure(breaker=breaker, pause=lambda _: 0.3), azure(breaker=breaker, attempts=1)
    llm.script["text"] = [500, 500]
    waiting = asyncio.create_task(one.async_generate_response("s", "u"))
    await llm.got(1)
    await llm.idle()
    with pytest.raises(ModelUnavailable):
        await other.async_generate_response("s", "u")
    with pytest.raises(ModelUnavailable):
        await waiting
    assert (len(llm.requests), breaker.state) == (2, "open")


@pytest.mark.requirement("META-LLM-06")
def test_pauses_are_taken_at_random_below_a_bound_that_doubles() -> None:
    for failures, bound in ((1, 0.5), (2, 1.0), (3, 2.0), (9, 8.0)):
        pauses = {jitter(failures) for _ in range(50)}
        assert len(pauses) > 1
        assert min(pauses) >= 0.0
        assert max(pauses) <= bound


@pytest.mark.requirement("META-LLM-06")
async def test_no_attempt_begins_before_the_provider_wants_it_or_after_the_limit(llm: FakeLLM, azure: Any) -> None:
    llm.script["text"] = Page(429, b"{}", {"retry-after": "60"})
    with pytest.raises(ModelUnavailable):
        await azure().async_generate_response("s", "u")
    with pytest.raises(ModelUnavailable):
        await azure(pause=lambda failures: 100.0 * failures).async_generate_response("s", "u")
    assert len(llm.requests) == 2


@pytest.mark.requirement("META-LLM-06")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_the_key_is_in_no_log_error_or_representation(
    llm: FakeLLM, opened: list[ProviderLLM], provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    model = of(llm, provider, opened, llm_failure_threshold=99, llm_timeout=5.0)
    said = [repr(model), str(vars(model))]
    for reply in (401, 400, Page(200, b"{"), Page(302, b"", {"location": "/"}), ""):
        llm.script["text"] = reply
        with pytest.raises((ModelUnavailable, DecisionRefused)) as raised:
            await model.async_generate_response("s", "u")
        said.append(f"{raised.value!r} {raised.value} {raised.value.details}")
    assert len(llm.requests) == 5
    assert KEY not in caplog.text + "".join(said) + repr(model.meter.snapshot())


async def test_calls_wait_for_a_place_and_not_for_ever(llm: FakeLLM, azure: Any) -> None:
    places = asyncio.Semaphore(1)
    busy, waiting = azure(places=places), azure(places=places, timeout=0.4)
    llm.script["text"] = Late(0.0, "one")
    await busy.async_generate_response("s", "u")
    llm.script["text"] = HANG
    first = asyncio.create_task(busy.async_generate_response("s", "u"))
    await llm.got(2)
    with pytest.raises(ModelTimeout):
        await waiting.async_generate_response("s", "u")
    assert waiting.breaker.snapshot().consecutive_failures == 0, "the queue is ours"
    llm.release()
    assert await first == "a text"
    assert len(llm.requests) == 2


async def test_who_goes_away_says_nothing_about_the_provider(llm: FakeLLM, azure: Any) -> None:
    model = azure(meter=Meter())
    llm.script["text"] = HANG
    call = asyncio.create_task(model.async_generate_response("s", "u"))
    await llm.got(1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert model.breaker.snapshot().consecutive_failures == 0
    assert model.meter.snapshot().outcomes == {"cancelled": 1}


async def test_a_client_that_trips_is_a_model_that_cannot_be_asked(
    azure: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def trip(*_: object) -> None:
        raise RuntimeError(KEY)

    model = azure()
    monkeypatch.setattr("moothall.llm.providers.ProviderModel.ask", trip)
    with pytest.raises(ModelUnavailable):
        await model.async_generate_response("s", "u")
    assert model.breaker.snapshot().consecutive_failures == 0
    assert "RuntimeError" in caplog.text
    assert KEY not in caplog.text


async def test_the_tokens_that_the_provider_tells_are_those_of_the_budget(llm: FakeLLM, azure: Any) -> None:
    budgeted = BudgetedLLM(azure(), 9, 3 * (INPUT_TOKENS + OUTPUT_TOKENS))
    llm.script["text"] = [500, "one", "two", "three", "four"]
    for _ in range(2):
        await budgeted.async_generate_response("s", "u")
    assert (budgeted.calls, budgeted.tokens) == (2, 2 * (INPUT_TOKENS + OUTPUT_TOKENS)), "a retry is no further call"


def test_without_a_provider_there_is_no_model() -> None:
    assert configured_llm(Settings(llm_provider="none"), ManualClock().monotonic) is None
    assert configured_llm(Settings(), ManualClock().monotonic) is None


AZURE = {
    "AZURE_OPENAI_API_KEY": KEY,
    "AZURE_OPENAI_ENDPOINT": "https://resource.example",
    "AZURE_OPENAI_DEPLOYMENT": "our-deployment",
    "AZURE_OPENAI_API_VERSION": "2025-01-01-preview",
}
OPENROUTER = {"OPENROUTER_API_KEY": KEY, "OPENROUTER_MODEL": "vendor/model"}


@pytest.mark.requirement("META-ALICE-02")
def test_azure_is_configured_by_its_four_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**AZURE, **OPENROUTER}.items():
        monkeypatch.setenv(name, value)
    model = AzureLLM.configured(Settings())
    assert type(model) is AzureLLM
    assert model.model == "our-deployment"


@pytest.mark.requirement("META-ALICE-02")
@pytest.mark.parametrize("missing", AZURE)
def test_what_azure_lacks_is_named_and_no_secret_told(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for name in AZURE.keys() - {missing}:
        monkeypatch.setenv(name, AZURE[name])
    with pytest.raises(SettingsError) as raised:
        AzureLLM.configured(Settings())
    assert missing in str(raised.value)
    assert KEY not in f"{raised.value} {raised.value.details} {raised.value.hint}"


@pytest.mark.requirement("META-BOB-02")
def test_openrouter_is_configured_by_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**AZURE, **OPENROUTER}.items():
        monkeypatch.setenv(name, value)
    model = OpenRouterLLM.configured(Settings())
    assert type(model) is OpenRouterLLM
    assert model.model == "vendor/model"


@pytest.mark.requirement("META-BOB-02")
@pytest.mark.parametrize("missing", OPENROUTER)
def test_what_openrouter_lacks_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for name in OPENROUTER.keys() - {missing}:
        monkeypatch.setenv(name, OPENROUTER[name])
    with pytest.raises(SettingsError, match=missing) as raised:
        OpenRouterLLM.configured(Settings())
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("kind", [AnthropicLLM, OpenAILLM])
def test_the_other_providers_are_configured_alike(kind: type[AnthropicLLM | OpenAILLM]) -> None:
    settings = Settings(anthropic_api_key=KEY, openai_api_key=KEY, llm_model="some-model")
    assert kind.configured(settings).model == "some-model"
    with pytest.raises(SettingsError):
        kind.configured(Settings())


@pytest.mark.parametrize(
    "values",
    [
        ("", KEY, "d", "v"),
        ("ftp://host", KEY, "d", "v"),
        ("https://user:secret@host", KEY, "d", "v"),
        ("https://host", "", "d", "v"),
        ("https://host", f"{KEY}\u2028{KEY}", "d", "v"),
        ("https://host", KEY, " ", "v"),
        ("https://host", KEY, "d", ""),
    ],
    ids=["no address", "other scheme", "password", "no key", "key that no header takes", "no model", "no version"],
)
def test_a_model_cannot_be_built_from_nothing(values: tuple[str, str, str, str]) -> None:
    with pytest.raises(InvalidInput) as raised:
        AzureLLM(*values)
    assert "secret" not in str(raised.value)
    assert KEY not in str(raised.value)


async def test_a_call_that_waited_while_the_breaker_opened_asks_nobody(llm: FakeLLM, azure: Any) -> None:
    places, breaker = asyncio.Semaphore(1), Breaker(1, 30.0, ManualClock().monotonic)
    first, second = (azure(places=places, breaker=breaker) for _ in range(2))
    going_on = asyncio.Event()

    async def fails(_: object) -> int:
        while not going_on.is_set():  # noqa: ASYNC110 - another thread's loop
            await asyncio.sleep(0.005)
        return 500

    llm.script["text"] = fails
    await places.acquire()
    calls = [asyncio.create_task(each.async_generate_response("s", "u")) for each in (first, second)]
    places.release()
    await llm.got(1)
    going_on.set()
    for call in calls:
        with pytest.raises(ModelUnavailable):
            await call
    assert len(llm.requests) == 1
