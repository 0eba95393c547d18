"""No document, however spoiled, does more than be refused; and none that was changed is taken."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from moothall.errors import InvalidInput
from moothall.identity.document import DidDocument
from moothall.identity.keys import PrivateKey
from tests.identity.documents.made import NOW, made

BOUND = made(description_url="https://example.com/ad.json", signing=PrivateKey.generate("P-256").public, agreement=bytes(32))  # fmt: skip
UNPROVED = made("secp256k1", path=())

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([BOUND.did.text, BOUND.signer.keyid, "#key-1", "z", "Multikey", "x", "kty"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "type", "controller", "publicKeyJwk", "publicKeyMultibase", "crv", "kty", "x", "proofValue"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield (*path, key)
        yield from places(part, (*path, key))


def spoiled(document: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    document = copy.deepcopy(document)
    part: Any = document
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    return document


@given(st.sampled_from(list(places(BOUND.document))), JSON)
@settings(deadline=None, max_examples=300)
def test_a_bound_document_with_anything_in_it_replaced_is_refused(place: tuple[Any, ...], value: Any) -> None:
    document = spoiled(BOUND.document, place, value)
    try:
        DidDocument.load(BOUND.did, document, now=NOW)
    except InvalidInput:
        return
    assert document == BOUND.document


@given(st.sampled_from(list(places(UNPROVED.bare))), JSON)
@settings(deadline=None, max_examples=300)
def test_a_document_without_a_proof_gives_no_key_that_it_does_not_hold(place: tuple[Any, ...], value: Any) -> None:
    try:
        loaded = DidDocument.load(UNPROVED.did, spoiled(UNPROVED.bare, place, value), now=NOW)
    except InvalidInput:
        return
    assert set(loaded.authentication.values()) <= {UNPROVED.signer.key.public}


@given(JSON)
@settings(deadline=None, max_examples=200)
def test_any_json_is_refused(value: Any) -> None:
    try:
        DidDocument.load(BOUND.did, value, now=NOW)
    except InvalidInput:
        return
    raise AssertionError(value)
