"""Requests to an application of this process: no socket, no server, no client library."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp

HOST = "127.0.0.1:8000"
BATCH = 25


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


async def ask(app: ASGIApp, method: str, path: str, body: object = None, **headers: str) -> Answer:
    """One request to an application of this process; an underscore in the name of a header is a hyphen."""
    told = {"host": HOST, "accept": "application/json, text/event-stream", "content-type": "application/json"}
    told |= {name.replace("_", "-").lower(): value for name, value in headers.items()}
    content = b"" if body is None else json.dumps(body).encode()
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in told.items()] + [
            (b"content-length", str(len(content)).encode())
        ],
        "server": ("127.0.0.1", 8000), "client": ("127.0.0.1", 50000), "state": {},
    }  # fmt: skip
    asked = iter([{"type": "http.request", "body": content, "more_body": False}])
    start: dict[str, Any] = {}
    parts: list[bytes] = []

    async def receive() -> Any:  # noqa: ANN401 - what ASGI says
        if (message := next(asked, None)) is None:
            await asyncio.Event().wait()
        return message

    async def send(message: Any) -> None:  # noqa: ANN401 - what ASGI says
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return Answer(start["status"], dict(start["headers"]), b"".join(parts))


async def costs(
    lanes: Mapping[str, Callable[[int], Awaitable[None]]], seconds: float
) -> dict[str, tuple[float, float]]:
    """Microseconds of CPU of one request of each: the least of all batches and their median, measured in turns."""
    batches: dict[str, list[float]] = {name: [] for name in lanes}
    number, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end or min(map(len, batches.values())) < 3:
        for name, one in lanes.items():
            begun = time.process_time()
            for _ in range(BATCH):
                number += 1
                await one(number)
            batches[name].append((time.process_time() - begun) / BATCH * 1e6)
    return {name: (min(row), statistics.median(row)) for name, row in batches.items()}
