"""What an agreement consists of, and schemas that stand inside others."""

from __future__ import annotations

from typing import Any

import pytest

from moothall.errors import ValidationError
from moothall.negotiation.protocol.agreed_terms import plain_numbers, request_digest, run_of, sealed, terms_digest
from moothall.negotiation.protocol.bodies import NegotiationReply
from moothall.negotiation.protocol.inlining import inlined

ALICE, BOB, CAROL = (f"did:wba:here.example:agents:{name}" for name in ("alice", "bob", "carol"))


def accepted(**other: Any) -> NegotiationReply:
    return NegotiationReply.model_validate(
        {
            "negotiationId": "n",
            "status": "accepted",
            "selected": {
                "capability": "add",
                "interface": "i",
                "protocol": "openrpc",
                "profile": "anp.rpc.v1",
                "securityProfile": "transport-protected",
                "contentType": "application/json",
                "url": "https://there.example/rpc",
            },
            "execution": {"mode": "direct_structured_call"},
            "schemas": {"requestSchema": {"default": None}, "responseSchema": {}},
            "validUntil": "2026-11-22T12:00:00.000Z",
            **other,
        }
    )


@pytest.mark.requirement("WIRE-NEGO-09")
def test_the_digest_survives_the_wire_and_is_of_the_terms_alone() -> None:
    said = sealed(accepted(), agent=BOB, sender=ALICE).wire()
    read = NegotiationReply.model_validate({**said, "candidateProtocols": [{"n": 1}], "unknown": 1}).wire()
    assert terms_digest(read, agent=BOB, sender=ALICE) == said["negotiationDigest"]


@pytest.mark.requirement("WIRE-NEGO-09")
@pytest.mark.parametrize(
    "other",
    [{"validUntil": "2027-01-01T00:00:00.000Z"}, {"negotiationId": "m"}, {"execution": {"mode": "stream"}}],
    ids=["until", "id", "mode"],
)
def test_other_terms_have_another_digest(other: dict[str, Any]) -> None:
    one = terms_digest(accepted().wire(), agent=BOB, sender=ALICE)
    assert terms_digest(accepted(**other).wire(), agent=BOB, sender=ALICE) != one
    assert terms_digest(accepted().wire(), agent=BOB, sender=CAROL) != one


def test_a_negotiation_belongs_to_its_two_sides() -> None:
    assert (
        len({run_of(BOB, ALICE, "n"), run_of(BOB, CAROL, "n"), run_of(ALICE, BOB, "n"), run_of(BOB, ALICE, "m")}) == 4
    )


def test_a_body_that_nobody_could_hash_is_refused() -> None:
    with pytest.raises(ValidationError):
        request_digest({"limits": {"bytes": 2**70}})


def test_bounds_that_no_canonical_form_has_are_left_out() -> None:
    schema = {"type": "integer", "maximum": 2**63, "minimum": 0, "anyOf": [{"maximum": 2**63}]}
    assert plain_numbers(schema) == {"type": "integer", "minimum": 0, "anyOf": [{}]}


def test_references_are_replaced_by_what_they_mean() -> None:
    schema = {
        "type": "object",
        "properties": {"room": {"$ref": "#/$defs/Room"}, "rooms": {"type": "array", "items": {"$ref": "#/$defs/Room"}}},
        "$defs": {"Room": {"type": "string"}},
    }
    assert inlined(schema) == {
        "type": "object",
        "properties": {"room": {"type": "string"}, "rooms": {"type": "array", "items": {"type": "string"}}},
    }


def test_a_schema_that_refers_to_itself_says_only_its_type() -> None:
    schema = {"type": "object", "properties": {"next": {"$ref": "#"}, "more": {"$ref": "#/$defs/More"}}, "$defs": {}}
    assert inlined({**schema, "$defs": {"More": {"items": {"$ref": "#/$defs/More"}}}}) == {"type": "object"}
