"""What teams say decides: inside, across, and in joint projects; the same engine as every door, on a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from moothall.capability.spec import Action
from moothall.people.team_rules import InternalPolicies, TeamRules
from moothall.policy.decision import ACTIONS
from tests.people.house import person
from tests.policy.named.city import City
from tests.policy.named.hall import entry

OFFERED: dict[Action, object] = {action: entry(f"desk.{action}", action=action, access="team") for action in ACTIONS}


@pytest.fixture
async def city(database_url: str, tmp_path: Path) -> AsyncIterator[City]:
    async with AsyncExitStack() as stack:
        city = await City.open(database_url, tmp_path / "node", stack)
        desk = city.house.world.made("desk", domain="node.example")
        await city.house.register("ann", desk, "work")
        for one in OFFERED.values():
            city.host(one, desk)  # type: ignore[arg-type]
        yield city


async def allowed(city: City, caller: str) -> set[str]:
    """The actions that this agent may do."""
    return {action for action, one in OFFERED.items() if (await city.call(caller, one)).allowed}  # type: ignore[arg-type]


@pytest.mark.requirement("TEA-03")
@pytest.mark.parametrize("actions", [set(), {"read"}, {"read", "delete"}, {"query", "notify", "schedule", "write"}])
async def test_members_do_to_each_other_exactly_what_the_team_says(city: City, actions: set[Action]) -> None:
    bo, eve = await city.agent_of("bo", "work"), await city.agent_of("eve", "admin")
    teams, desk = city.house.people.team_authorization, city.hosted["desk"]
    rules = TeamRules(internal=InternalPolicies(actions=frozenset(actions)))
    await teams.setup_team_authorization("crew", [desk, bo], rules=rules)
    assert await allowed(city, bo) == actions
    assert await allowed(city, eve) == set()
    for action in ACTIONS:
        assert (await city.manager(person("ann")).check_cross_agent_permission(bo, desk, action)).allowed == (
            action in actions
        )
    await teams.team_registry.set_rules("crew", TeamRules(internal=InternalPolicies(actions=frozenset({"manage"}))))
    assert await allowed(city, bo) == {"manage"}
    await teams.team_registry.remove_member("crew", bo)
    assert await allowed(city, bo) == set()


@pytest.mark.requirement("TEA-04")
async def test_another_team_is_denied_until_both_have_agreed(city: City) -> None:
    bo = await city.agent_of("bo", "work")
    teams = city.house.people.team_authorization
    await teams.setup_team_authorization("hosts", [city.hosted["desk"]], owners=["user:ann"])
    await teams.setup_team_authorization("guests", [bo], owners=["user:bo"])
    assert await allowed(city, bo) == set()
    both = teams.collaboration_policies
    asked = await both.propose("hosts", "guests", ["read", "query"], by=person("bo"))
    assert await allowed(city, bo) == set(), "one of them is not both"
    await both.agree(asked.id, by=person("ann"))
    assert await allowed(city, bo) == {"read", "query"}
    await both.withdraw(asked.id, by=person("ann"))
    assert await allowed(city, bo) == set()


@pytest.mark.requirement("TEA-05")
async def test_a_joint_project_allows_its_actions_until_it_ends(city: City) -> None:
    bo = await city.agent_of("bo", "work")
    teams = city.house.people.team_authorization
    await teams.setup_team_authorization("hosts", [city.hosted["desk"]], owners=["user:ann"])
    await teams.setup_team_authorization("guests", [bo], owners=["user:bo"])
    both = teams.collaboration_policies
    joint = await both.propose(
        "hosts", "guests", ["read", "write"], capabilities=["desk.read", "desk.write", "desk.query"], project="fair",
        seconds=3600, by=person("ann"),
    )  # fmt: skip
    await both.agree(joint.id, by=person("bo"))
    assert await allowed(city, bo) == {"read", "write"}
    assert (await city.call(bo, OFFERED["read"])).policy == "collaboration"  # type: ignore[arg-type]
    await city.house.clock.advance(3599)
    assert await allowed(city, bo) == {"read", "write"}
    await city.house.clock.advance(1)
    assert await allowed(city, bo) == set()


@pytest.mark.requirement("POL-11")
async def test_consent_that_is_taken_back_counts_from_the_next_call_on(city: City) -> None:
    bo, relations = await city.agent_of("bo", "work"), city.house.people.relations
    diary = entry("desk.diary", access="authenticated", personal_data=True)
    assert (await city.call(bo, diary)).policy == "personal-data"
    await relations.relate("ann", "consent", bo, by=person("ann"))
    assert (await city.call(bo, diary)).allowed
    await relations.unrelate("ann", "consent", bo, by=person("ann"))
    assert (await city.call(bo, diary)).policy == "personal-data"


@pytest.mark.requirement("POL-12")
async def test_trust_that_a_person_takes_back_counts_from_the_next_call_on(city: City) -> None:
    bo, relations = await city.agent_of("bo", "work"), city.house.people.relations
    asking = entry("desk.money", access="authenticated", min_trust=8)
    assert (await city.call(bo, asking)).policy == "trust"
    await relations.relate("ann", "trust", "user:bo", 9, by=person("ann"))
    assert (await city.call(bo, asking)).allowed
    await relations.relate("ann", "trust", "user:bo", 3, by=person("ann"))
    assert (await city.call(bo, asking)).policy == "trust"
