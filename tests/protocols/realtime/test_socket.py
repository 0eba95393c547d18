from __future__ import annotations

import json
from dataclasses import replace

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from moothall.protocols.realtime.extension import neighbourhood
from moothall.protocols.realtime.limits import Limits
from moothall.resilience import RateLimiter
from tests.protocols.realtime.town import GATES, Gate, Town

pytestmark = pytest.mark.asyncio(loop_scope="module")
REFUSED = (4001, "Authentication failed")


@pytest.mark.requirement("RTC-02")
async def test_a_signed_upgrade_opens_a_session_that_hears_and_calls(place: Town) -> None:
    group = await place.group("anna", "ben")
    async with place.socket("anna", "?from=now") as socket:
        ready = await socket.next()
        assert (ready["type"], ready["identity"]) == ("ready", place.did("anna"))
        await place.say(group, "ben", "hello")
        assert await socket.texts(1) == ["hello"]
        await socket.send(type="call", id="1", target="hall.add", params={"a": 2, "b": 3})
        assert (await socket.result("1"))["data"] == 5
        await socket.send(type="call", id="2", target="local:hall.who")
        assert (await socket.result("2"))["data"] == place.did("anna")


@pytest.mark.requirement("RTC-02")
async def test_a_first_frame_may_bear_the_proof(place: Town) -> None:
    token = await place.token("anna")
    for frame in (place.proof("anna"), {"type": "auth", "token": token}):
        async with place.socket() as socket:
            await socket.send(**frame)
            assert (await socket.next())["identity"] == place.did("anna")
            await socket.send(type="call", id="1", target="hall.who")
            assert (await socket.result("1"))["data"] == place.did("anna")


async def test_an_access_token_in_the_header_opens_a_session(place: Town) -> None:
    async with place.socket(headers={"Authorization": f"Bearer {await place.token('ben')}"}) as socket:
        assert (await socket.next())["identity"] == place.did("ben")


@pytest.mark.requirement("RTC-02")
async def test_who_proves_nothing_is_accepted_and_closed_with_4001(place: Town) -> None:
    used = place.proof("anna")
    async with place.socket() as socket:
        await socket.send(**used)
        await socket.next()
    frames = [{"type": "auth"}, {"type": "auth", "token": "no"}, {"type": "call", "id": "1"}, used, {"type": ["auth"]}]
    for frame in frames:
        async with place.socket() as socket:
            await socket.send(**frame)
            assert await socket.closed() == REFUSED
    async with place.socket(headers={"Authorization": "Bearer nonsense"}) as socket:
        assert await socket.closed() == REFUSED
    async with place.socket() as socket:
        await socket.link.send(b"\x00")
        assert await socket.closed() == REFUSED


async def test_who_says_nothing_is_closed_after_a_while(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place.near.host.live.manager, "limits", Limits(proof_seconds=0.01))
    async with place.socket() as socket:
        assert await socket.closed() == REFUSED


@pytest.mark.requirement("RTC-02")
async def test_pages_of_browsers_are_refused_before_anything(place: Town) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with place.socket("anna", headers={"Origin": "https://elsewhere.example"}):
            pass
    assert refusal.value.response.status_code == 403


@pytest.mark.requirement("RTC-02")
async def test_a_frame_that_is_too_long_ends_the_session(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place.near.host.live.manager, "limits", Limits(message_bytes=1_000))
    async with place.socket("anna") as socket:
        await socket.send(type="ping", id="x" * 2_000)
        assert (await socket.closed())[0] == 1009


@pytest.mark.requirement("RTC-02")
@pytest.mark.parametrize("text", ["", "no", "[]", '{"type":1}', '{"type":"fly"}', '{"a":1,"a":2}', '{"type":"call"}'])
async def test_what_is_no_frame_is_answered_with_an_error_and_the_session_goes_on(place: Town, text: str) -> None:
    async with place.socket("anna", "?from=now") as socket:
        await socket.link.send(text)
        assert (await socket.next("error"))["error"]["code"] == "VALIDATION_ERROR"
        await socket.send(type="ping", id="p")
        assert (await socket.next("pong"))["id"] == "p"


@pytest.mark.requirement("DEC-40")
async def test_a_call_without_the_permission_is_refused_and_with_it_made(place: Town) -> None:
    for who, code in (("anna", ""), ("ben", "PERMISSION_DENIED")):
        async with place.socket(who, "?from=now") as socket:
            await socket.send(type="call", id="1", target="hall.guarded")
            result = await socket.result("1")
            assert result.get("error", {}).get("code", "") == code
            assert result["success"] == (not code)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"target": "hall.nothing"}, "NOT_FOUND"),
        ({"target": "https://elsewhere.example/x"}, "NOT_FOUND"),
        ({"target": "did:key:z6Mk#x"}, "NOT_FOUND"),
        ({"target": "hall.add", "params": {"a": "x"}}, "VALIDATION_ERROR"),
        ({"target": "hall.add", "params": 7}, "VALIDATION_ERROR"),
        ({"target": "hall.add", "params": {"a": 1}, "timeout": -1}, "VALIDATION_ERROR"),
        ({"target": ""}, "VALIDATION_ERROR"),
        ({"target": "policy.reload"}, "UNAUTHENTICATED"),
    ],
)
async def test_a_call_that_cannot_be_made_fails_by_itself(place: Town, frame: dict[str, object], code: str) -> None:
    async with place.socket("anna", "?from=now") as socket:
        await socket.send(type="call", id="1", **frame)
        await socket.send(type="call", id="2", target="hall.add", params={"a": 1})
        assert (await socket.result("2"))["data"] == 2
        await socket.send(type="call", id="3", **frame)
        assert (await socket.result("3"))["error"]["code"] in {
            code,
            "PERMISSION_DENIED" if frame["target"] == "policy.reload" else code,
        }


async def test_a_call_is_cancelled_when_its_client_says_so_or_leaves(place: Town) -> None:
    GATES["said"], GATES["left"] = Gate(), Gate()
    async with place.socket("anna", "?from=now") as socket:
        await socket.send(type="stream", id="1", target="hall.held", params={"name": "said"})
        assert (await socket.next("item"))["value"] == "begun"
        await socket.send(type="call", id="1", target="hall.add", params={"a": 1})
        assert (await socket.next("error"))["id"] == "1"
        await socket.send(type="cancel", id="1")
        assert await socket.next("cancelled") == {"type": "cancelled", "id": "1"}
        await GATES["said"].ended.wait()
        await socket.send(type="stream", id="2", target="hall.held", params={"name": "left"})
        await GATES["left"].begun.wait()
    await GATES["left"].ended.wait()


async def test_more_calls_than_a_connection_may_have_are_refused(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    GATES["one"] = Gate()
    monkeypatch.setattr(place.near.host.live.manager, "limits", Limits(calls=1))
    async with place.socket("anna", "?from=now") as socket:
        await socket.send(type="stream", id="1", target="hall.held", params={"name": "one"})
        await socket.next("item")
        await socket.send(type="call", id="2", target="hall.add", params={"a": 1})
        assert (await socket.next("error"))["error"]["code"] == "UNAVAILABLE"
        GATES["one"].open.set()
        assert (await socket.result("1"))["success"]


@pytest.mark.requirement("RTC-07")
async def test_a_session_may_turn_to_something_else_and_replay_it(place: Town) -> None:
    group = await place.group("anna", "ben")
    for text in ("one", "two", "three"):
        await place.say(group, "ben", text)
    async with place.socket("anna", f"?topics=group:{group}&from=now") as socket:
        await socket.send(
            type="subscribe", id="s", topics=[f"group:{group}"], types=["moot.group.message"], **{"from": 0}
        )
        assert (await socket.next("subscribed"))["id"] == "s"
        assert await socket.texts(2) == ["one", "two"]
        token = socket.token
    async with place.socket("anna", f"?topics=group:{group}&types=moot.group.message&last_event_id={token}") as socket:
        assert await socket.texts(1) == ["three"]
        await socket.send(type="subscribe", id="t", topics=["mailbox", "x"])
        assert (await socket.next("error"))["id"] == "t"


@pytest.mark.requirement("RTC-06")
async def test_values_come_one_by_one_and_progress_before_the_result(place: Town) -> None:
    async with place.socket("anna", "?from=now") as socket:
        await socket.send(type="stream", id="1", target="hall.tokens", params={"text": "a b c"})
        assert [(await socket.next("item"))["value"] for _ in range(3)] == ["a", "b", "c"]
        assert (await socket.result("1"))["success"]
        await socket.send(type="call", id="2", target="hall.steps")
        progress = await socket.next("progress")
        assert (progress["done"], progress["total"], progress["message"]) == (1, 2, "half")
        assert (await socket.result("2"))["data"] == "done"


@pytest.mark.parametrize("name", [10**30, "x" * 300, {"a": 1}])
async def test_an_id_that_cannot_be_told_back_costs_an_answer_its_id_alone(place: Town, name: object) -> None:
    async with place.socket("anna", "?from=now") as socket:
        await socket.send(type="ping", id=name)
        assert (await socket.next("pong"))["id"] is None
        await socket.send(type="nonsense", id=name)
        assert (await socket.next("error"))["id"] is None
        await socket.send(type="ping", id=7)
        assert (await socket.next("pong"))["id"] == 7


async def test_who_is_suspended_is_not_let_in_by_a_first_frame(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    standing = place.near.host.live.manager.standing
    suspending = replace(standing, suspended=lambda did: did == place.did("carl"))
    monkeypatch.setattr(place.near.host.live.manager, "standing", suspending)
    async with place.socket() as socket:
        await socket.link.send(json.dumps(place.proof("carl")))
        with pytest.raises(ConnectionClosed):
            await socket.next()
        assert socket.link.close_code == 4001


async def test_one_address_has_a_few_connections_that_have_proved_nothing(
    place: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place.near.host.live.manager, "limits", Limits(unproved_per_address=2))
    async with place.socket() as first, place.socket() as second:
        async with place.socket() as third:
            assert (await third.closed())[0] == 1013
        async with place.socket("anna", "?from=now") as proved:  # who proves it with the upgrade is not among them
            assert (await proved.next())["type"] == "ready"
        await first.send(**place.proof("anna"))
        assert (await first.next())["type"] == "ready"
        async with place.socket() as again:
            await again.send(**place.proof("ben"))
            assert (await again.next())["type"] == "ready"
        await second.send(**place.proof("carl"))
        assert (await second.next())["type"] == "ready"


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.7"),
        ("", ""),
        ("a/socket", "a/socket"),
    ],
)
async def test_addresses_of_one_network_are_counted_together(address: str, counted: str) -> None:
    assert neighbourhood(address) == counted


async def test_who_turns_to_something_else_too_often_has_to_wait(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = place.near.host.live.manager
    monkeypatch.setattr(manager, "_turns", RateLimiter(2, lambda: 0.0))
    async with place.socket("anna", "?from=now") as socket, place.socket("ben", "?from=now") as other:
        for n in range(2):
            await socket.send(type="subscribe", id=str(n), topics=["mailbox"], **{"from": "now"})
            assert (await socket.next("subscribed"))["id"] == str(n)
        await socket.send(type="subscribe", id="2")
        refused = await socket.next("error")
        assert (refused["id"], refused["error"]["code"]) == ("2", "RATE_LIMITED")
        await other.send(type="subscribe", id="3")
        assert (await other.next("subscribed"))["id"] == "3"
