"""Whoever is refused is told why, what to sign, and with which nonce; and that nonce works once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, get_args

import http_sf
import pytest

from moothall.canonical import dumps
from moothall.errors import Challenge, InternalError, MoothallError, PermissionDeniedError, Unauthenticated
from moothall.identity.challenge import ACCEPT_SIGNATURE, Challenger
from moothall.identity.keys import PrivateKey, Signer
from moothall.identity.refusal import refused, suspended
from moothall.identity.request import HttpRequest
from moothall.identity.server_nonces import ServerNonces
from moothall.identity.structured import parse_dictionary
from moothall.identity.verification import Rules
from moothall.messages import LANGS, explain
from tests.identity.wire.gate import (
    BODY,
    Decisions,
    Gate,
    Party,
    Registry,
    bare_party,
    close_gate,
    open_gate,
    party,
    request,
    signed,
)

NOW = 1_795_191_468
Provoke = Callable[[Party, int], HttpRequest]


def _mallory(who: Party) -> Party:
    return Party(Signer(who.signer.keyid, PrivateKey.generate()), who.document)


def _unlisted(who: Party) -> Party:
    return Party(Signer(f"{who.did}#key-9", who.signer.key), who.document)


def _cut(sent: HttpRequest) -> HttpRequest:
    return HttpRequest(sent.method, sent.target, sent.headers, b"changed")


PROVOKED: dict[str, Provoke] = {
    "invalid_request": lambda who, now: request(headers={"Signature-Input": "?"}),
    "invalid_nonce": lambda who, now: signed(who, now, nonce="short"),
    "invalid_timestamp": lambda who, now: signed(who, now - 400),
    "invalid_did": lambda who, now: signed(bare_party(did="did:wba:unresolvable.example"), now),
    "invalid_signature": lambda who, now: signed(_mallory(who), now),
    "invalid_verification_method": lambda who, now: signed(_unlisted(who), now),
    "invalid_content_digest": lambda who, now: _cut(signed(who, now)),
    "invalid_access_token": lambda who, now: request(headers={"Authorization": "Bearer of-nothing"}),
}


def _parameters(value: str) -> dict[str, str]:
    assert value.startswith("DIDWba ")
    return dict(re.findall(r'([a-z_]+)="([^"]*)"', value))


async def _refusal(gate: Gate, sent: HttpRequest) -> MoothallError:
    with pytest.raises(MoothallError) as caught:
        await gate.house.verifier.verify(sent)
    return caught.value


def test_every_reason_can_be_provoked() -> None:
    assert PROVOKED.keys() == set(get_args(Challenge))


@pytest.mark.requirement("WIRE-CHAL-01", "WIRE-CHAL-02", "WIRE-CHAL-03")
@pytest.mark.parametrize("reason", PROVOKED)
async def test_each_reason_stands_in_the_headers_and_in_the_body(gate: Gate, alice: Party, reason: str) -> None:
    error = await _refusal(gate, PROVOKED[reason](alice, gate.now))
    assert error.http_status == 401
    challenged = gate.house.verifier.challenger.of(error)
    assert challenged is not None
    headers = dict(challenged.headers)
    told = _parameters(headers["WWW-Authenticate"])
    assert told["realm"] == "node.example"
    assert told["error"] == reason
    assert told["error_description"]
    assert headers["Accept-Signature"] == ACCEPT_SIGNATURE
    assert headers["Cache-Control"] == "no-store"
    assert challenged.mirror == {
        "code": 401,
        "error": reason,
        "error_description": told["error_description"],
        "nonce": told["nonce"],
    }
    assert dumps(challenged.mirror)


@pytest.mark.requirement("WIRE-CHAL-02", "WIRE-CHAL-03")
async def test_a_suspended_identity_is_told_so_and_asked_for_nothing(
    gate: Gate, alice: Party, decisions: Decisions
) -> None:
    decisions.suspended.add(alice.did)
    error = await _refusal(gate, signed(alice, gate.now))
    challenged = gate.house.verifier.challenger.of(error)
    assert challenged is not None
    headers = dict(challenged.headers)
    assert _parameters(headers["WWW-Authenticate"])["error"] == "forbidden_did"
    assert "nonce" not in headers["WWW-Authenticate"]
    assert "Accept-Signature" not in headers
    assert challenged.mirror["code"] == 403
    assert challenged.mirror["error"] == "forbidden_did"


@pytest.mark.requirement("WIRE-CHAL-01")
def test_who_shows_nothing_at_all_is_challenged_too() -> None:
    challenged = Challenger("node.example", ServerNonces(b"s"), lambda: NOW).of(Unauthenticated("who are you?"))
    assert challenged is not None
    assert [name for name, _ in challenged.headers] == ["WWW-Authenticate", "Cache-Control", "Accept-Signature"]
    assert challenged.mirror["error"] == "invalid_request"


@pytest.mark.parametrize("error", [InternalError("broken"), PermissionDeniedError("a policy says no")])
def test_what_is_not_about_who_calls_is_no_challenge(error: MoothallError) -> None:
    assert Challenger("node.example", ServerNonces(b"s"), lambda: NOW).of(error) is None


def test_nothing_breaks_out_of_the_header() -> None:
    error = Unauthenticated('a "quote", a \\ and a\r\nline, 中文')
    challenged = Challenger('re"alm', ServerNonces(b"s"), lambda: NOW).of(error)
    assert challenged is not None
    value = dict(challenged.headers)["WWW-Authenticate"]
    assert value.isascii()
    assert value.isprintable()
    assert list(_parameters(value)) == ["realm", "error", "error_description", "nonce"]


def test_what_is_asked_for_is_a_structured_field_with_the_full_coverage() -> None:
    asked = parse_dictionary(ACCEPT_SIGNATURE)["sig1"]
    assert isinstance(asked.value, tuple)
    assert [item.value for item in asked.value] == ["@method", "@target-uri", "@authority", "content-digest"]
    assert list(asked.parameters) == ["created", "expires", "nonce", "keyid"]
    assert http_sf.parse(ACCEPT_SIGNATURE.encode(), tltype="dictionary")


@pytest.mark.parametrize("lang", LANGS)
def test_every_reason_is_told_in_every_language(lang: Any) -> None:
    errors = [refused(reason, "m") for reason in get_args(Challenge)]
    told = [explain(error, lang) for error in [*errors, suspended()]]
    assert all(one.why and one.hint for one in told)
    assert len({one.why for one in told}) == len(told)


def _nonce(gate: Gate, error: MoothallError) -> str:
    challenged = gate.house.verifier.challenger.of(error)
    assert challenged is not None
    return str(challenged.mirror["nonce"])


@pytest.fixture(params=[True, False], ids=["demanded", "offered"])
async def asking(request: pytest.FixtureRequest, tmp_path: Path, registry: Registry) -> AsyncIterator[Gate]:
    """A gate that demands its own nonces, and one that only offers them."""
    opened = await open_gate(tmp_path / "asking", registry, rules=Rules(demand_nonce=request.param))
    yield opened
    await close_gate(opened)


@pytest.mark.requirement("WIRE-NONCE-02")
async def test_a_caller_who_echoes_the_nonce_is_let_in_and_the_nonce_works_once(asking: Gate, alice: Party) -> None:
    error = await _refusal(asking, signed(alice, asking.now, nonce="short"))
    nonce = _nonce(asking, error)
    assert (await asking.house.verifier.verify(signed(alice, asking.now, nonce=nonce))).id == alice.did
    again = await _refusal(asking, signed(alice, asking.now + 1, nonce=nonce))
    assert getattr(again, "reason", "") == "invalid_nonce"


@pytest.mark.requirement("WIRE-NONCE-02")
async def test_a_nonce_that_one_has_used_nobody_uses_again(asking: Gate, alice: Party, registry: Registry) -> None:
    bob = party(name="bob")
    registry.add(bob)
    nonce = _nonce(asking, Unauthenticated("who are you?"))
    outcomes = await asyncio.gather(
        *[asking.house.verifier.verify(signed(who, asking.now, nonce=nonce)) for who in (alice, bob)],
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, Unauthenticated) for outcome in outcomes) == 1


@pytest.mark.requirement("WIRE-NONCE-02")
async def test_a_nonce_that_came_too_late_is_answered_with_a_new_one(asking: Gate, alice: Party) -> None:
    nonce = _nonce(asking, Unauthenticated("who are you?"))
    await asking.clock.advance(301)
    error = await _refusal(asking, signed(alice, asking.now, nonce=nonce))
    assert getattr(error, "reason", "") == "invalid_nonce"
    await asking.house.verifier.verify(signed(alice, asking.now, nonce=_nonce(asking, error)))


@pytest.mark.requirement("WIRE-NONCE-02")
async def test_where_it_is_demanded_no_other_nonce_counts(tmp_path: Path, registry: Registry, alice: Party) -> None:
    gate = await open_gate(tmp_path / "demanding", registry, rules=Rules(demand_nonce=True))
    for nonce in ("", "mh-" + "A" * 48, ServerNonces(b"another").issue(gate.now)):
        error = await _refusal(gate, signed(alice, gate.now, nonce=nonce))
        assert getattr(error, "reason", "") == "invalid_nonce"
    await gate.house.verifier.verify(signed(alice, gate.now, nonce=_nonce(gate, error)))
    await close_gate(gate)


@pytest.mark.requirement("WIRE-NONCE-02")
async def test_a_nonce_outlives_a_restart_and_its_use_does_too(
    tmp_path: Path, registry: Registry, alice: Party
) -> None:
    rules = Rules(demand_nonce=True)
    first = await open_gate(tmp_path / "node", registry, rules=rules)
    nonces = [_nonce(first, Unauthenticated("who are you?")) for _ in range(2)]
    await first.house.verifier.verify(signed(alice, first.now, nonce=nonces[0]))
    await close_gate(first)
    second = await open_gate(tmp_path / "node", registry, rules=rules)
    await second.house.verifier.verify(signed(alice, second.now, nonce=nonces[1]))
    assert await _refusal(second, signed(alice, second.now, nonce=nonces[0]))
    await close_gate(second)


def test_nonces_are_told_from_others_whatever_they_look_like() -> None:
    ours = ServerNonces(b"secret")
    good = ours.issue(NOW)
    assert ours.expiry(good) == NOW + 300
    assert ServerNonces(b"other").expiry(good) is None
    spoilt = good[:-1] + ("A" if good[-1] != "A" else "B")
    for nonce in (spoilt, good[:-1], good + "A", good.upper(), "", "mh-" + "é" * 48, BODY.decode() * 8):
        assert ours.expiry(nonce) is None
    assert 16 <= len(good) <= 128
    assert len({ours.issue(NOW) for _ in range(100)}) == 100
