"""Transcripts: both sides have the same one, and nobody changes a word of it afterwards."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from moothall.errors import IntegrityError
from moothall.identity.keys import PrivateKey, Signer
from moothall.negotiation.protocol import artifact as artifacts
from moothall.negotiation.protocol import document, transcript
from moothall.negotiation.protocol.brain import Role
from moothall.negotiation.protocol.needs import Example
from moothall.negotiation.protocol.transcript import Transcript

A, B = "did:wba:a.example:alice", "did:wba:b.example:bob"
KEYS = {A: PrivateKey.generate(), B: PrivateKey.generate("secp256k1")}
SIGNERS = {did: Signer(f"{did}#key-1", key) for did, key in KEYS.items()}
AGREED = "sha256:" + "1" * 64

ASKS: list[dict[str, Any]] = [
    {"action": "protocolNegotiation", "sequenceId": 1, "status": "negotiating", "candidateProtocols": "# é"},
    {"action": "protocolNegotiation", "sequenceId": 3, "status": "accepted", "candidateProtocols": "# b"},
    {"action": "codeGeneration", "status": "generated"},
]
ANSWERS: list[dict[str, Any]] = [
    {"action": "protocolNegotiation", "sequenceId": 2, "status": "negotiating", "candidateProtocols": "# b"},
    {"action": "protocolNegotiation", "sequenceId": 4, "status": "accepted", "candidateProtocols": "# b"},
    {"action": "codeGeneration", "status": "generated"},
]


def recorded(order: str) -> Transcript:
    """A transcript of the messages in an order: r for the requester's next one, p for the provider's."""
    found = Transcript(requester=A, provider=B)
    lanes: dict[str, tuple[Role, Any]] = {"r": ("requester", iter(ASKS)), "p": ("provider", iter(ANSWERS))}
    for sign in order:
        role, lane = lanes[sign]
        found = found.with_message(role, next(lane))
    return found


@pytest.mark.requirement("META-SESS-05")
def test_both_sides_have_equal_digests_even_where_messages_crossed() -> None:
    assert len({recorded(order).digest for order in ("rprprp", "rprppr", "rprpp" + "r")}) == 1
    assert recorded("rprpr").digest != recorded("rprprp").digest


@pytest.mark.requirement("META-SESS-05")
def test_what_is_said_after_both_were_ready_does_not_change_it() -> None:
    whole = recorded("rprprp")
    assert whole.with_message("provider", {"action": "naturalLanguageNegotiation"}).digest == whole.digest


@pytest.mark.requirement("META-SESS-05")
def test_each_message_lengthens_a_chain() -> None:
    whole = recorded("rprprp")
    assert len(whole.chain("requester")) == 3
    assert recorded("rpr").chain("requester") == whole.chain("requester")[:2]


@pytest.mark.requirement("META-SESS-05")
def test_the_signatures_of_both_dids_verify() -> None:
    whole = recorded("rprprp")
    for did, role in ((A, "requester"), (B, "provider")):
        token = transcript.sign(whole, SIGNERS[did], AGREED)
        assert transcript.signer_of(token) == f"{did}#key-1"
        transcript.verify(recorded("rprppr"), token, role=role, key=KEYS[did].public, protocol=AGREED)  # type: ignore[arg-type]


@pytest.mark.requirement("META-SESS-05")
def test_a_signature_is_of_this_conversation_this_protocol_and_this_side() -> None:
    whole = recorded("rprprp")
    token = transcript.sign(whole, SIGNERS[A], AGREED)
    public = KEYS[A].public
    changed = [
        (recorded("rprpr"), token, "requester", public, AGREED),
        (whole, token, "requester", public, "sha256:" + "2" * 64),
        (whole, token, "provider", public, AGREED),
        (whole, token, "requester", KEYS[B].public, AGREED),
        (whole, token, "requester", PrivateKey.generate().public, AGREED),
        (whole, token[:-4] + "AAAA", "requester", public, AGREED),
        (whole, "x.y", "requester", public, AGREED),
        (
            Transcript(requester=A, provider="did:wba:c.example:x", entries=whole.entries),
            token,
            "requester",
            public,
            AGREED,
        ),
    ]
    for found, signed, role, key, protocol in changed:
        with pytest.raises(IntegrityError):
            transcript.verify(found, signed, role=role, key=key, protocol=protocol)  # type: ignore[arg-type]


@pytest.mark.requirement("META-SESS-05")
def test_changing_one_message_of_a_kept_transcript_is_noticed() -> None:
    whole = recorded("rprprp")
    kept = whole.export({"requester": "t"})
    assert Transcript.load(kept) == (whole, {"requester": "t"})
    for place in range(6):
        changed = copy.deepcopy(kept)
        changed["entries"][place]["message"]["status"] = "rejected"
        with pytest.raises(IntegrityError):
            Transcript.load(changed)
    for body in ({}, None, {**kept, "entries": kept["entries"][:-1]}, {**kept, "requester": B}, {**kept, "more": 1}):
        with pytest.raises(IntegrityError):
            Transcript.load(body)


def agreed() -> document.ProtocolDocument:
    text = document.write(
        requirements="Tell the weather",
        request={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        response={
            "type": "object",
            "properties": {"code": {"type": "integer"}, "sky": {"type": "string"}},
            "required": ["code", "sky"],
        },
        examples=[Example(request={"city": "Oslo"}, response={"code": 200, "sky": "grey"})],
    )
    return document.read(text)


CASES = [{"name": "one", "request": {"city": "Rome"}, "expected": {"code": 404}}]


@pytest.mark.requirement("WIRE-NEGO-12")
def test_an_artifact_has_the_members_of_the_draft_and_both_sides_compute_its_digest_alike() -> None:
    mine, theirs = artifacts.artifact_of(agreed(), CASES), artifacts.artifact_of(document.read(agreed().text), CASES)
    assert mine == theirs
    body = mine.model_dump(mode="json")
    assert set(body) == {
        "protocol_id",
        "protocol_uri",
        "version",
        "methods",
        "content_types",
        "security_profiles",
        "examples",
        "test_cases",
        "digest",
        "signature",
    }
    assert set(body["methods"][0]) == {"name", "request_schema_uri", "response_schema_uri"}
    assert mine.protocol_uri.endswith(agreed().digest)
    assert artifacts.artifact_of(agreed()).digest != mine.digest


@pytest.mark.requirement("WIRE-NEGO-12")
def test_the_schemas_of_an_artifact_accept_its_examples() -> None:
    from moothall.codegen.schemas.validation import compiled

    made = artifacts.artifact_of(agreed())
    found = artifacts.schemas_of(agreed())
    assert made.examples
    for example in made.examples:
        assert compiled(found[made.methods[0].request_schema_uri]).accepts(example.request)
        assert compiled(found[made.methods[0].response_schema_uri]).accepts(example.response)


@pytest.mark.requirement("WIRE-NEGO-12")
def test_the_signature_of_an_artifact_verifies_and_no_changed_one_does() -> None:
    made = artifacts.signed(artifacts.artifact_of(agreed(), CASES), SIGNERS[B])
    received = artifacts.read(made.model_dump(mode="json"))
    assert artifacts.signer_of(received) == f"{B}#key-1"
    artifacts.verify(received, KEYS[B].public)
    body = made.model_dump(mode="json")
    other = artifacts.artifact_of(agreed())
    for change in ({"version": "9"}, {"test_cases": []}, {"digest": other.digest}, {"digest": "x"}, {"methods": []}):
        with pytest.raises(IntegrityError):
            artifacts.read({**body, **change})
    for wrong in (
        made.model_copy(update={"version": "9"}),
        other,
        other.model_copy(update={"signature": made.signature}),
    ):
        with pytest.raises(IntegrityError):
            artifacts.verify(wrong, KEYS[B].public)
    with pytest.raises(IntegrityError):
        artifacts.verify(received, KEYS[A].public)
