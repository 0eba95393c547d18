"""The hello: both sides know what the other one is able to."""

from __future__ import annotations

from typing import Any

import pytest

from moothall.errors import ProtocolViolation
from moothall.negotiation.protocol.wire.hello import (
    CAPABILITIES,
    MetaProtocolOffer,
    destination_hello,
    read_hello,
    source_hello,
)

A, B = "did:wba:a.example:alice", "did:wba:b.example:bob"


@pytest.mark.requirement("META-WIRE-09")
def test_a_hello_says_version_and_capabilities_and_leaves_out_what_is_empty() -> None:
    said = source_hello(A, B, MetaProtocolOffer(supported_capabilities=CAPABILITIES))
    assert said == {
        "type": "sourceHello",
        "sourceDid": A,
        "destinationDid": B,
        "metaProtocol": {
            "version": "1.0",
            "supportedCapabilities": [
                "naturalLanguageProtocol",
                "verificationProtocol",
                "naturalLanguageNegotiation",
                "testCasesNegotiation",
                "fixErrorNegotiation",
            ],
        },
    }


@pytest.mark.requirement("META-WIRE-09")
def test_both_hellos_are_read_with_hash_proposal_and_selection() -> None:
    digest = "sha256:" + "a" * 64
    offer = MetaProtocolOffer(used_protocol_hash=digest, candidate_protocols="# X", selected_protocol=digest)
    hello = read_hello(destination_hello(B, A, offer))
    assert (hello.type, hello.source_did, hello.destination_did) == ("destinationHello", B, A)
    assert hello.meta_protocol == offer


@pytest.mark.requirement("META-WIRE-09")
@pytest.mark.parametrize(
    "action", ["testCasesNegotiation", "fixErrorNegotiation", "naturalLanguageNegotiation", "transcriptSignature"]
)
def test_an_action_that_was_not_announced_is_not_for_that_side(action: str) -> None:
    assert MetaProtocolOffer().announces(action)
    silent = read_hello({"type": "sourceHello", "sourceDid": A, "destinationDid": B}).meta_protocol
    assert not silent.announces(action)
    assert silent.announces("protocolNegotiation")
    assert silent.announces("codeGeneration")


@pytest.mark.parametrize(
    "change",
    [
        {"type": "hello"},
        {"sourceDid": "alice"},
        {"metaProtocol": []},
        {"metaProtocol": {"version": "2.0"}},
        {"metaProtocol": {"usedProtocolHash": "x"}},
        {"metaProtocol": {"supportedCapabilities": ["x"] * 65}},
        {"metaProtocol": {"candidateProtocols": "x" * 65_537}},
    ],
    ids=lambda change: str(change)[:40],
)
def test_what_is_no_hello_is_a_violation(change: dict[str, Any]) -> None:
    said = source_hello(A, B, MetaProtocolOffer())
    with pytest.raises(ProtocolViolation):
        read_hello({**said, **change})


def test_unknown_keys_and_capabilities_are_no_harm() -> None:
    said = source_hello(A, B, MetaProtocolOffer(supported_capabilities=("holograms",)))
    assert read_hello({**said, "more": 1}).meta_protocol.supported_capabilities == ("holograms",)
