"""What an answer may take: bytes, packed or unpacked, and time."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator

import pytest

from moothall.errors import CallTimeout, UpstreamError, UpstreamInvalid
from moothall.identity.allowed import Allowed
from moothall.identity.egress import Egress
from moothall.identity.limited_body import Caps
from tests.identity.net.far_side import Asked, Authority, Names, dripping, far_side, head, reply

SMALL = Caps(most_bytes=1000)
ENDLESS = head("200 OK", {"content-type": "text/plain", "connection": "close"})


@pytest.fixture
async def egress(authority: Authority) -> AsyncIterator[Egress]:
    client = Egress(Allowed.parsed("node.example"), ca=authority.file, lookup=Names(node_example=("127.0.0.1",)))
    yield client
    await client.aclose()


@pytest.mark.requirement("WIRE-NET-01")
async def test_a_body_of_the_greatest_length_is_read_and_one_byte_more_is_not(
    egress: Egress, tls: ssl.SSLContext
) -> None:
    async with far_side(reply(b"x" * 1000), tls) as side:
        assert len((await egress.request("GET", side.url(), caps=SMALL)).body) == 1000
    async with far_side(reply(b"x" * 1001), tls) as side:
        with pytest.raises(UpstreamInvalid):
            await egress.request("GET", side.url(), caps=SMALL)


@pytest.mark.parametrize("length", ["1001", "9" * 5000])
async def test_a_length_that_is_announced_is_refused_before_anything_is_read(
    egress: Egress, tls: ssl.SSLContext, length: str
) -> None:
    async def announce(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(head("200 OK", {"content-length": length}))

    async with far_side(announce, tls) as side:
        with pytest.raises(UpstreamError):
            await egress.request("GET", side.url(), caps=SMALL, seconds=30)


@pytest.mark.requirement("WIRE-NET-01")
async def test_an_endless_body_is_cut_off(egress: Egress, tls: ssl.SSLContext) -> None:
    async with far_side(dripping(ENDLESS, b"x" * 100), tls) as side:
        with pytest.raises(UpstreamInvalid):
            await egress.request("GET", side.url(), caps=SMALL)


async def test_an_endless_head_is_cut_off(egress: Egress, tls: ssl.SSLContext) -> None:
    for start, drop in ((b"HTTP/1.1 200 OK\r\n", b"x-a: b\r\n" * 50), (b"", b"HTTP/1.1 100 Continue\r\n\r\n")):
        async with far_side(dripping(start, drop), tls) as side:
            with pytest.raises((UpstreamError, CallTimeout)):
                await egress.request("GET", side.url(), caps=Caps(head_seconds=0.3))


async def test_a_body_that_drips_for_ever_ends_with_the_time_for_the_whole(egress: Egress, tls: ssl.SSLContext) -> None:
    async def slow(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(ENDLESS)
        while not writer.is_closing():
            writer.write(b".")
            await asyncio.sleep(0.01)

    async with far_side(slow, tls) as side:
        with pytest.raises(CallTimeout):
            await egress.request("GET", side.url(), seconds=0.3)


async def test_a_stream_may_last_as_long_as_something_comes_and_ends_in_silence(
    egress: Egress, tls: ssl.SSLContext
) -> None:
    async def one_word(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(ENDLESS + b"data: 1\n\n")
        await writer.wait_closed()

    async with far_side(one_word, tls) as side, egress.stream("GET", side.url(), caps=Caps(idle_seconds=0.1)) as answer:
        chunks = answer.chunks()
        assert (answer.status, await anext(chunks)) == (200, b"data: 1\n\n")
        with pytest.raises(CallTimeout):
            await anext(chunks)


async def test_a_stream_that_is_left_early_closes_its_connection(egress: Egress, tls: ssl.SSLContext) -> None:
    ended = asyncio.Event()

    async def talk(_: Asked, writer: asyncio.StreamWriter) -> None:
        try:
            await dripping(ENDLESS, b"data: 1\n\n")(_, writer)
        finally:
            ended.set()

    async with far_side(talk, tls) as side:
        async with egress.stream("GET", side.url()) as answer:
            async for _ in answer.chunks():
                break
        await asyncio.wait_for(ended.wait(), 10)


async def test_a_packed_answer_is_unpacked(egress: Egress, tls: ssl.SSLContext) -> None:
    async with far_side(reply(gzip.compress(b"hello"), content_encoding="gzip"), tls) as side:
        answer = await egress.request("GET", side.url())
    assert answer.body == b"hello"
    assert "content-encoding" not in answer.headers
    assert side.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.requirement("WIRE-NET-01")
async def test_a_small_answer_that_unpacks_to_a_huge_one_is_refused(egress: Egress, tls: ssl.SSLContext) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 100_000
    async with far_side(reply(bomb, content_encoding="gzip"), tls) as side:
        with pytest.raises(UpstreamInvalid):
            await egress.request("GET", side.url(), caps=Caps(most_bytes=1_000_000))


async def test_packing_that_unpacks_to_nothing_for_ever_is_cut_off(egress: Egress, tls: ssl.SSLContext) -> None:
    packer = zlib.compressobj(wbits=31)
    start = packer.flush(zlib.Z_FULL_FLUSH)
    empty_block = packer.flush(zlib.Z_FULL_FLUSH) or b"\0\0\0\xff\xff"
    start_head = head("200 OK", {"content-encoding": "gzip", "connection": "close"})
    async with far_side(dripping(start_head + start, empty_block * 20), tls) as side:
        with pytest.raises(UpstreamInvalid):
            await egress.request("GET", side.url(), caps=SMALL)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"x", "br"),
        (b"x", "gzip, gzip"),
        (b"no gzip", "gzip"),
        (gzip.compress(b"hello", mtime=0)[:-4], "gzip"),
        (b"x", "deflate"),
    ],
)
async def test_packing_that_cannot_be_undone_is_refused(
    egress: Egress, tls: ssl.SSLContext, body: bytes, encoding: str
) -> None:
    async with far_side(reply(body, content_encoding=encoding), tls) as side:
        with pytest.raises(UpstreamInvalid):
            await egress.request("GET", side.url())


async def test_an_answer_without_a_body_has_nothing_to_unpack(egress: Egress, tls: ssl.SSLContext) -> None:
    async with far_side(reply(b"", "204 No Content", content_encoding="gzip"), tls) as side:
        assert (await egress.request("GET", side.url())).body == b""


async def test_a_body_that_ends_too_early_is_no_whole_one(egress: Egress, tls: ssl.SSLContext) -> None:
    async def half(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(head("200 OK", {"content-length": "100"}) + b"half")
        writer.close()

    async with far_side(half, tls) as side:
        with pytest.raises(UpstreamError) as caught:
            await egress.request("GET", side.url())
    assert caught.value.sent is True
