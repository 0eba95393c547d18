"""Profiles: who sees and changes them, and how verification moves."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import get_args

import pydantic
import pytest

from moothall.errors import Conflict, InvalidInput, PermissionDeniedError
from moothall.identity.principal import ANONYMOUS, OWNER
from moothall.people.profile import PersonPolicy, UserProfile, Verification, moved
from tests.people.house import House, agent, person

STEPS = {
    ("unverified", "pending"),
    ("pending", "verified"),
    ("pending", "unverified"),
    ("verified", "unverified"),
}


@pytest.mark.requirement("UID-08")
@pytest.mark.parametrize("level", [0, 11, -1])
def test_trust_is_a_number_from_1_to_10(level: int) -> None:
    with pytest.raises(pydantic.ValidationError):
        UserProfile(user_id="anna", trust_level=level)


@pytest.mark.requirement("UID-08")
def test_a_new_profile_is_as_the_specification_says() -> None:
    made = UserProfile(user_id="anna")
    empty = (made.display_name, made.email, made.phone, made.preferences)
    assert empty == ("", "", "", {})
    assert (made.trust_level, made.verification_status) == (5, "unverified")
    assert made.created_at.tzinfo == UTC
    assert made.created_at <= datetime.now(UTC)


@pytest.mark.requirement("UID-08")
@pytest.mark.parametrize(("before", "after"), list(product(get_args(Verification), repeat=2)))
def test_verification_moves_forward_step_by_step_and_back_to_the_start(
    before: Verification, after: Verification
) -> None:
    if before == after or (before, after) in STEPS:
        assert moved(before, after) == after
    else:
        with pytest.raises(Conflict):
            moved(before, after)


@pytest.mark.requirement("UID-08")
async def test_the_person_asks_for_verification_and_the_operator_gives_it(house: House) -> None:
    profiles, anna = house.people.profiles, person("anna")
    with pytest.raises(Conflict):
        await profiles.verify("anna", "verified", by=OWNER)
    await profiles.verify("anna", "pending", by=anna)
    with pytest.raises(PermissionDeniedError):
        await profiles.verify("anna", "verified", by=anna)
    assert (await profiles.verify("anna", "verified", by=OWNER)).verification_status == "verified"
    assert (await profiles.verify("anna", "unverified", by=anna)).verification_status == "unverified"


@pytest.mark.requirement("UID-08")
async def test_trust_is_given_by_the_node_not_by_the_person(house: House) -> None:
    with pytest.raises(PermissionDeniedError):
        await house.people.profiles.rate("anna", 10, by=person("anna"))
    with pytest.raises(InvalidInput):
        await house.people.profiles.rate("anna", 11)
    assert (await house.people.profiles.rate("anna", 3)).trust_level == 3
    assert (await house.people.store.facts(["user:anna"]))["user:anna"].trust == 3


async def test_nobody_else_sees_or_changes_a_profile(house: House) -> None:
    await house.people.profiles.update("anna", email="anna@example.com", phone="+10", by=person("anna"))
    identity = house.world.made("work")
    await house.register("anna", identity)
    for by in (person("bo"), agent(identity.did.text), ANONYMOUS):
        with pytest.raises(PermissionDeniedError):
            await house.people.profiles.get("anna", by=by)
        with pytest.raises(PermissionDeniedError):
            await house.people.profiles.update("anna", email="mine@example.com", by=by)
    seen = await house.people.profiles.get("anna", by=OWNER)
    assert seen
    assert seen.email == "anna@example.com"


async def test_what_is_left_out_stays(house: House) -> None:
    await house.people.profiles.update("anna", display_name="Anna", preferences={"语言": "zh"}, by=person("anna"))
    after = await house.people.profiles.update("anna", phone="+10", by=person("anna"))
    assert (after.display_name, after.phone, after.preferences) == ("Anna", "+10", {"语言": "zh"})
    assert await house.people.profiles.get("anna") == after


async def test_values_that_are_too_long_are_refused(house: House) -> None:
    with pytest.raises(InvalidInput):
        await house.people.profiles.update("anna", display_name="x" * 201)
    with pytest.raises(InvalidInput):
        await house.people.profiles.update("anna", preferences={"x": "y" * 70_000})


async def test_nothing_in_the_audit_repeats_what_a_person_wrote(house: House) -> None:
    await house.people.profiles.update("anna", email="anna@example.com", phone="+4930", by=person("anna"))
    (record,) = house.records.kept
    assert (record.kind, record.action, record.actor, record.resource) == (
        "people", "update_profile", "user:anna", "user:anna",
    )  # fmt: skip
    assert "example.com" not in str(record)
    assert "+4930" not in str(record)


async def test_calls_between_agents_of_a_person_are_off_until_the_person_says_so(house: House) -> None:
    identity = house.world.made("work")
    await house.register("anna", identity)
    did = identity.did.text
    assert not (await house.people.store.facts([did]))[did].cross_agent_calls
    with pytest.raises(PermissionDeniedError):
        await house.people.profiles.set_policy("anna", PersonPolicy(allow_cross_agent_calls=True), by=agent(did))
    await house.people.profiles.set_policy("anna", PersonPolicy(allow_cross_agent_calls=True), by=person("anna"))
    assert (await house.people.store.facts([did]))[did].cross_agent_calls
    assert (await house.people.profiles.policy("anna")).allow_cross_agent_calls
    assert not (await house.people.profiles.policy("nobody")).allow_cross_agent_calls


async def test_a_person_is_forgotten_by_the_operator_with_all_that_is_its_own(house: House) -> None:
    identity = house.world.made("work")
    await house.register("anna", identity)
    await house.people.relations.relate("anna", "block", "user:bo", by=person("anna"))
    await house.people.teams.create_team("t", ["user:anna", identity.did.text])
    with pytest.raises(PermissionDeniedError):
        await house.people.profiles.remove("anna", by=person("anna"))
    assert await house.people.profiles.remove("anna") is True
    assert await house.people.profiles.remove("anna") is False
    facts = await house.people.store.facts(["user:anna", identity.did.text])
    assert {(one.trust, one.teams, one.blocked) for one in facts.values()} == {(1, frozenset(), frozenset())}
    assert facts[identity.did.text].person == ""
