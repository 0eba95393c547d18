from __future__ import annotations

import asyncio

import pytest

from moothall.clock import SystemClock
from moothall.protocols.realtime.limits import Limits
from tests.protocols.realtime.town import STREAM, Town

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.requirement("RTC-01")
async def test_a_signed_caller_hears_its_groups_and_its_mailbox(place: Town) -> None:
    group = await place.group("anna", "ben")
    async with place.stream("anna") as stream:
        assert stream.answer.status_code == 200
        assert stream.answer.headers["content-type"].startswith("text/event-stream")
        await stream.begun()
        await place.say(group, "ben", "hello")
        await place.call("ben", "realtime.send", to=place.did("anna"), content={"text": "for you"})
        assert await stream.texts(2) == ["hello", "for you"]
    first, second = stream.events
    assert first["event_type"] == "moot.group.message"
    assert first["payload"]["sender"] == place.did("ben")
    assert second["event_type"] == "moot.agent.message"


@pytest.mark.requirement("RTC-01")
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}, {"X-Agent-DID": "did:key:z6Mk"}])
async def test_who_proves_nothing_gets_401_with_the_text_and_a_challenge(place: Town, headers: dict[str, str]) -> None:
    answer = await place.client.get(f"{place.near.url}{STREAM}", headers={"Accept-Language": "en", **headers})
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "Authentication failed"
    assert "www-authenticate" in answer.headers


async def test_a_token_in_the_address_is_refused_whatever_it_is(place: Town) -> None:
    token = await place.token("anna")
    answer = await place.client.get(f"{place.near.url}{STREAM}?access_token={token}")
    assert answer.status_code == 400
    assert token not in answer.text


@pytest.mark.requirement("RTC-01")
async def test_resume_over_several_topics_loses_and_doubles_nothing(place: Town) -> None:
    groups = [await place.group("anna", "ben") for _ in range(3)]
    wanted = "?topics=" + ",".join(["mailbox", *(f"group:{group}" for group in groups)])
    async with place.stream("anna", wanted) as stream:
        token = await stream.begun()
    said = []
    for n in range(12):
        text = f"m{n}"
        said.append(text)
        if n % 4 == 3:
            await place.call("ben", "realtime.send", to=place.did("anna"), content={"text": text})
        else:
            await place.say(groups[n % 3], "ben", text)
    heard: list[str] = []
    while len(heard) < 12:
        async with place.stream("anna", wanted, headers={"Last-Event-ID": token}) as stream:
            heard += [text for text in await stream.texts(1) if text.startswith("m")]
            token = stream.token
    assert sorted(heard) == sorted(said)


async def test_what_is_said_to_an_unconnected_member_is_there_when_it_comes_back_with_its_token(place: Town) -> None:
    group = await place.group("anna", "ben")
    async with place.stream("anna", f"?topics=group:{group}") as stream:
        await stream.begun()
    await place.say(group, "ben", "while you were away")
    async with place.stream("anna", f"?topics=group:{group}&last_event_id={stream.token}") as again:
        assert await again.texts(1) == ["while you were away"]


@pytest.mark.parametrize("token", ["evt-0123abcd-1", "r1~x", "r1~0123456789ab.-1", "r2"])
async def test_what_is_no_token_is_refused(place: Town, token: str) -> None:
    async with place.stream("anna", headers={"Last-Event-ID": token}) as stream:
        assert stream.answer.status_code == 400


async def test_a_token_from_beyond_the_end_gives_what_happens_from_now_on(place: Town) -> None:
    group = await place.group("anna", "ben")
    async with place.stream("anna", f"?topics=group:{group}") as stream:
        await stream.begun()
    beyond = stream.token.rpartition(".")[0] + ".999999"
    async with place.stream("anna", f"?topics=group:{group}", headers={"Last-Event-ID": beyond}) as stream:
        await stream.begun()
        await place.say(group, "ben", "now")
        assert await stream.texts(1) == ["now"]


@pytest.mark.requirement("RTC-01")
async def test_an_idle_stream_shows_signs_of_life_that_bear_the_token(place: Town) -> None:
    async with place.stream("anna", "?from=now") as stream:
        await stream.begun()
        for connection in next(iter(place.near.host.live.manager.sse_connections.values())):
            connection.beat(SystemClock().monotonic())
        block = await stream.block()
    assert block is not None
    assert block.keys() == {"", "id"}
    assert block["id"] == stream.token


@pytest.mark.requirement("RTC-03")
async def test_connections_of_one_identity_are_capped_and_freed(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = place.near.host.live.manager
    monkeypatch.setattr(manager, "limits", Limits(per_identity=2))
    async with place.stream("carl") as first, place.stream("carl") as second:
        await first.begun()
        await second.begun()
        async with place.stream("carl") as third:
            assert third.answer.status_code == 503
            assert int(third.answer.headers["retry-after"]) > 0
        async with place.stream("anna") as other:
            assert other.answer.status_code == 200
    await gone(place, "carl")
    async with place.stream("carl") as again:
        assert again.answer.status_code == 200


async def gone(place: Town, name: str) -> None:
    while place.near.host.live.manager.online(place.did(name)):  # noqa: ASYNC110 - the server sees it when it sees it
        await asyncio.sleep(0)


async def test_only_get_is_answered(place: Town) -> None:
    answer = await place.client.post(f"{place.near.url}{STREAM}", json={})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
