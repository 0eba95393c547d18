from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from moothall.errors import MoothallError, Unavailable, UpstreamError, UpstreamInvalid
from moothall.identity.allowed import Allowed
from moothall.identity.egress import Egress
from moothall.protocols.anp import fetched
from moothall.protocols.anp.fetched import KEPT, LEAST, FetchedDocuments
from tests.identity.net.far_side import Answer, Asked, far_side, head, reply
from tests.protocols.anp.town import loopback
from tests.support.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def documents(clock: ManualClock) -> AsyncIterator[FetchedDocuments]:
    egress = Egress(Allowed.parsed("http://localhost"), lookup=loopback)
    made = FetchedDocuments(egress, lambda _agent: None, clock)
    yield made
    await made.aclose()
    await egress.aclose()


def versions(*bodies: object) -> Answer:
    """Answer with the first of these until it is known, then with the next, each under a tag of its own."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        known = asked.headers.get("if-none-match", "")
        number = int(known.strip('"') or 0)
        if known and number >= len(bodies):
            writer.write(head("304 Not Modified", {"etag": known}))
            return
        body = json.dumps(bodies[number]).encode()
        fields = {"content-type": "application/json", "content-length": str(len(body)), "etag": f'"{number + 1}"'}
        writer.write(head("200 OK", fields) + body)

    return answer


async def test_a_document_is_kept_and_then_asked_for_by_its_tag(
    documents: FetchedDocuments, clock: ManualClock
) -> None:
    async with far_side(versions({"n": 1}, {"n": 2})) as side:
        url = side.url("localhost", "/ad.json", "http")
        assert (await documents.get(url, "alice")).value == {"n": 1}
        await clock.advance(KEPT - 1)
        assert (await documents.get(url, "alice")).value == {"n": 1}
        assert len(side.asked) == 1
        await clock.advance(1)
        assert (await documents.get(url, "alice")).value == {"n": 2}
        await clock.advance(KEPT)
        assert (await documents.get(url, "alice")).value == {"n": 2}
        await clock.advance(1)
        assert (await documents.get(url, "alice")).value == {"n": 2}
        assert [asked.headers.get("if-none-match") for asked in side.asked] == [None, '"1"', '"2"']


async def test_a_fresh_one_is_not_asked_for_too_often(documents: FetchedDocuments, clock: ManualClock) -> None:
    async with far_side(versions({"n": 1}, {"n": 2})) as side:
        url = side.url("localhost", "/ad.json", "http")
        for _ in range(5):
            assert (await documents.get(url, "alice", fresh=True)).value == {"n": 1}
        await clock.advance(LEAST)
        assert (await documents.get(url, "alice", fresh=True)).value == {"n": 2}
        assert len(side.asked) == 2


async def test_who_asks_at_the_same_time_asks_once(documents: FetchedDocuments) -> None:
    async with far_side(versions({"n": 1})) as side:
        url = side.url("localhost", "/ad.json", "http")
        found = await asyncio.gather(*(documents.get(url, "alice") for _ in range(20)))
        assert [each.value for each in found] == [{"n": 1}] * 20
        assert side.hits == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(b"no json"), UpstreamInvalid),
        (reply(b"[]"), UpstreamInvalid),
        (reply(b'{"did":"did:wba:a.example","did":"did:wba:b.example"}'), UpstreamInvalid),
        (reply(b'{"n":NaN}'), UpstreamInvalid),
        (reply(b"[" * 10_000), UpstreamInvalid),
        (reply(b"{}" + b" " * 2 * 1024 * 1024), UpstreamInvalid),
        (reply(b"{}", "404 Not Found"), UpstreamError),
        (reply(b"", "302 Found", location="https://10.0.0.1/"), UpstreamInvalid),
        (reply(b"{}", "401 Unauthorized"), Unavailable),
    ],
)
async def test_what_is_no_document_is_refused(
    documents: FetchedDocuments, answer: Answer, error: type[MoothallError]
) -> None:
    async with far_side(answer) as side:
        with pytest.raises(error) as raised:
            await documents.get(side.url("localhost", "/ad.json", "http"), "alice")
    assert type(raised.value) is error


@pytest.mark.parametrize(
    "url", ["", "ftp://localhost/", "https://10.0.0.1/ad.json", "http://example.com/ad.json", "x" * 5000]
)
async def test_addresses_that_may_not_be_called_are_the_far_sides_fault(documents: FetchedDocuments, url: str) -> None:
    with pytest.raises(UpstreamInvalid):
        await documents.get(url, "alice")


async def test_what_is_kept_is_bounded(documents: FetchedDocuments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetched, "MOST", 3)
    async with far_side(versions({"n": 1})) as side:
        for number in (1, 2, 3, 1, 4, 1, 2):
            await documents.get(side.url("localhost", f"/{number}", "http"), "alice")
        assert [asked.line.split(" ")[1] for asked in side.asked] == ["/1", "/2", "/3", "/4", "/2"]
    monkeypatch.setattr(fetched, "MOST_BYTES", 10)
    async with far_side(versions({"n": "x" * 100})) as side:
        for _ in range(2):
            await documents.get(side.url("localhost", "/1", "http"), "alice")
        assert len(side.asked) == 2
