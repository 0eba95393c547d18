"""Trust, consent and block: said by the person, seen by every decision after it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from moothall.errors import Conflict, InvalidInput, MoothallError, PermissionDeniedError
from moothall.people.facts import PartyFacts
from moothall.people.relations import PAGE, Kind
from tests.people.house import House, agent, person

SHOWN: dict[Kind, Callable[[PartyFacts], object]] = {
    "block": lambda facts: "user:bo" in facts.blocked,
    "consent": lambda facts: "user:bo" in facts.consented,
    "trust": lambda facts: facts.trusted.get("user:bo") == 7,
}


@pytest.mark.parametrize("kind", SHOWN)
async def test_a_relation_counts_for_all_agents_of_the_person_at_once_and_ends_at_once(
    house: House, kind: Kind
) -> None:
    identity = house.world.made("work")
    await house.register("anna", identity)
    ids, relations, anna = ["user:anna", identity.did.text], house.people.relations, person("anna")
    await relations.relate("anna", kind, "user:bo", 7, by=anna)
    assert all(SHOWN[kind](facts) for facts in (await house.people.store.facts(ids)).values())
    assert house.changes[-1][0] == frozenset(ids)
    assert await relations.unrelate("anna", kind, "user:bo", by=anna) is True
    assert not any(SHOWN[kind](facts) for facts in (await house.people.store.facts(ids)).values())
    assert await relations.unrelate("anna", kind, "user:bo", by=anna) is False


async def test_it_says_nothing_about_the_other_way(house: House) -> None:
    await house.people.relations.relate("anna", "trust", "user:bo", 7, by=person("anna"))
    assert dict((await house.people.store.facts(["user:bo"]))["user:bo"].trusted) == {}


async def test_only_the_person_and_the_operator_say_it(house: House) -> None:
    identity = house.world.made("work")
    await house.register("anna", identity)
    for by in (person("bo"), agent(identity.did.text)):
        with pytest.raises(PermissionDeniedError):
            await house.people.relations.relate("anna", "consent", "user:bo", by=by)
        with pytest.raises(PermissionDeniedError):
            await house.people.relations.of("anna", "consent", by=by)
        with pytest.raises(PermissionDeniedError):
            await house.people.relations.unrelate("anna", "consent", "user:bo", by=by)
    assert (await house.people.relations.relate("anna", "consent", "user:bo")).subject == "user:bo"


@pytest.mark.parametrize("level", [0, 11])
async def test_trust_has_a_level_from_1_to_10(house: House, level: int) -> None:
    with pytest.raises(InvalidInput):
        await house.people.relations.relate("anna", "trust", "user:bo", level)


@pytest.mark.parametrize("subject", ["bo", "owner", "user:", "did:wba:127.0.0.1", "did:web:example.com"])
async def test_only_dids_and_users_are_related_to(house: House, subject: str) -> None:
    with pytest.raises(MoothallError):
        await house.people.relations.relate("anna", "block", subject)


async def test_saying_it_again_replaces_the_level_and_the_same_level_changes_nothing(house: House) -> None:
    for level in (3, 8, 8):
        await house.people.relations.relate("anna", "trust", "user:bo", level)
    assert len(house.changes) == 2
    assert [(found.subject, found.level) for found in await house.people.relations.of("anna", "trust")] == [
        ("user:bo", 8)
    ]


async def test_they_are_listed_page_by_page(house: House) -> None:
    for number in range(PAGE + 1):
        await house.people.relations.relate("anna", "block", f"user:b{number:04}")
    first = await house.people.relations.of("anna", "block")
    assert len(first) == PAGE
    assert [found.subject for found in await house.people.relations.of("anna", "block", after=first[-1].subject)] == [
        f"user:b{PAGE:04}"
    ]


async def test_a_person_has_a_limited_number_of_relations(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moothall.people.relations.MOST", 1)
    await house.people.relations.relate("anna", "block", "user:bo")
    with pytest.raises(Conflict):
        await house.people.relations.relate("anna", "block", "user:chen")
