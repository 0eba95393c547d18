"""Sessions between two nodes of spec A: how they come to be, are used again, and end (rows META-SESS-04, META-GEN-06)."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from moothall.errors import (
    CallTimeout,
    Conflict,
    MoothallError,
    NegotiationRejected,
    SessionEnded,
    UpstreamError,
)
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.provider_session import ProviderSession
from moothall.protocols.frames.client_link import ClientLink
from moothall.protocols.frames.door import Visit
from moothall.simple_node.node import SimpleNegotiationNode
from tests.simple_node.pair import INPUT, OUTPUT, REQUIREMENT, Provider, connected, said, simple, two


@pytest.mark.requirement("META-ALICE-07", "META-BOB-03")
async def test_an_agreement_gives_both_sides_a_session_with_one_protocol(tmp_path: Path) -> None:
    provider = Provider()
    async with two(tmp_path, provider) as (alice, bob):
        session = await connected(alice, bob)
        assert [each.remote_did for each in provider.sessions] == [alice.did]
        assert session.remote_did == bob.did
        assert session.protocol_digest == provider.sessions[0].protocol_digest != ""
        assert session.protocol == provider.sessions[0].protocol
        requirement, given, wanted = provider.asked[0]
        assert REQUIREMENT in requirement
        assert "user_id" in given
        assert "titles" in wanted
        await session.close()


@pytest.mark.requirement("META-SESS-05")
async def test_both_sides_hold_one_transcript_that_both_signed(tmp_path: Path) -> None:
    provider = Provider()
    async with two(tmp_path, provider) as (alice, bob):
        session = await connected(alice, bob)
        mine, theirs = session.transcript, provider.sessions[0].transcript
        assert mine is not None
        assert mine == theirs
        assert set(mine["signatures"]) == {"requester", "provider"}
        await session.close()


@pytest.mark.requirement("META-ALICE-07")
async def test_what_the_other_side_cannot_do_is_rejected_with_its_reason(tmp_path: Path) -> None:
    weather = Provider(capability=Provider().capability.replace("titles", "sky").replace("user_id", "city"))
    weather.capability = weather.capability.replace("Completed courses of a user", "Weather of a city")
    async with two(tmp_path, weather) as (alice, bob):
        with pytest.raises(NegotiationRejected) as refusal:
            await alice.connect_to_did_with_negotiation(bob.did, REQUIREMENT, INPUT, OUTPUT)
        assert refusal.value.details["reason"]
        assert weather.sessions == []


@pytest.mark.requirement("META-ALICE-07")
async def test_a_peer_that_is_not_there_is_an_error_of_its_kind(tmp_path: Path) -> None:
    gone = simple(tmp_path / "gone", Provider())
    await gone.run()
    await gone.stop()
    async with simple(tmp_path / "alice") as alice:
        before = asyncio.all_tasks()
        with pytest.raises(MoothallError) as failure:
            await alice.connect_to_did_with_negotiation(gone.did, REQUIREMENT, INPUT, OUTPUT)
        assert failure.value.code in {"UPSTREAM_ERROR", "NODE_UNREACHABLE"}
        assert asyncio.all_tasks() <= before


@pytest.mark.requirement("META-LIMIT-03")
async def test_a_silent_peer_ends_the_negotiation_at_the_limit_and_leaves_no_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_self: SimpleNegotiationNode, visit: Visit) -> None:
        while True:
            await visit.link.receive()

    monkeypatch.setattr(SimpleNegotiationNode, "_receive", silent)
    limits = Limits(message_timeout=0.3, negotiation_timeout=5)
    async with two(tmp_path, Provider(), limits) as (alice, bob):
        before = asyncio.all_tasks()
        with pytest.raises(CallTimeout):
            await alice.connect_to_did_with_negotiation(bob.did, REQUIREMENT, INPUT, OUTPUT)
        left = {task.get_name() for task in asyncio.all_tasks() - before}
        assert "frames" not in left


@pytest.mark.requirement("META-GEN-06")
async def test_the_same_need_with_the_same_peer_again_skips_the_rounds(tmp_path: Path) -> None:
    provider = Provider()
    async with two(tmp_path, provider) as (alice, bob):
        first = await connected(alice, bob)
        await first.close()
        again = await connected(alice, bob)
        assert "protocolNegotiation" in said(first)
        assert set(said(again)) == {"codeGeneration"}
        assert again.protocol_digest == first.protocol_digest
        assert await again.requester_instance.call({"user_id": "u-1"}) == {"titles": ["Signals"]}
        assert len(provider.sessions) == 2
        await again.close()

        shutil.rmtree(provider.sessions[0].module_path)
        anew = await connected(alice, bob)
        assert "protocolNegotiation" in said(anew)
        assert anew.protocol_digest == first.protocol_digest
        await anew.close()


@pytest.mark.requirement("META-GEN-06")
async def test_a_third_agent_uses_the_code_of_another_by_its_hash(tmp_path: Path) -> None:
    async with two(tmp_path, Provider()) as (alice, bob), simple(tmp_path / "carol") as carol:
        agreed = await connected(alice, bob)
        name = agreed.module_path.name
        shutil.copytree(agreed.module_path, tmp_path / "carol" / name)
        session = await connected(carol, bob, used_protocol_hash=agreed.protocol_digest)
        assert set(said(session)) == {"codeGeneration"}
        assert await session.requester_instance.call({"user_id": "u-2"}) == {"titles": ["Bridges", "Tunnels"]}

        code = tmp_path / "carol" / name / "requester.py"
        code.write_text(code.read_text() + "\n")
        await session.close()
        changed = await connected(carol, bob, used_protocol_hash=agreed.protocol_digest)
        assert "protocolNegotiation" in said(changed)
        await changed.close()
        await agreed.close()


async def _until_asked(asked: asyncio.Event) -> None:
    async with asyncio.timeout(20):
        await asked.wait()


@pytest.mark.requirement("META-SESS-04")
@pytest.mark.parametrize("end", ["own close", "peer close", "transport loss"])
async def test_whatever_ends_a_session_ends_its_requests_and_its_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    asked, never = asyncio.Event(), asyncio.Event()
    links: list[ClientLink] = []
    opened = ClientLink.open

    async def opening(*given: Any) -> ClientLink:
        links.append(await opened(*given))
        return links[-1]

    monkeypatch.setattr(ClientLink, "open", opening)

    async def slow(_request: dict[str, Any]) -> dict[str, Any]:
        asked.set()
        await never.wait()
        return {}

    provider = Provider(slow)
    async with two(tmp_path, provider) as (alice, bob):
        session = await connected(alice, bob)
        request = asyncio.ensure_future(session.requester_instance.send_request({"user_id": "u-1"}))
        await _until_asked(asked)
        if end == "own close":
            await session.close()
        elif end == "peer close":
            await provider.sessions[0].close()
        else:
            await links[0]._stream.aclose()
        async with asyncio.timeout(2):
            with pytest.raises(SessionEnded):
                await request
            await provider.sessions[0].meta.over.wait()
            await session.meta.over.wait()
        with pytest.raises(SessionEnded):
            await session.requester_instance.send_request({"user_id": "u-1"})
        await links[0].close()
        async with asyncio.timeout(2):
            with pytest.raises(SessionEnded):
                await links[0].receive()


@pytest.mark.requirement("META-ALICE-09", "META-BOB-07", "META-LIMIT-07")
async def test_a_provider_that_cannot_be_set_up_says_so_and_no_request_is_sent(tmp_path: Path) -> None:
    class Broken(Provider):
        async def new_session(self, session: ProviderSession) -> None:
            raise Conflict("nothing answers today")

    async with two(tmp_path, Broken()) as (alice, bob):
        session = await alice.connect_to_did_with_negotiation(bob.did, REQUIREMENT, INPUT, OUTPUT)
        assert not await session.code_generated()
        assert isinstance(session.meta.error, UpstreamError)
        with pytest.raises(UpstreamError):
            await session.requester_instance.send_request({"user_id": "u-1"})
        await session.close()


@pytest.mark.requirement("META-BOB-06")
async def test_what_a_provider_prepares_ends_with_the_connection(tmp_path: Path) -> None:
    preparing, ended = asyncio.Event(), asyncio.Event()

    class Slow(Provider):
        async def new_session(self, session: ProviderSession) -> None:
            preparing.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    async with two(tmp_path, Slow()) as (alice, bob):
        session = await alice.connect_to_did_with_negotiation(bob.did, REQUIREMENT, INPUT, OUTPUT)
        await preparing.wait()
        await session.close()
        async with asyncio.timeout(5):
            await ended.wait()


async def test_two_requesters_have_sessions_of_their_own(tmp_path: Path) -> None:
    provider = Provider()
    async with two(tmp_path, provider) as (alice, bob), simple(tmp_path / "carol") as carol:
        one, other = await asyncio.gather(connected(alice, bob), connected(carol, bob))
        assert {each.remote_did for each in provider.sessions} == {alice.did, carol.did}
        await one.close()
        assert await other.requester_instance.call({"user_id": "u-1"}) == {"titles": ["Signals"]}
        await other.close()
