"""Negotiation over frames: who comes in, who is who, and how a connection ends (rows META-SESS-03, WIRE-NEGO-15)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from moothall.errors import ProtocolViolation, ServiceNotFoundError, SessionEnded, Unauthenticated, UpstreamError
from moothall.hosting.frames import Spoken
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.identity.signing import sign_request
from moothall.node import Node
from moothall.protocols.frames import proving
from tests.protocols.frames.town import Guests, did, served

pytestmark = pytest.mark.asyncio(loop_scope="module")
"""Nodes are made once for all: they hold no state that a test of another connection could see, but who came."""

HELLO = {"metaProtocol": {"version": "1.0", "supportedCapabilities": []}}


async def by_name(agent: str, _peer: str, _hello: object) -> dict[str, str]:
    return {"agent": agent}


@pytest.fixture(scope="module")
def reception() -> Guests:
    return Guests()


@pytest.fixture
def guests(reception: Guests) -> Guests:
    reception.visits.clear()
    return reception


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bob(tmp_path_factory: pytest.TempPathFactory, reception: Guests) -> AsyncIterator[Node]:
    spoken = Spoken(reception=reception.receive, introduces=by_name, path="/ws")
    async with served(tmp_path_factory.mktemp("bob"), spoken) as node:
        yield node


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def alice(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    async with served(tmp_path_factory.mktemp("alice")) as node:
        yield node


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def carol(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    async with served(tmp_path_factory.mktemp("carol")) as node:
        yield node


def place(node: Node) -> str:
    return node.url.replace("http://", "ws://") + "/agents/node/frames"


def signed(node: Node, url: str) -> dict[str, str]:
    identity = node.host.office.agent(DEFAULT_AGENT)
    assert identity is not None
    now = int(node.clock.now().timestamp())
    return sign_request(identity.signer, "GET", url.replace("ws://", "http://"), b"", now=now)


@pytest.mark.requirement("META-SESS-03")
async def test_both_sides_know_who_the_other_is_before_the_first_frame(alice: Node, bob: Node, guests: Guests) -> None:
    talk = await alice.host.edges.frames.connect(DEFAULT_AGENT, did(bob), HELLO)
    assert (talk.hello.did, talk.hello.body) == (did(bob), {"agent": DEFAULT_AGENT})
    await talk.link.send(b"\x00one")
    assert await talk.link.receive() == b"\x00one"
    assert [(visit.peer, visit.hello) for visit in guests.visits] == [(did(alice), HELLO)]
    await talk.link.close()


@pytest.mark.requirement("META-SESS-03")
async def test_who_does_not_sign_the_upgrade_is_not_let_in(bob: Node, guests: Guests) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(place(bob))
    assert refusal.value.response.status_code == 401
    assert guests.visits == []


@pytest.mark.requirement("META-SESS-03")
async def test_a_bearer_token_is_not_enough(alice: Node, bob: Node) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(place(bob), additional_headers={"Authorization": f"Bearer {bob.owner_token}"})
    assert refusal.value.response.status_code == 401


@pytest.mark.requirement("META-SESS-03")
async def test_a_peer_that_is_somebody_else_is_refused_before_any_message(
    alice: Node, bob: Node, carol: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_bob = place(bob)

    async def astray(_did: str, _reader: str) -> str:
        return at_bob

    monkeypatch.setattr(alice.host.edges.frames._client, "_finds", astray)
    with pytest.raises((Unauthenticated, SessionEnded)):
        await alice.host.edges.frames.connect(DEFAULT_AGENT, did(carol), HELLO)


@pytest.mark.requirement("META-SESS-03")
async def test_a_hello_of_another_than_who_opened_the_connection_ends_it(
    alice: Node, bob: Node, carol: Node, guests: Guests
) -> None:
    async with connect(place(bob), additional_headers=signed(alice, place(bob))) as socket:
        party = carol.host.edges.frames.party(DEFAULT_AGENT)
        assert party is not None
        message = proving._signed(party, "sourceHello", did(bob), HELLO, "")
        await socket.send(proving._frame(message))
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
    assert guests.visits == []


@pytest.mark.requirement("META-SESS-03")
async def test_a_hello_that_was_said_before_is_not_taken_again(alice: Node, bob: Node, guests: Guests) -> None:
    party = alice.host.edges.frames.party(DEFAULT_AGENT)
    assert party is not None
    frame = proving._frame(proving._signed(party, "sourceHello", did(bob), HELLO, ""))
    async with connect(place(bob), additional_headers=signed(alice, place(bob))) as socket:
        await socket.send(frame)
        await socket.recv()
    async with connect(place(bob), additional_headers=signed(alice, place(bob))) as socket:
        await socket.send(frame)
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    assert len(guests.visits) == 1


@pytest.mark.requirement("META-SESS-03")
async def test_an_upgrade_that_was_seen_before_opens_nothing_again(alice: Node, bob: Node) -> None:
    headers = signed(alice, place(bob))
    async with connect(place(bob), additional_headers=headers):
        pass
    with pytest.raises(InvalidStatus) as refusal:
        await connect(place(bob), additional_headers=headers)
    assert refusal.value.response.status_code == 401


@pytest.mark.requirement("META-SESS-03")
async def test_an_upgrade_that_was_signed_for_another_address_opens_nothing(alice: Node, bob: Node) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(place(bob), additional_headers=signed(alice, f"{place(bob)}?x=1"))
    assert refusal.value.response.status_code == 401


@pytest.mark.requirement("META-SESS-03")
async def test_a_hello_handed_back_to_its_own_sender_proves_nothing(alice: Node, bob: Node) -> None:
    mirror = Mirror()
    party = alice.host.edges.frames.party(DEFAULT_AGENT)
    assert party is not None
    with pytest.raises((Unauthenticated, ProtocolViolation)):
        await proving.greet(mirror, party, did(bob), HELLO)
    with pytest.raises((Unauthenticated, ProtocolViolation)):
        await proving.greet(mirror, party, party.did, HELLO)
    assert mirror.closed == [1008, 1008]


class Mirror:
    """A connection whose other side says the same again."""

    def __init__(self) -> None:
        self.said = b""
        self.closed: list[int] = []

    async def send(self, frame: bytes) -> None:
        self.said = frame

    async def receive(self) -> bytes:
        return self.said

    async def close(self, code: int = 1000) -> None:
        self.closed.append(code)


@pytest.mark.parametrize(
    "frame", [b"", b"\x00{}", b"\xc0{}", b"\xc0no json", b"\x40x"], ids=["empty", "meta", "bare", "junk", "application"]
)
async def test_whatever_is_said_before_the_hello_ends_the_connection(
    alice: Node, bob: Node, guests: Guests, frame: bytes
) -> None:
    async with connect(place(bob), additional_headers=signed(alice, place(bob))) as socket:
        await socket.send(frame)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
    assert guests.visits == []


@pytest.mark.requirement("META-LIMIT-02")
async def test_a_frame_beyond_the_limit_closes_the_connection(alice: Node, bob: Node) -> None:
    talk = await alice.host.edges.frames.connect(DEFAULT_AGENT, did(bob), HELLO)
    await talk.link.send(b"\x00" * (262_144 + 1))
    with pytest.raises(SessionEnded):
        await talk.link.receive()


async def test_the_address_that_the_house_adds_is_the_agents_too(alice: Node, bob: Node, guests: Guests) -> None:
    url = bob.url.replace("http://", "ws://") + "/ws"
    assert bob.host.edges.frames.address(DEFAULT_AGENT) == url
    async with connect(url, additional_headers=signed(alice, url)):
        pass


@pytest.mark.requirement("WIRE-NEGO-15")
async def test_a_server_with_the_setting_off_refuses_frames(alice: Node, bob: Node) -> None:
    url = place(alice)
    with pytest.raises(InvalidStatus) as refusal:
        await connect(url, additional_headers=signed(bob, url))
    assert refusal.value.response.status_code == 404
    with pytest.raises(ServiceNotFoundError):
        await bob.host.edges.frames.connect(DEFAULT_AGENT, did(alice), HELLO)


async def test_a_page_of_another_origin_cannot_open_one(alice: Node, bob: Node) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(place(bob), origin="https://evil.example", additional_headers=signed(alice, place(bob)))
    assert refusal.value.response.status_code == 403


async def test_one_did_has_so_many_connections_and_no_more(bob: Node, tmp_path: Path) -> None:
    async with served(tmp_path / "erin") as erin:  # nobody else's connections count
        await _fill(erin, bob)


async def _fill(guest: Node, bob: Node) -> None:
    talks = [await guest.host.edges.frames.connect(DEFAULT_AGENT, did(bob), HELLO) for _ in range(4)]
    with pytest.raises(UpstreamError):
        await guest.host.edges.frames.connect(DEFAULT_AGENT, did(bob), HELLO)
    for talk in talks:
        await talk.link.close()


async def test_when_the_server_stops_its_guests_hear_of_it(alice: Node, tmp_path: Path, guests: Guests) -> None:
    spoken = Spoken(reception=guests.receive, introduces=by_name)
    async with served(tmp_path / "dora", spoken) as dora:
        talk = await alice.host.edges.frames.connect(DEFAULT_AGENT, did(dora), HELLO)
    async with asyncio.timeout(10):
        with pytest.raises(SessionEnded):
            await talk.link.receive()


async def test_strangers_who_knock_write_no_errors_into_the_log(bob: Node, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InvalidStatus):
        await connect(place(bob))
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
