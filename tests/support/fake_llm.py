"""A language model to test against: a real HTTP server on a loopback port that speaks the providers' wire formats.

It serves Anthropic (``/v1/messages``), OpenAI (``/v1/chat/completions``), OpenRouter (``/api/v1/chat/completions``) and
Azure OpenAI (``/openai/deployments/<name>/chat/completions``), and tells the nine prompts apart by the tool's name;
a request without a tool has the kind ``text``. OpenAI's embeddings (``/v1/embeddings``) have the kind ``embed``; a dict
is then the whole reply, for which `embeddings` takes the vectors::

    async with fake_llm() as llm:                           # in a plain test: with fake_llm_thread() as llm:
        llm.script["respond"] = {"decision": "decline", "decline_reason": "busy"}      # for every call of this kind
        llm.script["understand"] = ["prose, {no JSON", 500, {...}]                     # one after another, then defaults
        llm.script["filter"] = lambda asked: {**asked.default(), "analysis": "mine"}  # or async; gets the request
        llm.script["*"] = 529                                                         # for every kind without its own
        async with running(tmp_path, team(), **llm.settings()) as node:               # or **llm.settings("openai")
            ...
        assert llm.counts == {"understand": 1, ...}
        assert llm.calls("respond")[0].data["agent_profile"]["agent_id"] == "user_agent_hall"

A reply is a dict (the tool is called with it), a text (no tool call), a `RawArguments` (the tool's arguments as text,
for OpenAI's formats), an int (that HTTP status as an error of the provider), a `Page` (status, body and headers as
given), a `Late` (the reply after so many seconds), `Hang` (the reply after `release()`; `HANG` for the default one), or None (the default reply).
Whatever has no script answers by `default_reply`: valid, made of the request's own data, agreeable, so that whole
negotiations run through. Every reply says 2500 tokens in and 180 out.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import json
import re
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.fake_replies import default_reply

INPUT_TOKENS, OUTPUT_TOKENS = 2500, 180
KEY = "sk-test-0123456789abcdef"
TEXT = "text"
"""The kind of a request without tools, which wants a text."""
EMBED = "embed"
"""The kind of a request for vectors."""
_PART = re.compile(r'<data name="(\w+)">\n(.*?)\n</data>', re.DOTALL)


@dataclass(frozen=True)
class RawArguments:
    """Arguments of the tool call, letter by letter."""

    text: str


@dataclass(frozen=True)
class Page:
    """An HTTP reply of any kind."""

    status: int = 200
    body: bytes | str = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Late:
    """A reply after some seconds."""

    seconds: float
    reply: Any = None


@dataclass(frozen=True)
class Hang:
    """No reply before `FakeLLM.release`."""

    reply: Any = None


HANG = Hang()


@dataclass(frozen=True)
class Asked:
    """One request: which prompt, in which format, and what was shown; ``data`` has each fenced part, read as JSON."""

    kind: str
    api: str
    path: str
    query: str
    headers: dict[str, str]
    body: dict[str, Any]
    system: str
    user: str
    data: dict[str, Any]
    number: int
    """How many of this kind came before, plus one."""

    def default(self) -> dict[str, Any]:
        """What the default reply would be."""
        return default_reply(self.kind, self.data)


class FakeLLM:
    """The server's script and its memory; see the module."""

    def __init__(self) -> None:
        self.script: dict[str, Any] = {}
        self.requests: list[Asked] = []
        self.gone = 0
        """Callers that hung up before they had their reply."""
        self.delay = 0.0
        """Seconds before every reply."""
        self.url = ""
        self._news = threading.Condition()
        self._released = threading.Event()
        self.under_way = 0
        """Requests that wait for their reply."""

    @property
    def counts(self) -> dict[str, int]:
        """Requests by kind."""
        return dict(Counter(asked.kind for asked in self.requests))

    @property
    def order(self) -> list[str]:
        """The kinds in the order of arrival."""
        return [asked.kind for asked in self.requests]

    def calls(self, kind: str) -> list[Asked]:
        """The requests of one kind."""
        return [asked for asked in self.requests if asked.kind == kind]

    def settings(self, provider: str = "anthropic", **more: Any) -> dict[str, Any]:
        """Settings of a node that asks this server."""
        of: dict[str, dict[str, Any]] = {
            "anthropic": {"anthropic_api_key": KEY, "anthropic_base_url": self.url},
            "openai": {"openai_api_key": KEY, "openai_base_url": f"{self.url}/v1", "llm_model": "gpt-4o"},
            "azure": {
                "azure_openai_api_key": KEY,
                "azure_openai_endpoint": self.url,
                "azure_openai_deployment": "our-deployment",
            },
            "openrouter": {
                "openrouter_api_key": KEY,
                "openrouter_base_url": f"{self.url}/api/v1",
                "openrouter_model": "anthropic/claude-sonnet-4.5",
            },
        }
        return {**of[provider], **more}

    def environment(self, provider: str = "anthropic") -> dict[str, str]:
        """The same as environment variables, for a node in another process."""
        return {name.upper(): str(value) for name, value in self.settings(provider).items()}

    def release(self) -> None:
        """Let everything that hangs, now or later, answer by default."""
        self._released.set()

    def forget(self) -> None:
        """Forget the script and every request."""
        self.script.clear()
        self.requests.clear()
        self.gone, self.delay = 0, 0.0
        self._released.clear()

    async def got(self, number: int, kind: str | None = None) -> None:
        """Return when so many requests (of a kind) have arrived."""

        def wait() -> None:
            with self._news:
                arrived = self._news.wait_for(
                    lambda: len(self.requests if kind is None else self.calls(kind)) >= number, timeout=30
                )
            assert arrived, f"{number} requests of {kind or 'any kind'} never came: {self.counts}"

        await asyncio.to_thread(wait)

    async def idle(self) -> None:
        """Return when no request waits for its reply."""

        def wait() -> None:
            with self._news:
                assert self._news.wait_for(lambda: self.under_way == 0, timeout=30), "a request still waits"

        await asyncio.to_thread(wait)

    async def serve(self, request: Request, api: str) -> Response:
        """One request."""
        asked = self._read(request, await request.json(), api)
        with self._news:
            self.requests.append(asked)
            self.under_way += 1
            self._news.notify_all()
        answering = asyncio.ensure_future(self._answer(asked))
        hung_up = asyncio.ensure_future(_hung_up(request))
        try:
            await asyncio.wait({answering, hung_up}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                self.gone += 1
                return Response(status_code=499)
            return answering.result()
        finally:
            for task in (answering, hung_up):
                task.cancel()
            await asyncio.gather(answering, hung_up, return_exceptions=True)
            with self._news:
                self.under_way -= 1
                self._news.notify_all()

    def _read(self, request: Request, body: dict[str, Any], api: str) -> Asked:
        if api == "embeddings":
            return self._asked(request, body, api, EMBED, "", "\n".join(body["input"]))
        tools = body.get("tools") or [{"name": TEXT, "function": {"name": TEXT}}]
        if api == "anthropic":
            kind = tools[0]["name"]
            system = "".join(block["text"] for block in body["system"])
            user = "".join(block["text"] for message in body["messages"] for block in message["content"])
        else:
            kind = tools[0]["function"]["name"]
            said = {message["role"]: message["content"] for message in body["messages"]}
            system, user = said["system"], said["user"]
        return self._asked(request, body, api, kind, system, user)

    def _asked(self, request: Request, body: dict[str, Any], api: str, kind: str, system: str, user: str) -> Asked:
        return Asked(
            kind=kind,
            api=api,
            path=request.url.path,
            query=request.url.query,
            headers=dict(request.headers),
            body=body,
            system=system,
            user=user,
            data={name: _json(text) for name, text in _PART.findall(user)},
            number=len(self.calls(kind)) + 1,
        )

    async def _answer(self, asked: Asked) -> Response:
        reply = self._next(asked)
        if callable(reply):
            reply = reply(asked)
            if inspect.isawaitable(reply):
                reply = await reply
        if self.delay:
            await asyncio.sleep(self.delay)
        if isinstance(reply, Late):
            await asyncio.sleep(reply.seconds)
            reply = reply.reply
        if isinstance(reply, Hang):
            while not self._released.is_set():  # noqa: ASYNC110 - released from another thread
                await asyncio.sleep(0.005)
            reply = reply.reply
        if reply is None:
            reply = "a text" if asked.kind == TEXT else asked.default()
        return _response(asked, reply)

    def _next(self, asked: Asked) -> Any:
        key = asked.kind if asked.kind in self.script else "*"
        script = self.script.get(key)
        if isinstance(script, list):
            return script.pop(0) if script else None
        return script


async def _hung_up(request: Request) -> None:
    while not await request.is_disconnected():  # noqa: ASYNC110 - the protocol has no event for it
        await asyncio.sleep(0.005)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def embeddings(vectors: Sequence[Sequence[float]]) -> dict[str, Any]:
    """OpenAI's reply with these vectors, last one first: each says which text it is of."""
    data = [{"object": "embedding", "index": at, "embedding": list(vector)} for at, vector in enumerate(vectors)]
    usage = {"prompt_tokens": INPUT_TOKENS, "total_tokens": INPUT_TOKENS}
    return {"object": "list", "data": data[::-1], "model": "embedder", "usage": usage}


def _response(asked: Asked, reply: Any) -> Response:
    if isinstance(reply, Page):
        return Response(reply.body, reply.status, reply.headers)
    if isinstance(reply, int):
        error = {"type": "api_error", "message": f"scripted {reply}; key {KEY}"}
        return JSONResponse({"type": "error", "error": error, "request_id": "req_1"}, reply)
    if asked.kind == EMBED:
        return JSONResponse(reply)
    return JSONResponse(_anthropic(asked, reply) if asked.api == "anthropic" else _openai(asked, reply))


def _anthropic(asked: Asked, reply: Any) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "text", "text": reply}
    if isinstance(reply, dict):
        block = {"type": "tool_use", "id": "toolu_01", "name": asked.kind, "input": reply}
    return {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": asked.body["model"],
        "content": [block],
        "stop_reason": "tool_use" if isinstance(reply, dict) else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": INPUT_TOKENS,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": OUTPUT_TOKENS,
            "service_tier": "standard",
        },
    }


def _openai(asked: Asked, reply: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply, "refusal": None}
    called = isinstance(reply, dict | RawArguments)
    if called:
        arguments = reply.text if isinstance(reply, RawArguments) else json.dumps(reply, ensure_ascii=False)
        call = {"id": "call_1", "type": "function", "function": {"name": asked.kind, "arguments": arguments}}
        message.update(content=None, tool_calls=[call])
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1790000000,
        "model": asked.body.get("model", "unknown"),
        "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls" if called else "stop"}
        ],
        "usage": {
            "prompt_tokens": INPUT_TOKENS,
            "completion_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        },
    }


def _application(llm: FakeLLM) -> Starlette:
    def door(path: str, api: str) -> Route:
        async def handle(request: Request) -> Response:
            return await llm.serve(request, api)

        return Route(path, handle, methods=["POST"])

    return Starlette(
        routes=[
            door("/v1/messages", "anthropic"),
            door("/v1/chat/completions", "openai"),
            door("/v1/embeddings", "embeddings"),
            door("/api/v1/chat/completions", "openrouter"),
            door("/openai/deployments/{deployment}/chat/completions", "azure"),
        ]
    )


@contextmanager
def fake_llm_thread() -> Iterator[FakeLLM]:
    """The server in a thread of its own: for tests without an event loop, and beside one."""
    for client in ("pydantic_ai.direct", "pydantic_ai.models.anthropic", "pydantic_ai.models.openai"):
        importlib.import_module(client)  # seconds that no test's own time limit has to pay for
    llm = FakeLLM()
    # The protocol is named so that asyncio switches Nagle's algorithm off, which would cost 40 ms for each reply.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(2048)
    llm.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    config = uvicorn.Config(
        _application(llm), log_config=None, access_log=False, ws="none", lifespan="off", timeout_graceful_shutdown=1
    )
    server = _Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), name="fake llm", daemon=True)
    thread.start()
    try:
        assert server.ready.wait(30), "the fake model does not start"
        yield llm
    finally:
        llm.release()
        server.should_exit = True
        thread.join(30)
        listening.close()


@asynccontextmanager
async def fake_llm() -> AsyncIterator[FakeLLM]:
    """The server beside the test's event loop, in a thread: how busy one is does not slow the other down."""
    with contextlib.ExitStack() as stack:
        llm = stack.enter_context(fake_llm_thread())
        try:
            yield llm
        finally:
            await asyncio.to_thread(stack.close)


class _Server(uvicorn.Server):
    """uvicorn without signal handlers, which says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


Reply = dict[str, Any] | str | int | RawArguments | Page | Late | Hang | None
Script = Reply | Sequence[Reply] | Callable[[Asked], Any]
