"""A plain HTTP service that answers as it is told, on a free port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"null"
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class Backend:
    """Takes the next answer from `answers`, and the last one again and again."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[Answer] = [Answer()]
        self.url = ""

    def answer(self, value: Any = None, status: int = 200, **headers: str) -> None:
        self.answers = [Answer(status, json.dumps(value).encode(), headers=headers)]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        query = scope["query_string"].decode()
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        target = scope["raw_path"].decode() + (f"?{query}" if query else "")
        self.asked.append(Asked(scope["method"], target, headers, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        told = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        told.append((b"content-type", answer.kind.encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": told})
        await send({"type": "http.response.body", "body": answer.body})


@asynccontextmanager
async def serving(app: Callable[..., Any]) -> AsyncIterator[str]:
    """Serve an ASGI application; its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none"))
    server.capture_signals = _no_signals  # type: ignore[method-assign]
    config = server.config
    listener = config.bind_socket()
    running = asyncio.create_task(server.serve([listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listener.close()


def _no_signals() -> Any:
    from contextlib import nullcontext

    return nullcontext()


@asynccontextmanager
async def backend() -> AsyncIterator[Backend]:
    made = Backend()
    async with serving(made) as url:
        made.url = url
        yield made
