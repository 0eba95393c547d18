"""The plain profile: one JSON object there, one JSON answer back."""

from __future__ import annotations

import asyncio
import json
import logging
import tracemalloc
import uuid
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from moothall.errors import (
    A2AServiceError,
    CallTimeout,
    MoothallError,
    Unavailable,
    UpstreamError,
    UpstreamInvalid,
)
from moothall.protocols.a2a.remote.connector import A2aConnector
from tests.protocols.a2a.remote_town import CALLER, connecting, declared, listening, outgoing, socket_server
from tests.protocols.http.backend import Answer, Asked, Backend


@pytest.fixture
async def far() -> AsyncIterator[Backend]:
    made = Backend()
    async with listening(made) as url:
        made.url = url
        yield made


@pytest.fixture
async def near() -> AsyncIterator[A2aConnector]:
    async with connecting() as made:
        yield made


def calls(far: Backend) -> list[Asked]:
    return [each for each in far.asked if "/.well-known/" not in each.target]


@pytest.mark.requirement("TPL-17")
async def test_the_body_has_exactly_four_members(far: Backend, near: A2aConnector) -> None:
    far.answer({"result": 1})
    call = declared(f"{far.url}/translate", {"text": "hi"})
    assert await near.call(call) == 1
    (sent,) = calls(far)
    assert (sent.method, sent.target) == ("POST", "/translate")
    assert set(sent.json) == {"method", "params", "timestamp", "request_id"}
    assert (sent.json["method"], sent.json["params"]) == ("execute", {"text": "hi"})
    assert sent.json["request_id"] == call.call_id
    when = datetime.fromisoformat(sent.json["timestamp"])
    assert when.utcoffset() == timedelta(0)


@pytest.mark.requirement("TPL-17")
async def test_an_operation_that_is_named_is_the_method(far: Backend, near: A2aConnector) -> None:
    far.answer({"result": 1})
    await near.call(declared(far.url, method="translate"))
    await near.call(outgoing(f"a2a:{far.url}#detect", call_id=""))
    assert [sent.json["method"] for sent in calls(far)] == ["translate", "detect"]
    assert uuid.UUID(calls(far)[1].json["request_id"]).version == 4


@pytest.mark.requirement("TPL-18")
async def test_metadata_tells_who_signs_only_when_asked_for(far: Backend, near: A2aConnector) -> None:
    far.answer({"result": 1})
    await near.call(outgoing(f"a2a:{far.url}", {"caller": "did:wba:liar.example"}, version="2.0.0", timeout=7.5))
    await near.call(outgoing(f"a2a:{far.url}", {"caller": "did:wba:liar.example"}))
    told, silent = calls(far)
    assert told.json["metadata"] == {"caller": CALLER, "version": "2.0.0", "timeout": 7.5}
    assert "metadata" not in silent.json


@pytest.mark.requirement("DEC-24")
@pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH"])
async def test_other_verbs_send_the_same_body(far: Backend, near: A2aConnector, verb: str) -> None:
    far.answer({"result": 1})
    await near.call(declared(far.url, {"n": 1}, http_method=verb))
    assert [(sent.method, sent.json["params"]) for sent in calls(far)] == [(verb, {"n": 1})]


@pytest.mark.requirement("DEC-24")
@pytest.mark.parametrize("verb", ["GET", "DELETE"])
async def test_without_a_body_the_members_stand_in_the_query(far: Backend, near: A2aConnector, verb: str) -> None:
    far.answer({"result": 1})
    await near.call(declared(f"{far.url}/w?key=1", {"city": "o slo", "n": [1]}, http_method=verb))
    (sent,) = calls(far)
    query = parse_qs(urlsplit(sent.target).query)
    assert (sent.method, sent.body, query["key"], query["method"]) == (verb, b"", ["1"], ["execute"])
    assert json.loads(query["params"][0]) == {"city": "o slo", "n": [1]}
    assert set(query) == {"key", "method", "params", "timestamp", "request_id"}


@pytest.mark.requirement("TPL-21")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 503])
async def test_a_status_of_failure_is_told_and_nothing_that_came_with_it(
    far: Backend, near: A2aConnector, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    far.answers = [Answer(404), Answer(status, b'{"error": "SECRET' + b"x" * 5000 + b'"}')]
    call = outgoing(f"a2a:{far.url}", {"n": 1})
    with caplog.at_level(logging.INFO, "moothall.a2a"), pytest.raises(A2AServiceError) as raised:
        await near.call(call)
    assert raised.value.status == status
    assert str(status) in str(raised.value)
    assert "SECRET" not in str(raised.value) + str(raised.value.told)
    (record,) = caplog.records
    assert "SECRET" in record.__dict__["said"]
    assert len(record.__dict__["said"]) < 300


@pytest.mark.requirement("TPL-23")
@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ({"result": 1}, 1),
        ({"data": 1}, 1),
        ({"result": 1, "data": 2, "error": None}, 1),
        ({"result": None}, None),
        ({"weather": "fine"}, {"weather": "fine"}),
        ([1, 2], [1, 2]),
        ({"data": 2**53 + 1}, 2**53 + 1),
    ],
    ids=["result", "data", "both", "null", "plain", "list", "exact"],
)
async def test_the_value_of_an_answer(far: Backend, near: A2aConnector, answer: Any, value: Any) -> None:
    far.answer(answer)
    assert await near.call(outgoing(f"a2a:{far.url}")) == value
    streamed = [each async for each in near.stream(outgoing(f"a2a:{far.url}"))]
    assert streamed == (value if isinstance(value, list) else [value])


@pytest.mark.requirement("TPL-23")
async def test_an_error_comes_before_a_result(far: Backend, near: A2aConnector) -> None:
    far.answer({"result": None, "error": {"message": "SECRET"}})
    with pytest.raises(A2AServiceError) as raised:
        await near.call(outgoing(f"a2a:{far.url}"))
    assert "SECRET" not in str(raised.value)
    far.answer({"result": 5, "error": "SECRET"})
    with pytest.raises(A2AServiceError):
        await near.call(outgoing(f"a2a:{far.url}"))


@pytest.mark.requirement("TPL-22")
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", "text/html"),
        (b"", "application/json"),
        (b"{", "application/json"),
        (b'{"a":NaN}', "application/json"),
        (b"[" * 5000 + b"]" * 5000, "application/json"),
        ('{"a":"\u00e9"}'.encode("latin-1"), "application/json"),
        ('{"a":"b"}'.encode("utf-16"), "application/json"),
        (b'{"a":"b"}', "application/json; charset=utf-16"),
        (b'{"a":"' + b"x" * 10_000_000 + b'"}', "application/json"),
    ],
    ids=["html", "empty", "cut", "nan", "nested", "latin", "utf-16", "declared", "10-MB"],
)
async def test_an_answer_that_makes_no_sense_is_said_to_be_so(
    far: Backend, near: A2aConnector, body: bytes, kind: str
) -> None:
    far.answers = [Answer(404), Answer(body=body, kind=kind)]
    with pytest.raises(UpstreamInvalid):
        await near.call(outgoing(f"a2a:{far.url}"))


@pytest.mark.requirement("TPL-22")
async def test_memory_is_bounded_whatever_a_service_sends(near: A2aConnector) -> None:
    block = b"x" * 65_536

    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        for _ in range(800):
            writer.write(block)
            await writer.drain()

    async with socket_server(flood) as url:
        tracemalloc.start()
        try:
            with pytest.raises(UpstreamInvalid):
                await near.call(declared(url, profile="legacy"))
            assert tracemalloc.get_traced_memory()[1] < 24 * 1024 * 1024
        finally:
            tracemalloc.stop()


@pytest.mark.requirement("TPL-20")
@pytest.mark.parametrize("profile", ["auto", "legacy"])
async def test_a_service_that_drips_for_ever_is_not_waited_for(profile: str) -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with socket_server(drip) as url, connecting({"drip": {"url": url, "profile": profile}}) as near:
        with pytest.raises(CallTimeout):
            await near.call(outgoing("a2a:drip", timeout=0.3))


@pytest.mark.requirement("TPL-27")
async def test_each_failure_has_a_code_and_a_record_of_its_own(
    near: A2aConnector, far: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    found: dict[str, str] = {}

    async def failed(name: str, endpoint: str, seconds: float = 10.0) -> None:
        caplog.clear()
        call = outgoing(f"a2a:{endpoint}", {"password": "SECRET"}, timeout=seconds)
        with caplog.at_level(logging.INFO, "moothall.a2a"), pytest.raises(MoothallError) as raised:
            await near.call(call)
        found[name] = raised.value.envelope_code
        (record,) = caplog.records
        assert (record.__dict__["request_id"], record.__dict__["endpoint"]) == (call.call_id, endpoint)
        assert "SECRET" not in record.getMessage() + str(record.__dict__["said"])

    async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with socket_server(silent) as url:
        await failed("timeout", url, 0.2)
    await failed("refused", url)
    far.answers = [Answer(404), Answer(body=b"<html>")]
    await failed("bad body", far.url)
    far.answers = [Answer(body=b'{"error": "no"}')]
    await failed("remote error", far.url)
    assert found == {
        "timeout": "TIMEOUT",
        "refused": "UNAVAILABLE",
        "bad body": "UPSTREAM_INVALID",
        "remote error": "UPSTREAM_ERROR",
    }


@pytest.mark.requirement("TPL-26")
async def test_a_success_is_recorded_without_what_was_said(
    near: A2aConnector, far: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    far.answer({"result": "SECRET-VALUE"})
    call = outgoing(f"a2a:{far.url}/w?token=SECRET-KEY", {"password": "SECRET-ARGUMENT"})
    with caplog.at_level(logging.INFO, "moothall.a2a"):
        await near.call(call)
    (record,) = caplog.records
    assert (record.__dict__["request_id"], record.__dict__["endpoint"]) == (call.call_id, f"{far.url}/w")
    assert record.__dict__["seconds"] >= 0
    assert "SECRET" not in str(record.__dict__)


async def test_nobody_there_means_that_nothing_was_sent(near: A2aConnector) -> None:
    async with socket_server(lambda reader, writer: asyncio.sleep(0)) as url:
        pass
    with pytest.raises(Unavailable) as raised:
        await near.call(outgoing(f"a2a:{url}"))
    cause = raised.value.__cause__
    assert isinstance(cause, UpstreamError)
    assert cause.sent is False
