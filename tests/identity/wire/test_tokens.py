"""Access tokens: given after a signed request, read strictly, revoked at once."""

from __future__ import annotations

import base64
import dataclasses
import json
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ed25519

from moothall.errors import PermissionDeniedError, StorageError, Unauthenticated
from moothall.identity import jwk
from moothall.identity.keys import PrivateKey
from moothall.identity.principal import ANONYMOUS, OWNER, Principal
from moothall.identity.request import HttpRequest
from moothall.identity.token_key import FILE, TokenKey
from moothall.identity.tokens import LIFE, REUSED
from moothall.storage import schema
from tests.identity.wire.gate import (
    URL,
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


def _with(token: str) -> HttpRequest:
    return request(headers={"Authorization": f"Bearer {token}"})


async def _token(gate: Gate, who: Party) -> str:
    principal = await gate.house.verifier.verify(signed(who, gate.now))
    info = dict(gate.house.verifier.welcome(principal))["Authentication-Info"]
    assert info.startswith('access_token="')
    assert info.endswith('", token_type="Bearer", expires_in=3600')
    return info.split('"')[1]


def _claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _key(data: Path) -> Any:
    return TokenKey.load(data).private._key


async def _refused(gate: Gate, token: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await gate.house.verifier.verify(_with(token))
    assert caught.value.reason == "invalid_access_token"


@pytest.mark.requirement("WIRE-TOKEN-01")
async def test_after_a_signed_request_a_token_authenticates_the_next(gate: Gate, alice: Party) -> None:
    token = await _token(gate, alice)
    for _ in range(2):
        principal = await gate.house.verifier.verify(_with(token))
        assert (principal.id, principal.kind, principal.binding) == (alice.did, "did", "token")
        assert principal.verified
        assert principal.key_bound


@pytest.mark.requirement("WIRE-TOKEN-01")
async def test_the_older_response_header_is_sent_only_where_the_older_request_header_counts(
    gate: Gate, older_gate: Gate, alice: Party
) -> None:
    for one, names in ((gate, ["Authentication-Info"]), (older_gate, ["Authentication-Info", "Authorization"])):
        welcome = one.house.verifier.welcome(await one.house.verifier.verify(signed(alice, one.now)))
        assert [name for name, _ in welcome] == names
    assert welcome[1][1] == f"Bearer {welcome[0][1].split(chr(34))[1]}"


@pytest.mark.requirement("WIRE-TOKEN-01")
async def test_a_token_is_given_for_nothing_less_than_a_signed_request(gate: Gate, alice: Party) -> None:
    bearer = await gate.house.verifier.verify(_with(await _token(gate, alice)))
    for principal in (bearer, OWNER, ANONYMOUS, Principal(id=alice.did, kind="did", binding="request")):
        assert gate.house.verifier.welcome(principal) == []


@pytest.mark.requirement("WIRE-TOKEN-02")
async def test_an_independent_reader_finds_what_a_token_must_say(gate: Gate, alice: Party) -> None:
    token = await _token(gate, alice)
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "at+jwt"}
    claims = jwt.decode(
        token,
        _key(gate.data).public_key(),
        algorithms=["EdDSA"],
        audience=URL,
        issuer=URL,
        options={"verify_exp": False, "require": ["iss", "aud", "sub", "iat", "nbf", "exp", "jti"]},
    )
    assert claims["sub"] == alice.did
    assert claims["iat"] == claims["nbf"] == gate.now
    assert claims["exp"] == gate.now + 3600
    assert claims["cnf"] == {"jkt": jwk.thumbprint(alice.signer.key.public)}


@pytest.mark.requirement("WIRE-TOKEN-02")
async def test_every_token_has_an_id_of_its_own(gate: Gate, registry: Registry) -> None:
    ids = set()
    for number in range(3):
        who = party(name=f"agent{number}")
        registry.add(who)
        ids.add(_claims(await _token(gate, who))["jti"])
    assert len(ids) == 3


@pytest.mark.requirement("WIRE-TOKEN-02")
async def test_within_a_minute_the_same_caller_gets_the_same_token(gate: Gate, alice: Party) -> None:
    first = await _token(gate, alice)
    await gate.clock.advance(REUSED - 1)
    assert await _token(gate, alice) == first
    await gate.clock.advance(1)
    assert await _token(gate, alice) != first


@pytest.mark.requirement("WIRE-TOKEN-02")
async def test_a_token_ends_after_an_hour(gate: Gate, alice: Party) -> None:
    token = await _token(gate, alice)
    await gate.clock.advance(LIFE - 1)
    await gate.house.verifier.verify(_with(token))
    await gate.clock.advance(1)
    await _refused(gate, token)


def _forged(gate: Gate, alice: Party, **changes: Any) -> dict[str, Any]:
    claims = {"iss": URL, "aud": URL, "sub": alice.did, "iat": gate.now, "nbf": gate.now, "exp": gate.now + 3600}
    return claims | {"jti": "j", "cnf": {"jkt": jwk.thumbprint(alice.signer.key.public)}} | changes


@pytest.mark.requirement("WIRE-TOKEN-02")
@pytest.mark.parametrize(
    ("claim", "value"),
    [("aud", "https://other.example"), ("iss", "https://other.example"), ("exp", 0), ("nbf", 2**40), ("aud", [URL])],
)
async def test_a_token_whose_claims_do_not_fit_is_refused_though_its_signature_holds(
    gate: Gate, alice: Party, claim: str, value: object
) -> None:
    headers = {"alg": "EdDSA", "typ": "at+jwt"}
    for changes, good in (({}, True), ({claim: value}, False)):
        token = _encoded(headers, _forged(gate, alice, **changes), _key(gate.data))
        if good:
            await gate.house.verifier.verify(_with(token))
        else:
            await _refused(gate, token)


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()


def _encoded(header: dict[str, str], claims: dict[str, Any], key: ed25519.Ed25519PrivateKey) -> str:
    signed_part = f"{_part(header)}.{_part(claims)}"
    return f"{signed_part}.{base64.urlsafe_b64encode(key.sign(signed_part.encode())).rstrip(b'=').decode()}"


@pytest.mark.requirement("WIRE-TOKEN-02")
@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "typ": "at+jwt"},
        {"alg": "EdDSA", "typ": "JWT"},
        {"alg": "EdDSA"},
        {"typ": "at+jwt", "alg": "EdDSA"},
        {"alg": "EdDSA", "typ": "at+jwt", "kid": "x"},
        {"alg": "HS256", "typ": "at+jwt"},
    ],
)
async def test_nothing_in_a_token_chooses_how_it_is_read(gate: Gate, alice: Party, header: dict[str, str]) -> None:
    await _refused(gate, _encoded(header, _forged(gate, alice), _key(gate.data)))


@pytest.mark.requirement("WIRE-TOKEN-02")
async def test_an_unsigned_token_is_refused(gate: Gate, alice: Party) -> None:
    await _refused(gate, jwt.encode(_forged(gate, alice), None, algorithm="none", headers={"typ": "at+jwt"}))
    head, claims, _ = (await _token(gate, alice)).split(".")
    for signature in ("", "AAAA", "====", "é"):
        await _refused(gate, f"{head}.{claims}.{signature}")


@pytest.mark.requirement("WIRE-TOKEN-02")
async def test_a_token_with_a_changed_claim_is_refused(gate: Gate, alice: Party) -> None:
    head, payload, signature = (await _token(gate, alice)).split(".")
    changed = _claims(f".{payload}.") | {"sub": "did:wba:mallory.example"}
    await _refused(gate, f"{head}.{_part(changed)}.{signature}")


@pytest.mark.requirement("WIRE-TOKEN-02")
async def test_a_token_of_another_server_is_refused(
    gate: Gate, alice: Party, tmp_path: Path, registry: Registry
) -> None:
    other = await open_gate(tmp_path / "other", registry)
    token = await _token(other, alice)
    await other.house.verifier.verify(_with(token))
    await _refused(gate, token)
    await close_gate(other)


@pytest.mark.requirement("WIRE-TOKEN-02")
async def test_a_token_for_another_address_of_the_same_key_is_refused(
    gate: Gate, alice: Party, tmp_path: Path, registry: Registry
) -> None:
    data = tmp_path / "other"
    data.mkdir(mode=0o700)
    (data / FILE).write_bytes((gate.data / FILE).read_bytes())
    (data / FILE).chmod(0o600)
    other = await open_gate(data, registry, urls=("https://other.example",))
    await _refused(other, await _token(gate, alice))
    await close_gate(other)


async def test_a_token_that_is_far_too_long_is_refused(gate: Gate, alice: Party) -> None:
    await _refused(gate, await _token(gate, alice) + "A" * 4096)


async def test_a_token_says_whether_its_did_contains_the_key(gate: Gate, registry: Registry) -> None:
    who = bare_party("Ed25519")
    registry.add(who)
    assert not (await gate.house.verifier.verify(_with(await _token(gate, who)))).key_bound


@pytest.mark.requirement("WIRE-TOKEN-03")
@pytest.mark.parametrize("bearer", ["expired", "Bearer nonsense", "Bearer", "Basic eDp5", "DIDWba v=1"])
async def test_a_bad_bearer_beside_a_good_signature_does_no_harm(gate: Gate, alice: Party, bearer: str) -> None:
    if bearer == "expired":
        bearer = f"Bearer {await _token(gate, alice)}"
        await gate.clock.advance(LIFE + 1)
    good = signed(alice, gate.now)
    both = HttpRequest(good.method, good.target, [(b"authorization", bearer.encode()), *good.headers], good.body)
    principal = await gate.house.verifier.verify(both)
    assert (principal.id, principal.binding) == (alice.did, "request")


@pytest.mark.requirement("WIRE-TOKEN-03")
async def test_a_good_bearer_does_not_mend_a_bad_signature(gate: Gate, alice: Party) -> None:
    late = signed(alice, gate.now - 1000)
    token = (b"authorization", f"Bearer {await _token(gate, alice)}".encode())
    with pytest.raises(Unauthenticated) as caught:
        await gate.house.verifier.verify(HttpRequest(late.method, late.target, [*late.headers, token], late.body))
    assert caught.value.reason == "invalid_timestamp"


@pytest.mark.requirement("WIRE-TOKEN-06")
async def test_a_token_binds_no_request(gate: Gate, alice: Party) -> None:
    token = await _token(gate, alice)
    for method, target, body in (("GET", "/", b""), ("POST", "/other", b"anything")):
        sent = HttpRequest(method, target, [(b"authorization", f"Bearer {token}".encode())], body)
        assert (await gate.house.verifier.verify(sent)).binding == "token"


@pytest.mark.requirement("WIRE-TOKEN-04")
@pytest.mark.parametrize("by", ["jti", "did", "epoch"])
async def test_a_revoked_token_is_refused_on_the_next_request_and_a_new_one_counts(
    gate: Gate, alice: Party, by: str, registry: Registry
) -> None:
    bob = party(name="bob")
    registry.add(bob)
    token, other = await _token(gate, alice), await _token(gate, bob)
    await gate.house.verifier.verify(_with(token))
    revocations = gate.house.revocations
    if by == "jti":
        await revocations.revoke_token(_claims(token)["jti"])
    elif by == "did":
        await revocations.revoke_did(alice.did)
    else:
        await revocations.revoke_all()
    await _refused(gate, token)
    if by == "epoch":
        await _refused(gate, other)
    else:
        await gate.house.verifier.verify(_with(other))
    renewed = await _token(gate, alice)  # in the same second, and not the revoked one again
    assert renewed != token
    await gate.house.verifier.verify(_with(renewed))


@pytest.mark.requirement("WIRE-TOKEN-04")
async def test_a_suspended_did_is_forbidden_though_its_token_counts(
    gate: Gate, alice: Party, decisions: Decisions
) -> None:
    token = await _token(gate, alice)
    decisions.suspended.add(alice.did)
    with pytest.raises(PermissionDeniedError) as caught:
        await gate.house.verifier.verify(_with(token))
    assert caught.value.reason == "forbidden_did"


@pytest.mark.requirement("WIRE-TOKEN-04")
async def test_a_revocation_outlives_a_restart(tmp_path: Path, registry: Registry, alice: Party) -> None:
    first = await open_gate(tmp_path / "node", registry)
    token = await _token(first, alice)
    await first.house.revocations.revoke_did(alice.did)
    await close_gate(first)
    second = await open_gate(tmp_path / "node", registry)
    await _refused(second, token)
    await close_gate(second)


@pytest.mark.requirement("WIRE-TOKEN-04")
async def test_revocations_that_nothing_can_show_any_more_leave_the_table(gate: Gate, alice: Party) -> None:
    await gate.house.revocations.revoke_token("old")
    await gate.clock.advance(2 * LIFE + 1)
    await gate.house.revocations.revoke_did(alice.did)
    rows = await gate.store.read(
        lambda connection: connection.execute(sa.select(schema.revocation.c.value)).scalars().all()
    )
    assert rows == [alice.did]


@pytest.fixture
async def pair(tmp_path: Path, postgres_url: str, registry: Registry) -> AsyncIterator[tuple[Gate, Gate]]:
    """Two processes of one node: one database, one key, a directory each."""
    first = await open_gate(tmp_path / "one", registry, database_url=postgres_url)
    (tmp_path / "two").mkdir(mode=0o700)
    (tmp_path / "two" / FILE).write_bytes((tmp_path / "one" / FILE).read_bytes())
    (tmp_path / "two" / FILE).chmod(0o600)
    second = await open_gate(tmp_path / "two", registry, database_url=postgres_url)
    yield first, second
    await close_gate(first)
    await close_gate(second)


@pytest.mark.requirement("WIRE-TOKEN-04")
async def test_another_process_knows_of_a_revocation_after_two_seconds(pair: tuple[Gate, Gate], alice: Party) -> None:
    here, there = pair
    token = await _token(here, alice)
    await there.house.verifier.verify(_with(token))
    await here.house.revocations.revoke_did(alice.did)
    await _refused(here, token)
    await there.clock.advance(2)
    await _refused(there, token)


@pytest.mark.requirement("WIRE-TOKEN-04")
async def test_where_revocations_cannot_be_read_no_token_counts(pair: tuple[Gate, Gate], alice: Party) -> None:
    here, _ = pair
    token = await _token(here, alice)
    await here.store.write(lambda connection: connection.execute(sa.text("ALTER TABLE revocation RENAME TO away")))
    await here.clock.advance(2)
    with pytest.raises(StorageError):
        await here.house.verifier.verify(_with(token))


async def test_a_token_ends_with_the_key_that_it_was_issued_for(
    pair: tuple[Gate, Gate], alice: Party, registry: Registry
) -> None:
    here, _ = pair
    token = await _token(here, alice)
    asked = len(registry.asked)
    assert (await here.house.verifier.verify(_with(token))).id == alice.did
    known = registry.documents.pop(alice.did)
    assert (await here.house.verifier.verify(_with(token))).id == alice.did  # nothing newer is known of it
    other = {alice.signer.keyid: PrivateKey.generate().public}
    registry.documents[alice.did] = dataclasses.replace(known, authentication=other)
    with pytest.raises(Unauthenticated) as caught:
        await here.house.verifier.verify(_with(token))
    assert caught.value.reason == "invalid_access_token"
    assert len(registry.asked) == asked  # it costs no request


def test_the_key_of_the_tokens_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    made = TokenKey.load(tmp_path / "data")
    path = tmp_path / "data" / FILE
    assert path.stat().st_mode & 0o777 == 0o600
    again = TokenKey.load(tmp_path / "data")
    assert again.private.public == made.private.public
    assert again.nonce_secret == made.nonce_secret
    assert [entry.name for entry in (tmp_path / "data").iterdir()] == [FILE]


def test_neither_key_nor_secret_is_printed(tmp_path: Path) -> None:
    made = TokenKey.load(tmp_path)
    assert repr(made) == "TokenKey(Ed25519)"


def test_a_key_that_others_could_read_is_refused(tmp_path: Path) -> None:
    TokenKey.load(tmp_path)
    (tmp_path / FILE).chmod(0o640)
    for _ in range(2):  # it stays so until somebody does something about it
        with pytest.raises(StorageError, match="others could read it") as caught:
            TokenKey.load(tmp_path)
        assert "remove the file" in caught.value.hint
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o640


def test_two_starts_at_once_have_one_key(tmp_path: Path) -> None:
    for number in range(10):
        data, at_once = tmp_path / str(number), threading.Barrier(2)

        def start(data: Path = data, at_once: threading.Barrier = at_once) -> bytes:
            at_once.wait()
            return TokenKey.load(data).nonce_secret

        with ThreadPoolExecutor(2) as threads:
            first, second = (threads.submit(start) for _ in range(2))
        assert first.result() == second.result() == TokenKey.load(data).nonce_secret


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", PrivateKey.generate().pem()[:60]], ids=["empty", "words", "half"]
)
def test_a_damaged_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    (tmp_path / FILE).chmod(0o600)
    with pytest.raises(StorageError, match="damaged"):
        TokenKey.load(tmp_path)


def test_a_link_in_the_place_of_the_key_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(PrivateKey.generate().pem())
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError):
        TokenKey.load(tmp_path)


def test_what_a_stopped_start_left_behind_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / f".{FILE}").write_bytes(b"half")
    assert TokenKey.load(tmp_path).nonce_secret == TokenKey.load(tmp_path).nonce_secret
