"""Clients that send too much of a head, or too slowly, over raw sockets."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from moothall.server.limited import Limits
from tests.server.door import SUBMIT, Door, served

SHORT = Limits(header_bytes=1000, header_seconds=60, body_seconds=60)
GET = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"
POST = f"POST {SUBMIT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n".encode()
pytestmark = pytest.mark.timeout(30)


async def exchange(door: Door, *parts: bytes) -> bytes:
    """All that the server answers until it closes."""
    reader, writer = await asyncio.open_connection(door.address.host, door.address.port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    "parts",
    [
        (GET + b"X-Long: " + b"a" * 1000 + b"\r\n\r\n",),
        (GET + b"X-Long: " + b"a" * 1000,),
        (b"GET /" + b"a" * 1100,),
        (GET + b"X: a\r\n" * 200 + b"\r\n",),
        (POST + b"X: a\r\n" * 200 + b"Content-Length: 2\r\n\r\n{}",),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + b"T: a\r\n" * 200 + b"\r\n",),
    ],
)
async def test_a_head_that_is_too_long_is_answered_431(tmp_path: Path, parts: tuple[bytes, ...]) -> None:
    async with served(tmp_path, agents=False, limits=SHORT) as door:
        answer = await exchange(door, *parts)
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert answer.count(b"HTTP/1.1") == 1
        assert (await door.client.get("/health")).status_code == 200


async def test_the_limit_is_for_each_request_of_a_connection(tmp_path: Path) -> None:
    async with served(tmp_path, agents=False, limits=SHORT) as door:
        request = GET + b"X-Long: " + b"a" * 500 + b"\r\n\r\n"
        answer = await exchange(door, request * 4, GET + b"Connection: close\r\n\r\n")
        assert answer.count(b"HTTP/1.1 200 ") == 5


@pytest.mark.parametrize("begun", [b"G", GET, b"\r\n"])
async def test_headers_that_do_not_end_in_time_are_answered_408(tmp_path: Path, begun: bytes) -> None:
    async with served(tmp_path, agents=False, limits=Limits(header_seconds=0.05)) as door:
        assert (await exchange(door, begun)).startswith(b"HTTP/1.1 408 ")


async def test_a_connection_that_asks_nothing_is_closed_without_a_word(tmp_path: Path) -> None:
    async with served(tmp_path, agents=False, limits=Limits(header_seconds=0.05)) as door:
        assert await exchange(door) == b""


@pytest.mark.parametrize("more", [b"Content-Length: 9\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"])
async def test_a_body_that_does_not_end_in_time_is_answered_408(tmp_path: Path, more: bytes) -> None:
    async with served(tmp_path, agents=False, limits=Limits(body_seconds=0.05)) as door:
        answer = await exchange(door, POST + more)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"connection: close" in answer


TARGETS = [
    ("{0}", b"200"), ("{0}?", b"200"), ("http://127.0.0.1{0}", b"200"), ("http://127.0.0.1:80{0}?", b"200"),
    ("{0}#", b"400"), ("{0}#x", b"400"), ("{0}?x#", b"400"), ("http://elsewhere.example{0}", b"400"),
    ("https://127.0.0.1:1{0}", b"400"), ("http://x@127.0.0.1{0}", b"400"), ("http://127.0.0.1", b"400"),
]  # fmt: skip


async def test_an_address_that_two_readers_take_for_different_ones_is_refused(tmp_path: Path) -> None:
    async with served(tmp_path, agents=False) as door:
        for path in ("/health", "/api/v1/capabilities"):
            for target, status in TARGETS:
                line = f"GET {target.format(path)} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
                assert (await exchange(door, line.encode())).split()[1] == status, (path, target)


async def test_the_time_of_the_answer_is_not_limited(tmp_path: Path) -> None:
    async with served(tmp_path, limits=Limits(header_seconds=1, body_seconds=0.2)) as door:
        events = await door.stream(await door.submit())
        assert events[-1]["event_type"] == "towow.proposal.finalized"
