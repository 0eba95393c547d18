"""Agents by their DIDs: one person's and different persons', each reason once, on each kind of database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from moothall.errors import PermissionDeniedError
from moothall.identity.principal import OWNER
from tests.people.house import person
from tests.policy.named.city import City, agent
from tests.policy.named.hall import entry

DESK = entry("desk.report")


@pytest.fixture
async def city(database_url: str, tmp_path: Path) -> AsyncIterator[City]:
    async with AsyncExitStack() as stack:
        city = await City.open(database_url, tmp_path / "node", stack)
        desk = city.house.world.made("desk", domain="node.example")
        await city.house.register("ann", desk, "work")
        city.host(DESK, desk)
        yield city


@pytest.mark.requirement("PRM-01")
@pytest.mark.requirement("PRM-04")
async def test_what_a_person_allows_is_read_and_edited_by_that_person_alone(city: City) -> None:
    mine, theirs = city.manager(person("ann")), city.manager(person("bo"))
    assert not (await mine.cross_agent_policies.get("ann")).allow_cross_agent_calls, "the default"
    await mine.cross_agent_policies.set("ann", allow_cross_agent_calls=True)
    assert (await city.manager(OWNER).cross_agent_policies.get("ann")).allow_cross_agent_calls
    with pytest.raises(PermissionDeniedError):
        await theirs.cross_agent_policies.set("ann", allow_cross_agent_calls=False)


@pytest.mark.requirement("PRM-01")
async def test_delegations_are_read_and_edited_by_their_delegator_alone(city: City) -> None:
    desk, health = city.hosted["desk"], await city.agent_of("ann", "health")
    mine = city.manager(agent(desk)).delegation_rules
    given = await mine.add(desk, health, ["read"])
    assert [one.id for one in await mine.get(desk)] == [given.id]
    other = city.manager(agent(health)).delegation_rules
    with pytest.raises(PermissionDeniedError):
        await other.add(desk, health, ["read"])
    with pytest.raises(PermissionDeniedError):
        await city.manager(agent(await city.agent_of("bo", "work"))).delegation_rules.remove(given.id)
    await mine.remove(given.id)
    assert [one.status for one in await mine.get(desk)] == ["revoked"]


@pytest.mark.requirement("PRM-03")
@pytest.mark.requirement("PRM-02")
async def test_each_reason_between_agents_of_one_person_is_reached(city: City) -> None:
    desk, manager = city.hosted["desk"], city.manager(OWNER)
    health, personal = await city.agent_of("ann", "health"), await city.agent_of("ann", "personal")

    async def asked(caller: str, action: str) -> tuple[str, str]:
        result = await manager.check_cross_agent_permission(caller, desk, action)
        return result.effect, result.reason

    assert await asked(personal, "read") == ("allow", "same user, role permission granted")
    assert await asked(health, "read") == ("deny", "cross-agent call not permitted")
    await manager.cross_agent_policies.set("ann", allow_cross_agent_calls=True)
    assert await asked(health, "read") == ("allow", "user allows cross-agent calls")
    assert await asked(health, "write") == ("deny", "cross-agent call not permitted"), "only what is not sensitive"

    given = await city.manager(agent(desk)).delegation_rules.add(desk, health, ["read"], [DESK.id])
    assert await asked(health, "read") == ("allow", "delegation rule matched"), "before what the person allows"
    await manager.cross_agent_policies.set("ann", allow_cross_agent_calls=False)
    assert await asked(health, "read") == ("allow", "delegation rule matched")
    await manager.delegation_rules.remove(given.id)
    assert await asked(health, "read") == ("deny", "cross-agent call not permitted")


@pytest.mark.requirement("UID-02")
@pytest.mark.requirement("PRM-04")
async def test_a_wall_between_environments_opens_by_an_explicit_grant_alone(city: City) -> None:
    dev = await city.agent_of("ann", "personal", environment="dev")
    manager, desk = city.manager(OWNER), city.hosted["desk"]
    await manager.cross_agent_policies.set("ann", allow_cross_agent_calls=True)
    refused = await manager.check_cross_agent_permission(dev, desk, "read")
    assert (refused.effect, refused.policy) == ("deny", "wall-environment")
    await city.manager(agent(desk)).delegation_rules.add(desk, dev, ["read"], [DESK.id])
    assert (await manager.check_cross_agent_permission(dev, desk, "read")).allowed
    assert not (await manager.check_cross_agent_permission(dev, desk, "query")).allowed


@pytest.mark.requirement("PRM-02")
@pytest.mark.requirement("PRM-05")
async def test_agents_of_different_persons_need_a_grant_a_team_or_a_public_capability(city: City) -> None:
    desk, manager = city.hosted["desk"], city.manager(OWNER)
    bo, nobody = await city.agent_of("bo", "admin"), city.house.world.made("nobody").did.text
    also_nobody = city.house.world.made("also").did.text
    for caller, target in ((bo, desk), (nobody, desk), (nobody, also_nobody)):
        refused = await manager.check_cross_agent_permission(caller, target, "read")
        assert (refused.effect, refused.reason) == ("deny", "No sufficient authorization")

    given = await city.manager(agent(desk)).delegation_rules.add(desk, bo, ["read"], [DESK.id])
    assert (await manager.check_cross_agent_permission(bo, desk, "read")).reason == "delegation rule matched"
    await manager.delegation_rules.remove(given.id)
    assert not (await manager.check_cross_agent_permission(bo, desk, "read")).allowed

    teams = city.house.people.team_authorization
    await teams.setup_team_authorization("crew", [desk, bo])
    assert (await manager.check_cross_agent_permission(bo, desk, "read")).policy == "team-agents"
    await city.house.people.teams.remove_member("crew", bo)
    assert not (await manager.check_cross_agent_permission(bo, desk, "read")).allowed
    assert (await city.engine.check(bo, "read", entry("desk.open", access="public"))).allowed
