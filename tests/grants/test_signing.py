"""A token is a delegation only if its delegator signed just that, and it can be read in one way only."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moothall.canonical import dumps
from moothall.errors import InvalidInput, MoothallError
from moothall.grants.claims import claims_of, grant_of
from moothall.grants.signing import TYPE, sign, take_apart
from moothall.identity import base64url, jws
from moothall.identity.agent import AgentIdentity
from moothall.identity.keys import Algorithm, Signer
from tests.grants.lending import grant, identity
from tests.support.clock import ManualClock

CLOCK = ManualClock()
ANN, BOB, EVE = identity("ann"), identity("bob"), identity("eve", "far.example")
GRANT = grant(ANN, BOB, CLOCK)


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims, _ = (base64url.decode(part) for part in token.split("."))
    return json.loads(header), json.loads(claims)


def forged(header: object, claims: object, who: AgentIdentity = ANN) -> str:
    message = f"{base64url.encode(dumps(header))}.{base64url.encode(dumps(claims))}"
    return f"{message}.{base64url.encode(who.signer.sign(message.encode()))}"


def holds(token: str, who: AgentIdentity = ANN) -> bool:
    try:
        return take_apart(token).holds(who.document)
    except InvalidInput:
        return False


@pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1"])
def test_what_is_signed_is_read_again_as_it_was(algorithm: Algorithm) -> None:
    who = identity("ann", algorithm=algorithm)
    wanted = grant(who, BOB, CLOCK, parent="p", depth=2, capabilities=frozenset({"h.b", "h.a"}), classification=0)
    token = sign(wanted, who.signer)
    assert take_apart(token).grant == wanted
    assert holds(token, who)
    assert not holds(token, BOB)
    assert parts(token)[0] == {
        "alg": {"Ed25519": "EdDSA", "secp256k1": "ES256K"}[algorithm],
        "typ": "moothall-grant+jwt",
        "kid": who.signer.keyid,
    }


def test_the_claims_are_sorted_so_that_one_delegation_has_one_text() -> None:
    token = sign(GRANT, ANN.signer)
    assert token == sign(grant_of(dict(reversed(claims_of(GRANT).items()))), ANN.signer)
    assert list(parts(token)[1]) == sorted(parts(token)[1])


@settings(deadline=None)
@given(st.data())
def test_a_token_with_one_character_changed_does_not_hold(data: st.DataObject) -> None:
    token = sign(GRANT, ANN.signer)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCDEFGHabcdefgh0123-_.= \x00é").filter(lambda each: each != token[at]))
    assert not holds(token[:at] + other + token[at + 1 :])


@settings(deadline=None)
@given(st.text(max_size=200) | st.from_regex(r"[\w-]{0,40}(\.[\w-]{0,40}){0,4}"))
def test_whatever_is_no_token_is_refused_in_one_way(text: str) -> None:
    with pytest.raises(MoothallError):
        take_apart(text)


HEADER, CLAIMS = parts(sign(GRANT, ANN.signer))


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "alg": "none"},
        {**HEADER, "alg": "HS256"},
        {**HEADER, "alg": "ES256K"},
        {**HEADER, "alg": ["EdDSA"]},
        {**HEADER, "typ": "at+jwt"},
        {**HEADER, "typ": "JWT"},
        {**HEADER, "crit": ["exp"], "exp": 1},
        {**HEADER, "jwk": {}},
        {**HEADER, "kid": EVE.signer.keyid},
        {**HEADER, "kid": ANN.did.text},
        {**HEADER, "kid": f"{ANN.did.text}#key-9"},
        {**HEADER, "kid": 7},
        {"alg": "EdDSA", "typ": TYPE},
        [],
        "EdDSA",
    ],
    ids=range(15),
)
def test_another_header_is_refused_though_the_signature_would_hold(header: object) -> None:
    assert not holds(forged(header, CLAIMS))


@pytest.mark.parametrize(
    "claims",
    [
        {**CLAIMS, "unless": "it rains"},
        {name: value for name, value in CLAIMS.items() if name != "depth"},
        {**CLAIMS, "exp": 1.5},
        {**CLAIMS, "exp": True},
        {**CLAIMS, "exp": str(CLAIMS["exp"])},
        {**CLAIMS, "exp": -1},
        {**CLAIMS, "exp": 2**52},
        {**CLAIMS, "actions": []},
        {**CLAIMS, "actions": "read"},
        {**CLAIMS, "actions": ["*"]},
        {**CLAIMS, "actions": ["fly"]},
        {**CLAIMS, "actions": ["read", "query"]},
        {**CLAIMS, "actions": ["read", "read"]},
        {**CLAIMS, "capabilities": [f"h.{number:04}" for number in range(257)]},
        {**CLAIMS, "capabilities": [1]},
        {**CLAIMS, "capabilities": [""]},
        {**CLAIMS, "sub": "user:bob"},
        {**CLAIMS, "sub": None},
        {**CLAIMS, "aud": ""},
        {**CLAIMS, "aud": ["https://hall.example"]},
        {**CLAIMS, "jti": "a b"},
        {**CLAIMS, "iss": EVE.did.text},
        {**CLAIMS, "parent": None},
        {**CLAIMS, "jti": "x" * 201},
        {**CLAIMS, "parent": "x" * 201},
        [CLAIMS],
        None,
    ],
    ids=range(27),
)
def test_other_claims_are_refused_though_the_signature_holds(claims: object) -> None:
    assert not holds(forged(HEADER, claims))


def test_a_key_twice_means_two_things_and_is_refused() -> None:
    twice = dumps(CLAIMS)[:-1] + b',"depth":3}'
    message = f"{base64url.encode(dumps(HEADER))}.{base64url.encode(twice)}"
    assert not holds(f"{message}.{base64url.encode(ANN.signer.sign(message.encode()))}")


def test_a_signature_by_another_key_does_not_hold() -> None:
    assert not holds(sign(GRANT, Signer(ANN.signer.keyid, EVE.signer.key)))
    assert not holds(jws.sign(ANN.signer, "moothall-statement+jwt", CLAIMS))


def test_a_delegation_has_room_for_a_bounded_number_of_capabilities() -> None:
    many = frozenset(f"hall.capability-{number:04}" for number in range(257))
    with pytest.raises(InvalidInput):
        sign(replace(GRANT, capabilities=many), ANN.signer)
    long = frozenset(f"{number:04}{'x' * 200}" for number in range(100))
    with pytest.raises(InvalidInput):
        sign(replace(GRANT, capabilities=long), ANN.signer)
