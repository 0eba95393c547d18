"""What a peer may do to a conversation over frames: it fills no memory, stretches no time, and goes on with nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moothall.errors import IntegrityError, SessionEnded
from moothall.identity.keys import PrivateKey, PublicKey, Signer
from moothall.negotiation.protocol import conversation as conversations
from moothall.negotiation.protocol import exchange as exchanges
from moothall.negotiation.protocol import frame_carrier
from moothall.negotiation.protocol.brain import Diagnosis
from moothall.negotiation.protocol.fixing import Fixer, Fixing
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.memory_journal import MOST as MOST_CHOICES
from moothall.negotiation.protocol.memory_journal import MemoryJournal
from moothall.negotiation.protocol.meta import MetaProtocol
from moothall.negotiation.protocol.meta_terms import Seal
from moothall.negotiation.protocol.provider_session import ProviderSession, provided
from moothall.negotiation.protocol.requester_session import negotiated
from moothall.negotiation.protocol.results import protocol_hash
from moothall.negotiation.protocol.transcript import Transcript, verify
from moothall.negotiation.protocol.wire import frames
from moothall.negotiation.protocol.wire.frames import Kind
from moothall.negotiation.protocol.wire.messages import FixErrorNegotiation
from moothall.negotiation.protocol.workshop import Workshop
from tests.negotiation.protocol.sessions.joined import NEED, case, protocol
from tests.negotiation.protocol.sessions.pairs import ALICE, BOB, Pair, answers, plant, plant_both, scripted

KEYS = {did: PrivateKey.generate() for did in (ALICE, BOB)}


@pytest.fixture
async def workshop() -> AsyncIterator[Workshop]:
    async with Workshop() as made:
        yield made


class Line:
    """The other side of one conversation: what it was sent, as JSON."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.stuck: asyncio.Event | None = None

    async def send(self, data: bytes) -> None:
        if self.stuck is not None:
            await self.stuck.wait()
        self.said.append(json.loads(data[1:]))


def meta_at(line: Line, path: Path, workshop: Workshop) -> MetaProtocol:
    return MetaProtocol(line.send, None, None, path, workshop=workshop)


async def key_of(url: str) -> PublicKey:
    return KEYS[url.partition("#")[0]].public


def seals() -> dict[str, Seal]:
    return {did: Seal(Signer(f"{did}#key-1", key), key_of) for did, key in KEYS.items()}


def sealed(pair: Pair, **other: Seal) -> None:
    """Both sides sign; `other` gives one of them (``alice``, ``bob``) another seal."""
    for meta, did, name in ((pair.alice, ALICE, "alice"), (pair.bob, BOB, "bob")):
        object.__setattr__(meta.terms, "seal", other.get(name, seals()[did]))


async def test_errors_that_are_not_understood_are_not_answered_for_ever(tmp_path: Path, workshop: Workshop) -> None:
    line = Line()
    meta = meta_at(line, tmp_path, workshop)
    for _ in range(2 * exchanges.MOST_ERRORS):
        await meta.handle_meta_data(frames.meta({"action": "whatever"}))
    assert len(line.said) == exchanges.MOST_ERRORS
    assert [said["fatal"] for said in line.said] == [False] * (exchanges.MOST_ERRORS - 1) + [True]
    assert meta.over.is_set()
    await meta.aclose()


@pytest.mark.parametrize("error", [{"code": "bad_field"}, {"code": "Not A Word"}, {}], ids=["good", "bad", "empty"])
async def test_an_error_is_never_answered_by_an_error(
    tmp_path: Path, workshop: Workshop, error: dict[str, Any]
) -> None:
    line = Line()
    meta = meta_at(line, tmp_path, workshop)
    for _ in range(100):
        await meta.handle_meta_data(frames.meta({"action": "error", **error}))
    assert line.said == []
    await meta.aclose()


async def test_a_peer_that_takes_no_answers_is_not_read_on(tmp_path: Path, workshop: Workshop) -> None:
    plant_both(tmp_path)
    line = Line()
    async with Pair(tmp_path, workshop) as pair:
        await pair.sessions()
        line.stuck = asyncio.Event()
        pair.bob.send_callback = line.send
        frame = frames.encode(Kind.APPLICATION, json.dumps({"messageId": "a", "user_id": "u1"}).encode())

        async def flood() -> None:
            for _ in range(2 * exchanges.MOST_TASKS):
                await pair.bob.handle_meta_data(frame)

        flooding = asyncio.ensure_future(flood())
        done, _ = await asyncio.wait({flooding}, timeout=0.2)
        assert not done
        assert len(pair.bob._tasks) == exchanges.MOST_TASKS
        await pair.bob.aclose()
        await flooding  # what was held back is dropped once the conversation is over
        assert not pair.bob._tasks


async def test_large_requests_are_held_back_before_many_of_them_are_held(tmp_path: Path, workshop: Workshop) -> None:
    plant_both(tmp_path)
    line = Line()
    async with Pair(tmp_path, workshop) as pair:
        await pair.sessions()
        line.stuck = asyncio.Event()
        pair.bob.send_callback = line.send
        frame = frames.encode(Kind.APPLICATION, json.dumps({"messageId": "a", "x": "y" * 260_000}).encode())

        async def flood() -> None:
            for _ in range(100):
                await pair.bob.handle_meta_data(frame)

        flooding = asyncio.ensure_future(flood())
        done, _ = await asyncio.wait({flooding}, timeout=0.2)
        assert not done
        assert len(pair.bob._tasks) < 20
        line.stuck.set()
        await flooding


async def test_what_nobody_waits_for_is_kept_up_to_so_many_bytes(tmp_path: Path, workshop: Workshop) -> None:
    line = Line()
    meta = meta_at(line, tmp_path, workshop)
    text = "x" * 200_000
    for _ in range(10):
        await meta.handle_meta_data(frames.meta({"action": "codeGeneration", "status": "generated", "more": text}))
    kept = frame_carrier.MOST_BYTES // 200_000
    assert [said["code"] for said in line.said] == ["too_many"] * (10 - kept)
    await meta.aclose()


async def test_a_session_remembers_nothing_of_what_is_said_after_it_is_ready(
    tmp_path: Path, workshop: Workshop
) -> None:
    plant_both(tmp_path)
    async with Pair(tmp_path, workshop) as pair:
        await pair.sessions()
        talk = pair.bob.conversation
        assert talk is not None
        before = len(talk.messages)
        for _ in range(20):
            said = {"action": "fixErrorNegotiation", "errorDescription": "x" * 1_000, "status": "rejected"}
            await pair.bob.handle_meta_data(frames.meta(said))
        assert len(talk.messages) == before


async def test_a_record_that_grows_without_end_ends_the_negotiation(
    tmp_path: Path, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant_both(tmp_path)
    monkeypatch.setattr(conversations, "MOST_SAID", 50_000)
    async with Pair(tmp_path, workshop) as pair:
        await pair.agree()
        for _ in range(4):
            said = {"action": "testCasesNegotiation", "testCases": "x" * 20_000, "status": "negotiating"}
            await pair.bob.handle_meta_data(frames.meta(said))
        assert pair.bob.over.is_set()
        assert pair.bob.protocol == ""


async def test_a_number_that_others_would_round_is_no_message(tmp_path: Path, workshop: Workshop) -> None:
    line = Line()
    meta = meta_at(line, tmp_path, workshop)
    await meta.handle_meta_data(
        frames.meta({"action": "codeGeneration", "status": "generated"})[:-1] + b',"n":1' + b"0" * 30 + b"}"
    )
    assert [said["code"] for said in line.said] == ["bad_json"]
    await meta.aclose()


@pytest.mark.requirement("META-PROTO-07")
async def test_small_talk_does_not_stretch_the_time_for_the_other_sides_code(
    tmp_path: Path, workshop: Workshop
) -> None:
    plant_both(tmp_path)
    limits = Limits(message_timeout=5, code_generation_timeout=0.3)
    echo = {
        "action": "protocolNegotiation",
        "sequenceId": 2,
        "candidateProtocols": protocol(),
        "status": "accepted",
        "modificationSummary": "",
    }
    async with Pair(tmp_path, workshop, limits=limits) as pair:
        await pair.agree()

        async def chatter() -> None:
            while True:
                await pair.alice.handle_meta_data(frames.meta(echo))
                await asyncio.wait({asyncio.ensure_future(asyncio.Event().wait())}, timeout=0.05)

        talking = asyncio.ensure_future(chatter())
        async with asyncio.timeout(3):
            assert not await pair.alice.wait_for_code_generation()
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)


async def test_a_journal_in_memory_forgets_what_is_long_past() -> None:
    journal = MemoryJournal()

    async def value() -> object:
        return 1

    for number in range(MOST_CHOICES + 10):
        await journal.step(str(number), value)
    assert len(journal.keys) == MOST_CHOICES


@pytest.mark.requirement("META-SESS-05")
async def test_both_sessions_hold_one_transcript_that_both_dids_signed(tmp_path: Path, workshop: Workshop) -> None:
    plant_both(tmp_path)
    tests = scripted(cases={"cases": [case("known", "u1", "Wuhan University")]})
    async with Pair(tmp_path, workshop, llms=(tests, scripted())) as pair:
        sealed(pair)
        ours, theirs = await pair.sessions()
        assert ours.transcript is not None
        assert theirs.transcript is not None
        assert ours.transcript["digest"] == theirs.transcript["digest"]
        record, signatures = Transcript.load(ours.transcript)
        assert dict(signatures) == theirs.transcript["signatures"]
        for role, did in (("requester", ALICE), ("provider", BOB)):
            key = KEYS[did].public
            verify(record, signatures[role], role=role, key=key, protocol=protocol_hash(ours.protocol))  # type: ignore[arg-type]


@pytest.mark.requirement("META-SESS-05")
async def test_a_session_whose_other_side_signs_as_somebody_else_is_over(tmp_path: Path, workshop: Workshop) -> None:
    plant_both(tmp_path)
    async with Pair(tmp_path, workshop) as pair:
        sealed(pair, bob=Seal(Signer("did:wba:eve.example#key-1", PrivateKey.generate()), key_of))

        async def begun(session: ProviderSession) -> None:
            session.provider_instance.set_protocol_callback(answers)
            await session.code_generated()

        async def ask() -> None:
            session = await negotiated(pair.alice, NEED.requirement, need=NEED)
            await session.code_generated()

        asked, _ = await asyncio.gather(ask(), provided(pair.bob, begun), return_exceptions=True)
        assert isinstance(asked, IntegrityError)
        assert pair.alice.over.is_set()


@pytest.mark.requirement("META-SESS-05")
async def test_who_waits_for_a_signature_is_let_go_when_the_session_ends(tmp_path: Path, workshop: Workshop) -> None:
    meta = meta_at(Line(), tmp_path, workshop)
    waiting = asyncio.ensure_future(meta.peer_signature())
    await asyncio.sleep(0)
    await meta.aclose()
    with pytest.raises(SessionEnded):
        await waiting


async def test_signatures_that_nobody_asked_for_are_neither_kept_nor_answered(
    tmp_path: Path, workshop: Workshop
) -> None:
    line = Line()
    meta = meta_at(line, tmp_path, workshop)
    for token in ("a", "b", "c"):
        said = {"action": "transcriptSignature", "digest": protocol_hash("x"), "token": token}
        await meta.handle_meta_data(frames.meta(said))
    assert (await meta.peer_signature()).token == "a"
    assert line.said == []
    await meta.aclose()


async def test_two_errors_told_at_once_are_not_mended_at_once() -> None:
    looked, said = asyncio.Event(), []
    mended: list[str] = []

    async def send(message: FixErrorNegotiation) -> None:
        said.append((message.status, message.reason))

    async def diagnose(_: str) -> Diagnosis:
        await looked.wait()
        return Diagnosis(confirmed=True)

    async def mend(description: str) -> None:
        mended.append(description)

    fixing = Fixing(send, Fixer(diagnose=diagnose, mend=mend), Limits())
    first = asyncio.ensure_future(fixing.heard(FixErrorNegotiation(error_description="a", status="negotiating")))
    await asyncio.sleep(0)
    await fixing.heard(FixErrorNegotiation(error_description="b", status="negotiating"))
    looked.set()
    await first
    assert said == [("rejected", "another error is being mended"), ("accepted", "")]
    assert mended == ["a"]


async def test_business_code_gets_only_requests_of_the_agreed_form(tmp_path: Path, workshop: Workshop) -> None:
    plant(tmp_path, "requester")
    plant(tmp_path, "provider", ASTRAY)
    asked: list[dict[str, Any]] = []

    async def business(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return {"code": 200, "schools": []}

    async with Pair(tmp_path, workshop) as pair:
        session, _ = await pair.sessions(callback=business)
        assert (await session.requester_instance.send_request({"user_id": "u1"}))["code"] == 500
    assert asked == []


ASTRAY = """
def handle(request: Request) -> Response:
    return call("callback", {"request": {"user_id": 7}})
"""
"""Generated code that asks the business code for something that nobody agreed on."""
