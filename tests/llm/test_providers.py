"""The wire formats of the four providers, and what must never cross the wire or reach a log."""

from __future__ import annotations

import ast
import asyncio
import json
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest

import moothall
from moothall.llm import providers
from moothall.llm.choice import Provider
from moothall.llm.decision import Answered, Unanswered
from moothall.llm.model import ModelFailure, Question, Tool
from moothall.llm.providers import ProviderModel
from tests.llm.small import BLUE, CHOOSE, Ask, brain
from tests.support.fake_llm import KEY, Asked, FakeLLM, Page

PROVIDERS = ["anthropic", "openai", "azure", "openrouter"]
PATHS = {
    "anthropic": "/v1/messages",
    "openai": "/v1/chat/completions",
    "azure": "/openai/deployments/our-deployment/chat/completions",
    "openrouter": "/api/v1/chat/completions",
}
CREDENTIALS = {
    "anthropic": ("x-api-key", KEY),
    "openai": ("authorization", f"Bearer {KEY}"),
    "azure": ("api-key", KEY),
    "openrouter": ("authorization", f"Bearer {KEY}"),
}
SENT = {"host", "accept", "accept-encoding", "connection", "content-type", "content-length", "user-agent"}


async def asked_of(llm: FakeLLM, provider: str, **settings: Any) -> Asked:
    llm.script["choose"] = BLUE
    assert isinstance(await brain(llm, provider, **settings).answer(CHOOSE, Ask()), Answered)
    return llm.requests[-1]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_each_provider_gets_its_path_its_credential_and_no_header_that_it_does_not_need(
    llm: FakeLLM, provider: str
) -> None:
    asked = await asked_of(llm, provider)
    name, value = CREDENTIALS[provider]
    assert asked.path == PATHS[provider]
    assert asked.headers[name] == value
    assert asked.headers["user-agent"].startswith("moothall/")
    extra = {"anthropic-version"} if provider == "anthropic" else set()
    assert set(asked.headers) == SENT | {name} | extra
    assert sum(KEY in text for text in asked.headers.values()) == 1
    assert KEY not in json.dumps(asked.body) + asked.query + asked.path


async def test_anthropic_gets_its_version_its_system_text_apart_and_no_sampling_parameters(llm: FakeLLM) -> None:
    asked = await asked_of(llm, "anthropic", llm_model="claude-sonnet-5")
    assert asked.headers["anthropic-version"].startswith("20")
    assert asked.body["model"] == "claude-sonnet-5"
    assert asked.body["stream"] is False
    assert [message["role"] for message in asked.body["messages"]] == ["user"]
    assert not {"temperature", "top_p", "top_k"} & set(asked.body)


async def test_azure_gets_the_deployment_in_the_path_and_the_version_in_the_query(llm: FakeLLM) -> None:
    asked = await asked_of(llm, "azure", azure_openai_api_version="2025-01-01-preview")
    assert asked.query == "api-version=2025-01-01-preview"


@pytest.mark.parametrize(
    ("provider", "settings", "model"),
    [
        ("anthropic", {}, "claude-sonnet-4-5-20250929"),
        ("anthropic", {"llm_model": "claude-haiku-4-5"}, "claude-haiku-4-5"),
        ("openai", {"llm_model": "some-local-model:7b"}, "some-local-model:7b"),
        ("openrouter", {}, "anthropic/claude-sonnet-4.5"),
        ("openrouter", {"openrouter_model": "", "llm_model": "vendor/model"}, "vendor/model"),
    ],
)
async def test_the_model_is_the_one_that_the_settings_name(
    llm: FakeLLM, provider: str, settings: dict[str, str], model: str
) -> None:
    assert (await asked_of(llm, provider, **settings)).body["model"] == model


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_nothing_that_other_programs_put_into_the_environment_changes_a_request(
    llm: FakeLLM, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-api-key: another\nx-note: hello")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "another")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "authorization: Bearer another\nx-note: hello")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-elsewhere")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-elsewhere")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "admin-elsewhere")
    monkeypatch.setenv("OPENAI_API_VERSION", "1999-01-01")
    asked = await asked_of(llm, provider)
    name, value = CREDENTIALS[provider]
    assert asked.headers[name] == value
    assert set(asked.headers) <= SENT | {name, "anthropic-version"}
    assert not any(word in json.dumps(asked.headers) for word in ("another", "elsewhere"))


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_redirect_is_an_outage_and_is_not_followed(llm: FakeLLM, provider: str) -> None:
    llm.script["choose"] = Page(307, b"", {"location": f"{llm.url}{PATHS[provider]}"})
    mind = brain(llm, provider)
    answer = await mind.answer(CHOOSE, Ask())
    assert isinstance(answer, Unanswered)
    assert answer.failure.code == "E003"
    assert len(llm.requests) == 1
    assert mind.breaker.snapshot().consecutive_failures == 1


PAGES = [
    b"",
    b"<html>portal</html>",
    b"{",
    b"{}",
    b"null",
    b"[1]",
    b'"text"',
    b"12",
    b'{"content": [], "choices": [], "usage": null}',
    b'{"content": null, "choices": null}',
    b'{"content": [{"type": "tool_use"}], "choices": [{"message": null}], "usage": {}}',
    b'{"content": [{"type": "text"}], "choices": [{"message": {"content": 5}}], "usage": {"input_tokens": "x"}}',
    b'{"content": [7], "choices": [7], "usage": 7}',
    b'{"id": 1, "model": 2, "content": [{"type": "odd"}], "choices": [{}], "usage": {"input_tokens": 1}}',
    b"\xff\xfe\x00",
]


@pytest.mark.filterwarnings("ignore:Failed to extract usage")  # the client's, for figures that are none
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("body", PAGES)
async def test_whatever_answers_at_the_address_a_question_never_crashes(
    llm: FakeLLM, provider: str, body: bytes
) -> None:
    llm.script["choose"] = Page(200, body, {"content-type": "application/json"})
    answer = await brain(llm, provider).answer(CHOOSE, Ask())
    assert isinstance(answer, Unanswered)
    assert answer.failure.code in {"E003", "DECISION_REFUSED"}


def answered(api: str, counts: dict[str, Any]) -> Page:
    """A good answer in either format, with what is said about tokens."""
    reply: dict[str, Any]
    if api == "anthropic":
        call = {"type": "tool_use", "id": "t", "name": "choose", "input": BLUE}
        reply = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [call]}
        reply["stop_reason"] = "tool_use"
    else:
        function = {"name": "choose", "arguments": json.dumps(BLUE)}
        message = {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": function}]}
        choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
        reply = {"id": "x", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [choice]}
    return Page(200, json.dumps({**reply, **counts}), {"content-type": "application/json"})


COUNTS: dict[str, dict[str, Any]] = {
    "none": {},
    "null": {"usage": None},
    "empty": {"usage": {}},
    "a number": {"usage": 7},
    "zero": {"usage": dict.fromkeys(("input_tokens", "output_tokens", "prompt_tokens", "completion_tokens"), 0)},
    "more from the cache than there were": {
        "usage": {
            "input_tokens": 10,
            "output_tokens": 5,
            "cache_read_input_tokens": 100,
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 50},
        }
    },
    "nothing, nor the model's name": {"model": None},
    "negative": {"usage": {"input_tokens": -1, "output_tokens": 5, "prompt_tokens": -1, "completion_tokens": 5}},
}


@pytest.mark.filterwarnings("ignore:Failed to extract usage")  # the client's, for figures that are none
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("counts", COUNTS.values(), ids=COUNTS)
async def test_a_good_answer_counts_whatever_is_said_about_its_tokens(
    llm: FakeLLM, provider: str, counts: dict[str, Any]
) -> None:
    mind = brain(llm, provider, llm_failure_threshold=1)
    llm.script["choose"] = lambda asked: answered(asked.api, counts)
    for _ in range(2):
        answer = await mind.answer(CHOOSE, Ask())
        assert isinstance(answer, Answered), answer
        assert answer.value.colour == "blue"
        assert answer.usage is not None
        assert answer.usage.input_tokens >= 0
        assert answer.usage.cost_usd is None or answer.usage.cost_usd > 0
    assert mind.breaker.state == "closed"


LINES = [
    b"",
    b"HTTP/1.1 200",
    b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
    b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}",
    b"SSH-2.0-Something\r\n",
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("line", LINES)
async def test_a_connection_that_breaks_off_anywhere_is_an_outage(llm: FakeLLM, provider: str, line: bytes) -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(line)
        writer.close()

    server = await asyncio.start_server(break_off, "127.0.0.1", 0)
    mind = brain(llm, provider, **address(provider, server.sockets[0].getsockname()[1]))
    answer = await mind.answer(CHOOSE, Ask())
    server.close()
    await server.wait_closed()
    assert isinstance(answer, Unanswered)
    assert answer.failure.code == "E003"
    assert mind.breaker.snapshot().consecutive_failures == 1


def address(provider: str, port: int) -> dict[str, str]:
    setting = "azure_openai_endpoint" if provider == "azure" else f"{provider}_base_url"
    return {setting: f"http://127.0.0.1:{port}"}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("status", [401, 403, 404, 400])
async def test_a_refusal_is_told_to_the_operator_once_and_never_with_the_key(
    llm: FakeLLM, provider: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    mind = brain(llm, provider, llm_failure_threshold=100)
    llm.script["choose"] = [status, status, BLUE, status]
    failures = [answer for _ in range(4) if isinstance(answer := await mind.answer(CHOOSE, Ask()), Unanswered)]
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(failures) == 3
    assert [f"HTTP {status}" in record.getMessage() for record in told] == [True, True], "anew after a success"
    everything = caplog.text + "".join(f"{one.failure!r} {one.failure} {one.failure.details}" for one in failures)
    assert KEY not in everything
    for one in failures:
        assert one.failure.__cause__ is None, "the client's error holds the request with the key"


def test_no_representation_shows_the_key() -> None:
    provider = Provider("anthropic", "model", "http://127.0.0.1:1", KEY)
    model = ProviderModel(provider)
    assert KEY not in f"{provider!r} {provider} {model!r} {model}"


async def test_the_port_raises_one_error_that_says_whether_it_is_an_outage(llm: FakeLLM) -> None:
    model = ProviderModel(Provider("openai", "gpt-4o", f"{llm.url}/v1", KEY))
    question = Question("You choose.", "Which?", Tool("choose", "Hand in.", {"type": "object", "properties": {}}))
    for status, outage in ((400, False), (401, True), (429, True), (500, True)):
        llm.script["choose"] = status
        with pytest.raises(ModelFailure) as failure:
            await model.ask(question)
        assert (failure.value.failure, failure.value.outage, str(failure.value)) == (
            "unavailable",
            outage,
            f"HTTP {status}",
        )
    await model.aclose()


async def test_the_end_of_life_of_a_model_is_told_to_the_operator(
    llm: FakeLLM, caplog: pytest.LogCaptureFixture
) -> None:
    await asked_of(llm, "anthropic", llm_model="claude-sonnet-4-5-20250929")
    assert "end of life" in caplog.text


async def test_a_model_without_a_known_price_is_counted_as_unpriced(llm: FakeLLM) -> None:
    mind = brain(llm, "azure")
    llm.script["choose"] = BLUE
    answer = await mind.answer(CHOOSE, Ask())
    assert isinstance(answer, Answered)
    assert answer.usage is not None
    assert answer.usage.cost_usd is None
    assert (mind.meter.snapshot().unpriced, mind.meter.snapshot().cost_usd) == (1, 0.0)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_warming_sends_nothing_and_leaves_no_module_to_the_first_question(llm: FakeLLM, provider: str) -> None:
    llm.script["choose"] = BLUE
    mind = brain(llm, provider)
    await mind._model.warm()
    assert llm.requests == []
    before = {name for name in sys.modules if name.split(".")[0] in {"pydantic_ai", "anthropic", "openai"}}
    assert isinstance(await mind.answer(CHOOSE, Ask()), Answered)
    assert {name for name in sys.modules if name.split(".")[0] in {"pydantic_ai", "anthropic", "openai"}} == before


def test_only_the_providers_module_imports_the_clients() -> None:
    source = Path(moothall.__file__).parent
    importing = set()
    for path in source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            if any(name.split(".")[0] in {"pydantic_ai", "anthropic", "openai", "genai_prices"} for name in names):
                importing.add(path.relative_to(source).as_posix())
    assert importing == {"llm/providers.py"}


def test_a_node_and_the_command_line_load_no_client_before_a_model_is_asked() -> None:
    program = (
        "import sys, moothall.cli.main, moothall.node\n"
        "from moothall.settings import Settings\n"
        "moothall.node.Node(Settings(anthropic_api_key='k'))\n"
        "print([name for name in ('pydantic_ai', 'anthropic', 'openai', 'httpx2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


async def test_a_client_that_is_closed_while_it_loads_leaves_nothing_open(
    llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[httpx2.AsyncClient] = []
    opened, begun, go_on = providers._open, threading.Event(), threading.Event()

    def slow(provider: Provider) -> Any:
        begun.set()
        assert go_on.wait(30)
        line = opened(provider)
        built.append(line.http)
        return line

    monkeypatch.setattr(providers, "_open", slow)
    model = ProviderModel(Provider("openai", "gpt-4o", f"{llm.url}/v1", KEY))
    warming = asyncio.create_task(model.warm())
    await asyncio.to_thread(begun.wait)
    await model.aclose()
    go_on.set()
    with pytest.raises(ModelFailure):
        await warming
    while not built[0].is_closed:  # noqa: ASYNC110 - nobody is told
        await asyncio.sleep(0)
    assert llm.requests == []
