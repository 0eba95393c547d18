"""Agents of people: registered with proof of control, listed, and one of them standing for its person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from moothall.errors import Conflict, InvalidInput, MoothallError, PermissionDeniedError, UpstreamError
from moothall.identity import jws
from moothall.identity.principal import ANONYMOUS, OWNER, Principal
from moothall.people.proof import LONGEST, TYPE
from tests.people.house import NODE, House, agent, person

FUNCTIONS = ("personal", "work", "finance", "health")
LEGACY = "did:wba:example.com:user:zhang_san"


@pytest.mark.requirement("UID-01")
async def test_agents_of_one_person_are_registered_with_their_roles_and_listed_together(house: House) -> None:
    identities = house.people.identities
    for role in FUNCTIONS:
        await house.register("zhang_san", house.world.made(f"zhang_san:{role}"), role)
        await house.clock.advance(1)
    listed = await identities.get_user_agents("zhang_san")
    assert [found.role for found in listed] == list(FUNCTIONS)
    assert all(found.did.split(":")[-1].startswith("e1_") for found in listed)


@pytest.mark.requirement("UID-01")
async def test_so_are_agents_whose_dids_have_no_fingerprint(house: House) -> None:
    for role in FUNCTIONS:
        did = f"{LEGACY}:{role}"
        house.world.own[role] = did
        await house.people.identities.register_user_agent("zhang_san", did, role)
        await house.clock.advance(1)
    listed = await house.people.identities.get_user_agents("zhang_san")
    assert [(found.did, found.role) for found in listed] == [(f"{LEGACY}:{role}", role) for role in FUNCTIONS]


async def test_the_role_is_what_was_said_never_what_the_did_looks_like(house: House) -> None:
    identity = house.world.made("zhang_san:admin")
    await house.register("zhang_san", identity, "basic")
    facts = await house.people.store.facts([identity.did.text])
    assert facts[identity.did.text].role == "basic"


@pytest.mark.requirement("UID-05")
async def test_a_proof_by_the_key_of_the_did_registers_an_active_agent(house: House) -> None:
    identity = house.world.made("work")
    await house.register("li_si", identity, "work")
    found = (await house.people.identities.get_user_agents("li_si"))[0]
    assert (found.did, found.role, found.status) == (identity.did.text, "work", "active")
    assert found.created_at == house.clock.now()


async def test_a_key_of_secp256k1_proves_as_well(house: House) -> None:
    identity = house.world.made("work", algorithm="secp256k1")
    await house.register("li_si", identity)
    assert await house.people.identities.get_agent_user(identity.did.text) == "li_si"


@pytest.mark.requirement("UID-05")
async def test_without_a_proof_nobody_registers_an_agent_of_somewhere_else(house: House) -> None:
    did = house.world.made("work").did.text
    for by in (person("li_si"), OWNER):
        with pytest.raises(PermissionDeniedError) as refused:
            await house.people.identities.register_user_agent("li_si", did, by=by)
        assert refused.value.details == {"proof": "missing"}
    assert await house.people.identities.get_agent_user(did) is None


async def test_the_keys_of_the_node_speak_for_its_operator_only(house: House) -> None:
    did = house.world.hosted("diary")
    with pytest.raises(PermissionDeniedError):
        await house.people.identities.register_user_agent("li_si", did, by=person("li_si"))
    await house.people.identities.register_user_agent("li_si", did, by=OWNER)
    assert await house.people.identities.get_agent_user(did) == "li_si"


@pytest.mark.parametrize(
    "by",
    [ANONYMOUS, person("mallory"), Principal(id="user:li_si", kind="user", verified=False)],
    ids=["nobody", "somebody-else", "unproved"],
)
async def test_only_the_person_and_the_operator_register(house: House, by: Principal) -> None:
    identity = house.world.made("work")
    with pytest.raises(PermissionDeniedError):
        await house.people.identities.register_user_agent(
            "li_si", identity.did.text, proof=house.proof(identity, "li_si"), by=by
        )


async def test_an_agent_cannot_attach_itself_to_a_person(house: House) -> None:
    identity = house.world.made("work")
    with pytest.raises(PermissionDeniedError):
        await house.people.identities.register_user_agent(
            "li_si", identity.did.text, proof=house.proof(identity, "li_si"), by=agent(identity.did.text)
        )


Claims = dict[str, Any]
BENT: dict[str, tuple[str, Callable[[Claims], object]]] = {
    "another-person": ("person", lambda claims: claims.update(person="mallory")),
    "another-node": ("aud", lambda claims: claims.update(aud="https://other.example")),
    "another-agent": ("sub", lambda claims: claims.update(sub="did:wba:agents.example:user:x")),
    "another-issuer": ("iss", lambda claims: claims.update(iss="did:wba:agents.example:user:x")),
    "expired": ("time", lambda claims: claims.update(exp=claims["iat"])),
    "from-the-future": ("time", lambda claims: claims.update(iat=claims["iat"] + 120, exp=claims["exp"] + 120)),
    "too-long": ("time", lambda claims: claims.update(exp=claims["iat"] + LONGEST + 1)),
    "without-an-id": ("form", lambda claims: claims.pop("jti")),
    "a-list-of-nodes": ("form", lambda claims: claims.update(aud=[NODE])),
    "a-true-time": ("form", lambda claims: claims.update(iat=True)),
}


@pytest.mark.requirement("UID-05")
@pytest.mark.parametrize("bent", BENT)
async def test_a_proof_about_anything_else_is_refused(house: House, bent: str) -> None:
    identity, (why, bend) = house.world.made("work"), BENT[bent]
    claims = dict(jws.read(house.proof(identity, "li_si"), TYPE).claims)
    bend(claims)
    with pytest.raises(PermissionDeniedError) as refused:
        await house.people.identities.register_user_agent(
            "li_si", identity.did.text, proof=jws.sign(identity.signer, TYPE, claims), by=person("li_si")
        )
    assert refused.value.details == {"proof": why}


@pytest.mark.requirement("UID-05")
async def test_a_proof_by_another_key_is_refused(house: House) -> None:
    identity, other = house.world.made("work"), house.world.made("other")
    claims = jws.read(house.proof(identity, "li_si"), TYPE).claims
    forged = jws.sign(type(other.signer)(identity.signer.keyid, other.signer.key), TYPE, claims)
    for token in (forged, jws.sign(other.signer, TYPE, claims)):
        with pytest.raises(PermissionDeniedError) as refused:
            await house.people.identities.register_user_agent(
                "li_si", identity.did.text, proof=token, by=person("li_si")
            )
        assert refused.value.details == {"proof": "signature"}


async def test_a_document_that_cannot_be_had_proves_nothing(house: House) -> None:
    identity = house.world.made("work")
    proof = house.proof(identity, "li_si")
    del house.world.identities[identity.did.text]
    with pytest.raises(UpstreamError):
        await house.people.identities.register_user_agent("li_si", identity.did.text, proof=proof, by=person("li_si"))
    assert await house.people.identities.get_agent_user(identity.did.text) is None


async def test_a_proof_counts_once(house: House) -> None:
    identities, identity = house.people.identities, house.world.made("work")
    proof = house.proof(identity, "li_si")
    await identities.register_user_agent("li_si", identity.did.text, proof=proof, by=person("li_si"))
    await identities.unregister_user_agent(identity.did.text, by=agent(identity.did.text))
    with pytest.raises(PermissionDeniedError) as refused:
        await identities.register_user_agent("li_si", identity.did.text, proof=proof, by=person("li_si"))
    assert refused.value.details == {"proof": "used"}


@pytest.mark.requirement("UID-05")
async def test_a_did_of_another_person_is_a_conflict_and_stays_where_it_is(house: House) -> None:
    identity = house.world.made("work")
    await house.register("li_si", identity)
    for by in (person("mallory"), OWNER):
        with pytest.raises(Conflict):
            await house.people.identities.register_user_agent(
                "mallory", identity.did.text, proof=house.proof(identity, "mallory"), by=by
            )
    assert await house.people.identities.get_agent_user(identity.did.text) == "li_si"


@pytest.mark.requirement("UID-05")
async def test_the_same_call_again_changes_nothing(house: House) -> None:
    identities, identity = house.people.identities, house.world.made("work")
    proof = house.proof(identity, "li_si")
    first = await identities.register_user_agent("li_si", identity.did.text, "work", proof=proof, by=person("li_si"))
    told = len(house.changes)
    await house.clock.advance(timedelta(hours=1))
    again = await identities.register_user_agent("li_si", identity.did.text, "work", proof=proof, by=person("li_si"))
    assert again == first
    assert len(house.changes) == told
    assert await identities.get_user_agents("li_si") == [first]


async def test_another_role_is_a_conflict_not_a_change(house: House) -> None:
    identity = house.world.made("work")
    await house.register("li_si", identity, "work")
    with pytest.raises(Conflict):
        await house.register("li_si", identity, "admin")


async def test_only_the_operator_gives_the_role_that_reads_the_audit_log(house: House) -> None:
    identity, other = house.world.made("eyes"), house.world.made("other")
    with pytest.raises(PermissionDeniedError):
        await house.register("li_si", identity, "audit")
    await house.register("li_si", other, "work")
    with pytest.raises(PermissionDeniedError):
        await house.people.identities.change_user_agent(other.did.text, role="audit", by=person("li_si"))
    proof = house.proof(identity, "li_si")
    made = await house.people.identities.register_user_agent("li_si", identity.did.text, "audit", proof=proof)
    assert made.role == "audit"


@pytest.mark.requirement("UID-06")
async def test_somebody_unknown_has_no_agents_and_an_unknown_agent_no_person(house: House) -> None:
    assert await house.people.identities.get_user_agents("nobody") == []
    assert await house.people.identities.get_agent_user("did:wba:nowhere.example") is None
    assert await house.people.identities.get_user_primary_agent("nobody") is None


@pytest.mark.requirement("UID-07")
@pytest.mark.parametrize("order", [("work", "personal", "primary"), ("primary", "personal", "work")])
async def test_primary_stands_for_a_person_before_personal_before_the_oldest(
    house: House, order: tuple[str, ...]
) -> None:
    identities, dids = house.people.identities, {}
    for role in order:
        made = house.world.made(role)
        dids[role] = made.did.text
        await house.register("li_si", made, role)
        await house.clock.advance(1)
    assert await identities.get_user_primary_agent("li_si") == dids["primary"]
    await identities.change_user_agent(dids["primary"], status="suspended", by=person("li_si"))
    assert await identities.get_user_primary_agent("li_si") == dids["personal"]
    await identities.unregister_user_agent(dids["personal"], by=person("li_si"))
    assert await identities.get_user_primary_agent("li_si") == dids["work"]
    await identities.change_user_agent(dids["work"], status="revoked", by=person("li_si"))
    assert await identities.get_user_primary_agent("li_si") is None


async def test_what_was_revoked_stays_so_until_the_operator_says_otherwise(house: House) -> None:
    identities, identity = house.people.identities, house.world.made("work")
    did = identity.did.text
    await house.register("li_si", identity)
    await identities.change_user_agent(did, status="revoked", by=OWNER)
    with pytest.raises(PermissionDeniedError):
        await identities.change_user_agent(did, status="active", by=person("li_si"))
    with pytest.raises(PermissionDeniedError):
        await identities.unregister_user_agent(did, by=person("li_si"))
    assert (await identities.change_user_agent(did, status="active", by=OWNER)).status == "active"


async def test_clearance_is_given_by_the_operator(house: House) -> None:
    identities, identity = house.people.identities, house.world.made("work")
    await house.register("li_si", identity)
    with pytest.raises(PermissionDeniedError):
        await identities.change_user_agent(identity.did.text, clearance=3, by=person("li_si"))
    await identities.change_user_agent(identity.did.text, clearance=2)
    assert (await house.people.store.facts([identity.did.text]))[identity.did.text].clearance == 2
    with pytest.raises(InvalidInput):
        await identities.change_user_agent(identity.did.text, clearance=4)


@pytest.mark.parametrize("name", ["", "a:b", " a", "a ", "x" * 129, "a\n"])
async def test_names_of_another_form_are_refused(house: House, name: str) -> None:
    with pytest.raises(MoothallError):
        await house.people.identities.register_user_agent(name, house.world.hosted("diary"))


async def test_a_person_has_a_limited_number_of_agents(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moothall.people.identities.MOST_AGENTS", 2)
    for name in ("a", "b"):
        await house.register("anna", house.world.made(name))
    with pytest.raises(Conflict):
        await house.register("anna", house.world.made("c"))
    await house.register("bo", house.world.made("d"))


@pytest.mark.requirement("UID-05")
@pytest.mark.parametrize("token", ["x", "a.b.c", "e30.e30.AA"])
async def test_what_is_no_proof_is_refused_as_one_of_another_form(house: House, token: str) -> None:
    did = house.world.made("work").did.text
    with pytest.raises(PermissionDeniedError) as refused:
        await house.people.identities.register_user_agent("anna", did, proof=token, by=person("anna"))
    assert refused.value.details == {"proof": "form"}


@pytest.mark.parametrize("word", ["", "a b", "1a", "x" * 65])
async def test_a_role_is_a_word(house: House, word: str) -> None:
    with pytest.raises(InvalidInput):
        await house.people.identities.register_user_agent("anna", house.world.hosted("diary"), word)


async def test_of_an_agent_that_is_not_registered_nothing_is_changed_and_only_the_operator_hears_why(
    house: House,
) -> None:
    did = house.world.made("work").did.text
    with pytest.raises(InvalidInput):
        await house.people.identities.change_user_agent(did, status="suspended")
    with pytest.raises(PermissionDeniedError):
        await house.people.identities.change_user_agent(did, status="suspended", by=person("anna"))
    assert await house.people.identities.unregister_user_agent(did, by=person("anna")) is False


async def test_a_change_to_what_is_so_already_is_none(house: House) -> None:
    identity = house.world.made("work")
    await house.register("anna", identity, "work")
    told = len(house.changes)
    await house.people.identities.change_user_agent(identity.did.text, role="work", by=person("anna"))
    assert len(house.changes) == told
