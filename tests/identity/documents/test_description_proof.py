"""Descriptions: signed, unsigned or invalid."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
import rfc8785

from moothall.identity.description_proof import check_description, sign_description
from moothall.identity.document import DidDocument
from moothall.identity.keys import Algorithm
from tests.identity.documents.made import NOW, Made, made

DOMAIN = "example.com:3000"


def signed(who: Made, **more: Any) -> dict[str, Any]:
    description = {"type": "AgentDescription", "did": who.did.text, "name": "天气 🌦", "version": 1.0, **more}
    return sign_description(description, who.signer, domain=DOMAIN, challenge="c-1", created=NOW)


def verdict(who: Made, description: dict[str, Any], domain: str = DOMAIN) -> str:
    return check_description(description, DidDocument.load(who.did, who.document, now=NOW), domains={domain})


@pytest.mark.requirement("WIRE-AD-03")
@pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1"])
def test_a_signed_description_verifies(algorithm: Algorithm) -> None:
    who = made(algorithm)
    assert verdict(who, signed(who)) == "signed"


@pytest.mark.requirement("WIRE-AD-03")
def test_the_signature_is_over_the_hash_of_all_but_its_value() -> None:
    who = made()
    description = signed(who)
    proof = dict(description["proof"])
    value = proof.pop("proofValue")
    assert (proof["domain"], proof["challenge"]) == (DOMAIN, "c-1")
    message = hashlib.sha256(rfc8785.dumps({**description, "proof": proof})).digest()
    assert "=" not in value
    assert who.signer.key.public.verify(message, base64.urlsafe_b64decode(value + "=="))


@pytest.mark.requirement("WIRE-AD-03")
def test_a_description_without_a_proof_is_unsigned() -> None:
    who = made()
    assert verdict(who, {"did": who.did.text}) == "unsigned"
    assert check_description({"did": who.did.text}, None, domains={DOMAIN}) == "unsigned"


@pytest.mark.requirement("WIRE-AD-03")
def test_anything_changed_makes_it_invalid() -> None:
    who, other = made(), made()
    good = signed(who)
    for name in good:
        if name != "proof":
            assert verdict(who, {**good, name: "other"}) == "invalid", name
            assert verdict(who, {key: value for key, value in good.items() if key != name}) == "invalid", name
    for name in good["proof"]:
        without = {key: value for key, value in good["proof"].items() if key != name}
        for proof in (without, {**without, name: "other"}, {**without, name: 5}, {**without, name: None}):
            assert verdict(who, {**good, "proof": proof}) == "invalid", name
    assert verdict(who, {**good, "more": 1}) == "invalid"
    assert verdict(other, good) == "invalid"
    for proof in (None, [], "x", {}):
        assert verdict(who, {**good, "proof": proof}) == "invalid"


@pytest.mark.requirement("WIRE-AD-03")
def test_one_that_was_made_for_another_place_or_of_an_agent_that_cannot_be_found_is_invalid() -> None:
    who = made()
    assert verdict(who, signed(who), domain="evil.example") == "invalid"
    assert check_description(signed(who), None, domains={DOMAIN}) == "invalid"


def test_one_that_names_another_agent_or_was_signed_for_another_purpose_is_invalid() -> None:
    who, other = made(), made()
    assert verdict(who, signed(who, did=other.did.text)) == "invalid"
    for purpose, expected in (("assertionMethod", "signed"), ("authentication", "invalid")):
        description = signed(who)
        proof = {**description["proof"], "proofPurpose": purpose}
        del proof["proofValue"]
        message = hashlib.sha256(rfc8785.dumps({**description, "proof": proof})).digest()
        value = base64.urlsafe_b64encode(who.signer.sign(message)).decode().rstrip("=")
        assert verdict(who, {**description, "proof": {**proof, "proofValue": value}}) == expected


def test_a_proof_without_an_occasion_or_by_a_key_of_another_is_invalid() -> None:
    who, other = made(), made()
    description = {"did": who.did.text}
    assert (
        verdict(who, sign_description(description, who.signer, domain=DOMAIN, challenge="", created=NOW)) == "invalid"
    )
    assert verdict(who, sign_description(description, other.signer, domain=DOMAIN, challenge="c", created=NOW)) == "invalid"  # fmt: skip


def test_hostile_descriptions_are_invalid_and_no_fault() -> None:
    who = made()
    deep: Any = {}
    for _ in range(5000):
        deep = [deep]
    good = signed(who)
    for more in (deep, float("nan"), 2**60, "\ud800"):
        assert verdict(who, {**good, "more": more}) == "invalid"
