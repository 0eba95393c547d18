"""Teams, departments and organisations: who rules them, who belongs to them, and from when on."""

from __future__ import annotations

import pytest

from moothall.errors import Conflict, InvalidInput, PermissionDeniedError, ServiceNotFoundError
from moothall.identity.principal import ANONYMOUS, OWNER
from moothall.people import unit_rows
from moothall.people.facts import PartyFacts
from moothall.people.team_authorization import TeamAuthorizationConfig
from moothall.people.team_rules import InternalPolicies, TeamRules
from tests.people.house import House, agent, person

ANNA, BO, CHEN = "user:anna", "user:bo", "user:chen"


async def facts_of(house: House, party: str) -> PartyFacts:
    return (await house.people.store.facts([party]))[party]


@pytest.fixture
async def acme(house: House) -> House:
    """acme > research > search (a team); anna owns acme, bo owns the team, chen is a member of it."""
    structure = house.people.structure
    await structure.create("acme", "organisation")
    await structure.create("research", "department", parent="acme")
    await structure.add("acme", ANNA, "owner")
    await house.people.teams.create_team("search", [CHEN], parent="research", owners=[BO])
    return house


@pytest.mark.requirement("TEA-01")
async def test_a_team_is_made_grows_shrinks_and_ends_and_each_counts_at_once(house: House) -> None:
    teams = house.people.team_authorization.team_registry
    await teams.create_team("search", [ANNA])
    assert (await facts_of(house, ANNA)).teams == {"search"}
    await teams.add_member("search", BO)
    assert (await facts_of(house, BO)).teams == {"search"}
    assert await teams.remove_member("search", ANNA) is True
    assert (await facts_of(house, ANNA)).teams == frozenset()
    assert await teams.remove_member("search", ANNA) is False
    assert await teams.dissolve("search") is True
    assert (await facts_of(house, BO)).teams == frozenset()
    with pytest.raises(ServiceNotFoundError):
        await teams.get_team("search")


@pytest.mark.requirement("TEA-01")
async def test_a_person_belongs_to_a_team_with_all_agents_and_leaves_with_all(house: House) -> None:
    identity = house.world.made("work")
    await house.register("anna", identity)
    await house.people.teams.create_team("search", [ANNA])
    assert (await facts_of(house, identity.did.text)).teams == {"search"}
    await house.people.teams.remove_member("search", ANNA)
    assert house.changes[-1][0] == {ANNA, identity.did.text}
    assert (await facts_of(house, identity.did.text)).teams == frozenset()


@pytest.mark.requirement("TEA-01")
async def test_an_agent_can_be_a_member_alone(house: House) -> None:
    identity = house.world.made("work")
    await house.register("anna", identity)
    await house.people.teams.create_team("search", [identity.did.text])
    assert (await facts_of(house, ANNA)).teams == frozenset()
    assert (await facts_of(house, identity.did.text)).teams == {"search"}


@pytest.mark.requirement("TEA-02")
async def test_setting_a_team_up_fills_in_all_four_fields(house: House) -> None:
    made = await house.people.team_authorization.setup_team_authorization("search", [ANNA, BO])
    assert isinstance(made, TeamAuthorizationConfig)
    assert {member.member for member in made.team.members} == {ANNA, BO}
    assert made.internal_policies.actions == {"read", "query", "notify", "schedule", "write"}
    assert made.external_policies.actions == {"read", "query"}
    assert made.collaboration_policies.actions
    assert made.collaboration_policies.longest > 0


@pytest.mark.requirement("TEA-02")
async def test_an_existing_id_is_a_conflict_and_nothing_of_the_new_team_stays(house: House) -> None:
    setup = house.people.team_authorization.setup_team_authorization
    await setup("search", [ANNA])
    with pytest.raises(Conflict):
        await setup("search", [BO])
    assert (await facts_of(house, BO)).teams == frozenset()


@pytest.mark.requirement("TEA-02")
async def test_only_an_owner_sets_a_team_up(acme: House) -> None:
    setup = acme.people.team_authorization.setup_team_authorization
    for by in (person("bo"), person("chen"), ANONYMOUS, agent("did:wba:agents.example:user:x")):
        with pytest.raises(PermissionDeniedError):
            await setup("ads", [], parent="research", by=by)
        with pytest.raises(PermissionDeniedError):
            await setup("ads", [], by=by)
    made = await setup("ads", [CHEN], parent="research", by=person("anna"))
    assert ("user:anna", "owner") in {(member.member, member.role) for member in made.team.members}


@pytest.mark.requirement("TEA-03")
async def test_what_members_may_do_to_each_other_is_what_the_internal_policies_say(house: House) -> None:
    rules = TeamRules(internal=InternalPolicies(actions=frozenset({"read", "delete"})))
    await house.people.team_authorization.setup_team_authorization("search", [ANNA], rules=rules)
    assert dict((await facts_of(house, ANNA)).inside) == {"search": {"read", "delete"}}
    await house.people.teams.set_rules("search", TeamRules(internal=InternalPolicies(actions=frozenset())))
    assert dict((await facts_of(house, ANNA)).inside) == {"search": frozenset()}


async def test_units_around_a_team_are_those_of_its_members(acme: House) -> None:
    await acme.people.structure.create("lab", "department", parent="research")
    await acme.people.structure.move("search", "lab")
    facts = await facts_of(acme, CHEN)
    assert (facts.teams, facts.departments, facts.organisations) == ({"search"}, {"lab"}, {"acme"})
    assert facts.above == {"lab", "research", "acme"}


async def test_a_move_is_told_to_everybody(acme: House) -> None:
    await acme.people.structure.create("lab", "department", parent="acme")
    await acme.people.structure.move("search", "lab")
    assert acme.changes[-1][0] is None


async def test_a_unit_cannot_come_to_contain_itself(acme: House) -> None:
    structure = acme.people.structure
    await structure.create("lab", "department", parent="research")
    for unit, parent in (("research", "lab"), ("research", "research")):
        with pytest.raises(Conflict):
            await structure.move(unit, parent)


@pytest.mark.parametrize(("kind", "parent"), [("organisation", "acme"), ("department", "search"), ("team", "search")])
async def test_units_stand_only_where_they_fit(acme: House, kind: str, parent: str) -> None:
    with pytest.raises(InvalidInput):
        await acme.people.structure.create("new", kind, parent=parent)  # type: ignore[arg-type]


async def test_a_unit_that_contains_others_is_not_removed(acme: House) -> None:
    with pytest.raises(Conflict):
        await acme.people.structure.remove("research")


async def test_owners_rule_what_is_below_them_and_nothing_else(acme: House) -> None:
    structure = acme.people.structure
    await structure.add("acme", "user:dora")
    await structure.add("search", "user:dora", by=person("bo"))
    await structure.drop("search", "user:dora", by=person("anna"))
    for by in (person("chen"), person("dora")):
        with pytest.raises(PermissionDeniedError):
            await structure.add("search", "user:dora", by=by)
    with pytest.raises(PermissionDeniedError):
        await structure.add("research", "user:dora", by=person("bo"))


async def test_who_comes_from_outside_is_invited_by_the_uppermost_owner_and_counts_after_joining(acme: House) -> None:
    structure = acme.people.structure
    with pytest.raises(PermissionDeniedError):  # else the owner of a team could bring strangers into the organisation
        await structure.add("search", "user:eve", by=person("bo"))
    invited = await structure.add("search", "user:eve", by=person("anna"))
    assert not invited.joined
    facts = await facts_of(acme, "user:eve")
    assert (facts.teams, facts.organisations) == (frozenset(), frozenset())
    with pytest.raises(PermissionDeniedError):
        await structure.show("search", by=person("eve"))
    with pytest.raises(PermissionDeniedError):
        await structure.join("search", by=person("mallory"))
    await structure.join("search", by=person("eve"))
    assert (await facts_of(acme, "user:eve")).organisations == {"acme"}


async def test_who_has_not_joined_has_no_role(acme: House) -> None:
    with pytest.raises(Conflict):
        await acme.people.structure.add("search", "user:eve", "owner", by=person("anna"))


async def test_duties_are_given_by_organisations_and_count_there_only(acme: House) -> None:
    structure = acme.people.structure
    await structure.create("other", "organisation")
    await structure.add("other", CHEN)
    await structure.add("acme", CHEN, "hr", by=person("anna"))
    facts = await facts_of(acme, CHEN)
    assert (facts.duties, dict(facts.duties_in)) == ({"hr"}, {"acme": {"hr"}})
    assert facts.organisations == {"acme", "other"}
    for unit in ("search", "research"):
        with pytest.raises(InvalidInput):
            await structure.add(unit, CHEN, "hr")
    await structure.drop("acme", CHEN, "hr", by=person("anna"))
    assert (await facts_of(acme, CHEN)).duties == frozenset()


async def test_a_unit_joined_under_another_needs_the_owner_of_the_uppermost(acme: House) -> None:
    structure = acme.people.structure
    await structure.create("mine", "department")
    await structure.add("mine", "user:mallory", "owner")
    await structure.add("research", "user:mallory", "owner")
    with pytest.raises(PermissionDeniedError):
        await structure.move("mine", "research", by=person("mallory"))


async def test_an_owner_takes_no_members_of_one_organisation_into_another(acme: House) -> None:
    structure = acme.people.structure
    await structure.create("other", "organisation")
    await structure.add("other", BO, "owner")
    with pytest.raises(PermissionDeniedError):  # chen has joined acme; what it offers there would be open to the other
        await structure.move("search", "other", by=person("bo"))
    assert (await facts_of(acme, CHEN)).organisations == {"acme"}
    await structure.move("search", "acme", by=person("anna"))
    await structure.move("search", "other")
    assert (await facts_of(acme, CHEN)).organisations == {"other"}


async def test_owners_put_nobody_into_units_without_end(acme: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_rows, "MOST_PLACES", 3)
    anna, teams, structure = person("anna"), acme.people.teams, acme.people.structure
    for number in range(2):
        await teams.create_team(f"t{number}", [CHEN], parent="acme", by=anna)
    with pytest.raises(Conflict):
        await structure.add("acme", CHEN, by=anna)
    with pytest.raises(Conflict):
        await structure.create("t2", "team", parent="acme", by=anna)  # anna owns acme, t0 and t1
    assert (await structure.add("search", CHEN, by=anna)).joined, "what is so already takes no room"
    with pytest.raises(Conflict):
        await teams.create_team("t3", [CHEN], parent="acme", by=person("anna"))
    await structure.add("acme", CHEN)
    assert (await facts_of(acme, CHEN)).teams == {"search", "t0", "t1"}


async def test_members_see_their_unit_and_may_leave_it(acme: House) -> None:
    unit, members = await acme.people.structure.show("search", by=person("chen"))
    assert (unit.parent, {member.member for member in members}) == ("research", {BO, CHEN})
    with pytest.raises(PermissionDeniedError):
        await acme.people.structure.show("acme", by=person("chen"))
    assert await acme.people.structure.drop("search", CHEN, by=person("chen")) is True
    with pytest.raises(PermissionDeniedError):
        await acme.people.structure.show("search", by=person("chen"))


async def test_strangers_learn_nothing_of_units(acme: House) -> None:
    errors = []
    for unit in ("search", "nothing"):
        with pytest.raises(PermissionDeniedError) as refused:
            await acme.people.structure.show(unit, by=person("mallory"))
        errors.append(str(refused.value))
    assert errors[0] == errors[1]


async def test_every_change_is_on_record(acme: House) -> None:
    await acme.people.structure.drop("search", CHEN, by=person("bo"))
    record = acme.records.kept[-1]
    assert (record.kind, record.action, record.actor, record.resource) == ("people", "remove_member", BO, "search")
    assert record.details == {"member": CHEN, "role": ""}
    assert [one.actor for one in acme.records.kept[:-1]] == [OWNER.id] * 4


async def test_what_is_no_team_has_no_rules_and_what_is_no_unit_no_members(acme: House) -> None:
    with pytest.raises(InvalidInput):
        await acme.people.teams.set_rules("acme", TeamRules())
    for ask in (acme.people.structure.remove, acme.people.teams.get_team):
        with pytest.raises(ServiceNotFoundError):
            await ask("nothing")
    with pytest.raises(InvalidInput):
        await acme.people.structure.create("lab", "department", parent="nothing")
    with pytest.raises(InvalidInput):
        await acme.people.teams.create_team("big", [f"user:p{number}" for number in range(1001)])


async def test_what_is_so_already_is_no_change(acme: House) -> None:
    told = len(acme.changes)
    await acme.people.structure.move("search", "research")
    await acme.people.structure.add("search", CHEN)
    await acme.people.teams.set_rules("search", TeamRules())
    assert await acme.people.structure.join("search", by=person("chen"))
    assert len(acme.changes) == told
