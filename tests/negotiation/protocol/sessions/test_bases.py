"""The two ends of an agreed protocol: responses find their requests, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

from moothall.errors import CallTimeout, Conflict, NodeUnreachable, SessionEnded, ValidationError
from moothall.negotiation.protocol.bases import MOST_REQUESTS, ProviderBase, RequesterBase


def joined(callback: Any, *, timeout: float = 5.0) -> tuple[RequesterBase, ProviderBase, set[asyncio.Task[None]]]:
    requester, provider = RequesterBase(timeout=timeout), ProviderBase()
    tasks: set[asyncio.Task[None]] = set()

    async def to_provider(data: bytes) -> None:
        tasks.add(asyncio.ensure_future(provider.handle_message(data)))

    async def to_requester(data: bytes) -> None:
        requester.handle_message(data)

    requester.set_send_callback(to_provider)
    provider.set_send_callback(to_requester)
    provider.set_protocol_callback(callback)
    return requester, provider, tasks


@pytest.mark.requirement("META-GEN-03")
async def test_twenty_requests_in_flight_get_their_own_responses_in_whatever_order_they_come() -> None:
    turns = [asyncio.Event() for _ in range(20)]
    arrived = asyncio.Semaphore(0)

    async def callback(request: dict[str, Any]) -> dict[str, Any]:
        arrived.release()
        await turns[request["n"]].wait()
        return {"code": 200, "square": request["n"] ** 2}

    requester, _, _ = joined(callback)
    asked = [asyncio.ensure_future(requester.send_request({"n": n})) for n in range(20)]
    for _ in range(20):
        await arrived.acquire()
    assert requester.in_flight == 20
    for turn in reversed(turns):
        turn.set()
    assert await asyncio.gather(*asked) == [{"code": 200, "square": n * n} for n in range(20)]
    assert requester.in_flight == 0


async def test_what_was_sent_is_the_request_with_a_message_id() -> None:
    sent: list[bytes] = []
    requester = RequesterBase(timeout=5)

    async def send(data: bytes) -> None:
        sent.append(data)
        requester.handle_message(json.dumps({"messageId": json.loads(data)["messageId"], "code": 200}).encode())

    requester.set_send_callback(send)
    assert await requester.send_request({"user_id": "u1"}) == {"code": 200}
    body = json.loads(sent[0])
    assert body["user_id"] == "u1"
    assert len(body["messageId"]) == 16


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"{}", b'{"messageId":7}', b'{"messageId":"nobody","code":200}'])
async def test_responses_to_nobody_are_dropped_and_logged(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    requester = RequesterBase()
    with caplog.at_level(logging.WARNING):
        requester.handle_message(data)
    assert "was dropped" in caplog.text


async def test_a_request_without_response_ends_at_its_limit() -> None:
    requester = RequesterBase(timeout=0.01)

    async def send(data: bytes) -> None:
        pass

    requester.set_send_callback(send)
    with pytest.raises(CallTimeout):
        await requester.send_request({})
    assert requester.in_flight == 0


async def test_a_failing_transport_is_told() -> None:
    requester = RequesterBase()

    async def send(data: bytes) -> None:
        raise ConnectionResetError

    requester.set_send_callback(send)
    with pytest.raises(NodeUnreachable):
        await requester.send_request({})


async def test_nothing_is_sent_while_blocked_closed_or_unconnected() -> None:
    requester = RequesterBase()
    with pytest.raises(SessionEnded):
        await requester.send_request({})
    requester.block()
    with pytest.raises(Conflict):
        await requester.send_request({})
    requester.close()
    with pytest.raises(SessionEnded):
        await requester.send_request({})


@pytest.mark.requirement("META-SESS-04")
async def test_closing_ends_every_request_that_waits() -> None:
    sent = asyncio.Event()
    requester = RequesterBase()

    async def send(data: bytes) -> None:
        sent.set()

    requester.set_send_callback(send)
    asked = asyncio.ensure_future(requester.send_request({}))
    await sent.wait()
    requester.close(SessionEnded("the other side left"))
    with pytest.raises(SessionEnded, match="left"):
        await asked


@pytest.mark.requirement("META-BOB-09")
@pytest.mark.parametrize("reply", [None, [], {}, {"code": "200"}, {"code": True}], ids=repr)
async def test_a_reply_without_code_becomes_code_500(reply: Any) -> None:
    async def callback(request: dict[str, Any]) -> Any:
        return reply

    requester, _, _ = joined(callback)
    assert (await requester.send_request({}))["code"] == 500


@pytest.mark.requirement("META-BOB-09")
async def test_a_callback_that_fails_becomes_code_500_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def callback(request: dict[str, Any]) -> Any:
        message = "the password is swordfish"
        raise RuntimeError(message)

    requester, _, _ = joined(callback)
    response = await requester.send_request({})
    assert response["code"] == 500
    assert "swordfish" not in json.dumps(response)
    assert "swordfish" in caplog.text


@pytest.mark.parametrize("data", [b"nonsense", b"[]", b"{}", b'{"messageId":""}'])
async def test_a_request_that_cannot_be_read_is_answered_400(data: bytes) -> None:
    sent: list[bytes] = []
    provider = ProviderBase()

    async def send(data: bytes) -> None:
        sent.append(data)

    provider.set_send_callback(send)
    await provider.handle_message(data)
    assert [json.loads(each)["code"] for each in sent] == [400]


async def test_more_requests_than_are_answered_at_once_get_code_503() -> None:
    go = asyncio.Event()

    async def callback(request: dict[str, Any]) -> dict[str, Any]:
        await go.wait()
        return {"code": 200}

    requester, _, _ = joined(callback)
    asked = [asyncio.ensure_future(requester.send_request({})) for _ in range(MOST_REQUESTS + 5)]
    done, _ = await asyncio.wait(asked[MOST_REQUESTS:])
    assert {task.result()["code"] for task in done} == {503}
    go.set()
    assert {response["code"] for response in await asyncio.gather(*asked[:MOST_REQUESTS])} == {200}


async def test_without_a_callback_requests_are_answered_503() -> None:
    assert (await ProviderBase().respond({}))["code"] == 503


async def test_a_response_that_is_no_json_for_others_becomes_code_500() -> None:
    sent: list[bytes] = []

    async def send(data: bytes) -> None:
        sent.append(data)

    async def answer(_: dict[str, Any]) -> dict[str, Any]:
        return {"code": 200, "number": 2**60}

    provider = ProviderBase()
    provider.set_send_callback(send)
    provider.set_protocol_callback(answer)
    await provider.handle_message(b'{"messageId":"a"}')
    assert json.loads(sent[0]) == {"code": 500, "message": "the request could not be answered", "messageId": "a"}


async def test_a_request_that_is_no_json_for_others_is_not_sent() -> None:
    sent: list[bytes] = []

    async def send(data: bytes) -> None:
        sent.append(data)

    requester = RequesterBase()
    requester.set_send_callback(send)
    with pytest.raises(ValidationError):
        await requester.send_request({"number": 2**60})
    assert (sent, requester.in_flight) == ([], 0)


async def test_the_id_of_a_request_is_this_ends_own_whatever_the_request_says() -> None:
    sent: list[bytes] = []

    async def send(data: bytes) -> None:
        sent.append(data)
        requester.handle_message(json.dumps({"code": 200, "messageId": json.loads(data)["messageId"]}).encode())

    requester = RequesterBase()
    requester.set_send_callback(send)
    assert await requester.send_request({"messageId": "mine"}) == {"code": 200}
    assert json.loads(sent[0])["messageId"] != "mine"
