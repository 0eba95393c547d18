"""Signed requests at the gate: who is let in, and with which reason the others are not."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha256, sha512
from pathlib import Path

import pytest

from moothall.errors import CallTimeout, MoothallError, Overloaded, PermissionDeniedError, StorageError, Unauthenticated
from moothall.identity.digest import content_digest
from moothall.identity.document import DidDocument
from moothall.identity.keys import Algorithm, PrivateKey, Signer
from moothall.identity.principal import ANONYMOUS
from moothall.identity.request import HttpRequest
from moothall.identity.signing import sign_request
from moothall.identity.verification import Rules
from tests.identity.wire.gate import (
    BODY,
    NONCE,
    TARGET,
    URL,
    USER_KEY,
    Decisions,
    Gate,
    Party,
    Registry,
    bare_party,
    close_gate,
    older_header,
    older_proof,
    open_gate,
    party,
    request,
    signed,
    signed_by_hand,
)

DIGEST = content_digest(BODY)
COVERED = [
    ("@method", "POST"),
    ("@target-uri", URL + TARGET),
    ("@authority", "node.example:8420"),
    ("content-digest", DIGEST),
]


def _parameters(who: Party, now: int, *, nonce: str = NONCE) -> str:
    return f';created={now};expires={now + 300};nonce="{nonce}";keyid="{who.signer.keyid}"'


async def _reason(gate: Gate, refused: HttpRequest) -> str:
    with pytest.raises(Unauthenticated) as caught:
        await gate.house.verifier.verify(refused)
    return caught.value.reason


@pytest.mark.requirement("WIRE-SIG-02")
@pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1", "P-256"])
async def test_a_request_signed_with_each_kind_of_key_is_its_dids(
    gate: Gate, registry: Registry, algorithm: Algorithm
) -> None:
    who = bare_party(algorithm) if algorithm == "P-256" else party(algorithm)
    registry.add(who)
    principal = await gate.house.verifier.verify(signed(who, gate.now))
    assert (principal.id, principal.kind, principal.binding) == (who.did, "did", "request")
    assert principal.verified
    assert principal.key == who.signer.keyid
    assert principal.key_bound is (algorithm != "P-256")
    assert not principal.owner


@pytest.mark.requirement("WIRE-SIG-01")
def test_what_is_signed_has_the_one_shape() -> None:
    who = party()
    headers = sign_request(who.signer, "POST", URL + TARGET, BODY, now=1795191468, nonce=NONCE)
    assert list(headers) == ["Content-Digest", "Signature-Input", "Signature"]
    assert headers["Signature-Input"] == (
        'sig1=("@method" "@target-uri" "@authority" "content-digest")'
        f';created=1795191468;expires=1795191768;nonce="{NONCE}";keyid="{who.signer.keyid}"'
    )
    assert headers["Content-Digest"] == f"sha-256=:{b64encode(sha256(BODY).digest()).decode()}:"
    assert headers["Signature"].startswith("sig1=:")


@pytest.mark.requirement("WIRE-SIG-01")
async def test_without_a_body_no_digest_is_sent_and_none_is_asked_for(gate: Gate, alice: Party) -> None:
    bodiless = signed(alice, gate.now, method="GET", body=b"")
    assert not bodiless.values(b"content-digest")
    assert "content-digest" not in bodiless.values(b"signature-input")[0]
    assert (await gate.house.verifier.verify(bodiless)).id == alice.did


def test_every_signature_has_a_nonce_of_its_own() -> None:
    who = party()
    one, other = (sign_request(who.signer, "GET", URL, b"", now=1) for _ in range(2))
    assert one["Signature-Input"] != other["Signature-Input"]


@pytest.mark.requirement("WIRE-SIG-03")
@pytest.mark.parametrize(
    "covered",
    [
        [("@method", "POST")],
        [("@method", "POST"), ("@target-uri", URL + TARGET)],
        [("@method", "POST"), ("@authority", "node.example:8420"), ("content-digest", DIGEST)],
        [("@target-uri", URL + TARGET), ("content-digest", DIGEST)],
        [],
    ],
)
async def test_less_than_the_minimum_is_refused(gate: Gate, alice: Party, covered: list[tuple[str, str]]) -> None:
    weak = signed_by_hand(alice, covered, _parameters(alice, gate.now), digest=DIGEST)
    assert await _reason(gate, weak) == "invalid_request"


@pytest.mark.requirement("WIRE-SIG-03")
@pytest.mark.parametrize("target", [TARGET, "/", "/other"])
@pytest.mark.parametrize("body", [b"", BODY, b"other"])
async def test_a_signature_over_the_method_alone_opens_no_path_with_no_body(
    gate: Gate, alice: Party, target: str, body: bytes
) -> None:
    weak = signed_by_hand(alice, [("@method", "POST")], _parameters(alice, gate.now))
    moved = HttpRequest("POST", target, weak.headers, body)
    assert await _reason(gate, moved) == "invalid_request"


@pytest.mark.requirement("WIRE-SIG-04")
@pytest.mark.parametrize(
    ("created", "expires"),
    [(-360, -60), (90, 390), (0, None), (0, 10 * 365 * 86_400), (-200, -1), (0, -1), (-301, 0), (61, 361), (0, 301)],
)
async def test_outside_its_time_a_signature_is_refused(
    gate: Gate, alice: Party, created: int, expires: int | None
) -> None:
    ends = "" if expires is None else f";expires={gate.now + expires}"
    parameters = f';created={gate.now + created}{ends};nonce="{NONCE}";keyid="{alice.signer.keyid}"'
    late = signed_by_hand(alice, COVERED, parameters, digest=DIGEST)
    assert await _reason(gate, late) == "invalid_timestamp"


@pytest.mark.requirement("WIRE-SIG-04")
@pytest.mark.parametrize("created", ["", ';created="1795191468"', ";created", ";created=1795191468.0", ";created=now"])
async def test_a_signature_says_when_it_was_created(gate: Gate, alice: Party, created: str) -> None:
    parameters = f';expires={gate.now + 9};nonce="{NONCE}";keyid="{alice.signer.keyid}"{created}'
    assert await _reason(gate, signed_by_hand(alice, COVERED, parameters, digest=DIGEST)) == "invalid_timestamp"


@pytest.mark.requirement("WIRE-SIG-04")
@pytest.mark.parametrize(("created", "expires"), [(60, 360), (-300, 0), (-5, 5)])
async def test_at_the_edges_of_its_time_it_counts(gate: Gate, alice: Party, created: int, expires: int) -> None:
    parameters = (
        f';created={gate.now + created};expires={gate.now + expires};nonce="{NONCE}";keyid="{alice.signer.keyid}"'
    )
    await gate.house.verifier.verify(signed_by_hand(alice, COVERED, parameters, digest=DIGEST))


async def test_a_node_may_do_without_expires(tmp_path: Path, registry: Registry, alice: Party) -> None:
    lenient = await open_gate(tmp_path / "lenient", registry, rules=Rules(require_expires=False))
    parameters = f';created={lenient.now};nonce="{NONCE}";keyid="{alice.signer.keyid}"'
    await lenient.house.verifier.verify(signed_by_hand(alice, COVERED, parameters, digest=DIGEST))
    await close_gate(lenient)


@pytest.mark.requirement("WIRE-SIG-05", "AUT-02")
async def test_the_same_request_twice_is_refused_the_second_time(gate: Gate, alice: Party) -> None:
    once = signed(alice, gate.now)
    await gate.house.verifier.verify(once)
    assert await _reason(gate, once) == "invalid_nonce"


@pytest.mark.requirement("WIRE-SIG-05")
async def test_a_nonce_is_refused_as_long_as_a_signature_with_it_could_count(gate: Gate, alice: Party) -> None:
    ahead = signed(alice, gate.now + 60)
    await gate.house.verifier.verify(ahead)
    await gate.clock.advance(360)
    assert await _reason(gate, ahead) == "invalid_nonce"
    await gate.clock.advance(1)
    assert await _reason(gate, ahead) == "invalid_timestamp"


@pytest.mark.requirement("WIRE-SIG-05")
async def test_the_same_nonce_of_somebody_else_counts(gate: Gate, alice: Party, registry: Registry) -> None:
    bob = party(name="bob")
    registry.add(bob)
    for who in (alice, bob):
        await gate.house.verifier.verify(signed(who, gate.now, nonce=NONCE))


@pytest.mark.requirement("WIRE-SIG-05")
async def test_of_twenty_at_once_exactly_one_is_let_in(gate: Gate, alice: Party) -> None:
    once = signed(alice, gate.now)
    outcomes = await asyncio.gather(*[gate.house.verifier.verify(once) for _ in range(20)], return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Unauthenticated)]
    assert len(refused) == 19
    assert {error.reason for error in refused} == {"invalid_nonce"}


@pytest.mark.requirement("WIRE-SIG-05")
async def test_a_signature_that_does_not_hold_uses_up_no_nonce(gate: Gate, alice: Party) -> None:
    good = signed(alice, gate.now, nonce=NONCE)
    mallory = Party(Signer(alice.signer.keyid, PrivateKey.generate()), alice.document)
    assert await _reason(gate, signed(mallory, gate.now, nonce=NONCE)) == "invalid_signature"
    await gate.house.verifier.verify(good)


@pytest.mark.requirement("WIRE-SIG-05")
@pytest.mark.parametrize(
    "nonce", ["", ';nonce="short-nonce-123"', f';nonce="{"n" * 129}"', ";nonce=17", f";nonce=a{NONCE}"]
)
async def test_a_signature_without_a_proper_nonce_is_refused(gate: Gate, alice: Party, nonce: str) -> None:
    parameters = f';created={gate.now};expires={gate.now + 300};keyid="{alice.signer.keyid}"{nonce}'
    assert await _reason(gate, signed_by_hand(alice, COVERED, parameters, digest=DIGEST)) == "invalid_nonce"


@pytest.mark.requirement("WIRE-SIG-06", "AUT-02")
async def test_a_changed_body_is_refused(gate: Gate, alice: Party) -> None:
    good = signed(alice, gate.now)
    changed = HttpRequest(good.method, good.target, good.headers, b'{"a":2}')
    assert await _reason(gate, changed) == "invalid_content_digest"


@pytest.mark.requirement("WIRE-SIG-06")
async def test_a_body_where_none_was_signed_is_refused(gate: Gate, alice: Party) -> None:
    good = signed(alice, gate.now, body=b"")
    assert await _reason(gate, HttpRequest(good.method, good.target, good.headers, BODY)) == "invalid_request"


@pytest.mark.requirement("WIRE-SIG-06")
async def test_a_body_that_was_taken_away_is_refused(gate: Gate, alice: Party) -> None:
    good = signed(alice, gate.now)
    assert await _reason(gate, HttpRequest(good.method, good.target, good.headers)) == "invalid_content_digest"


SHA512 = f"sha-512=:{b64encode(sha512(BODY).digest()).decode()}:"
WRONG512 = f"sha-512=:{b64encode(bytes(64)).decode()}:"


@pytest.mark.requirement("WIRE-SIG-06")
@pytest.mark.parametrize("digest", [SHA512, f"{DIGEST}, {SHA512}", f"{DIGEST}, md5=:AAAA:", f"sha=:AAAA: ,{SHA512}"])
async def test_further_algorithms_beside_a_right_one_do_no_harm(gate: Gate, alice: Party, digest: str) -> None:
    covered = [*COVERED[:3], ("content-digest", digest)]
    await gate.house.verifier.verify(signed_by_hand(alice, covered, _parameters(alice, gate.now), digest=digest))


@pytest.mark.requirement("WIRE-SIG-06")
@pytest.mark.parametrize(
    "digest", [f"{DIGEST}, {WRONG512}", f"{SHA512}, sha-256=:AAAA:", "md5=:AAAA:", "sha-256", "sha-256=abc", "=", "é"]
)
async def test_a_known_algorithm_that_is_wrong_is_not_outweighed(gate: Gate, alice: Party, digest: str) -> None:
    covered = [*COVERED[:3], ("content-digest", digest)]
    wrong = signed_by_hand(alice, covered, _parameters(alice, gate.now), digest=digest)
    assert await _reason(gate, wrong) == "invalid_content_digest"


@pytest.mark.requirement("WIRE-SIG-06")
async def test_a_digest_that_is_covered_but_not_sent_is_refused(gate: Gate, alice: Party) -> None:
    assert await _reason(gate, signed_by_hand(alice, COVERED, _parameters(alice, gate.now))) == "invalid_content_digest"


@pytest.mark.requirement("WIRE-SIG-07")
@pytest.mark.parametrize(
    "written",
    [
        ';created={0};expires={1};nonce="{2}";keyid="{3}";alg="ed25519"',
        ';keyid="{3}";nonce="{2}";expires={1};created={0}',
        ';alg="ed25519";created={0};tag="app";keyid="{3}";expires={1};nonce="{2}"',
        '; created={0}; expires={1};  nonce="{2}"; keyid="{3}"; x=?0; y=1.50; z=:AQ==:; w=tok',
    ],
)
async def test_parameters_count_as_they_were_written(gate: Gate, alice: Party, written: str) -> None:
    parameters = written.format(gate.now, gate.now + 300, NONCE, alice.signer.keyid)
    await gate.house.verifier.verify(signed_by_hand(alice, COVERED, parameters, digest=DIGEST))


@pytest.mark.requirement("WIRE-SIG-07")
async def test_the_received_text_is_what_is_verified(gate: Gate, alice: Party) -> None:
    """Written anew from its values this would be another text, and so another signature."""
    good = signed_by_hand(alice, COVERED, _parameters(alice, gate.now), digest=DIGEST)
    respelt = [(name, value.replace(b";created", b"; created")) for name, value in good.headers]
    assert await _reason(gate, HttpRequest("POST", TARGET, respelt, BODY)) == "invalid_signature"


def _both(first: HttpRequest, second: HttpRequest, *, lines: bool) -> HttpRequest:
    """A request with the signatures of both, in one line or in two."""
    headers = [*first.headers, *(pair for pair in second.headers if pair[0] in {b"signature", b"signature-input"})]
    if lines:
        return HttpRequest(first.method, first.target, headers, first.body)
    joined: dict[bytes, bytes] = {}
    for name, value in headers:
        joined[name] = joined[name] + b", " + value if name in joined else value
    return HttpRequest(first.method, first.target, list(joined.items()), first.body)


@pytest.mark.requirement("WIRE-SIG-07")
@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("good_first", [True, False])
@pytest.mark.parametrize("flaw", ["foreign key", "incomplete", "wrong key", "too old", "wrong digest"])
async def test_of_two_labels_the_valid_and_complete_one_counts(
    gate: Gate, alice: Party, lines: bool, good_first: bool, flaw: str
) -> None:
    good = signed_by_hand(alice, COVERED, _parameters(alice, gate.now), digest=DIGEST, label="ours")
    who, covered, parameters = alice, COVERED, _parameters(alice, gate.now, nonce="n" * 20)
    if flaw == "foreign key":
        parameters = parameters.replace(alice.signer.keyid, "some-proxy")
    elif flaw == "incomplete":
        covered = COVERED[:1]
    elif flaw == "wrong key":
        who = Party(Signer(alice.signer.keyid, PrivateKey.generate()), alice.document)
    elif flaw == "too old":
        parameters = _parameters(alice, gate.now - 1000)
    else:
        covered = [*COVERED[:3], ("content-digest", "sha-256=:AAAA:")]
    bad = signed_by_hand(who, covered, parameters, digest=DIGEST, label="other")
    both = _both(good, bad, lines=lines) if good_first else _both(bad, good, lines=lines)
    assert (await gate.house.verifier.verify(both)).id == alice.did


@pytest.mark.requirement("WIRE-SIG-07")
async def test_of_many_labels_only_the_first_three_are_tried(gate: Gate, alice: Party, registry: Registry) -> None:
    mallory = Party(Signer(alice.signer.keyid, PrivateKey.generate()), alice.document)
    many = signed_by_hand(mallory, COVERED, _parameters(alice, gate.now), digest=DIGEST, label="l0")
    for number in range(1, 6):
        more = signed_by_hand(mallory, COVERED, _parameters(alice, gate.now), digest=DIGEST, label=f"l{number}")
        many = _both(many, more, lines=True)
    assert await _reason(gate, many) == "invalid_signature"
    assert len(registry.asked) == 3


@pytest.mark.requirement("WIRE-SIG-07")
@pytest.mark.parametrize(
    ("algorithm", "named"),
    [("Ed25519", "ecdsa-p256-sha256"), ("Ed25519", "hmac-sha256"), ("P-256", "ed25519"), ("P-256", "rsa-pss-sha512")],
)
async def test_an_alg_of_another_kind_of_key_is_refused(
    gate: Gate, registry: Registry, algorithm: Algorithm, named: str
) -> None:
    who = bare_party(algorithm)
    registry.add(who)
    parameters = f'{_parameters(who, gate.now)};alg="{named}"'
    assert await _reason(gate, signed_by_hand(who, COVERED, parameters, digest=DIGEST)) == "invalid_signature"


@pytest.mark.requirement("WIRE-SIG-07")
@pytest.mark.parametrize("algorithm", ["P-256", "secp256k1"])
async def test_an_alg_that_fits_is_accepted(gate: Gate, registry: Registry, algorithm: Algorithm) -> None:
    who = bare_party(algorithm)
    registry.add(who)
    named = {"P-256": "ecdsa-p256-sha256", "secp256k1": "ecdsa-secp256k1-sha256"}[algorithm]
    parameters = f'{_parameters(who, gate.now)};alg="{named}"'
    await gate.house.verifier.verify(signed_by_hand(who, COVERED, parameters, digest=DIGEST))


@pytest.mark.requirement("WIRE-SIG-08", "AUT-02")
@pytest.mark.parametrize(
    "signed_for",
    [
        "https://other.example:8420",
        "https://node.example",
        "https://node.example:8421",
        "http://node.example:8420",
        "https://node.example:8420/prefix",
    ],
)
async def test_a_signature_for_another_address_is_refused(gate: Gate, alice: Party, signed_for: str) -> None:
    headers = sign_request(alice.signer, "POST", signed_for + TARGET, BODY, now=gate.now)
    assert await _reason(gate, request(headers=headers)) == "invalid_signature"


@pytest.mark.requirement("WIRE-SIG-08")
@pytest.mark.parametrize("name", ["Host", "X-Forwarded-Host", "Forwarded", "X-Forwarded-Proto"])
async def test_what_a_header_says_of_the_host_moves_nothing(gate: Gate, alice: Party, name: str) -> None:
    headers = sign_request(alice.signer, "POST", f"https://other.example{TARGET}", BODY, now=gate.now)
    told = {"Host": "other.example", "Forwarded": "host=other.example;proto=https"}.get(name, "other.example")
    lied = HttpRequest("POST", TARGET, request(headers=headers | {name: told}).headers[1:], BODY)
    assert await _reason(gate, lied) == "invalid_signature"


@pytest.mark.requirement("WIRE-SIG-08", "AUT-02")
@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("PUT", TARGET),
        ("POST", TARGET.replace("add", "sub")),
        ("POST", TARGET.replace("x=", "z=")),
        ("POST", TARGET.replace("%7E", "~")),
        ("POST", TARGET.replace("%7E", "%7e")),
        ("POST", TARGET.replace("+", "%20")),
        ("POST", "/" + TARGET),
        ("POST", TARGET.partition("?")[0]),
        ("POST", f"{TARGET}&"),
    ],
)
async def test_the_same_signature_on_another_request_is_refused(
    gate: Gate, alice: Party, method: str, target: str
) -> None:
    good = signed(alice, gate.now)
    assert await _reason(gate, HttpRequest(method, target, good.headers, BODY)) == "invalid_signature"


@pytest.mark.requirement("WIRE-SIG-08")
@pytest.mark.parametrize(
    "target", ["@evil.example/x", ":1/x", ".evil.example/x", "", "*", "https://node.example:8420/x"]
)
async def test_a_target_that_is_no_path_moves_no_host(gate: Gate, alice: Party, target: str) -> None:
    covered = [("@method", "POST"), ("@target-uri", URL + target), *COVERED[2:]]
    good = signed_by_hand(alice, covered, _parameters(alice, gate.now), digest=DIGEST)
    assert await _reason(gate, HttpRequest("POST", target, good.headers, BODY)) == "invalid_request"


@pytest.fixture
async def gate_of_two(tmp_path: Path, registry: Registry) -> AsyncIterator[Gate]:
    """A node behind a proxy that strips a prefix, reached under a second name, too."""
    urls = ("https://Public.Example:443/node/", "http://localhost:8420")
    opened = await open_gate(tmp_path / "two", registry, urls=urls)
    yield opened
    await close_gate(opened)


@pytest.mark.requirement("WIRE-SIG-08")
@pytest.mark.parametrize(
    ("host", "url", "holds"),
    [
        (b"public.example", "https://public.example/node", True),
        (b"public.example:443", "https://public.example/node", True),
        (b"localhost:8420", "http://localhost:8420", True),
        (b"LOCALHOST:8420", "http://localhost:8420", True),
        (b"evil.example", "https://public.example/node", True),
        (b"evil.example", "https://evil.example/node", False),
        (b"localhost:8420", "https://public.example/node", False),
    ],
)
async def test_the_host_chooses_only_among_the_addresses_that_the_node_was_given(
    gate_of_two: Gate, alice: Party, host: bytes, url: str, holds: bool
) -> None:
    headers = sign_request(alice.signer, "POST", url + TARGET, BODY, now=gate_of_two.now)
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    knocking = HttpRequest("POST", TARGET, [(b"host", host), *raw], BODY, "127.0.0.1")
    if holds:
        await gate_of_two.house.verifier.verify(knocking)
    else:
        assert await _reason(gate_of_two, knocking) == "invalid_signature"


@pytest.mark.requirement("WIRE-SIG-07")
async def test_further_covered_parts_are_taken_from_the_request(gate: Gate, alice: Party) -> None:
    more = [
        ("@scheme", "https"),
        ("@request-target", TARGET),
        ("@path", TARGET.partition("?")[0]),
        ("@query", "?x=%7E&y=a+b"),
        ("x-note", "one, two"),
    ]
    good = signed_by_hand(alice, [*COVERED, *more], _parameters(alice, gate.now), digest=DIGEST)
    noted = HttpRequest("POST", TARGET, [*good.headers, (b"x-note", b" one "), (b"x-note", b"two")], BODY)
    await gate.house.verifier.verify(noted)
    assert await _reason(gate, good) == "invalid_request"  # without the header that it covers


@pytest.mark.parametrize(
    "component",
    ['"@method";req', '"x-note";sf', "@method", '"@status"', '"@query-param";name="x"', '"X-Note"', '"@method"'],
)
async def test_covered_parts_that_cannot_be_read_are_refused(gate: Gate, alice: Party, component: str) -> None:
    good = signed_by_hand(alice, COVERED, _parameters(alice, gate.now), digest=DIGEST)
    raw = [(name, value.replace(b'"@method"', b'"@method" ' + component.encode())) for name, value in good.headers]
    noted = HttpRequest("POST", TARGET, [*raw, (b"x-note", b"a")], BODY)
    assert await _reason(gate, noted) == "invalid_request"


@pytest.mark.requirement("WIRE-SIG-09")
async def test_a_key_that_may_only_vouch_does_not_authenticate(gate: Gate, registry: Registry) -> None:
    who = bare_party("Ed25519")
    registry.add(who.changed(authentication=[], assertionMethod=[who.signer.keyid]))
    assert await _reason(gate, signed(who, gate.now)) == "invalid_verification_method"


@pytest.mark.requirement("WIRE-SIG-09")
async def test_a_suspended_did_is_forbidden_though_its_proof_holds(
    gate: Gate, alice: Party, decisions: Decisions
) -> None:
    decisions.suspended.add(alice.did)
    with pytest.raises(PermissionDeniedError) as caught:
        await gate.house.verifier.verify(signed(alice, gate.now))
    assert caught.value.reason == "forbidden_did"
    assert caught.value.http_status == 403


@pytest.mark.requirement("WIRE-SIG-09")
async def test_who_claims_a_suspended_did_without_its_key_learns_nothing_of_it(
    gate: Gate, alice: Party, decisions: Decisions
) -> None:
    decisions.suspended.add(alice.did)
    mallory = Party(Signer(alice.signer.keyid, PrivateKey.generate()), alice.document)
    assert await _reason(gate, signed(mallory, gate.now)) == "invalid_signature"


async def test_a_key_that_is_new_in_the_document_is_found_by_asking_anew(gate: Gate, registry: Registry) -> None:
    old, new = bare_party("Ed25519"), bare_party("P-256")
    registry.add(old)
    key = new.document["verificationMethod"][0] | {"id": f"{old.did}#key-2"}
    registry.newer[old.did] = DidDocument.load(
        old.did, old.document | {"verificationMethod": [key], "authentication": [key["id"]]}
    )
    rotated = Party(Signer(f"{old.did}#key-2", new.signer.key), old.document)
    await gate.house.verifier.verify(signed(rotated, gate.now))
    assert registry.asked == [(old.did, False), (old.did, True)]


@pytest.mark.parametrize(
    ("keyid", "reason"),
    [
        ("did:wba:nobody.example#key-1", "invalid_did"),
        ("did:web:far.example#key-1", "invalid_did"),
        ("did:wba:127.0.0.1#key-1", "invalid_did"),
        ("did:wba:bare.example#key-9", "invalid_verification_method"),
        ("did:wba:bare.example", "invalid_verification_method"),
    ],
)
async def test_what_names_no_key_of_a_did_is_refused(gate: Gate, registry: Registry, keyid: str, reason: str) -> None:
    who = bare_party()
    registry.add(who)
    assert await _reason(gate, signed(Party(Signer(keyid, who.signer.key), who.document), gate.now)) == reason


@pytest.mark.parametrize("keyid", ["some-key", "", "https://cdn.example/key"])
async def test_a_signature_by_somebody_else_locks_nobody_out(gate: Gate, alice: Party, keyid: str) -> None:
    theirs = signed(Party(Signer(keyid, alice.signer.key), alice.document), gate.now)
    assert await gate.house.verifier.verify(theirs) == ANONYMOUS
    bearer = (b"authorization", f"Bearer {USER_KEY}".encode())
    with_key = HttpRequest(theirs.method, theirs.target, [*theirs.headers, bearer], theirs.body)
    assert (await gate.house.verifier.verify(with_key)).id == "user:anna"
    wrong = HttpRequest(theirs.method, theirs.target, [*theirs.headers, (b"authorization", b"Bearer x")], theirs.body)
    assert await _reason(gate, wrong) == "invalid_access_token"


@pytest.mark.parametrize("failing", [Overloaded("much"), StorageError("no disk"), CallTimeout("slow")], ids=repr)
@pytest.mark.parametrize("proof", ["signature", "older header"])
async def test_what_this_node_could_not_find_out_is_no_wrong_proof(
    older_gate: Gate, registry: Registry, alice: Party, failing: MoothallError, proof: str
) -> None:
    older = older_header(older_proof(alice.signer, older_gate.clock.now(), "node.example"))
    sent = signed(alice, older_gate.now) if proof == "signature" else request(headers={"Authorization": older})
    registry.failing = failing
    with pytest.raises(type(failing)):
        await older_gate.house.verifier.verify(sent)
    registry.failing = None
    assert (await older_gate.house.verifier.verify(sent)).id == alice.did  # its nonce was not used up


@pytest.mark.parametrize(
    ("inputs", "value"),
    [
        (None, "sig1=:AAAA:"),
        ('sig1=("@method");keyid="did:wba:a.example#k"', None),
        ('sig1=("@method");keyid="did:wba:a.example#k"', "sig2=:AAAA:"),
        ('sig1=("@method");keyid="did:wba:a.example#k"', "sig1=AAAA"),
        ('sig1="@method";keyid="did:wba:a.example#k"', "sig1=:AAAA:"),
        ("sig1=(", "sig1=:AAAA:"),
        ('sig1=("@method");keyid="did:wba:a.example#k", sig1=("@method")', "sig1=:AAAA:"),
        ("a" * 9000, "sig1=:AAAA:"),
        ('sig1=("@method")', "b" * 9000),
        ("", ""),
        ("é=1", "sig1=:AAAA:"),
    ],
)
async def test_headers_of_another_form_are_refused(gate: Gate, inputs: str | None, value: str | None) -> None:
    headers = {"Signature-Input": inputs, "Signature": value}
    sent = {name: text for name, text in headers.items() if text is not None}
    assert await _reason(gate, request(headers=sent)) == "invalid_request"


async def test_a_signature_of_a_wrong_length_is_refused(gate: Gate, alice: Party) -> None:
    good = signed(alice, gate.now)
    cut = [(name, b"sig1=:AAAA:" if name == b"signature" else value) for name, value in good.headers]
    assert await _reason(gate, HttpRequest("POST", TARGET, cut, BODY)) == "invalid_signature"


@pytest.mark.requirement("AUT-01")
async def test_a_did_that_a_request_only_names_is_nobody(gate: Gate, alice: Party) -> None:
    claimed = request(
        target=f"/x?req_did={alice.did}",
        body=f'{{"req_did":"{alice.did}"}}'.encode(),
        headers={"X-Agent-DID": alice.did},
    )
    assert await gate.house.verifier.verify(claimed) is ANONYMOUS


@pytest.mark.requirement("AUT-01")
async def test_a_did_that_is_named_beside_a_proof_changes_nothing(gate: Gate, alice: Party, registry: Registry) -> None:
    bob = party(name="bob")
    registry.add(bob)
    good = signed(bob, gate.now, target=f"/x?req_did={alice.did}")
    named = HttpRequest(good.method, good.target, [*good.headers, (b"x-agent-did", alice.did.encode())], good.body)
    assert (await gate.house.verifier.verify(named)).id == bob.did


async def test_what_was_granted_and_whose_agent_it_is_stands_in_the_principal(
    gate: Gate, alice: Party, decisions: Decisions
) -> None:
    decisions.granted[alice.did] = frozenset({"pay"})
    decisions.own.add(alice.did)
    principal = await gate.house.verifier.verify(signed(alice, gate.now))
    assert principal.permissions == {"pay"}
    assert principal.owner


@pytest.mark.parametrize("form", ["did:wba:old.example:user:carol", "did:wba:bare.example"])
async def test_a_did_that_does_not_contain_its_key_is_marked(gate: Gate, registry: Registry, form: str) -> None:
    who = bare_party("Ed25519", form)
    registry.add(who)
    assert not (await gate.house.verifier.verify(signed(who, gate.now))).key_bound
