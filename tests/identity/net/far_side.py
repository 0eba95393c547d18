"""Servers of strangers: each counts who connects, remembers what it was asked and answers as it was told, byte by byte."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

NAMES = ("localhost", "node.example", "other.example", "rebound.example", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the test, and the file that says so."""

    ca: trustme.CA
    file: Path

    def server(self, *names: str) -> ssl.SSLContext:
        """The TLS of a server with a certificate for these names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names).configure_cert(context)
        return context


@dataclass
class Asked:
    """A request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class FarSide:
    """A server; `hits` counts connections, refused or not."""

    port: int
    hits: int = 0
    asked: list[Asked] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, host: str = "node.example", path: str = "/", scheme: str = "https") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


def reply(body: bytes = b"{}", status: str = "200 OK", **headers: str) -> Answer:
    """Answer the same each time; header names are written with ``_`` for ``-``."""

    async def answer(_: Asked, writer: asyncio.StreamWriter) -> None:
        fields = {"content-type": "application/json", "content-length": str(len(body))}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        writer.write(head(status, fields) + body)

    return answer


def replies(*answers: Answer) -> Answer:
    """Answer one after the other; the last one for ever."""
    left: Iterator[Answer] = iter(answers)
    last: list[Answer] = []

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if following := next(left, None):
            last[:] = [following]
        await last[0](asked, writer)

    return answer


def head(status: str, fields: dict[str, str]) -> bytes:
    """The head of an answer."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


async def silence(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Say nothing until the other side gives up."""
    await writer.wait_closed()


def dripping(start: bytes, drop: bytes) -> Answer:
    """Say ``start``, then ``drop`` again and again, as long as somebody listens."""

    async def answer(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while not writer.is_closing():
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0)

    return answer


@asynccontextmanager
async def far_side(
    answer: Answer, tls: ssl.SSLContext | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[FarSide]:
    """A server on loopback for the time of the block."""
    side = FarSide(0)
    open_now: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        side.hits += 1
        task = asyncio.current_task()
        assert task is not None
        open_now.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
                while True:
                    asked = await _read(reader)
                    side.asked.append(asked)
                    side.arrived.set()
                    await answer(asked, writer)
                    await writer.drain()
        except asyncio.CancelledError:
            pass
        finally:
            writer.close()
            open_now.discard(task)

    server = await asyncio.start_server(serve, host, port, ssl=tls)
    side.port = server.sockets[0].getsockname()[1]
    try:
        yield side
    finally:
        server.close()
        for task in list(open_now):
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Asked:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    return Asked(lines[0], headers, await reader.readexactly(int(headers.get("content-length", "0"))))


class Names:
    """A name service: what it answers for each name, one answer after the other, and how often it was asked."""

    def __init__(self, **answers: Sequence[str] | list[Sequence[str]]) -> None:
        self.asked: list[str] = []
        self._answers = {name.replace("_", "."): answer for name, answer in answers.items()}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answer = self._answers.get(host)
        if not answer:
            raise OSError(f"no such name: {host}")
        if isinstance(answer, list):
            return answer.pop(0) if len(answer) > 1 else answer[0]
        return answer
