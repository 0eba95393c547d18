"""`MetaProtocol`: whole negotiations over frames in memory, and the defined end of everything that goes wrong."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moothall.errors import (
    CallTimeout,
    CodeRefused,
    Conflict,
    InvalidInput,
    MoothallError,
    NegotiationRejected,
    NodeUnreachable,
    ProtocolViolation,
    SessionEnded,
    UpstreamError,
)
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.meta import MetaProtocol
from moothall.negotiation.protocol.module_files import read_module
from moothall.negotiation.protocol.provider_session import ProviderSession, provided
from moothall.negotiation.protocol.requester_session import RequesterSession, negotiated
from moothall.negotiation.protocol.results import NegotiationStatus, protocol_hash
from moothall.negotiation.protocol.wire import frames
from moothall.negotiation.protocol.wire.cases import cases_digest
from moothall.negotiation.protocol.wire.hello import MetaProtocolOffer
from moothall.negotiation.protocol.workshop import Workshop
from tests.negotiation.protocol.sessions.joined import NEED, case, protocol
from tests.negotiation.protocol.sessions.pairs import (
    ALICE,
    BOB,
    BUGGY,
    Pair,
    listed,
    plant,
    plant_both,
    scripted,
)

FAST = Limits(message_timeout=0.1, code_generation_timeout=0.1, negotiation_timeout=5)


@pytest.fixture
async def workshop() -> AsyncIterator[Workshop]:
    async with Workshop() as made:
        yield made


def meta_of(data: bytes) -> dict[str, Any]:
    assert data[0] == 0
    body: dict[str, Any] = json.loads(data[1:])
    return body


def sent(lane: Any, action: str) -> list[dict[str, Any]]:
    return [body for data in lane.sent if data[0] == 0 and (body := meta_of(data))["action"] == action]


# Whole negotiations


@pytest.mark.requirement("META-PROTO-01", "META-PROTO-04", "META-PROTO-05", "META-GEN-01")
async def test_two_sides_agree_and_hold_the_same_protocol_in_module_directories(
    tmp_path: Path, workshop: Workshop
) -> None:
    text = protocol("Get the schools of a user, by id.")
    counter = scripted(evaluate={"status": "negotiating", "candidate_protocols": text, "modification_summary": "ids"})
    async with Pair(tmp_path, workshop, llms=(scripted(), counter)) as pair:
        (good, at), (fine, there) = await asyncio.gather(
            pair.alice.negotiate_protocol(NEED.requirement, need=NEED), pair.bob.wait_remote_negotiation()
        )
        assert (good, fine) == (True, True)
        assert at is not None
        assert there is not None
        assert read_module(at).document == read_module(there).document == text
        assert pair.alice.protocol_digest == pair.bob.protocol_digest == protocol_hash(text)
        assert [m["status"] for m in sent(pair.up, "protocolNegotiation")] == ["negotiating", "accepted"]
        assert [m["status"] for m in sent(pair.down, "protocolNegotiation")] == ["negotiating", "accepted"]


@pytest.mark.requirement("META-SESS-01", "META-SESS-02", "META-ALICE-09", "META-BOB-07", "META-BOB-10")
async def test_sessions_of_both_sides_talk_business_once_both_are_ready(tmp_path: Path, workshop: Workshop) -> None:
    plant_both(tmp_path)
    async with Pair(tmp_path, workshop) as pair:
        session, other = await pair.sessions()
        assert session.ready
        assert other.ready
        assert session.protocol == other.protocol == protocol()
        assert session.protocol_digest == other.protocol_digest == protocol_hash(protocol())
        assert (session.remote_did, other.remote_did) == (BOB, ALICE)
        assert isinstance(session.requester_instance, session.requester_class)
        assert isinstance(other.provider_instance, other.provider_class)
        response = await session.requester_instance.send_request({"user_id": "u1"})
        assert response == {"code": 200, "schools": ["Wuhan University"]}
        assert await session.requester_instance.call({"user_id": "nobody"}) == {"schools": []}


@pytest.mark.requirement("META-SESS-02")
async def test_two_sessions_beside_each_other_are_independent(tmp_path: Path, workshop: Workshop) -> None:
    async def others(request: dict[str, Any]) -> dict[str, Any]:
        return {"code": 200, "schools": ["elsewhere"]}

    for name in ("one", "two"):
        plant_both(tmp_path / name)
    async with Pair(tmp_path / "one", workshop) as one, Pair(tmp_path / "two", workshop) as two:
        (first, _), (second, _) = await asyncio.gather(one.sessions(), two.sessions(callback=others))
        await first.close()
        with pytest.raises(SessionEnded):
            await first.requester_instance.send_request({"user_id": "u1"})
        assert (await second.requester_instance.send_request({"user_id": "u1"}))["schools"] == ["elsewhere"]


@pytest.mark.requirement("META-PROTO-04", "META-PROTO-10")
async def test_a_rejection_reaches_the_requester_with_its_reason(tmp_path: Path, workshop: Workshop) -> None:
    no = scripted(evaluate={"status": "rejected", "reason": "not our trade"})
    async with Pair(tmp_path, workshop, llms=(scripted(), no)) as pair:
        both = await asyncio.gather(
            pair.alice.negotiate_protocol(NEED.requirement, need=NEED), pair.bob.wait_remote_negotiation()
        )
        assert both == [(False, None), (False, None)]
        assert "not our trade" in pair.alice.reason
        assert isinstance(pair.alice.error, NegotiationRejected)
        assert listed(tmp_path) == []


@pytest.mark.requirement("META-PROTO-04", "META-LIMIT-03")
async def test_a_silent_peer_ends_both_calls_at_the_limit_and_leaves_no_task(
    tmp_path: Path, workshop: Workshop
) -> None:
    before = asyncio.all_tasks()
    async with Pair(tmp_path, workshop, limits=FAST) as pair:
        pair.up.change = lambda _: None
        with pytest.raises(CallTimeout):
            await negotiated(pair.alice, NEED.requirement, need=NEED)
        assert pair.alice.conversation is not None
        assert pair.alice.conversation.state.outcome is not None
        assert pair.alice.conversation.state.outcome.status is NegotiationStatus.TIMEOUT
        with pytest.raises(CallTimeout):
            await provided(pair.bob, _never)
    assert asyncio.all_tasks() == before


async def _never(session: ProviderSession) -> None:
    raise AssertionError


@pytest.mark.requirement("META-LIMIT-04")
async def test_a_negotiation_whose_model_may_not_be_asked_any_more_ends_rejected_by_budget(
    tmp_path: Path, workshop: Workshop
) -> None:
    forever = [scripted(evaluate={"status": "negotiating", "candidate_protocols": protocol(n)}) for n in ("A", "B")]
    limits = Limits(max_llm_calls=2, max_rounds=30, message_timeout=5)
    async with Pair(tmp_path, workshop, llms=(forever[0], forever[1]), limits=limits) as pair:
        both = await asyncio.gather(
            pair.alice.negotiate_protocol(NEED.requirement, need=NEED), pair.bob.wait_remote_negotiation()
        )
        assert both == [(False, None), (False, None)]
        assert pair.alice.reason == pair.bob.reason == "budget"
        assert forever[0].calls + forever[1].calls <= 4
        last = sent(pair.up, "protocolNegotiation") + sent(pair.down, "protocolNegotiation")
        assert any(m["status"] == "rejected" and m["reason"] == "budget" for m in last)


@pytest.mark.requirement("META-LIMIT-04")
async def test_a_budget_that_is_spent_while_code_is_written_is_told_to_the_other_side(
    tmp_path: Path, workshop: Workshop
) -> None:
    """The protocol is agreed on with the last call that the requester has; no template can write its half."""
    need = NEED.model_copy(update={"output_schema": {"type": "object", "required": ["rank"]}})
    limits = Limits(max_llm_calls=1, message_timeout=10, code_generation_timeout=10)
    plant(tmp_path, "provider")
    async with Pair(tmp_path, workshop, limits=limits, with_cases=False) as pair:
        (good, _), _ = await asyncio.gather(
            pair.alice.negotiate_protocol(need.requirement, need=need), pair.bob.wait_remote_negotiation()
        )
        assert not good
        assert pair.alice.reason == "budget"
        assert not await pair.bob.wait_for_code_generation()
        (report,) = sent(pair.up, "codeGeneration")
        assert (report["status"], report["reason"]) == ("error", "budget")


async def test_a_requirement_that_is_none_is_refused_at_once(tmp_path: Path, workshop: Workshop) -> None:
    async with Pair(tmp_path, workshop) as pair:
        with pytest.raises(InvalidInput):
            await pair.alice.negotiate_protocol("")
        assert pair.up.sent == []


@pytest.mark.requirement("META-PROTO-05")
async def test_an_acceptance_as_the_very_first_message_is_a_protocol_error(tmp_path: Path, workshop: Workshop) -> None:
    async with Pair(tmp_path, workshop) as pair:
        waiting = asyncio.ensure_future(pair.bob.wait_remote_negotiation())
        await pair.alice._send_message(pair.alice._create_protocol_negotiation_message(1, protocol(), "accepted", ""))
        assert await waiting == (False, None)
        assert isinstance(pair.bob.error, ProtocolViolation)
        assert sent(pair.down, "error")[0]["fatal"]


# Code generation


@pytest.mark.requirement("META-PROTO-06", "META-PROTO-07", "META-PROTO-09")
async def test_what_is_notified_is_what_came_of_the_code_and_it_is_kept_until_it_is_waited_for(
    tmp_path: Path, workshop: Workshop
) -> None:
    plant_both(tmp_path)
    async with Pair(tmp_path, workshop) as pair:
        await pair.agree()
        await pair.alice.notify_code_generation()
        await pair.bob.code_generation_messages_event.wait()
        assert await pair.bob.wait_for_code_generation()
        await pair.bob.notify_code_generation()
        assert await pair.alice.wait_for_code_generation()
        assert [m["status"] for m in sent(pair.up, "codeGeneration") + sent(pair.down, "codeGeneration")] == [
            "generated",
            "generated",
        ]
        assert pair.alice.ready
        assert pair.bob.ready


@pytest.mark.requirement("META-PROTO-06", "META-PROTO-07", "META-LIMIT-07", "META-ALICE-09")
async def test_with_the_peers_error_the_requester_raises_before_it_sends_anything(
    tmp_path: Path, workshop: Workshop
) -> None:
    plant_both(tmp_path)
    async with Pair(tmp_path, workshop) as pair:
        await pair.agree()
        session = RequesterSession(pair.alice)
        with pytest.raises(Conflict):
            await session.requester_instance.send_request({"user_id": "u1"})
        await pair.bob.notify_code_generation(success=False)
        assert not await session.code_generated()
        before = len(pair.up.sent)
        with pytest.raises(UpstreamError):
            await session.requester_instance.send_request({"user_id": "u1"})
        assert len(pair.up.sent) == before


@pytest.mark.requirement("META-PROTO-07", "META-ALICE-09", "META-BOB-10")
async def test_without_the_peers_report_the_wait_ends_at_its_limit(tmp_path: Path, workshop: Workshop) -> None:
    plant_both(tmp_path)
    limits = Limits(message_timeout=5, code_generation_timeout=0.05)
    async with Pair(tmp_path, workshop, limits=limits) as pair:
        await pair.agree()
        assert not await pair.alice.wait_for_code_generation()
        assert not await ProviderSession(pair.bob).code_generated()


@pytest.mark.requirement("META-BOB-07")
async def test_a_session_callback_that_fails_tells_the_other_side_of_an_error(
    tmp_path: Path, workshop: Workshop
) -> None:
    async def broken(session: ProviderSession) -> None:
        message = "no database"
        raise RuntimeError(message)

    plant_both(tmp_path)
    async with Pair(tmp_path, workshop) as pair:
        asked = asyncio.ensure_future(negotiated(pair.alice, NEED.requirement, need=NEED))
        with pytest.raises(RuntimeError):
            await provided(pair.bob, broken)
        assert not await (await asked).code_generated()
        report = sent(pair.down, "codeGeneration")
        assert [m["status"] for m in report] == ["error"]
        assert "database" not in json.dumps(report)


# Frames and messages


@pytest.mark.requirement("META-PROTO-02")
async def test_what_is_sent_is_exactly_what_was_given_and_a_failing_callback_is_a_transport_error(
    tmp_path: Path,
) -> None:
    given: list[bytes] = []

    async def send(data: bytes) -> None:
        given.append(data)
        if len(given) > 1:
            message = "gone"
            raise RuntimeError(message)

    meta = MetaProtocol(send, None, None, tmp_path)
    await meta.send_data(b"\x00\xff")
    assert given == [b"\x00\xff"]
    with pytest.raises(NodeUnreachable):
        await meta.send_data(b"again")
    await meta.aclose()


@pytest.mark.requirement("META-PROTO-11", "META-PROTO-12", "META-PROTO-13")
async def test_messages_are_made_as_they_travel_one_frame_each(tmp_path: Path) -> None:
    given: list[bytes] = []

    async def send(data: bytes) -> None:
        given.append(data)

    meta = MetaProtocol(send, None, None, tmp_path)
    message = meta._create_protocol_negotiation_message(3, "text", "negotiating", "less")
    assert message == {
        "action": "protocolNegotiation",
        "sequenceId": 3,
        "candidateProtocols": "text",
        "status": "negotiating",
        "modificationSummary": "less",
        "protocolHash": protocol_hash("text"),
    }
    assert "modificationSummary" not in meta._create_protocol_negotiation_message(3, "text", "negotiating", "")
    assert meta._create_code_generation_message(success=True)["status"] == "generated"
    assert meta._create_code_generation_message(success=False)["status"] == "error"
    await meta._send_message(message)
    assert len(given) == 1
    assert meta_of(given[0]) == message
    await meta.aclose()


@pytest.mark.requirement("META-PROTO-03")
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_frame"),
        (b"\x00", "bad_json"),
        (b"\x00{", "bad_json"),
        (b"\x00[]", "bad_json"),
        (b'\x00{"action":"dance"}', "unknown_action"),
        (b'\x00{"action":"protocolNegotiation"}', "missing_field"),
        (b'\x00{"action":"codeGeneration","status":"perhaps"}', "bad_field"),
        (
            b'\x00{"action":"testCasesNegotiation","testCases":"","modificationSummary":"","status":"negotiating"}',
            "too_early",
        ),
        (b'\x00{"action":"fixErrorNegotiation","errorDescription":"x","status":"negotiating"}', "too_early"),
        (b'\x00{"action":"fixErrorNegotiation","errorDescription":"","status":"negotiating"}', "bad_field"),
        (b'\x00{"action":"naturalLanguageNegotiation","type":"REQUEST","messageId":"short","message":""}', "bad_field"),
        (b'\x40{"messageId":"m1"}', "not_ready"),
        (b"\x80hello", "unsupported_kind"),
        (b"\xc0{}", "unsupported_kind"),
        (b"\x00" + b" " * 300_000, "too_long"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_frames_that_cannot_be_used_get_an_error_reply_and_are_logged(
    tmp_path: Path, workshop: Workshop, caplog: pytest.LogCaptureFixture, data: bytes, code: str
) -> None:
    replied = asyncio.Event()
    given: list[bytes] = []

    async def send(data: bytes) -> None:
        given.append(data)
        replied.set()

    meta = MetaProtocol(send, None, None, tmp_path, workshop=workshop)
    with caplog.at_level(logging.WARNING):
        await meta.handle_meta_data(data)
        async with asyncio.timeout(5):
            await replied.wait()
    assert [meta_of(each)["action"] for each in given] == ["error"]
    assert meta_of(given[0])["code"] == code
    assert caplog.text or code in {"too_early", "not_ready"}
    await meta.aclose()


@pytest.mark.requirement("META-PROTO-03")
async def test_a_malformed_proposal_ends_the_negotiation_that_it_is_meant_for(
    tmp_path: Path, workshop: Workshop
) -> None:
    async with Pair(tmp_path, workshop) as pair:
        ended, _ = await asyncio.gather(
            pair.bob.wait_remote_negotiation(),
            pair.up.send(b'\x00{"action":"protocolNegotiation","status":"negotiating"}'),
        )
        assert ended == (False, None)
        assert isinstance(pair.bob.error, ProtocolViolation)


@pytest.mark.requirement("META-PROTO-03")
async def test_a_frame_over_the_limit_closes_a_session_with_an_error(tmp_path: Path, workshop: Workshop) -> None:
    plant_both(tmp_path)
    async with Pair(tmp_path, workshop) as pair:
        session, other = await pair.sessions()
        await pair.down.send(b"\x40" + b" " * 300_000)
        with pytest.raises(MoothallError):
            await session.requester_instance.send_request({"user_id": "u1"})
        assert other.provider_instance is not None


@pytest.mark.requirement("META-PROTO-08")
async def test_messages_that_arrive_together_are_taken_in_order_and_none_is_lost(
    tmp_path: Path, workshop: Workshop
) -> None:
    """The requester's acceptance and its report arrive before the provider has looked at either."""
    plant_both(tmp_path)
    held: list[bytes] = []
    async with Pair(tmp_path, workshop) as pair:

        def hold(data: bytes) -> bytes | None:
            if data[0] == 0 and len(pair.up.sent) > 1:
                held.append(data)
                return None
            return data

        pair.up.change = hold
        bob = asyncio.ensure_future(pair.bob.wait_remote_negotiation())
        good, _ = await pair.alice.negotiate_protocol(NEED.requirement, need=NEED)
        assert good
        await pair.alice.notify_code_generation()
        assert [meta_of(data)["action"] for data in held] == ["protocolNegotiation", "codeGeneration"]
        await asyncio.gather(*(pair.bob.handle_meta_data(data) for data in held))
        assert (await bob)[0]
        assert await pair.bob.wait_for_code_generation()


async def test_a_peer_that_floods_is_told_so_and_memory_stays_bounded(tmp_path: Path, workshop: Workshop) -> None:
    given: list[bytes] = []

    async def send(data: bytes) -> None:
        given.append(data)

    meta = MetaProtocol(send, None, None, tmp_path, workshop=workshop)
    for _ in range(200):
        await meta.handle_meta_data(frames.meta({"action": "codeGeneration", "status": "generated"}))
    assert {meta_of(data)["code"] for data in given} == {"too_many"}
    await meta.aclose()


# Test cases


@pytest.mark.requirement("META-PROTO-14")
async def test_cases_that_one_side_proposes_and_the_other_adds_to_are_the_same_on_both_sides(
    tmp_path: Path, workshop: Workshop
) -> None:
    first, added = case("known", "u1", "Wuhan University"), case("nobody", "u9")
    adds = scripted(judge_cases={"status": "negotiating", "cases": [first, added], "modification_summary": "one more"})
    plant_both(tmp_path)
    async with Pair(tmp_path, workshop, llms=(scripted(), adds)) as pair:
        await pair.agree()
        assert await pair.alice.negotiate_test_cases([first]) == (first, added)
        await pair.alice.notify_code_generation()
        await pair.bob.notify_code_generation()
        assert await pair.alice.wait_for_code_generation()
        assert await pair.bob.wait_for_code_generation()
        assert cases_digest(pair.alice.cases) == cases_digest(pair.bob.cases)


@pytest.mark.requirement("META-PROTO-14")
async def test_code_that_fails_an_agreed_case_is_not_reported_as_generated(tmp_path: Path, workshop: Workshop) -> None:
    plant(tmp_path, "requester")
    plant(tmp_path, "provider", BUGGY)
    needed = [case("both", "u2", "Fudan University", "Tongji University")]
    async with Pair(tmp_path, workshop, codegen="schema", with_cases=False) as pair:
        await pair.agree()
        pair.bob._workshop.written = _refuses  # type: ignore[method-assign]
        assert await pair.alice.negotiate_test_cases(needed) == tuple(needed)
        await pair.bob.notify_code_generation()
        assert sent(pair.down, "codeGeneration")[0]["status"] == "error"
        assert not await pair.alice.wait_for_code_generation()


@pytest.mark.requirement("META-PROTO-14")
async def test_cases_that_come_after_the_code_was_reported_are_agreed_on_only_if_it_passes_them(
    tmp_path: Path, workshop: Workshop
) -> None:
    plant(tmp_path, "requester")
    plant(tmp_path, "provider", BUGGY)
    good, bad = case("one", "u1", "Wuhan University"), case("both", "u2", "Fudan University", "Tongji University")
    async with Pair(tmp_path, workshop, codegen="schema", with_cases=False) as pair:
        await pair.sessions()
        pair.bob._workshop.written = _refuses  # type: ignore[method-assign]
        assert await pair.alice.negotiate_test_cases([good]) == (good,)
        assert await pair.alice.negotiate_test_cases([bad]) == ()
        assert (pair.alice.cases, pair.bob.cases) == ((), ())
        before = len(pair.down.sent)
        with pytest.raises(CodeRefused):
            await pair.bob.negotiate_test_cases([bad])
        assert len(pair.down.sent) == before


async def _refuses(*_: Any, **__: Any) -> Any:
    raise CodeRefused("it did not pass")


@pytest.mark.requirement("META-PROTO-14")
async def test_cases_that_do_not_fit_the_agreed_schemas_are_not_even_sent(tmp_path: Path, workshop: Workshop) -> None:
    plant_both(tmp_path)
    bad = {"name": "bad", "request": {"user": 1}, "expected": {"code": 200, "schools": []}}
    async with Pair(tmp_path, workshop) as pair:
        await pair.agree()
        with pytest.raises(InvalidInput):
            await pair.alice.negotiate_test_cases([bad])
        assert sent(pair.up, "testCasesNegotiation") == []


@pytest.mark.requirement("META-PROTO-14")
@pytest.mark.parametrize("text", ["no list at all", "```json\n[]\n```\n```json\n[]\n```"], ids=["none", "two"])
async def test_a_message_without_one_list_of_cases_is_rejected_with_a_reason(
    tmp_path: Path, workshop: Workshop, text: str
) -> None:
    plant_both(tmp_path)
    rejected = asyncio.Event()
    async with Pair(tmp_path, workshop) as pair:
        await pair.agree()
        pair.down.change = lambda data: rejected.set() or data  # type: ignore[func-returns-value]
        await pair.alice._send_message(
            {"action": "testCasesNegotiation", "testCases": text, "modificationSummary": "", "status": "negotiating"}
        )
        await rejected.wait()
        (answer,) = sent(pair.down, "testCasesNegotiation")
        assert answer["status"] == "rejected"
        assert answer["reason"]
        assert pair.bob.cases == ()


# Errors in code


@pytest.mark.requirement("META-PROTO-15")
async def test_a_planted_bug_is_told_of_mended_and_the_next_call_succeeds(tmp_path: Path, workshop: Workshop) -> None:
    plant(tmp_path, "requester")
    plant(tmp_path, "provider", BUGGY)
    cases = [case("one", "u1", "Wuhan University")]
    async with Pair(tmp_path, workshop, llms=(scripted(cases={"cases": cases}), scripted())) as pair:
        session, _ = await pair.sessions()
        assert pair.bob.cases == tuple(cases)
        assert (await session.requester_instance.send_request({"user_id": "u2"}))["schools"] == ["Fudan University"]
        assert await pair.alice.negotiate_fix_error("There is a bug: only the first school of a user comes back.")
        mended = await session.requester_instance.send_request({"user_id": "u2"})
        assert mended["schools"] == ["Fudan University", "Tongji University"]
        assert [m["status"] for m in sent(pair.down, "fixErrorNegotiation")] == ["accepted"]


@pytest.mark.requirement("META-PROTO-15")
async def test_an_error_that_cannot_be_confirmed_is_rejected_with_a_reason_and_nothing_changes(
    tmp_path: Path, workshop: Workshop
) -> None:
    plant_both(tmp_path)
    no = scripted(diagnose={"confirmed": False, "reason": "the code does that right"})
    async with Pair(tmp_path, workshop, llms=(scripted(), no)) as pair:
        session, _ = await pair.sessions()
        assert not await pair.alice.negotiate_fix_error("It is all wrong.")
        assert pair.alice.reason == "the code does that right"
        assert (await session.requester_instance.send_request({"user_id": "u1"}))["code"] == 200


@pytest.mark.requirement("META-PROTO-15")
async def test_there_are_at_most_three_rounds_of_mending(tmp_path: Path, workshop: Workshop) -> None:
    plant_both(tmp_path)
    no = scripted(diagnose={"confirmed": False, "reason": "no"})
    async with Pair(tmp_path, workshop, llms=(scripted(), no)) as pair:
        await pair.sessions()
        assert [await pair.alice.negotiate_fix_error("wrong") for _ in range(4)] == [False] * 4
        assert len(sent(pair.up, "fixErrorNegotiation")) == 3
        assert no.calls == 3


# Words


@pytest.mark.requirement("META-PROTO-16")
async def test_a_question_gets_exactly_one_answer_with_its_id(tmp_path: Path, workshop: Workshop) -> None:
    async with Pair(tmp_path, workshop) as pair:
        assert await pair.alice.negotiate_natural_language("Where are the schools from?") == "From the register."
        (question,) = sent(pair.up, "naturalLanguageNegotiation")
        (answer,) = sent(pair.down, "naturalLanguageNegotiation")
        assert question["messageId"] == answer["messageId"]
        assert (question["type"], answer["type"]) == ("REQUEST", "RESPONSE")
        await pair.bob.handle_meta_data(frames.meta(question))
        assert len(sent(pair.down, "naturalLanguageNegotiation")) == 1


@pytest.mark.requirement("META-PROTO-16")
async def test_answers_that_nobody_waits_for_are_ignored_and_logged(
    tmp_path: Path, workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    async with Pair(tmp_path, workshop) as pair:
        with caplog.at_level(logging.WARNING):
            await pair.alice.handle_meta_data(
                frames.meta(
                    {
                        "action": "naturalLanguageNegotiation",
                        "type": "RESPONSE",
                        "messageId": "a" * 16,
                        "message": "42",
                    }
                )
            )
        assert "dropped" in caplog.text
        assert pair.up.sent == []


@pytest.mark.requirement("META-PROTO-16")
async def test_a_question_without_answer_raises_at_its_limit(tmp_path: Path, workshop: Workshop) -> None:
    async with Pair(tmp_path, workshop, limits=FAST) as pair:
        pair.down.change = lambda _: None
        with pytest.raises(CallTimeout):
            await pair.alice.negotiate_natural_language("Hello?")


# Ends


@pytest.mark.requirement("META-SESS-04")
@pytest.mark.parametrize("how", ["own close", "peer close", "transport loss"])
async def test_the_end_of_a_session_ends_every_request_that_waits(tmp_path: Path, workshop: Workshop, how: str) -> None:
    asked = asyncio.Event()

    async def slow(request: dict[str, Any]) -> dict[str, Any]:
        asked.set()
        await asyncio.Event().wait()
        return {}

    before = asyncio.all_tasks()
    plant_both(tmp_path)
    async with Pair(tmp_path, workshop) as pair:
        session, _ = await pair.sessions(callback=slow)
        waiting = [asyncio.ensure_future(session.requester_instance.send_request({"user_id": "u1"})) for _ in range(3)]
        await asked.wait()
        if how == "own close":
            await session.close()
        else:
            error = SessionEnded("closed") if how == "peer close" else NodeUnreachable("lost")
            await pair.alice.aclose(error)
        async with asyncio.timeout(2):
            ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(end) for end in ends[:3]] == [SessionEnded if how != "transport loss" else NodeUnreachable] * 3
    assert asyncio.all_tasks() == before


async def test_closing_twice_is_harmless_and_nothing_is_taken_afterwards(tmp_path: Path) -> None:
    given: list[bytes] = []

    async def send(data: bytes) -> None:
        given.append(data)

    meta = MetaProtocol(send, None, None, tmp_path)
    await meta.aclose()
    await meta.aclose()
    await meta.handle_meta_data(b"nonsense")
    assert given == []
    with pytest.raises(SessionEnded):
        await meta.negotiate_protocol("Get schools")


# Reuse


@pytest.mark.requirement("META-GEN-06")
async def test_a_second_negotiation_of_the_same_need_asks_no_model_and_generates_nothing(
    tmp_path: Path, workshop: Workshop
) -> None:
    plant_both(tmp_path)
    async with Pair(tmp_path, workshop) as pair:
        await pair.sessions()
    silent = scripted(propose=AssertionError(), evaluate=AssertionError())
    async with Pair(tmp_path, workshop, llms=(silent, silent), with_cases=False) as pair:
        session, _ = await pair.sessions()
        assert silent.calls == 0
        assert (await session.requester_instance.send_request({"user_id": "u1"}))["code"] == 200


@pytest.mark.requirement("META-GEN-06")
async def test_a_hash_that_both_named_in_their_hellos_skips_the_rounds(tmp_path: Path, workshop: Workshop) -> None:
    plant_both(tmp_path)
    async with Pair(tmp_path, workshop) as pair:
        await pair.sessions()
    async with Pair(tmp_path, workshop) as pair:
        used = await pair.alice.recollection.known(NEED)
        assert used == protocol_hash(protocol())
        assert await pair.bob.recollection.holds(used)
        await asyncio.gather(
            pair.alice.negotiate_protocol(NEED.requirement, need=NEED, used_protocol_hash=used),
            pair.bob.wait_remote_negotiation(used_protocol_hash=used),
        )
        assert sent(pair.up, "protocolNegotiation") == sent(pair.down, "protocolNegotiation") == []
        assert pair.alice.protocol_digest == pair.bob.protocol_digest == used


@pytest.mark.requirement("META-GEN-06")
async def test_what_is_not_known_or_was_changed_is_negotiated_in_full(tmp_path: Path, workshop: Workshop) -> None:
    plant_both(tmp_path)
    async with Pair(tmp_path, workshop) as pair:
        assert await pair.alice.recollection.known(NEED) == ""
        assert not await pair.bob.recollection.holds(protocol_hash("another"))
        await pair.sessions()
        used = pair.alice.protocol_digest
        assert pair.alice.work is not None
        (pair.alice.work.path / "requester.py").write_text("import os\n", encoding="utf-8")
        assert await pair.alice.recollection.known(NEED) == ""
        assert await pair.bob.recollection.holds(used)


async def test_what_the_other_side_did_not_announce_is_not_sent(tmp_path: Path, workshop: Workshop) -> None:
    plant_both(tmp_path)
    async with Pair(tmp_path, workshop, offer=MetaProtocolOffer(supported_capabilities=())) as pair:
        await pair.agree()
        before = len(pair.up.sent)
        for talk in (
            pair.alice.negotiate_test_cases([case("one")]),
            pair.alice.negotiate_fix_error("wrong"),
            pair.alice.negotiate_natural_language("Hello?"),
        ):
            with pytest.raises(Conflict):
                await talk
        assert len(pair.up.sent) == before
