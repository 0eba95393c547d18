"""`POST /api/v1/demand/submit`: what a client gets, and what a bad demand gets."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.door import DEMAND, SUBMIT, Door, Gate, refused, served

JSON = {"Content-Type": "application/json"}


@pytest.mark.requirement("NEG-API-02", "NEG-API-03", "NEG-API-04")
async def test_the_reply_names_demand_and_channel_and_tells_what_was_understood(door: Door) -> None:
    answer = await door.client.post(SUBMIT, json={"raw_input": DEMAND, "user_id": "user_alice"})
    body = answer.json()
    assert answer.status_code == 200
    assert {"demand_id", "channel_id", "status", "understanding"} <= body.keys()
    assert re.fullmatch(r"d-[0-9a-f]{8}", body["demand_id"])
    assert body["channel_id"] == "collab-" + body["demand_id"].removeprefix("d-")
    assert body["status"] == "processing"


async def test_the_understanding_has_the_specified_shape_and_unescaped_text(door: Door) -> None:
    answer = await door.client.post(SUBMIT, json={"raw_input": DEMAND})
    understanding = answer.json()["understanding"]
    assert understanding["context"]["location"] == "北京"
    assert {"场地提供", "演讲嘉宾", "活动策划"} <= set(understanding["capability_tags"])
    assert understanding["confidence"] in {"high", "medium", "low"}
    assert {"motivation", "likely_preferences"} <= understanding["deep_understanding"].keys()
    assert "场地提供".encode() in answer.content


@pytest.mark.requirement("NEG-API-06")
@pytest.mark.parametrize("more", [{}, {"user_id": None}, {"user_id": ""}])
async def test_without_a_user_the_requester_is_anonymous(door: Door, more: dict[str, Any]) -> None:
    demand_id = await door.submit(**more)
    record = await door.node.demands.record(demand_id)
    assert record.meta["requester_id"] == "anonymous"


async def test_the_user_of_the_body_is_the_requester(door: Door) -> None:
    record = await door.node.demands.record(await door.submit(user_id="user_alice"))
    assert record.meta["requester_id"] == "user_alice"


BAD = {
    "empty": b'{"raw_input": ""}',
    "blank": b'{"raw_input": " \\n\\t "}',
    "over-long": b'{"raw_input": "' + b"x" * 10_001 + b'"}',
    "far over-long": b'{"raw_input": "' + b"x" * 200_000 + b'"}',
    "a number": b'{"raw_input": 7}',
    "a list": b'[{"raw_input": "x"}]',
    "missing": b'{"user_id": "user_alice"}',
    "user is no text": b'{"raw_input": "x", "user_id": 7}',
    "no JSON": b'{"raw_input": ',
    "no UTF-8": b'{"raw_input": "\xff"}',
    "half a character": b'{"raw_input": "\\ud800"}',
    "too deep": b"[" * 60_000,
    "nothing": b"",
}


@refused
@pytest.mark.requirement("NEG-API-07")
@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
async def test_a_bad_demand_is_refused_with_e001(firm: Door, body: bytes) -> None:
    answer = await firm.client.post(SUBMIT, content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "E001"
    assert await firm.node.log.runs() == []


async def test_the_longest_demand_fits_even_when_every_character_is_escaped(door: Door) -> None:
    body = b'{"raw_input": "' + b"\\ud83c\\udf89" * 10_000 + b'"}'
    answer = await door.client.post(SUBMIT, content=body, headers=JSON)
    assert answer.status_code == 200


async def test_a_body_of_undeclared_length_is_limited_too(door: Door) -> None:
    async def long() -> Any:
        for _ in range(10):
            yield b"x" * 65_536

    answer = await door.client.post(SUBMIT, content=long(), headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "E001"


SPELLINGS = ("chunked", "Chunked", "CHUNKED", "gzip, chunked", "gzip,Chunked", "gzip\r\nTransfer-Encoding: chunked")


def head(coding: str, media: str) -> bytes:
    return (
        f"POST {SUBMIT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media}\r\nTransfer-Encoding: {coding}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("coding", SPELLINGS)
async def test_a_chunked_body_is_cut_off_at_the_limit_however_its_coding_is_spelt(door: Door, coding: str) -> None:
    reader, writer = await asyncio.open_connection(door.address.host, door.address.port)
    writer.write(head(coding, "application/json"))
    with pytest.raises(ConnectionError):  # noqa: PT012 - whichever write comes after the server has closed
        for _ in range(20 * 16):
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            await writer.drain()
    writer.close()
    with suppress(ConnectionError):
        await reader.read()
    assert await door.node.log.runs() == []


@pytest.mark.requirement("NEG-API-29")
@pytest.mark.parametrize("coding", SPELLINGS)
async def test_a_chunked_body_declares_itself_as_json_however_its_coding_is_spelt(door: Door, coding: str) -> None:
    body = b'{"raw_input": "x"}'
    reader, writer = await asyncio.open_connection(door.address.host, door.address.port)
    writer.write(head(coding, "text/plain") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    assert (await reader.readline()).split()[1] == b"415"
    writer.close()
    assert await door.node.log.runs() == []


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "这不是可以处理的需求"),
        ("en-GB,en;q=0.7", "this is not a demand"),
        ("fr", None),
    ],
)
async def test_an_error_speaks_the_language_of_the_client(door: Door, language: str, message: str | None) -> None:
    answer = await door.client.post(SUBMIT, json={}, headers={"Accept-Language": language})
    error = answer.json()["error"]
    assert error["message"]
    assert error["hint"]
    assert answer.headers["content-language"] in {"zh", "en"}
    if message is not None and answer.headers["content-language"] == "en":
        assert error["message"].startswith(message)
    if language.startswith("zh"):
        assert answer.headers["content-language"] == "zh"


async def test_without_a_wish_an_error_speaks_the_language_of_the_demand(door: Door) -> None:
    for character, lang in (("想", "zh"), ("x", "en")):
        answer = await door.client.post(SUBMIT, json={"raw_input": character * 10_001})
        assert answer.status_code == 400
        assert answer.headers["content-language"] == lang


async def test_demands_that_wait_for_a_person_or_a_confirmation_count_as_open(tmp_path: Path) -> None:
    people = [{"display_name": "小林", "capability_tags": ["演讲嘉宾"]}]
    async with served(tmp_path, settings={"max_open_runs": 3}) as door:
        bodies = [{"raw_input": DEMAND, "participants": people}, *[{"raw_input": DEMAND, "confirm": True}] * 7]
        answers = await asyncio.gather(*(door.client.post(SUBMIT, json=body) for body in bodies))
        taken = [answer.json()["demand_id"] for answer in answers if answer.status_code == 200]
        refused = [answer.json()["error"] for answer in answers if answer.status_code != 200]
        assert (len(taken), {error["code"] for error in refused}) == (3, {"OVERLOADED"})
        assert "本节点未结束的需求已达上限" in refused[0]["message"] + refused[0]["why"]
        await door.client.post(f"/api/v1/demand/{taken[0]}/cancel")
        await door.stream(taken[0])
        assert await door.submit()


async def test_a_burst_up_to_the_limit_is_taken_whole(tmp_path: Path) -> None:
    async with served(tmp_path, settings={"max_open_runs": 12}) as door:
        body = {"raw_input": DEMAND, "confirm": True}
        answers = await asyncio.gather(*(door.client.post(SUBMIT, json=body) for _ in range(12)))
        assert {answer.status_code for answer in answers} == {200}
        assert (await door.client.post(SUBMIT, json=body)).status_code == 503


async def test_one_user_of_a_key_cannot_fill_the_node(tmp_path: Path) -> None:
    ann, bob = "ann-key-0123456789ab", "bob-key-0123456789ab"
    keys = {"api_keys": f"ann:{ann}, bob:{bob}", "max_open_per_user": 2}
    async with served(tmp_path, settings=keys) as door:

        async def asked(key: str) -> httpx.Response:
            head = {"Authorization": f"Bearer {key}"}
            return await door.client.post(SUBMIT, json={"raw_input": DEMAND, "confirm": True}, headers=head)

        answers = [await asked(key) for key in (ann, ann, ann, bob)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 200]
    error = answers[2].json()["error"]
    assert (error["code"], answers[2].headers["retry-after"]) == ("RATE_LIMITED", "60")
    assert "您已有 2 个未结束的需求，这是本节点对一个用户的上限" in error["message"] + error["why"]
    assert error["hint"] == "等其中一个结束，或取消一个"


async def test_an_overloaded_node_says_when_to_come_back(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, participants=gate.behind, settings={"max_open_runs": 1}) as door:
        first = await door.submit()
        answer = await door.client.post(SUBMIT, json={"raw_input": DEMAND})
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "OVERLOADED"
        assert int(answer.headers["retry-after"]) > 0
        gate.opened.set()
        await door.stream(first)
