"""Clients that take nothing in are disconnected; positions and what is wanted, by themselves."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.errors import InvalidInput
from moothall.protocols.realtime import positions
from moothall.protocols.realtime.limits import Limits
from moothall.protocols.realtime.wanted import Wanted
from tests.protocols.realtime.town import SOCKET, STREAM, Town

TOPICS = st.dictionaries(st.from_regex(r"grp-[0-9a-f]{24}", fullmatch=True), st.integers(0, 10**9), max_size=20)


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.requirement("RTC-02", "RTC-04")
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("path", "who", "headers"), [(STREAM, "anna", {}), (SOCKET, "carl", UPGRADE)])
async def test_a_client_that_takes_nothing_in_is_disconnected_and_the_others_hear_all(
    place: Town, monkeypatch: pytest.MonkeyPatch, path: str, who: str, headers: dict[str, str]
) -> None:
    manager = place.near.host.live.manager
    monkeypatch.setattr(manager, "limits", Limits(writing_seconds=0))
    host, port = place.near.url.removeprefix("http://").split(":")
    idle = socket.create_connection((host, int(port)))
    idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    signed = headers | place.signed(who, f"{place.near.url}{path}")
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", *(f"{name}: {value}" for name, value in signed.items())]
    idle.sendall("\r\n".join([*lines, "", ""]).encode())
    did = place.did(who)
    while not manager.online(did):  # noqa: ASYNC110 - the server sees it when it sees it
        await asyncio.sleep(0)
    (stuck,) = (manager.websocket_sessions if headers else manager.sse_connections)[did]
    async with place.stream("ben", "?from=now") as other:
        await other.begun()
        n = 0
        while manager.online(did) and stuck.beat(place.near.clock.monotonic()):
            sender = f"did:key:sender{n // 16}"  # more would be beyond the share of one
            await manager.send_to_agent(did, {"text": "x" * 60_000}, sender, message_id=f"big{n}")
            n += 1
        assert stuck.pump is not None
        stuck.pump.cancel()
        await manager.send_to_agent(place.did("ben"), {"text": "still here"}, did)
        assert await other.texts(1) == ["still here"]
    while manager.online(did):  # noqa: ASYNC110 - the server sees it when it sees it
        await asyncio.sleep(0)
    idle.close()
    async with place.stream(who) as again:
        heard = [await again.next()]
        while heard[-1] is not None and heard[-1]["payload"]["id"] != f"big{n - 1}":
            heard.append(await again.next())
        seqs = [event["seq"] for event in heard if event is not None]  # what was read by its connection makes room
        assert len(seqs) == len(heard)
        assert seqs == sorted(set(seqs))


@given(TOPICS)
def test_a_token_is_read_as_it_was_written(found: dict[str, int]) -> None:
    token = positions.write(found)
    assert positions.read(token) == {positions.short(topic): after for topic, after in found.items()}
    for topic, after in found.items():
        before, behind = positions.around(found, topic)
        assert positions.read(f"{before.decode()}{after + 1}{behind.decode()}") == {
            positions.short(each): n + (each == topic) for each, n in found.items()
        }


@given(st.text(max_size=60))
def test_whatever_a_client_sends_as_a_token_is_read_or_refused(token: str) -> None:
    with suppress(InvalidInput):
        positions.read(token)


@given(st.dictionaries(st.text(max_size=12), st.one_of(st.text(max_size=9), st.integers(), st.lists(st.none()))))
def test_whatever_a_client_wants_is_understood_or_refused(said: dict[str, object]) -> None:
    with suppress(InvalidInput):
        Wanted.of_json(said)
