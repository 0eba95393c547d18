"""People take part in a demand over HTTP: invited by the requester, answering with a token of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moothall.negotiation.demand.invitation import without_sums
from tests.server.door import DEMAND, SUBMIT, Door, opened, served
from tests.support.demand import WITHDRAW, Script, profile, running

CHANNELS = "/api/v1/channels"
LIN = {"display_name": "小林", "capability_tags": ["演讲嘉宾"]}
OFFER = {"decision": "participate", "contribution": "讲一小时", "reasoning": "熟悉这个题目", "price": 500}


class Guest:
    """A person at the door, with the token that the requester passed on."""

    def __init__(self, door: Door, channel_id: str, agent_id: str, token: str) -> None:
        self._door = door
        self.channel_id, self.agent_id, self.token = channel_id, agent_id, token
        self.demand_id = channel_id.replace("collab-", "d-")

    async def invitation(self, token: str | None = None) -> Any:
        return await self._door.client.get(f"{CHANNELS}/{self.channel_id}/invitation", headers=self._head(token))

    async def offer(self, token: str | None = None, **body: Any) -> Any:
        path = f"{CHANNELS}/{self.channel_id}/offer"
        return await self._door.client.post(path, json={**OFFER, **body}, headers=self._head(token))

    async def feedback(self, kind: str = "accept", token: str | None = None, **body: Any) -> Any:
        path = f"{CHANNELS}/{self.channel_id}/feedback"
        return await self._door.client.post(path, json={"feedback_type": kind, **body}, headers=self._head(token))

    async def until(self, kind: str) -> dict[str, Any]:
        """Follow the demand up to the next event of a kind that is about a later round than those seen."""
        async for event in self._door.node.log.follow(self.demand_id):
            if event.type == f"towow.{kind}":
                return event.payload
        message = f"the demand ended without {kind}"
        raise AssertionError(message)

    async def asked_again(self, number: int) -> None:
        async for event in self._door.node.log.follow(self.demand_id):
            if event.type == "towow.proposal.distributed" and event.payload["round"] == number:
                return

    def _head(self, token: str | None) -> dict[str, str]:
        given = self.token if token is None else token
        return {"X-Participant-Token": given} if given else {}


async def guests(door: Door, *people: dict[str, Any], demand: str = DEMAND) -> list[Guest]:
    """Submit a demand with people, and wait until they are asked."""
    answer = await door.client.post(SUBMIT, json={"raw_input": demand, "participants": list(people)})
    assert answer.status_code == 200, answer.text
    reply = answer.json()
    found = [Guest(door, reply["channel_id"], name, token) for name, token in reply["participant_tokens"].items()]
    await found[0].until("demand.broadcast")
    return found


def hosts(tmp_path: Path, **settings: Any) -> Any:
    """A node with a venue and a planner, and nobody to speak."""
    profiles = [profile("hall", "场地提供"), profile("planner", "活动策划", price=800)]
    return running(tmp_path, profiles, **settings)


@pytest.mark.requirement("NEG-API-28")
async def test_a_persons_offer_and_feedback_change_the_plan_like_an_agents(tmp_path: Path) -> None:
    async with hosts(tmp_path) as node, opened(node) as door:
        (guest,) = await guests(door, LIN)
        assert (await guest.offer()).json() == {
            "channel_id": guest.channel_id, "agent_id": guest.agent_id, "status": "accepted",
        }  # fmt: skip
        await guest.asked_again(1)
        first = (await guest.invitation()).json()
        wish = {"price": 650, "reason": "路途远"}
        assert (await guest.feedback("negotiate", proposed_changes=wish)).status_code == 200
        await guest.asked_again(2)
        second = (await guest.invitation()).json()
        assert (await guest.feedback("accept", reasoning="好")).status_code == 200
        events = await door.stream(guest.demand_id)
        log = await door.client.get(
            f"/api/v1/admin/channels/{guest.channel_id}/log", headers={"X-Admin-Key": node.owner_token}
        )
    final = events[-1]["payload"]["final_proposal"]
    assert (first["last_word"], second["last_word"]) == (False, False)
    assert [item["price"] for item in first["your_assignments"]] == [500]
    assert [item["price"] for item in second["your_assignments"]] == [650]
    mine = [item for item in final["assignments"] if item["agent_id"] == guest.agent_id]
    assert [(item["display_name"], item["role"], item["price"]) for item in mine] == [("小林", "演讲嘉宾", 650)]
    assert final["cost"]["total"] == sum(item["price"] for item in final["assignments"])
    assert final["consensus"] == "full"
    told = [event["payload"] for event in events if event["payload"].get("agent_id") == guest.agent_id]
    assert {"decision", "feedback_type", "bargain_type"} <= {key for payload in told for key in payload}
    spoken = [item["body"]["type"] for item in log.json()["messages"] if item["from"] == guest.agent_id]
    assert spoken == ["offer_response", "proposal_feedback", "proposal_feedback"]


@pytest.mark.requirement("NEG-API-28")
async def test_a_person_that_withdraws_is_left_out_and_the_gap_is_told(tmp_path: Path) -> None:
    async with hosts(tmp_path) as node, opened(node) as door:
        (guest,) = await guests(door, LIN)
        await guest.offer()
        await guest.asked_again(1)
        await guest.feedback("reject", reasoning="那天没空")
        events = await door.stream(guest.demand_id)
    assert events[-1]["payload"]["reason"] == "core_role_lost"
    assert any(event["event_type"] == "towow.agent.withdrawn" for event in events)


@pytest.mark.requirement("NEG-API-28")
async def test_a_person_is_told_that_the_last_round_is_the_last_word(tmp_path: Path) -> None:
    async with hosts(tmp_path) as node, opened(node) as door:
        (guest,) = await guests(door, LIN)
        assert not (await guest.invitation()).json()["last_word"]
        await guest.offer()
        told = []
        for number, price in ((1, 650), (2, 700), (3, 750)):
            await guest.asked_again(number)
            told.append((await guest.invitation()).json()["last_word"])
            await guest.feedback("negotiate", proposed_changes={"price": price})
        await door.stream(guest.demand_id)
    assert told == [False, False, True]


@pytest.mark.requirement("NEG-API-28")
async def test_a_person_that_was_not_chosen_is_asked_for_a_place_that_came_open(tmp_path: Path) -> None:
    team = [
        *(profile(name, tag) for name, tag in (("hall", "场地提供"), ("planner", "活动策划"))),
        *(profile(name, "演讲嘉宾", price=300) for name in ("first", "second")),
    ]
    leaves = {"second": Script(reviews=[WITHDRAW])}
    async with running(tmp_path, team, leaves) as node, opened(node) as door:
        (guest,) = await guests(door, LIN, demand="我想在北京办一场AI主题聚会，需要场地和2位嘉宾")
        await guest.offer()
        asked = await guest.until("substitute.invited")
        seen = (await guest.invitation()).json()
        answer = await guest.feedback("accept", reasoning="好")
        events = await door.stream(guest.demand_id)
    assert (asked["agent_id"], seen["asked"], answer.status_code) == (guest.agent_id, "review", 200)
    assert (seen["last_word"], asked["deadline_at"]) == (True, seen["deadline_at"])
    assert [item["price"] for item in seen["your_assignments"]] == [500]
    final = events[-1]["payload"]
    assert guest.agent_id in {item["agent_id"] for item in final["final_proposal"]["assignments"]}
    assert (final["consensus"], final["unconfirmed"]) == ("full", [])


@pytest.mark.requirement("NEG-API-28")
async def test_without_a_price_a_person_asks_for_none_and_conditions_stay_open(tmp_path: Path) -> None:
    async with hosts(tmp_path) as node, opened(node) as door:
        (guest,) = await guests(door, LIN)
        answer = await guest.offer(decision="conditional", conditions=["需要投影仪"], price=None)
        assert answer.status_code == 200
        await guest.asked_again(1)
        await guest.feedback("accept")
        events = await door.stream(guest.demand_id)
    final = events[-1]["payload"]["final_proposal"]
    (mine,) = [item for item in final["assignments"] if item["agent_id"] == guest.agent_id]
    assert mine["price"] == 0
    assert [item["text"] for item in mine["conditions"]] == ["需要投影仪"]
    assert final["cost"]["total"] == sum(item["price"] for item in final["assignments"])


@pytest.mark.requirement("NEG-API-28")
async def test_only_one_answer_counts_in_a_round(tmp_path: Path) -> None:
    async with hosts(tmp_path) as node, opened(node) as door:
        (guest,) = await guests(door, LIN)
        early = await guest.feedback("accept")
        await guest.offer()
        twice = await guest.offer(price=9)
        await guest.asked_again(1)
        other = await guest.offer(price=9)
        stale = await guest.feedback("accept", round=2)
        await guest.feedback("accept")
        again = await guest.feedback("withdraw")
        events = await door.stream(guest.demand_id)
    assert [answer.status_code for answer in (early, twice, other, stale)] == [409] * 4
    assert again.status_code in {409, 401}  # the accepted plan may have ended the negotiation already
    assert events[-1]["payload"]["consensus"] == "full"


@pytest.mark.requirement("NEG-API-28")
async def test_two_answers_at_once_are_one_answer(tmp_path: Path) -> None:
    """The second is refused by the store, not by what was read a moment before."""
    async with hosts(tmp_path) as node, opened(node) as door:
        first, second = await guests(door, LIN, {"display_name": "小周", "capability_tags": ["摄影"]})
        record = await node.demands.record(first.demand_id)
        body = {"type": "offer_response", "channel_id": first.channel_id, "agent_id": first.agent_id}
        key = f"{first.agent_id}.offer.r1"
        posted = await node.log.post(
            record.id, key, "offer_response", first.agent_id, {**body, "decision": "participate", "contribution": "一"}
        )
        answer = await first.offer()
        assert posted is True
        assert answer.status_code == 409
        assert (await second.offer(contribution="照片")).status_code == 200


@pytest.mark.requirement("NEG-API-28")
async def test_a_forged_foreign_or_missing_token_opens_nothing(tmp_path: Path) -> None:
    async with hosts(tmp_path) as node, opened(node) as door:
        (guest,), (stranger,) = await guests(door, LIN), await guests(door, LIN)
        bad = ("", "x", guest.token[:-1], stranger.token, "é", guest.agent_id)
        for token in bad:
            headers = {"X-Participant-Token": token.encode()} if token else {}
            for method, path in (("GET", "invitation"), ("POST", "offer"), ("POST", "feedback")):
                body = {"json": OFFER if path == "offer" else {"feedback_type": "accept"}} if method == "POST" else {}
                url = f"{CHANNELS}/{guest.channel_id}/{path}"
                answer = await door.client.request(method, url, headers=headers, **body)
                assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHENTICATED"), token
        kept = (await node.demands.record(guest.demand_id)).meta["people"]
        assert guest.token not in str(kept)


@pytest.mark.requirement("NEG-API-28")
async def test_a_token_ends_with_its_negotiation(tmp_path: Path) -> None:
    async with hosts(tmp_path) as node, opened(node) as door:
        (guest,) = await guests(door, LIN)
        await door.client.post(f"/api/v1/demand/{guest.demand_id}/cancel")
        answers = [await guest.offer(), await guest.feedback(), await guest.invitation()]
    assert [answer.status_code for answer in answers] == [401, 401, 401]


@pytest.mark.parametrize("body", [
    {"decision": "perhaps"}, {"contribution": " "}, {"decision": "conditional"}, {"conditions": ["x"]},
    {"decision": "decline", "price": 3}, {"price": -1}, {"price": "500"}, {"price": True}, {"price": 10**12},
    {"price": 10**30}, {"dates": []}, {"dates": ["tomorrow"]}, {"currency": "元"}, {"agent_id": "user_agent_hall"},
    {"priec": 3}, {"channel_id": "collab-00000000"}, {"contribution": "x" * 2001}, {"conditions": [" "] },
    {"confidence": 101}, {"type": "proposal_feedback"},
])  # fmt: skip
async def test_an_offer_that_cannot_be_used_is_refused_with_a_reason(tmp_path: Path, body: dict[str, Any]) -> None:
    async with hosts(tmp_path) as node, opened(node) as door:
        (guest,) = await guests(door, LIN)
        answer = await guest.offer(**body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_INPUT")
        assert answer.json()["error"]["why"]
        assert (await guest.offer()).status_code == 200


@pytest.mark.parametrize("body", [
    {"feedback_type": "maybe"}, {"feedback_type": "negotiate"}, {"proposed_changes": {"price": 3}},
    {"feedback_type": "negotiate", "proposed_changes": {"price": "more"}},
    {"feedback_type": "negotiate", "proposed_changes": {"date": "some day"}},
    {"feedback_type": "negotiate", "proposed_changes": {"requires": 3}},
    {"feedback_type": "negotiate", "proposed_changes": {"price": {"a": 1}}},
    {"feedback_type": "negotiate", "proposed_changes": {"reason": "just so"}},
    {"agent_id": "user_agent_hall"},
])  # fmt: skip
async def test_feedback_that_cannot_be_used_is_refused_with_a_reason(tmp_path: Path, body: dict[str, Any]) -> None:
    async with hosts(tmp_path) as node, opened(node) as door:
        (guest,) = await guests(door, LIN)
        await guest.offer()
        await guest.asked_again(1)
        answer = await guest.feedback(body.get("feedback_type", "accept"), **body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_INPUT")
        assert (await guest.feedback()).status_code == 200


async def test_half_a_character_of_a_person_is_refused(tmp_path: Path) -> None:
    async with hosts(tmp_path) as node, opened(node) as door:
        (guest,) = await guests(door, LIN)
        answer = await door.client.post(
            f"{CHANNELS}/{guest.channel_id}/offer",
            content=b'{"decision": "participate", "contribution": "\\ud800"}',
            headers={"Content-Type": "application/json", "X-Participant-Token": guest.token},
        )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_INPUT")


@pytest.mark.requirement("NEG-API-28")
async def test_an_invitation_shows_what_is_asked_and_nobody_elses_offer(tmp_path: Path) -> None:
    async with hosts(tmp_path) as node, opened(node) as door:
        guest, other = await guests(door, LIN, {"display_name": "小周", "capability_tags": ["摄影"]})
        before = (await guest.invitation()).json()
        await other.offer(contribution="悄悄话：全程摄影")
        await guest.offer()
        await guest.asked_again(1)
        after = await guest.invitation()
    assert (before["asked"], before["proposal"], before["your_offer"]) == ("offer", None, None)
    assert before["demand"]["context"]["location"] == "北京"
    assert before["deadline_at"].endswith("Z")
    assert (after.json()["asked"], after.json()["round"]) == ("review", 1)
    assert after.json()["your_offer"]["contribution"] == "讲一小时"
    assert "悄悄话" not in after.text


@pytest.mark.requirement("NEG-API-28")
async def test_a_person_sees_who_does_what_but_no_price_except_their_own_and_no_budget(tmp_path: Path) -> None:
    profiles = [
        profile("hall", "场地提供", price=617), profile("dear_hall", "场地提供", price=733),
        profile("planner", "活动策划", price=811),
    ]  # fmt: skip
    async with running(tmp_path, profiles) as node, opened(node) as door:
        (guest,) = await guests(door, LIN, demand=f"{DEMAND}，预算54321元")
        before = await guest.invitation()
        await guest.offer()
        await guest.asked_again(1)
        after = await guest.invitation()
    plan = after.json()["proposal"]
    assert [item["role"] for item in plan["assignments"]] == ["场地提供", "演讲嘉宾", "活动策划"]
    assert [item["price"] for item in after.json()["your_assignments"]] == [500]
    assert set(plan) == {"proposal_id", "version", "objective", "assignments", "timeline"}
    assert set(plan["assignments"][0]) == {"agent_id", "display_name", "role", "responsibility"}
    for answer in (before, after):
        assert answer.json()["demand"]["context"]["budget"] is None
        assert answer.json()["demand"]["constraints"]["budget"] is None
        assert answer.json()["demand"]["surface_demand"]
        assert not any(secret in answer.text for secret in ("54321", "dear_hall"))


@pytest.mark.parametrize(("said", "shown"), [
    ("在北京办聚会，预算5万元，需要场地", "在北京办聚会，…，需要场地"),
    ("a party for 30 people, budget $2000", "a party for 30 people, …"),
    ("每人200元以内，总预算3000元", "…，总…"),
    ("30个人在2027-05-01聚会", "30个人在2027-05-01聚会"),
    ("费用1元" * 21, ""),
    ("不超过4321，北京，场地", "不超过…，北京，场地"),
    ("总共4321以内（场地2345，摄影1234）", "总共…以内（场地…，摄影…）"),
    ("总共两万以内，给主持八千五", "总共…以内，给主持…"),
    ("I need a venue in Beijing under 4,321", "I need a venue in Beijing under …"),
    ("a photographer, total cap 4321", "a photographer, total cap …"),
    ("we have five thousand across cities", "we have … across cities"),
    ("my budget is 4321 rather than 5678", "my … rather than …"),
    ("for 4321 and 30 people", "for … and 30 people"),
    ("1234567890123456 at most, or 4.3e6", "… at most, or …"),
    ("40% of 4321 in advance", "40% of … in advance"),
    ("12月5日19:30到21:00，30到40人，18岁以上，三十位嘉宾", "12月5日19:30到21:00，30到40人，18岁以上，三十位嘉宾"),
    ("on Dec 20, 2027 from 10 am, 25-30 people, 20 chairs", "on Dec 20, 2027 from 10 am, 25-30 people, 20 chairs"),
    ("十分重视，千万不要迟到，万一下雨改期", "十分重视，千万不要迟到，万一下雨改期"),
    ("Room 301, a two-hour talk on web3 and covid-19", "Room 301, a two-hour talk on web3 and covid-19"),
])  # fmt: skip
def test_sums_are_taken_out_of_what_a_person_reads(said: str, shown: str) -> None:
    assert without_sums(said) == shown


def test_the_head_count_of_a_demand_stays_where_nothing_says_that_it_counts() -> None:
    assert without_sums("人数：30，预算4321", 30) == "人数：30，…"


@pytest.mark.requirement("NEG-API-28")
async def test_people_are_asked_whoever_else_there_is_and_their_ids_are_no_agents(tmp_path: Path) -> None:
    crowd = [profile(f"hall_{number:02d}", "场地提供", price=500 + number) for number in range(30)]
    async with running(tmp_path, crowd, response_timeout=0.4) as node, opened(node) as door:
        people = [{"display_name": f"客人{number}", "capability_tags": ["书法"]} for number in range(10)]
        invited = await guests(door, *people, demand="在北京找一个场地")
        events = await door.stream(invited[0].demand_id)
        fake = {**profile("x", "摄影").public(), "agent_id": invited[0].agent_id}
        claim = await door.client.post("/api/v1/admin/agents", json=fake, headers={"X-Admin-Key": node.owner_token})
    candidates = next(event for event in events if event["event_type"] == "towow.filter.completed")["payload"]
    names = [item["agent_id"] for item in candidates["candidates"]]
    assert names[:10] == [guest.agent_id for guest in invited]
    assert len(names) == 20
    assert claim.status_code == 400


async def test_a_person_alone_carries_a_demand_that_no_agent_fits(tmp_path: Path) -> None:
    async with served(tmp_path, agents=False) as door:
        (guest,) = await guests(
            door, {"display_name": "小林", "capability_tags": ["场地提供"]}, demand="在北京找一个场地"
        )
        await guest.offer(contribution="我的客厅", price=0)
        await guest.asked_again(1)
        await guest.feedback("accept")
        events = await door.stream(guest.demand_id)
    assert events[-1]["payload"]["participants_count"] == 1
    assert events[-1]["payload"]["consensus"] == "full"


@pytest.mark.requirement("NEG-API-28")
async def test_a_persons_answer_outlives_a_restart(tmp_path: Path, database_url: str) -> None:
    async with hosts(tmp_path, database_url=database_url) as node, opened(node) as door:
        (guest,) = await guests(door, LIN)
    async with running(tmp_path, database_url=database_url) as node, opened(node) as door:
        again = Guest(door, guest.channel_id, guest.agent_id, guest.token)
        assert (await again.invitation()).json()["asked"] == "offer"
        assert (await again.offer()).status_code == 200
        await again.asked_again(1)
        assert (await again.feedback("accept")).status_code == 200
        events = await door.stream(guest.demand_id)
    assert events[-1]["payload"]["consensus"] == "full"


KEYS = {"api_keys": "user_alice:0123456789abcdef-alice,user_bob:0123456789abcdef-bob"}
ALICE = {"Authorization": "Bearer 0123456789abcdef-alice"}


@pytest.mark.requirement("NEG-API-28", "NEG-API-09")
async def test_where_keys_are_asked_for_a_person_needs_none_and_never_sees_the_stream(tmp_path: Path) -> None:
    async with hosts(tmp_path, **KEYS) as node, opened(node) as door:
        answer = await door.client.post(SUBMIT, json={"raw_input": DEMAND, "participants": [LIN]}, headers=ALICE)
        reply = answer.json()
        ((name, token),) = reply["participant_tokens"].items()
        guest = Guest(door, reply["channel_id"], name, token)
        await guest.until("demand.broadcast")
        assert (await guest.invitation()).status_code == 200
        assert (await guest.offer()).status_code == 200
        stream = f"/api/v1/events/negotiations/{reply['demand_id']}/stream"
        refused = [
            await door.client.get(stream, params={"token": token}),
            await door.client.get(stream, headers={"X-Participant-Token": token}),
            await door.client.get(f"{CHANNELS}/{reply['channel_id']}", headers={"X-Participant-Token": token}),
        ]
        await guest.asked_again(1)
        await guest.feedback("accept")
        shown = await door.client.get(stream, params={"token": reply["stream_token"]})
        recent = await door.client.get(stream.replace("stream", "recent"), params={"token": reply["stream_token"]})
        other = await door.client.get(
            f"{CHANNELS}/{reply['channel_id']}", headers={"Authorization": "Bearer 0123456789abcdef-bob"}
        )
    assert [answer.status_code for answer in refused] == [404, 401, 401]
    assert (shown.status_code, recent.status_code) == (200, 200)
    assert "proposal.finalized" in shown.text
    assert (other.status_code, other.json()["error"]["code"]) == (404, "E007")
