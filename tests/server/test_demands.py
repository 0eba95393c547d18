"""Reading, listing, cancelling, confirming and erasing demands over HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from moothall.events.model import Event
from tests.server.door import DEMAND, SUBMIT, Door, Gate, refused, served

DEMANDS = "/api/v1/demand"
NINE = {
    "demand_id", "requester_id", "raw_input", "surface_demand", "deep_understanding", "capability_tags", "context",
    "status", "created_at",
}  # fmt: skip


async def ended(door: Door, demand_id: str) -> list[Event]:
    """Every public event, once the run is over."""
    return [event async for event in door.node.log.follow(demand_id)]


async def waiting(door: Door, **body: Any) -> dict[str, Any]:
    """A demand that waits for its confirmation: the reply to its submission."""
    answer = await door.client.post(SUBMIT, json={"raw_input": DEMAND, "confirm": True, **body})
    assert answer.status_code == 200, answer.text
    reply: dict[str, Any] = answer.json()
    return reply


@pytest.mark.requirement("NEG-DATA-01")
async def test_a_demand_has_its_nine_fields_and_is_completed_only_at_the_end(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, participants=gate.behind) as door:
        demand_id = await door.submit(user_id="user_alice")
        during = (await door.client.get(f"{DEMANDS}/{demand_id}")).json()
        gate.opened.set()
        await ended(door, demand_id)
        after = (await door.client.get(f"{DEMANDS}/{demand_id}")).json()
    assert during.keys() >= NINE
    assert (during["requester_id"], during["raw_input"], during["context"]["location"]) == (
        "user_alice",
        DEMAND,
        "北京",
    )
    assert during["created_at"].endswith("Z")
    assert (during["status"], after["status"]) == ("processing", "completed")
    assert after["consensus"] == "full"
    assert {name: after[name] for name in NINE - {"status"}} == {name: during[name] for name in NINE - {"status"}}


@pytest.mark.requirement("NEG-API-16")
async def test_status_and_round_are_those_of_the_last_event(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, participants=gate.behind) as door:
        demand_id = await door.submit()
        async for event in door.node.log.follow(demand_id):
            if event.type == "towow.proposal.distributed":
                break
        during = (await door.client.get(f"{DEMANDS}/{demand_id}/status")).json()
        gate.opened.set()
        events = await ended(door, demand_id)
        after = (await door.client.get(f"{DEMANDS}/{demand_id}/status")).json()
    assert (during["channel_status"], during["round"]) == ("negotiating", event.payload["round"])
    assert (after["channel_status"], after["status"]) == ("finalized", "completed")
    assert after["round"] == events[-1].payload["rounds_taken"]


@pytest.mark.requirement("NEG-API-16", "NEG-FAIL-01")
async def test_after_a_failure_the_demand_tells_its_code_in_the_language_of_the_demand(tmp_path: Path) -> None:
    async with served(tmp_path, agents=False) as door:
        demand_id = await door.submit()
        events = await ended(door, demand_id)
        answer = await door.client.get(f"{DEMANDS}/{demand_id}")
    seen = answer.json()
    assert answer.status_code == 200
    assert (seen["status"], seen["channel_status"], seen["round"]) == ("failed", "failed", 0)
    assert seen["error"] == {"code": "E005", "message": "无候选人匹配"}
    assert seen["reason"] == events[-1].payload["reason"] == "no_candidates"
    assert (seen["message"], seen["suggestions"]) == (events[-1].payload["message"], events[-1].payload["suggestions"])
    assert seen["message"]
    assert seen["suggestions"]


@pytest.mark.requirement("NEG-API-08")
@pytest.mark.parametrize("path", ["", "/status", "/cancel", "/confirm"])
async def test_an_unknown_demand_is_e002_everywhere(door: Door, path: str) -> None:
    for demand_id in ("d-00000000", "d-nothing", "%F0%9F%8E%89"):
        method = "POST" if path in {"/cancel", "/confirm"} else "GET"
        answer = await door.client.request(
            method, f"{DEMANDS}/{demand_id}{path}", json={} if method == "POST" else None
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "E002")


@pytest.mark.requirement("NEG-API-19")
async def test_three_demands_are_two_pages_of_two_without_overlap(door: Door) -> None:
    mine = [await door.submit(user_id="user_alice") for _ in range(3)]
    await door.submit(user_id="user_bob")
    first = (await door.client.get(DEMANDS, params={"user_id": "user_alice", "limit": 2})).json()
    query = {"user_id": "user_alice", "limit": 2, "cursor": first["next_cursor"]}
    second = (await door.client.get(DEMANDS, params=query)).json()
    pages = [[item["demand_id"] for item in page["demands"]] for page in (first, second)]
    assert [len(page) for page in pages] == [2, 1]
    assert sorted(pages[0] + pages[1]) == sorted(mine)
    assert second["next_cursor"] is None
    assert {item["requester_id"] for page in (first, second) for item in page["demands"]} == {"user_alice"}


async def test_a_list_can_be_narrowed_to_a_status(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, participants=gate.behind) as door:
        open_one, failed = await door.submit(), await door.submit("在火星上建基地")
        await ended(door, failed)
        found = {}
        for status in ("processing", "failed", "completed", ""):
            page = (await door.client.get(DEMANDS, params={"status": status})).json()
            found[status] = {item["demand_id"] for item in page["demands"]}
        gate.opened.set()
    assert found == {"processing": {open_one}, "failed": {failed}, "completed": set(), "": {open_one, failed}}


@refused
@pytest.mark.parametrize("query", [
    {"cursor": "nonsense"}, {"cursor": "é"}, {"cursor": "!"}, {"cursor": "A" * 201}, {"cursor": "AAAA"},
    {"cursor": "MjAyNi0xMy00NVQwMDowMDowMFp-ZC0wMDAwMDAwMA"}, {"limit": "0"}, {"limit": "101"}, {"limit": "x"},
    {"limit": "9" * 400}, {"status": "open"}, {"user_id": "\0"}, {"user_id": "x" * 201},
])  # fmt: skip
async def test_a_bad_query_is_refused(firm: Door, query: dict[str, str]) -> None:
    answer = await firm.client.get(DEMANDS, params=query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_INPUT")


@pytest.mark.requirement("NEG-API-23")
async def test_a_cancelled_demand_ends_failed_and_stays_so(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, participants=gate.behind) as door:
        demand_id = await door.submit()
        replies = [await door.client.post(f"{DEMANDS}/{demand_id}/cancel") for _ in range(2)]
        events = await ended(door, demand_id)
        seen = (await door.client.get(f"{DEMANDS}/{demand_id}")).json()
    assert [answer.status_code for answer in replies] == [200, 200]
    assert replies[0].json() == {"demand_id": demand_id, "status": "cancelled"} == replies[1].json()
    assert (events[-1].type, events[-1].payload["reason"]) == ("towow.negotiation.failed", "cancelled")
    assert (seen["status"], seen["reason"], seen["error"]) == ("failed", "cancelled", None)
    assert (seen["message"], seen["suggestions"]) == ("需求已取消", events[-1].payload["suggestions"])


@pytest.mark.requirement("NEG-API-23")
async def test_a_demand_that_ended_otherwise_cannot_be_cancelled(door: Door) -> None:
    demand_id = await door.submit()
    await ended(door, demand_id)
    answer = await door.client.post(f"{DEMANDS}/{demand_id}/cancel")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")


@pytest.mark.requirement("NEG-API-23")
async def test_a_confirmed_demand_goes_on_with_the_edited_fields(door: Door) -> None:
    reply = await waiting(door)
    before = (await door.client.get(f"{DEMANDS}/{reply['demand_id']}")).json()
    assert reply["awaiting_confirmation"] is before["awaiting_confirmation"] is True
    edits = {"understanding": {"capability_tags": ["场地提供"], "context": {"expected_attendees": 40}}}
    answer = await door.client.post(f"{DEMANDS}/{reply['demand_id']}/confirm", json=edits)
    events = await ended(door, reply["demand_id"])
    after = (await door.client.get(f"{DEMANDS}/{reply['demand_id']}")).json()
    assert answer.status_code == 200
    assert answer.json()["edited"] == ["capability_tags", "context.expected_attendees"]
    assert answer.json()["source"] == "requester"
    assert [event.type for event in events].index("towow.demand.confirmed") == 2
    assert after["capability_tags"] == ["场地提供"]
    assert after["context"]["expected_attendees"] == 40
    assert after["context"]["location"] == "北京"
    assert after["edited"] == ["capability_tags", "context.expected_attendees"]
    roles = [item["concept"] for item in events[-1].payload["final_proposal"]["assignments"]]
    assert roles == [item["concept"] for item in after["understanding"]["requirements"]]
    assert len(roles) == 1


@pytest.mark.requirement("NEG-API-23")
async def test_a_demand_is_confirmed_once_and_only_when_it_waits(door: Door) -> None:
    reply, plain = await waiting(door), await door.submit()
    path = f"{DEMANDS}/{reply['demand_id']}/confirm"
    first = await door.client.post(path)
    second = await door.client.post(path, json={})
    third = await door.client.post(f"{DEMANDS}/{plain}/confirm", json={})
    assert (first.status_code, first.json()["edited"]) == (200, [])
    assert [answer.status_code for answer in (second, third)] == [409, 409]
    await ended(door, reply["demand_id"])


@pytest.mark.parametrize("body", [
    {"understanding": {"context": {"date": "昨天"}}}, {"understanding": {"context": {"date": "2020-01-01"}}},
    {"understanding": {"context": {"date": "2027-02-30"}}}, {"understanding": {"context": {"budget": "很多"}}},
    {"understanding": {"context": {"budget": -1}}}, {"understanding": {"context": {"expected_attendees": True}}},
    {"understanding": {"capability_tags": []}}, {"understanding": {"surface_demand": " "}},
    {"understanding": {"capability_tag": ["x"]}}, {"understanding": 7}, {"other": 1}, [],
    {"understanding": {"context": {"expected_attendees": 10**30}}},
])  # fmt: skip
async def test_an_edit_that_cannot_be_read_is_refused_and_the_demand_waits_on(door: Door, body: object) -> None:
    reply = await waiting(door)
    answer = await door.client.post(f"{DEMANDS}/{reply['demand_id']}/confirm", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_INPUT")
    assert answer.json()["error"]["why"]
    state = (await door.client.get(f"{DEMANDS}/{reply['demand_id']}/status")).json()
    assert state["awaiting_confirmation"] is True


@pytest.mark.requirement("NEG-API-23")
async def test_a_waiting_demand_can_be_cancelled(door: Door) -> None:
    reply = await waiting(door)
    answer = await door.client.post(f"{DEMANDS}/{reply['demand_id']}/cancel")
    late = await door.client.post(f"{DEMANDS}/{reply['demand_id']}/confirm")
    assert (answer.json()["status"], late.status_code) == ("cancelled", 409)


@pytest.mark.requirement("NEG-OPS-11")
async def test_an_erased_demand_is_nowhere_any_more(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, participants=gate.behind) as door:
        reply = await waiting(door, user_id="user_alice")
        demand_id, channel_id = reply["demand_id"], reply["channel_id"]
        gone = await door.client.delete(f"{DEMANDS}/{demand_id}")
        again = await door.client.delete(f"{DEMANDS}/{demand_id}")
        page = (await door.client.get(DEMANDS, params={"user_id": "user_alice"})).json()
        events = f"/api/v1/events/negotiations/{demand_id}"
        paths = (f"{DEMANDS}/{demand_id}", f"{DEMANDS}/{demand_id}/status", f"{events}/stream", f"{events}/recent")
        found = [await door.client.get(path) for path in paths]
        channel = await door.client.get(f"/api/v1/channels/{channel_id}")
        gate.opened.set()
    assert (gone.status_code, gone.content) == (204, b"")
    assert {(answer.status_code, answer.json()["error"]["code"]) for answer in (again, *found)} == {(404, "E002")}
    assert (channel.status_code, channel.json()["error"]["code"]) == (404, "E007")
    assert page["demands"] == []


@refused
@pytest.mark.requirement("NEG-API-07")
@pytest.mark.parametrize("more", [
    {"confirm": "yes"}, {"confirm": 1}, {"participants": "x"}, {"participants": [{"display_name": "小林"}]},
    {"participants": [{"display_name": "小林", "capability_tags": []}]},
    {"participants": [{"display_name": " ", "capability_tags": ["摄影"]}]},
    {"participants": [{"display_name": "小林", "capability_tags": ["摄影"]}] * 11},
    {"participants": [{"display_name": "x" * 81, "capability_tags": ["摄影"]}]},
    {"participants": [{"display_name": "小林\u202e", "capability_tags": ["摄影"]}]},
    {"participants": [{"display_name": "小林", "capability_tags": ["摄\n影"]}]},
    {"user_context": []}, {"user_context": {"k": "x" * 9000}}, {"user_context": {"n": 2**60}}, {"user_id": "a\0b"},
])  # fmt: skip
async def test_whatever_is_wrong_beside_the_demand_is_e001_too(firm: Door, more: dict[str, Any]) -> None:
    answer = await firm.client.post(SUBMIT, json={"raw_input": DEMAND, **more})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "E001")
    assert await firm.node.log.runs() == []


@pytest.mark.parametrize(
    ("lang", "why"), [("zh", "不接受控制字符和改变书写方向的字符"), ("en", "marks that turn the direction of writing")]
)
async def test_a_name_that_turns_other_words_around_is_refused_with_the_reason_in_the_language_asked_for(
    door: Door, lang: str, why: str
) -> None:
    people = [{"display_name": "\u202e小林", "capability_tags": ["摄影"]}]
    body = {"raw_input": DEMAND, "participants": people}
    answer = await door.client.post(SUBMIT, json=body, headers={"Accept-Language": lang})
    assert answer.status_code == 400
    assert why in answer.json()["error"]["why"]


async def test_many_readers_of_a_running_demand_change_nothing(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, participants=gate.behind) as door:
        demand_id = await door.submit()
        before = await door.node.log.load(demand_id, public=True)
        answers = await asyncio.gather(*(door.client.get(f"{DEMANDS}/{demand_id}") for _ in range(20)))
        gate.opened.set()
        events = await ended(door, demand_id)
    assert {answer.status_code for answer in answers} == {200}
    assert events[: len(before)] == before


ALICE, BOB = ({"Authorization": f"Bearer 0123456789abcdef-{name}"} for name in ("alice", "bob"))
KEYS = {"api_keys": "user_alice:0123456789abcdef-alice,user_bob:0123456789abcdef-bob"}


@pytest.mark.requirement("NEG-API-01", "NEG-API-09")
async def test_with_keys_a_demand_is_there_for_its_user_only(tmp_path: Path) -> None:
    async with served(tmp_path, settings=KEYS) as door:
        body = {"raw_input": DEMAND, "confirm": True}
        reply = (await door.client.post(SUBMIT, json=body, headers=ALICE)).json()
        demand, channel = f"{DEMANDS}/{reply['demand_id']}", f"/api/v1/channels/{reply['channel_id']}"
        alias = f"/api/v1/events/stream?channel_id={reply['channel_id']}"
        calls = [
            *(("GET", path, "E002") for path in (demand, f"{demand}/status", f"{DEMANDS}?user_id=user_alice")),
            *(("POST", f"{demand}/{verb}", "E002") for verb in ("cancel", "confirm")),
            ("DELETE", demand, "E002"),
            *(("GET", f"{channel}{part}", "E007") for part in ("", "/offers", "/proposals", "/agents")),
            ("GET", alias, "E007"),
        ]
        for method, path, code in calls:
            answer = await door.client.request(method, path, headers=BOB)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, code), path
            assert (await door.client.request(method, path)).status_code == 401, path
        page = (await door.client.get(DEMANDS, headers=BOB)).json()
        mine = (await door.client.get(DEMANDS, headers=ALICE)).json()
        assert (await door.client.post(f"{demand}/cancel", headers=ALICE)).status_code == 200
        by_token = await door.client.get(f"{alias}&token={reply['stream_token']}")
        wrong = await door.client.get(f"{alias}&token=x")
    assert page["demands"] == []
    assert [item["demand_id"] for item in mine["demands"]] == [reply["demand_id"]]
    assert (by_token.status_code, wrong.status_code) == (200, 404)
    assert "negotiation.failed" in by_token.text
