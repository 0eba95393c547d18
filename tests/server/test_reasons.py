"""Why something is refused stands in the client's language, names fields as they were sent, and repeats no value."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from moothall.messages import Lang, detect_lang, text
from moothall.server.bodies import MOST_DEEP
from tests.server.door import SUBMIT, Door, refused, served, shared
from tests.support.demand import profile

SECRET = "s3cr3t-value"
INTERNAL = re.compile(r"body\b|constrained|function-|\[key\]|Input should|valid |Field required|Value error|_type")
BAD: dict[str, tuple[Any, str]] = {
    "nothing": ({}, "raw_input"),
    "empty": ({"raw_input": ""}, "raw_input"),
    "too long": ({"raw_input": SECRET * 1000}, "raw_input"),
    "a number": ({"raw_input": 7}, "raw_input"),
    "a list": ([SECRET], ""),
    "user": ({"raw_input": "场地", "user_id": SECRET + "\0"}, "user_id"),
    "long user": ({"raw_input": "场地", "user_id": SECRET * 100}, "user_id"),
    "confirm": ({"raw_input": "场地", "confirm": SECRET}, "confirm"),
    "context": ({"raw_input": "场地", "user_context": [SECRET]}, "user_context"),
    "big context": ({"raw_input": "场地", "user_context": {"a": SECRET * 1000}}, "user_context"),
    "person": ({"raw_input": "场地", "participants": [{"display_name": 3}]}, "participants[0].display_name"),
    "no tags": (
        {"raw_input": "场地", "participants": [{"display_name": "A", "capability_tags": []}]},
        "participants[0].capability_tags",
    ),
    "many": (
        {"raw_input": "场地", "participants": [{"display_name": "A", "capability_tags": ["b"]}] * 11},
        "participants",
    ),
}


@refused
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", BAD)
async def test_a_refused_demand_says_why_and_which_rule_holds(firm: Door, name: str, lang: str) -> None:
    body, field = BAD[name]
    answer = await firm.client.post(SUBMIT, json=body, headers={"Accept-Language": lang})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "E001")
    assert error["why"].startswith(field)
    assert (field.partition("[")[0] or "raw_input") in error["hint"] or field == "raw_input"
    assert not INTERNAL.search(error["why"])
    assert SECRET not in answer.text
    assert detect_lang(error["why"]) == detect_lang(error["hint"]) == lang


@refused
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_a_context_with_a_number_that_is_none_is_refused(firm: Door, number: str) -> None:
    content = f'{{"raw_input": "北京场地", "user_context": {{"a": [{{"b": {number}}}]}}}}'.encode()
    answer = await firm.client.post(SUBMIT, content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "E001")
    assert "user_context" in answer.json()["error"]["hint"]


async def test_a_method_that_is_not_taken_is_told_with_those_that_are(door: Door) -> None:
    answer = await door.client.put(SUBMIT, json={}, headers={"Accept-Language": "zh"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert "POST" in error["why"]
    assert error["hint"]


CONFIRMED: dict[str, tuple[dict[str, Any], str]] = {
    "two types": ({"context": {"budget": True}}, "understanding.context.budget"),
    "below": ({"context": {"budget": -5}}, "understanding.context.budget"),
    "nobody": ({"context": {"expected_attendees": 0}}, "understanding.context.expected_attendees"),
    "unknown": ({"confidence": SECRET}, "understanding.confidence"),
    "a list": ([SECRET], "understanding"),
}


@pytest.mark.parametrize("name", CONFIRMED)
async def test_a_refused_confirmation_names_the_field_without_inner_names(door: Door, name: str) -> None:
    edits, field = CONFIRMED[name]
    demand_id = await door.submit(confirm=True)
    answer = await door.client.post(
        f"/api/v1/demand/{demand_id}/confirm", json={"understanding": edits}, headers={"Accept-Language": "zh"}
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "INVALID_INPUT")
    assert error["why"].startswith(f"{field} ")
    assert not INTERNAL.search(error["why"])
    assert SECRET not in answer.text
    assert detect_lang(error["why"]) == "zh"


KEYS = {"api_keys": "alice:alice-key-0123456789", "admin_api_key": "admin-key-0123456789"}


@pytest.mark.parametrize(("path", "headers", "status", "hint"), [
    ("/api/v1/demand", {}, 401, "Authorization: Bearer"),
    ("/api/v1/events/d-00000000/stream", {}, 401, "Authorization: Bearer"),
    ("/api/v1/admin/stats", {}, 401, "X-Admin-Key"),
    ("/api/v1/admin/stats", {"X-Admin-Key": "nobody-key-0123456789"}, 403, "X-Admin-Key"),
])  # fmt: skip
async def test_who_is_not_let_in_reads_why_in_chinese(
    tmp_path: Path, path: str, headers: dict[str, str], status: int, hint: str
) -> None:
    async with served(tmp_path, settings=KEYS) as door:
        answer = await door.client.get(path, headers={"Accept-Language": "zh", **headers})
        assert answer.status_code == status
        error = answer.json()["error"]
        assert detect_lang(error["why"]) == detect_lang(error["hint"]) == "zh"
        assert hint in error["hint"]


async def test_another_users_id_is_refused_with_the_way_out(tmp_path: Path) -> None:
    async with served(tmp_path, settings=KEYS) as door:
        headers = {"Authorization": "Bearer alice-key-0123456789", "Accept-Language": "zh"}
        answer = await door.client.post(SUBMIT, json={"raw_input": "场地", "user_id": "bob"}, headers=headers)
        assert answer.status_code == 403
        assert "user_id" in answer.json()["error"]["hint"]
        assert detect_lang(answer.json()["error"]["why"]) == "zh"


@refused
@pytest.mark.parametrize("path", [
    "demand/d-00000000", "channels/collab-00000000", "events/negotiations/d-00000000/recent", "demand?user_id=%00", "demand?cursor=x",
    "demand?limit=0", "demand?limit=many", "demand?status=open",
])  # fmt: skip
async def test_what_is_not_there_or_not_readable_is_told_in_chinese(firm: Door, path: str) -> None:
    answer = await firm.client.get(f"/api/v1/{path}", headers={"Accept-Language": "zh"})
    error = answer.json()["error"]
    assert answer.status_code in {400, 404}
    assert detect_lang(error["why"]) == detect_lang(error["hint"]) == "zh"
    assert not INTERNAL.search(error["why"])


async def test_a_place_that_names_two_cities_is_asked_back_with_both(door: Door) -> None:
    demand_id = await door.submit(confirm=True)
    edits = {"understanding": {"context": {"location": "上海或北京"}}}
    answer = await door.client.post(
        f"/api/v1/demand/{demand_id}/confirm", json=edits, headers={"Accept-Language": "zh"}
    )
    assert answer.status_code == 400
    assert "上海、北京" in answer.json()["error"]["why"]
    assert (await door.client.post(f"/api/v1/demand/{demand_id}/confirm", json={})).status_code == 200
    again = await door.client.post(f"/api/v1/demand/{demand_id}/confirm", json={}, headers={"Accept-Language": "zh"})
    assert (again.status_code, detect_lang(again.json()["error"]["why"])) == (409, "zh")


@pytest.mark.parametrize("content", [b"{", b"", b"[1, 2", b"\xff\xfe"])
async def test_what_is_no_json_is_told_with_an_example_of_a_demand(door: Door, content: bytes) -> None:
    headers = {"Accept-Language": "zh", "Content-Type": "application/json"}
    error = (await door.client.post(SUBMIT, content=content, headers=headers)).json()["error"]
    assert error["code"] == "E001"
    assert "raw_input" in error["hint"]
    assert detect_lang(error["why"]) == "zh"
    assert not INTERNAL.search(error["why"])


async def test_who_asks_too_often_reads_in_chinese_when_to_try_again(tmp_path: Path) -> None:
    async with served(tmp_path, settings={**KEYS, "rate_limit": 1}) as door:
        headers = {"Authorization": "Bearer alice-key-0123456789", "Accept-Language": "zh"}
        answers = [await door.client.post(SUBMIT, json={"raw_input": ""}, headers=headers) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [400, 429]
        assert f"{answers[1].headers['retry-after']} 秒" in answers[1].json()["error"]["why"]


def nested(depth: int) -> dict[str, Any]:
    """Objects inside one another."""
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[Door]:
    """A node with keys."""
    async with served(tmp_path, settings=KEYS) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def locked_firm(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """A node with keys for tests that are refused."""
    async with shared(tmp_path_factory.mktemp("locked"), settings=KEYS) as found:
        yield found


ADMIN = {"X-Admin-Key": KEYS["admin_api_key"]}
CARD: dict[str, Any] = profile("quiet", "摄影").private()
OFFER = CARD["capabilities"]["offers"][0]
CARDS: dict[str, tuple[Any, str]] = {
    "a period": ({"capabilities": {"calendar": {"blackout": [SECRET]}}}, "capabilities.calendar.blackout"),
    "no such day": ({"capabilities": {"calendar": {"blackout": ["2027-13-45"]}}}, "capabilities.calendar.blackout"),
    "backwards": (
        {"capabilities": {"calendar": {"blackout": ["2027-02-05/2027-02-01"]}}},
        "capabilities.calendar.blackout",
    ),
    "unclaimed": ({"tags": [SECRET]}, "capabilities.offers"),
    "a floor alone": ({"reservation": {"floors": {SECRET: 1}}}, "reservation.floors"),
    "a high floor": ({"reservation": {"floors": {"摄影": 98765}}}, "reservation.floors"),
    "a condition": (
        {"capabilities": {"offers": [{**OFFER, "conditions": [{"kind": "min_fee", "tag": SECRET}]}]}},
        "capabilities.offers[0].conditions[0]",
    ),
    "a large value": (
        {"capabilities": {"offers": [{**OFFER, "conditions": [{"kind": "lead_days", "value": 98765}]}]}},
        "capabilities.offers[0].conditions[0]",
    ),
    "too large": ({"capabilities": {"portfolio": SECRET * 4000}}, ""),
}


@refused
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", CARDS)
async def test_a_refused_card_says_why_in_the_clients_language_and_repeats_no_value(
    locked_firm: Door, name: str, lang: str
) -> None:
    changes, field = CARDS[name]
    headers = ADMIN | {"Accept-Language": lang}
    answer = await locked_firm.client.post("/api/v1/admin/agents", json=CARD | changes, headers=headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "INVALID_INPUT")
    assert error["why"].startswith(field)
    assert not re.search(f"{SECRET}|98765|2027-13|2027-02-05", answer.text)
    assert not INTERNAL.search(error["why"])
    assert detect_lang(error["why"]) == lang


@refused
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(("context", "key"), [
    ({"a": 2**60}, "why.half_character"), (nested(200), "why.too_deep"), (nested(300), "why.too_deep"),
])  # fmt: skip
async def test_json_that_others_cannot_read_is_refused_for_what_is_wrong_with_it(
    firm: Door, context: Any, key: str, lang: Lang
) -> None:
    body = {"raw_input": "场地", "user_context": context}
    answer = await firm.client.post(SUBMIT, json=body, headers={"Accept-Language": lang})
    why = answer.json()["error"]["why"]
    assert answer.status_code == 400
    assert why.endswith(text(key, lang, most=MOST_DEEP))
    assert why.startswith("user_context")


OTHER = CARD | {"agent_id": "user_agent_other"}
SESSIONS, AGENTS = "/api/v1/admin/session", "/api/v1/admin/agents"
REFUSED: dict[str, tuple[str, str, Any, int]] = {
    "no agent": ("GET", f"{AGENTS}/user_agent_nobody", None, 404),
    "other agent": ("PUT", f"{AGENTS}/user_agent_quiet", OTHER, 400),
    "taken": ("POST", AGENTS, CARD, 409),
    "edited": ("PUT", f"{AGENTS}/user_agent_quiet?revision=9", CARD, 409),
    "no list": ("PUT", AGENTS, {}, 400),
    "no scenario": ("POST", SESSIONS, {"scenario_id": "none"}, 400),
    "two sources": ("POST", SESSIONS, {"scenario_id": "none", "demand_id": "d-00000000"}, 400),
    "no replay": ("POST", f"{SESSIONS}/d-00000000/run", None, 404),
}


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_what_an_admin_is_refused_is_told_in_the_language_asked_for(locked: Door, lang: str) -> None:
    headers = ADMIN | {"Accept-Language": lang}
    await locked.client.post(AGENTS, json=CARD, headers=headers)
    for name, (method, path, body, status) in REFUSED.items():
        answer = await locked.client.request(method, path, json=body, headers=headers)
        error = answer.json()["error"]
        assert (name, answer.status_code) == (name, status)
        assert (name, detect_lang(error["why"]), detect_lang(error["hint"])) == (name, lang, lang)


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_who_has_enough_open_reads_why_in_the_language_asked_for_not_in_that_of_the_demand(
    tmp_path: Path, lang: str
) -> None:
    async with served(tmp_path, settings=KEYS | {"max_open_per_user": 1, "max_open_runs": 2}) as door:
        demands = {"zh": "a venue in Beijing", "en": "北京场地"}
        headers = {"Authorization": "Bearer alice-key-0123456789", "Accept-Language": lang}
        answers = [
            await door.client.post(SUBMIT, json={"raw_input": demands[lang], "confirm": True}, headers=headers)
            for _ in range(2)
        ]
    error = answers[1].json()["error"]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert detect_lang(error["why"]) == detect_lang(error["hint"]) == lang
