"""Documents: which belong to their DID, which keys of theirs count, and which proofs hold."""

from __future__ import annotations

import base64
import copy
import hashlib
from datetime import timedelta
from typing import Any

import base58
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from moothall.errors import InvalidInput
from moothall.identity import jwk, multikey
from moothall.identity.creation import new_did
from moothall.identity.did import Did
from moothall.identity.document import DidDocument
from moothall.identity.keys import PrivateKey, Signer
from moothall.messages import LANGS, explain
from tests.identity.documents.made import NOW, Made, made, made_of

Json = dict[str, Any]


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def load(document: Any, **options: Any) -> DidDocument:
    return DidDocument.load(document["id"], document, now=NOW, **options)


def refusal(document: Any, did: str = "", **options: Any) -> str:
    """Why a document is refused, as the key of the text."""
    with pytest.raises(InvalidInput) as caught:
        DidDocument.load(did or document["id"], document, now=NOW, **options)
    assert caught.value.told is not None
    for lang in LANGS:
        assert explain(caught.value, lang).why
    return caught.value.told.why.removeprefix("identity.")


def signed(document: Json, options: Json, key: PrivateKey) -> bytes:
    """A signature made as the specification says, by other code than ours."""
    parts = options, {name: value for name, value in document.items() if name != "proof"}
    return key.sign(b"".join(hashlib.sha256(rfc8785.dumps(part)).digest() for part in parts))


def options_of(who: Made, **changes: Any) -> Json:
    options = {
        "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "created": "2026-11-20T10:00:00Z",
        "verificationMethod": who.signer.keyid, "proofPurpose": "assertionMethod",
    }  # fmt: skip
    return {**options, **changes}


def standard(who: Made, *, stored: bool = True, hashed: bool = True, **changes: Any) -> Json:
    """A document with a proof of the standard's form, the context stored in it or not, hashed or not."""
    document, options = who.bare, options_of(who, **changes)
    context = {"@context": document["@context"]}
    signature = signed(document, {**options, **(context if hashed else {})}, who.signer.key)
    value = "z" + base58.b58encode(signature).decode()
    return {**document, "proof": {**options, **(context if stored else {}), "proofValue": value}}


def older(who: Made, document: Json | None = None, **changes: Any) -> Json:
    document, options = document or who.bare, options_of(who, **changes)
    return {**document, "proof": {**options, "proofValue": b64u(signed(document, options, who.signer.key))}}


# --- binding ---------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("WIRE-DID-03", "WIRE-DID-04", "WIRE-DOC-02")
@pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1"])
def test_a_new_document_is_its_dids_and_has_one_key_that_signs(algorithm: Any) -> None:
    who = made(algorithm)
    document = load(who.document)
    assert document.did == who.did
    assert document.key_bound
    assert document.authentication == document.assertion == {who.signer.keyid: who.signer.key.public}


@pytest.mark.requirement("WIRE-DID-03")
def test_a_document_whose_key_does_not_fit_the_fingerprint_is_refused() -> None:
    thief, victim = made(), made()
    forged = made_of(victim.did, thief.signer.key)
    assert refusal(forged.document) == "document_binding"


@pytest.mark.requirement("WIRE-DID-04")
@pytest.mark.parametrize("proof", [True, False])
def test_the_same_for_secp256k1_with_a_proof_and_without(proof: bool) -> None:
    thief, victim = made("secp256k1"), made("secp256k1")
    forged = made_of(victim.did, thief.signer.key)
    assert refusal(forged.document if proof else forged.bare) == "document_binding"


@pytest.mark.requirement("WIRE-DID-04")
def test_a_document_with_a_stripped_coordinate_is_refused() -> None:
    while (who := made("secp256k1")).signer.key.public.coordinates()[0][0]:
        pass
    document = who.bare
    x = who.signer.key.public.coordinates()[0].lstrip(b"\0")
    document["verificationMethod"][0]["publicKeyJwk"]["x"] = b64u(x)
    assert refusal(document) == "document_binding"
    assert refusal(who.proved(document)) == "proof_method"


def test_an_ed25519_key_under_a_k1_name_and_the_other_way_round_are_refused() -> None:
    for algorithm, prefix in (("Ed25519", "k1_"), ("secp256k1", "e1_")):
        key = PrivateKey.generate(algorithm)  # type: ignore[arg-type]
        who = made_of(Did.parse(f"did:wba:example.com:user:{prefix}{jwk.thumbprint(key.public)}"), key)
        assert refusal(who.document) == "document_binding"


def test_the_document_of_another_did_is_refused() -> None:
    one, other = made(), made()
    assert refusal(one.document, did=other.did.text) == "document_id"
    assert refusal(one.document, did=one.did.text.replace("example", "Example")) == "document_id"
    assert refusal({**one.document, "id": [one.did.text]}, did=one.did.text) == "document_id"


@pytest.mark.requirement("WIRE-DID-05")
def test_a_path_without_a_fingerprint_is_refused_or_marked_as_not_bound() -> None:
    key = PrivateKey.generate("secp256k1")
    who = made_of(Did.parse("did:wba:example.com:user:alice"), key)
    for document in (who.document, who.bare):
        assert refusal(document) == "did_legacy"
        loaded = load(document, allow_legacy=True)
        assert not loaded.key_bound
        assert list(loaded.authentication) == [who.signer.keyid]


def test_a_bare_domain_needs_no_proof_but_one_that_it_has_must_hold() -> None:
    who = made(path=())
    assert who.did.kind == "bare"
    assert not load(who.document).key_bound
    assert load(who.bare).authentication
    assert refusal({**who.document, "more": 1}) == "proof_wrong"


# --- form ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, [], "x", 5, True])
def test_what_is_no_object_is_no_document(value: Any) -> None:
    assert refusal(value, did="did:wba:example.com") == "document_form"


@pytest.mark.parametrize(
    "change",
    [
        {"verificationMethod": {}}, {"verificationMethod": [5]}, {"verificationMethod": [{"type": "Multikey"}]}, {"authentication": "x"},
        {"authentication": [5]}, {"authentication": [{"id": 5}]}, {"assertionMethod": None},
        {"verificationMethod": [{"id": f"#{n}"} for n in range(65)]},
    ],
)  # fmt: skip
def test_lists_that_are_none_are_refused(change: Json) -> None:
    assert refusal({**made(path=()).bare, **change}) == "document_form"


def test_an_id_that_stands_twice_is_refused() -> None:
    who = made(path=())
    document = who.bare
    twice = {**document, "verificationMethod": document["verificationMethod"] * 2}
    assert refusal(twice) == "document_twice"
    embedded = {**document, "authentication": [{**document["verificationMethod"][0], "publicKeyMultibase": multikey.encode(PrivateKey.generate().public)}]}  # fmt: skip
    assert refusal(embedded) == "document_twice"


@pytest.mark.parametrize("depth", [40, 900, 50_000])
def test_a_document_that_is_nested_too_deep_is_refused(depth: int) -> None:
    nested: Any = {}
    for _ in range(depth):
        nested = {"a": [nested]}
    assert refusal({**made().document, "more": nested}) == "document_form"


def test_unknown_entries_are_kept_and_never_used() -> None:
    who = made(path=())
    document, did = who.bare, who.did
    other, key = PrivateKey.generate(), multikey.encode(PrivateKey.generate().public)
    entries = [
        {"id": f"{did}#unknown", "type": "QuantumKey2030", "publicKeyMultibase": key},
        {"id": f"{did}#foreign", "type": "Multikey", "controller": "did:wba:evil.example", "publicKeyMultibase": key},
        {"id": "did:wba:evil.example#key-1", "type": "Multikey", "publicKeyMultibase": key},
        {"id": f"{did}#damaged", "type": "Multikey", "publicKeyMultibase": key[:-2]},
        {"id": f"{did}#empty", "type": "Multikey"},
        {"id": f"{did}#both", "type": "Multikey", "publicKeyMultibase": key, "publicKeyJwk": jwk.encode(other.public)},
        {"id": f"{did}#wrong-kind", "type": "EcdsaSecp256k1VerificationKey2019", "publicKeyJwk": jwk.encode(other.public)},
        {"id": f"{did}#private", "type": "JsonWebKey2020", "publicKeyJwk": {**jwk.encode(other.public), "d": "AA"}},
        {"id": f"{did}#no-object", "type": "JsonWebKey2020", "publicKeyJwk": "x"},
        {"id": f"{did}#no-text", "type": "Multikey", "publicKeyMultibase": {"x": 1}},
    ]  # fmt: skip
    document["verificationMethod"] += entries
    document["authentication"] += [entry["id"] for entry in entries] + [f"{did}#missing"]
    document["service"] = [{"id": f"{did}#m", "type": "ANPMessageService", "serviceEndpoint": {"uri": "x"}}, 5]
    loaded = load(document)
    assert list(loaded.authentication) == [who.signer.keyid]
    assert loaded.raw == document
    assert [(service.type, service.endpoint) for service in loaded.services] == [("ANPMessageService", "")]
    assert loaded.description_url == ""


def test_keys_in_every_form_in_use_are_read() -> None:
    who = made(path=())
    did = who.did
    ed, k1, p256 = (PrivateKey.generate(algorithm).public for algorithm in ("Ed25519", "secp256k1", "P-256"))  # type: ignore[arg-type]
    entries = {
        "a": ({"type": "Multikey", "publicKeyMultibase": multikey.encode(k1)}, k1),
        "b": ({"type": "JsonWebKey2020", "publicKeyJwk": jwk.encode(ed)}, ed),
        "c": ({"type": "Ed25519VerificationKey2018", "publicKeyBase58": base58.b58encode(ed.raw).decode()}, ed),
        "d": ({"type": "Ed25519VerificationKey2020", "publicKeyMultibase": multikey.encode(ed)}, ed),
        "e": ({"type": "EcdsaSecp256r1VerificationKey2019", "publicKeyJwk": jwk.encode(p256)}, p256),
        "f": ({"type": "EcdsaSecp256k1VerificationKey2019", "publicKeyJwk": jwk.encode(k1)}, k1),
    }
    document = who.bare
    document["verificationMethod"] = [
        {"id": f"#{name}", **entry} for name, (entry, _) in entries.items() if name != "a"
    ]
    document["authentication"] = [{"id": f"{did}#a", **entries["a"][0]}, *(f"#{name}" for name in "bcdef")]
    assert load(document).authentication == {f"{did}#{name}": key for name, (_, key) in entries.items()}


def test_a_key_counts_only_for_what_it_is_listed_under() -> None:
    who = made()
    document = who.bare
    second = PrivateKey.generate().public
    document["verificationMethod"].append({"id": "#second", "type": "Multikey", "publicKeyMultibase": multikey.encode(second)})  # fmt: skip
    loaded = load(who.proved(document))
    assert list(loaded.authentication) == list(loaded.assertion) == [who.signer.keyid]
    document["authentication"].append("#second")
    loaded = load(who.proved(document))
    assert loaded.authentication[f"{who.did}#second"] == second
    assert f"{who.did}#second" not in loaded.assertion


# --- proofs ----------------------------------------------------------------------------------------------------------


def without(document: Json, name: str) -> Json:
    proof = {key: value for key, value in document["proof"].items() if key != name}
    return {**document, "proof": proof}


@pytest.mark.requirement("WIRE-DOC-02")
def test_an_ed25519_document_needs_its_proof() -> None:
    assert refusal(made().bare) == "proof_missing"
    assert refusal({**made().bare, "proof": None}) == "proof_missing"
    for proof in ([], "x", {}, [made().document["proof"]]):
        assert refusal({**made().bare, "proof": proof}) in {"proof_form", "proof_suite"}


@pytest.mark.requirement("WIRE-DOC-02")
def test_any_changed_content_is_refused() -> None:
    who = made(description_url="https://example.com/ad.json", agreement=bytes(range(32)))
    changed: list[Json] = [
        {**who.document, "service": []},
        {**who.document, "more": "x"},
        {name: value for name, value in who.document.items() if name != "service"},
        {**who.document, "@context": [*who.document["@context"], "https://evil.example"]},
    ]
    second = copy.deepcopy(who.document)
    second["verificationMethod"][1]["publicKeyMultibase"] += "1"
    for document in [*changed, second]:
        assert refusal(document) in {"proof_wrong", "proof_context"}
    for name in ("created", "verificationMethod", "proofPurpose", "cryptosuite"):
        assert refusal(without(who.document, name)) in {"proof_wrong", "proof_form", "proof_suite"}
    assert refusal({**who.document, "proof": {**who.document["proof"], "created": "2026-11-21T12:00:01Z"}}) == "proof_wrong"  # fmt: skip
    assert refusal({**who.document, "proof": {**who.document["proof"], "domain": "x"}}) == "proof_wrong"


@pytest.mark.requirement("WIRE-DOC-02")
def test_a_proof_by_another_key_than_the_fingerprints_is_refused_even_if_the_document_lists_it() -> None:
    who, second = made(), PrivateKey.generate()
    document = who.bare
    listed = {"id": f"{who.did}#key-9", "type": "Multikey", "publicKeyMultibase": multikey.encode(second.public)}
    document["verificationMethod"].append(listed)
    document["assertionMethod"].append(listed["id"])
    other = Made(who.did, Signer(listed["id"], second), document)
    assert refusal(other.proved(document)) == "document_binding"
    assert refusal(Made(who.did, Signer(who.signer.keyid, second), document).proved(document)) == "proof_wrong"


@pytest.mark.requirement("WIRE-DOC-02")
@pytest.mark.parametrize("purpose", ["authentication", "keyAgreement", "", "AssertionMethod"])
def test_a_proof_for_another_purpose_is_refused(purpose: str) -> None:
    who = made()
    for document in (standard(who, proofPurpose=purpose), older(who, proofPurpose=purpose)):
        assert refusal(document) == "proof_purpose"
        assert refusal(document, allow_legacy=True) == "proof_purpose"


@pytest.mark.requirement("WIRE-DOC-02")
def test_the_key_of_the_proof_must_be_listed_to_assert() -> None:
    who = made()
    for listed in ([], [f"{who.did}#key-2"]):
        assert refusal(who.proved({**who.bare, "assertionMethod": listed})) == "proof_method"


@pytest.mark.requirement("WIRE-DOC-03")
@pytest.mark.parametrize("stored", [True, False])
def test_the_standard_form_holds_with_its_context_stored_or_not(stored: bool) -> None:
    assert load(standard(made(), stored=stored)).authentication


@pytest.mark.requirement("WIRE-DOC-03")
def test_new_documents_have_the_standard_form() -> None:
    who = made()
    proof = who.document["proof"]
    assert proof["proofValue"][0] == "z"
    signature = base58.b58decode(proof["proofValue"][1:])
    assert len(signature) == 64
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    assert options["@context"] == who.document["@context"]
    assert signed(who.document, options, who.signer.key) == signature


@pytest.mark.requirement("WIRE-DOC-03")
def test_a_context_in_the_proof_must_be_the_documents() -> None:
    who = made()
    document = standard(who)
    proof = {**document["proof"], "@context": document["@context"][:1]}
    assert refusal({**document, "proof": proof}) == "proof_context"


@pytest.mark.requirement("WIRE-DOC-04")
def test_the_older_form_holds() -> None:
    assert load(older(made())).authentication


@pytest.mark.requirement("WIRE-DOC-04")
@pytest.mark.parametrize("stored", [True, False])
def test_the_z_form_made_without_the_context_is_refused(stored: bool) -> None:
    assert refusal(standard(made(), stored=stored, hashed=False)) == "proof_wrong"


@pytest.mark.requirement("WIRE-DOC-04")
def test_the_older_form_made_with_the_context_is_refused() -> None:
    who = made()
    context = {"@context": who.document["@context"]}
    assert refusal(older(who, **context)) == "proof_context"
    document = older(who, **context)
    del document["proof"]["@context"]
    assert refusal(document) == "proof_wrong"


@pytest.mark.requirement("WIRE-DOC-04")
def test_the_older_form_is_chosen_for_a_value_that_only_begins_with_z() -> None:
    who = made()
    for number in range(2000):
        document = older(who, created=f"2026-11-20T10:{number // 60:02}:{number % 60:02}Z")
        if document["proof"]["proofValue"].startswith("z"):
            break
    assert document["proof"]["proofValue"].startswith("z")
    assert load(document).authentication


@pytest.mark.requirement("WIRE-DOC-04")
def test_the_older_form_is_chosen_even_if_all_of_the_value_could_be_base58() -> None:
    key = PrivateKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    who = made_of(new_did("example.com:3000", ["user", "alice"], key.public), key)
    document = older(
        who, created="2026-11-20T10:00:00.310019Z"
    )  # found by trying: one time in 270,000 gives such a value
    value = document["proof"]["proofValue"]
    assert value.startswith("z")
    assert len(base58.b58decode(value[1:])) != 64
    assert load(document).authentication


@pytest.mark.parametrize("value", ["", "z", "zz", "AAAA", "z" + "1" * 64, "z" + "2" * 500, "=" * 86, b64u(bytes(63)), b64u(bytes(64)) + "==", 5, None])  # fmt: skip
def test_a_damaged_value_is_refused(value: Any) -> None:
    document = made().document
    assert refusal({**document, "proof": {**document["proof"], "proofValue": value}}) in {"proof_form", "proof_wrong", "proof_context", "base64url"}  # fmt: skip


def test_a_proof_that_ended_is_refused_and_its_times_must_be_times() -> None:
    who = made()
    later = (NOW + timedelta(seconds=1)).isoformat()
    assert load(standard(who, expires=later)).authentication
    assert refusal(standard(who, expires=NOW.isoformat())) == "proof_expired"
    for name in ("created", "expires"):
        for wrong in ("yesterday", 5, "2026-11-20", "2026-13-40T10:00:00Z"):
            assert refusal(standard(who, **{name: wrong})) == "proof_time"


def test_a_document_with_numbers_that_have_no_canonical_form_is_refused() -> None:
    who = made()
    for number in (2**53, float("inf")):
        with pytest.raises(InvalidInput):
            load({**who.document, "more": number})


@pytest.mark.parametrize("suite", ["ecdsa-jcs-2019", "", None, 5, ["eddsa-jcs-2022"], "EDDSA-JCS-2022"])
def test_a_proof_of_an_unknown_suite_is_refused(suite: Any) -> None:
    for who in (made(), made("secp256k1"), made(path=())):
        assert refusal(standard(who, cryptosuite=suite)) == "proof_suite"


# --- secp256k1 -------------------------------------------------------------------------------------------------------


def k1_proof(who: Made, key: PrivateKey | None = None, document: Json | None = None, **changes: Any) -> Json:
    document = document or who.bare
    options = options_of(who, cryptosuite="didwba-jcs-ecdsa-secp256k1-2025", **changes)
    return {**document, "proof": {**options, "proofValue": b64u(signed(document, options, key or who.signer.key))}}


def old_proof(who: Made, document: Json | None = None, **changes: Any) -> Json:
    document = document or who.bare
    options = options_of(who, type="EcdsaSecp256k1Signature2019", **changes)
    del options["cryptosuite"]
    return {**document, "proof": {**options, "proofValue": b64u(signed(document, options, who.signer.key))}}


@pytest.mark.requirement("WIRE-DOC-05")
def test_a_secp256k1_document_may_lack_a_proof_and_one_that_it_has_must_hold() -> None:
    who = made("secp256k1")
    assert load(who.bare).authentication
    assert load(k1_proof(who)).authentication
    proof = who.document["proof"]
    assert (proof["type"], proof["cryptosuite"]) == ("DataIntegrityProof", "didwba-jcs-ecdsa-secp256k1-2025")
    assert len(base64.urlsafe_b64decode(proof["proofValue"] + "==")) == 64
    assert refusal(k1_proof(who, PrivateKey.generate("secp256k1"))) == "proof_wrong"
    assert refusal({**who.document, "more": 1}) == "proof_wrong"
    assert refusal({**who.bare, "proof": None}) == "proof_missing"
    assert refusal({**who.bare, "proof": {}}) == "proof_suite"


@pytest.mark.requirement("WIRE-DOC-05")
def test_the_old_proof_holds_only_where_old_documents_are_allowed() -> None:
    who = made("secp256k1")
    assert refusal(old_proof(who)) == "proof_old"
    assert load(old_proof(who), allow_legacy=True).authentication
    listed = {name: value for name, value in who.bare.items() if name != "assertionMethod"}
    assert load(old_proof(who, listed, proofPurpose="authentication"), allow_legacy=True).authentication
    assert refusal({**old_proof(who), "more": 1}, allow_legacy=True) == "proof_wrong"


def test_a_proof_of_the_other_curves_suite_is_refused() -> None:
    assert refusal(k1_proof(made())) == "proof_suite"
    who, second = made("secp256k1"), PrivateKey.generate()
    document = who.bare
    listed = {"id": f"{who.did}#key-9", "type": "Multikey", "publicKeyMultibase": multikey.encode(second.public)}
    document["verificationMethod"].append(listed)
    document["assertionMethod"].append(listed["id"])
    assert refusal(Made(who.did, Signer(listed["id"], second), document).proved(document)) == "document_binding"


def test_without_a_proof_only_the_key_of_the_fingerprint_counts() -> None:
    who, guest = made("secp256k1"), PrivateKey.generate()
    document = who.bare
    listed = {"id": f"{who.did}#guest", "type": "Multikey", "publicKeyMultibase": multikey.encode(guest.public)}
    document["verificationMethod"].append(listed)
    document["authentication"].append(listed["id"])
    document["assertionMethod"].append(listed["id"])
    assert list(load(document).authentication) == list(load(document).assertion) == [who.signer.keyid]
    assert listed["id"] in load(k1_proof(who, document=document)).authentication
