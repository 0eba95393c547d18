"""What the server checks of a request before a door of capabilities takes it, and how a refusal ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from moothall.clock import SystemClock
from moothall.protocols.intake import read_body
from moothall.server import doors as module
from moothall.server.admission import Admission
from moothall.server.doors import Doors
from moothall.server.streams import OpenStreams

MOST = 1000


class Reading:
    """A door that takes bodies of up to `MOST` bytes, and says how long they were."""

    def claims(self, path: str) -> bool:
        return path.startswith("/x")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = await read_body(receive, b"", MOST)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%d" % len(body)})


class Client:
    """Sends the parts of a body, then nothing more, and never leaves."""

    def __init__(self, *parts: bytes, ends: bool = True) -> None:
        self.parts = list(parts)
        self.ends = ends
        self.answer: list[Any] = []

    async def receive(self) -> Any:
        if not self.parts:
            await asyncio.Event().wait()
        part = self.parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self.parts) or not self.ends}

    async def send(self, message: Any) -> None:
        self.answer.append(message)

    @property
    def status(self) -> int:
        status: int = self.answer[0]["status"]
        return status

    @property
    def over(self) -> bool:
        """Whether the answer has ended."""
        return self.answer[-1]["type"] == "http.response.body" and not self.answer[-1].get("more_body", False)


async def entered(client: Client, path: bytes = b"/x", **scope: Any) -> Client:
    door, streams = Reading(), OpenStreams(1)
    doors = Doors([door], Admission.of(bound="127.0.0.1", public_url=""), streams, SystemClock(), "en")
    whole = {
        "type": "http", "method": "POST", "path": path.decode(), "raw_path": path, "query_string": b"",
        "headers": [(b"host", b"localhost")], **scope,
    }  # fmt: skip
    async with asyncio.timeout(5):
        await doors.enter(door, whole, client.receive, client.send)
    return client


async def test_a_body_that_fits_is_answered() -> None:
    client = await entered(Client(b"x" * MOST))
    assert (client.status, client.over) == (200, True)


@pytest.mark.parametrize("parts", [(b"x" * 2000,), (b"x" * 600, b"x" * 600), (b"x" * 2000, b"x", b"x")])
async def test_a_refused_body_that_is_complete_is_waited_for_no_longer(parts: tuple[bytes, ...]) -> None:
    client = await entered(Client(*parts))
    assert (client.status, client.over) == (413, True)
    assert not client.parts


async def test_a_refused_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAIN_SECONDS", 0.01)
    client = await entered(Client(b"x" * 2000, ends=False))
    assert (client.status, client.over) == (413, True)


@pytest.mark.parametrize("path", [b"/x%2fadd", b"/x/..%2Fadmin", b"/x%5cadd", b"/x%5C", b"/x\\y"])
async def test_a_path_that_hides_a_slash_is_refused(path: bytes) -> None:
    client = await entered(Client(b"{}"), path)
    assert client.status == 400
    assert b"VALIDATION_ERROR" in client.answer[1]["body"]


@pytest.mark.parametrize("path", [b"/x%3a", b"/x%252f", b"/x%2e", b"/x/y"])
async def test_a_path_with_other_escapes_is_taken(path: bytes) -> None:
    assert (await entered(Client(b"{}"), path)).status == 200
