"""Protocols that are drafted over ``anp.negotiate`` by two nodes, without a model, and spoken afterwards."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from moothall.capability.decorators import capability
from moothall.errors import MoothallError, NegotiationRejected, PayloadTooLarge, ValidationError
from moothall.llm.scripted import ScriptedLLM
from moothall.negotiation.protocol import artifact as artifacts
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.needs import Need
from moothall.negotiation.protocol.requesting import transcript_in
from moothall.negotiation.protocol.transcript import Transcript, verify
from moothall.negotiation.protocol.workshop import Workshop
from moothall.protocols.anp.negotiating import quoting
from tests.protocols.anp import hall
from tests.protocols.anp.front_town import EasyJudge, FrontNode, front_node
from tests.protocols.anp.town import house
from tests.protocols.anp.weather import CITY, NEED, forecast


@pytest.fixture
async def workshop() -> AsyncIterator[Workshop]:
    async with Workshop(judge=EasyJudge()) as made:
        yield made


@pytest.fixture
async def there(tmp_path: Path, workshop: Workshop) -> AsyncIterator[FrontNode]:
    async with front_node(tmp_path / "there", {"bob": (hall.add, forecast)}, workshop) as found:
        yield found


@pytest.fixture
async def here(tmp_path: Path, workshop: Workshop) -> AsyncIterator[FrontNode]:
    async with front_node(tmp_path / "here", {"alice": (hall.hello,), "carol": ()}, workshop) as found:
        yield found


async def obtained(here: FrontNode, there: FrontNode, agent: str = "alice", need: Need = NEED) -> Any:
    until = here.log.clock.monotonic() + 50
    return await here.front.requests.obtain(here.speaker(agent), there.did("bob"), need, until)


async def settled(node: FrontNode) -> None:
    """Wait until nothing is left to do in any run."""
    while await node.log.runs(status="open"):
        pass  # each look is a turn for the drivers


@pytest.mark.requirement("WIRE-NEGO-01", "WIRE-NEGO-04", "WIRE-NEGO-05")
async def test_two_nodes_draft_a_protocol_and_speak_it(here: FrontNode, there: FrontNode) -> None:
    spoken = await obtained(here, there)
    assert spoken.source == "negotiated"
    speaker = here.speaker("alice")
    assert await here.front.requests.speak(speaker, spoken, {"city": "Turin"}) == {"temperature": 5, "sky": "clear"}


class Found(BaseModel):
    title: str
    pages: int


@capability(access="authenticated", name="find_book")
def find_book(book_id: str) -> Found:
    """Find a book by its id."""
    return Found(title=f"Book {book_id}", pages=100)


@pytest.mark.requirement("WIRE-NEGO-12")
async def test_what_was_drafted_is_signed_described_and_kept(here: FrontNode, there: FrontNode) -> None:
    spoken = await obtained(here, there)
    end = await here.front.requests.end(spoken.negotiation)
    assert end is not None
    selected = end.payload["reply"]["selected"]
    artifact = artifacts.read(selected["protocolArtifact"])
    document = documents.read((await here.front.requests.protocol(spoken.protocol)).document)
    assert artifact.digest == artifacts.artifact_of(document, artifact.test_cases).digest
    bob = await here.house.resolver.resolve(there.did("bob"))
    artifacts.verify(artifact, bob.authentication[artifacts.signer_of(artifact)])
    for example in artifact.examples:
        assert not document.request_problems(example.request)
    (agreed,) = await here.front.requests.agreements(here.did("alice"))
    transcript, signatures = Transcript.load(transcript_in(agreed))
    for role, did in (("requester", here.did("alice")), ("provider", there.did("bob"))):
        (key,) = (await here.house.resolver.resolve(did)).authentication.values()
        verify(transcript, signatures[role], role=role, key=key, protocol=spoken.protocol)  # type: ignore[arg-type]


@pytest.mark.requirement("WIRE-NEGO-04", "WIRE-NEGO-05")
async def test_an_agreement_is_found_again_without_a_negotiation(here: FrontNode, there: FrontNode) -> None:
    first = await obtained(here, there)
    again = await obtained(here, there)
    assert (again.source, again.protocol, again.routine) == ("kept", first.protocol, first.routine)
    assert len(await here.log.runs(kind="protocol.request")) == 1
    assert len(await there.log.runs(kind="protocol.provide")) == 1


async def test_a_third_agent_gets_protocol_and_code_from_the_provider(here: FrontNode, there: FrontNode) -> None:
    first = await obtained(here, there)
    await settled(there)
    shared = await obtained(here, there, agent="carol")
    assert (shared.source, shared.protocol) == ("shared", first.protocol)
    assert len(await there.log.runs(kind="protocol.provide")) == 1
    spoken = await here.front.requests.speak(here.speaker("carol"), shared, {"city": "Ulm"})
    assert spoken == {"temperature": 3, "sky": "clear"}


async def test_a_third_agent_of_another_node_tests_what_it_gets(
    tmp_path: Path, workshop: Workshop, here: FrontNode, there: FrontNode
) -> None:
    await obtained(here, there)
    await settled(there)
    async with front_node(tmp_path / "elsewhere", {"dora": ()}, workshop) as elsewhere:
        shared = await obtained(elsewhere, there, agent="dora")
        assert shared.source == "shared"
        routine = await elsewhere.routines.get(shared.routine)
        assert routine is not None
        assert routine.origin == here.did("alice")
        assert routine.tested_at is not None
        assert not await elsewhere.log.runs(kind="protocol.request")


@pytest.mark.requirement("WIRE-NEGO-05")
async def test_two_sides_that_cannot_agree_end_with_the_reason(here: FrontNode, there: FrontNode) -> None:
    need = Need(
        requirement="Translate a text into another language",
        input_schema={"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
        output_schema={
            "type": "object",
            "properties": {"translation": {"type": "string"}},
            "required": ["translation"],
        },
    )
    with pytest.raises(NegotiationRejected) as refused:
        await obtained(here, there, need=need)
    assert refused.value.details["reason"]
    assert not await here.front.requests.agreements(here.did("alice"))


async def test_other_names_are_agreed_on_after_a_counter_proposal(
    tmp_path: Path, workshop: Workshop, here: FrontNode
) -> None:
    need = Need(
        requirement="Find a book by its id",
        input_schema={"type": "object", "properties": {"bookId": {"type": "string"}}, "required": ["bookId"]},
        output_schema={"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]},
    )
    async with front_node(tmp_path / "library", {"bob": (find_book,)}, workshop) as library:
        spoken = await obtained(here, library, need=need)
        answer = await here.front.requests.speak(here.speaker("alice"), spoken, {"bookId": "b7"})
        assert answer["title"] == "Book b7"


@pytest.mark.parametrize(
    ("stopped", "after"),
    [
        ("requester", "talk.sent.1"),
        ("requester", "talk.code.1"),
        ("provider", "talk.judge.1"),
        ("provider", "talk.code.1"),
    ],
)
async def test_either_side_may_die_and_both_go_on(here: FrontNode, there: FrontNode, stopped: str, after: str) -> None:
    requests = here.front.requests
    run = await requests.begin(here.speaker("alice"), there.did("bob"), NEED)
    await (here if stopped == "requester" else there).die_after(after)
    spoken = await requests.outcome(run, there.did("bob"), here.log.clock.monotonic() + 50)
    assert await requests.speak(here.speaker("alice"), spoken, {"city": "Rome"}) == {"temperature": 4, "sky": "clear"}


async def test_what_was_agreed_on_is_offered_again_after_a_restart(here: FrontNode, there: FrontNode) -> None:
    spoken = await obtained(here, there)
    there.house.registry.remove(f"bob.{spoken.capability}")
    await there.front.start()
    assert await here.front.requests.speak(here.speaker("alice"), spoken, {"city": "Bonn"}) == {
        "temperature": 4,
        "sky": "clear",
    }


async def test_a_request_that_does_not_fit_is_refused_by_the_provider(here: FrontNode, there: FrontNode) -> None:
    spoken = await obtained(here, there)
    with pytest.raises(ValidationError):
        await here.calls("alice", f"{there.did('bob')}#{spoken.capability}", {"request": {"town": "Bonn"}})


@pytest.mark.requirement("WIRE-NEGO-09")
async def test_a_drafted_agreement_can_be_quoted(here: FrontNode, there: FrontNode) -> None:
    spoken = await obtained(here, there)
    end = await here.front.requests.end(spoken.negotiation)
    assert end is not None
    target, given = f"{there.did('bob')}#{spoken.capability}", {"request": {"city": "Bonn"}}
    answer = await here.calls("alice", target, quoting(end.payload["reply"], given))
    assert answer == {"code": 200, "temperature": 4, "sky": "clear"}
    with pytest.raises(NegotiationRejected):
        await here.calls("alice", target, quoting(end.payload["reply"] | {"negotiationDigest": "sha256:0"}, given))


async def test_a_provider_that_does_not_negotiate_is_named_as_the_reason(here: FrontNode, tmp_path: Path) -> None:
    async with house(tmp_path / "plain", {"bob": (hall.add,)}) as plain:
        until = here.log.clock.monotonic() + 50
        with pytest.raises(MoothallError):
            await here.front.requests.obtain(here.speaker("alice"), plain.did("bob"), NEED, until)


async def test_messages_of_another_form_or_length_are_refused(here: FrontNode, there: FrontNode) -> None:
    alice, bob = here.did("alice"), there.did("bob")
    party = here.front.requests.party
    for candidate, kind in (
        ("protocol", ValidationError),
        ({"message": "text"}, ValidationError),
        ({"message": {"action": "x" * 300_000}}, PayloadTooLarge),
    ):
        body = {"mode": "natural_language_protocol_drafting", "intent": {}, "candidateProtocols": [candidate]}
        with pytest.raises(kind):
            await party.request("alice", alice, bob, "op", body)
    assert not await there.log.runs()


async def test_a_negotiation_that_has_ended_takes_no_more_messages(here: FrontNode, there: FrontNode) -> None:
    alice, bob = here.did("alice"), there.did("bob")
    party = here.front.requests.party
    body = {"negotiation_id": "n", "mode": "natural_language_protocol_drafting", "intent": {"name": "x"}}
    accepted = {"action": "protocolNegotiation", "sequenceId": 1, "status": "accepted", "candidateProtocols": "x"}
    first = await party.request("alice", alice, bob, "op-1", {**body, "candidateProtocols": [{"message": accepted}]})
    while first.status == "needs_more_information":
        first = await party.request("alice", alice, bob, "op-2", {**body, "receivedMessages": 99})
    assert (first.status, bool(first.reason)) == ("rejected", True)
    again = {**body, "candidateProtocols": [{"message": accepted}], "receivedMessages": 99}
    with pytest.raises(NegotiationRejected):
        await party.request("alice", alice, bob, "op-3", again)


async def test_an_open_negotiation_ends_when_its_requester_is_silent(
    tmp_path: Path, workshop: Workshop, here: FrontNode
) -> None:
    hasty = Limits(message_timeout=0.2, negotiation_timeout=0.2, code_generation_timeout=0.2)
    async with front_node(tmp_path / "hasty", {"bob": (forecast,)}, workshop, limits=hasty) as there:
        body = {"negotiation_id": "n", "mode": "natural_language_protocol_drafting", "intent": {"name": "x"}}
        await here.front.requests.party.request("alice", here.did("alice"), there.did("bob"), "op-1", body)
        await settled(there)
        (run,) = await there.log.runs()
        assert (await there.log.load(run.id))[-1].key == "refused"


async def test_a_budget_that_is_spent_ends_a_negotiation_on_both_sides(
    tmp_path: Path, workshop: Workshop, there: FrontNode
) -> None:
    humidity = {"type": "object", "properties": {"code": {"type": "integer"}, "humidity": {"type": "number"}}}
    proposed = {
        "requirements": "Tell the weather forecast of a city",
        "flow": "One request, one response",
        "request_schema": CITY,
        "response_schema": {**humidity, "required": ["code", "humidity"]},
    }
    script = ScriptedLLM([("Prompt protocol_propose", json.dumps({"protocol": proposed}))])
    tight = Limits(message_timeout=20.0, max_llm_calls=1)
    need = Need(
        requirement="Tell the weather forecast of a city", input_description="some place", output_description="?"
    )
    async with front_node(tmp_path / "tight", {"alice": ()}, workshop, llm=script, limits=tight) as here:
        with pytest.raises(NegotiationRejected) as refused:
            await obtained(here, there, need=need)
        assert refused.value.details["reason"] == "budget"
        await settled(there)
        (run,) = await there.log.runs()
        assert (await there.log.load(run.id))[-1].key == "refused"
