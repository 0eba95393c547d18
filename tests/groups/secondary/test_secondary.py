"""Secondary authorization of a group: what is set up, what survives, and what is decided (rows SEC-01 to SEC-03)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from moothall import Node
from moothall.calls.hub import using
from moothall.errors import Conflict, InvalidInput, MoothallError, Overloaded, PermissionDeniedError
from moothall.groups.secondary.authorization import GroupSecondaryAuthorization
from moothall.groups.secondary.model import USUAL_WORKFLOWS, DelegationRule, SecondaryAuthorizationConfig
from moothall.identity.principal import OWNER
from tests.groups.master.quarters import caller, member, settings, weather

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANN, BEN, EVE = caller("ann"), caller("ben"), caller("eve")
TEAM = "team"


@dataclass(frozen=True)
class Group:
    group_id: str = TEAM


@dataclass
class Scene:
    node: Node
    secondary: GroupSecondaryAuthorization

    @property
    def weather(self) -> str:
        return self.node.host.office.did("weather") or ""


async def begun(node: Node) -> Scene:
    groups = node.host.grouping.groups
    node_did = node.host.office.did("weather") or ""
    if await groups.store.get(TEAM) is None:
        await groups.create(TEAM, owner=node_did, by=OWNER)
        await member(node, "ann", "clerk", group=TEAM)
        await member(node, "ben", group=TEAM)
    with using(node):
        secondary = GroupSecondaryAuthorization(Group())
        await secondary.refresh()
    return Scene(node, secondary)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    node = Node(settings(tmp_path_factory.mktemp("node")))
    node.add(weather())
    async with node:
        yield node


@pytest_asyncio.fixture(loop_scope="module")
async def scene(_node: Node) -> Scene:
    made = await begun(_node)
    await made.secondary.set_delegation_rules([])
    await made.secondary.set_approval_workflows(None)
    await made.secondary.setup_secondary_authorization()
    return made


OWNERS = DelegationRule(delegate="clerk", actions=("write",), capabilities=("weather.owners",))


@pytest.mark.requirement("SEC-02")
async def test_setting_up_runs_the_four_steps_and_fills_the_three_fields(scene: Scene) -> None:
    steps: list[str] = []

    class Watched(GroupSecondaryAuthorization):
        async def get_primary_agent(self) -> str:
            steps.append("get_primary_agent")
            return await super().get_primary_agent()

        async def set_primary_authorization(self, primary_agent: str) -> None:
            steps.append("set_primary_authorization")
            await super().set_primary_authorization(primary_agent)

        async def create_delegation_chains(self) -> Any:
            steps.append("create_delegation_chains")
            return await super().create_delegation_chains()

        async def create_approval_workflows(self) -> Any:
            steps.append("create_approval_workflows")
            return await super().create_approval_workflows()

    with using(scene.node):
        secondary = Watched(Group())
        await secondary.set_delegation_rules([OWNERS])
        made = await secondary.setup_secondary_authorization()
    assert isinstance(made, SecondaryAuthorizationConfig)
    assert made.primary_agent == scene.weather
    assert {did: len(grants) for did, grants in made.delegation_chains.items()} == {ANN.id: 1, BEN.id: 0}
    assert made.approval_workflows == USUAL_WORKFLOWS
    assert steps == [
        "get_primary_agent", "set_primary_authorization", "create_delegation_chains", "create_approval_workflows",
    ]  # fmt: skip


@pytest.mark.requirement("SEC-01")
async def test_the_three_survive_a_restart(tmp_path: Path) -> None:
    kept: list[tuple[Any, ...]] = []
    for _ in range(2):
        node = Node(settings(tmp_path))
        node.add(weather())
        async with node:
            secondary = (await begun(node)).secondary
            if not kept:
                await secondary.set_delegation_rules([OWNERS])
                await secondary.set_approval_workflows({"delete": "default"})
                await secondary.setup_secondary_authorization()
            kept.append((secondary.authorization_chains, secondary.delegation_rules, secondary.approval_workflows))
    assert kept[0] == kept[1]
    assert kept[1][0][ANN.id]
    assert kept[1][1:] == ((OWNERS,), {"delete": "default"})


async def test_only_who_rules_the_group_sets_it_up(scene: Scene) -> None:
    with using(scene.node):
        for who in (ANN, EVE):
            with pytest.raises(PermissionDeniedError):
                await GroupSecondaryAuthorization(Group(), by=who).setup_secondary_authorization()
        with pytest.raises(PermissionDeniedError):
            await GroupSecondaryAuthorization(Group("nothing")).refresh()
    with pytest.raises(MoothallError):
        await scene.secondary.set_approval_workflows({"write": "nobody wrote this"})
    with pytest.raises(InvalidInput):
        await scene.secondary.set_primary_authorization(EVE.id)


@pytest.mark.requirement("SEC-03")
async def test_a_right_is_found_in_order_and_nothing_else_is_one(scene: Scene) -> None:
    decide = scene.secondary.authorize_cross_agent_action
    await scene.secondary.set_approval_workflows({})
    direct = await decide(ANN, "weather.forecast", "read")
    assert (direct.effect, direct.on_behalf_of) == ("allow", "")
    refused = await decide(ANN, "weather.owners", "write")
    assert (refused.effect, refused.reason) == ("deny", "No sufficient authorization")
    for who, target in ((EVE, "weather.forecast"), (ANN, "weather.nothing"), (ANN, EVE.id)):
        refused = await decide(who, target, "read")
        assert (refused.effect, refused.reason) == ("deny", "No sufficient authorization")
    await scene.secondary.set_delegation_rules([OWNERS])
    await scene.secondary.setup_secondary_authorization()
    delegated = await decide(ANN.id, "weather.owners", "write")
    assert (delegated.effect, delegated.on_behalf_of) == ("allow", scene.weather)
    assert (await scene.secondary.check_basic_permission(ANN, "weather.owners", "write")).effect == "deny"
    assert (await scene.secondary.check_delegation_permission(ANN, "weather.owners", "write")).effect == "allow"
    assert (await decide(BEN, "weather.owners", "write")).effect == "deny"
    await scene.secondary.set_delegation_rules([])
    await scene.secondary.setup_secondary_authorization()
    assert (await decide(ANN, "weather.owners", "write")).effect == "deny"  # taken back with its rule


@pytest.mark.requirement("SEC-03")
async def test_a_right_to_an_action_that_has_to_be_approved_is_pending(scene: Scene) -> None:
    secondary = scene.secondary
    await secondary.set_approval_workflows({"re*": "default"})
    assert secondary.requires_approval("read")
    assert not secondary.requires_approval("write")
    asked = await secondary.authorize_cross_agent_action(ANN, "weather.forecast", "read")
    assert (asked.effect, asked.workflow, asked.policy, asked.approval_id) == (
        "approve",
        "default",
        "group-approval",
        "",
    )
    begun = await secondary.authorize_cross_agent_action(ANN, "weather.forecast", "read", {"city": "Bern"})
    again = await secondary.authorize_cross_agent_action(ANN, "weather.forecast", "read", {"city": "Bern"})
    other = await secondary.authorize_cross_agent_action(ANN, "weather.forecast", "read", {"city": "Basel"})
    assert begun.approval_id == again.approval_id != other.approval_id
    standing = await scene.node.host.authority.desk.standing(begun.approval_id)
    assert standing is not None
    assert (standing.status, standing.requester) == ("pending", ANN.id)
    refused = await secondary.authorize_cross_agent_action(EVE, "weather.forecast", "read", {"city": "Bern"})
    assert (refused.effect, refused.approval_id) == ("deny", "")  # an approval gives no right


@pytest.mark.requirement("SEC-02")
async def test_of_two_who_set_up_at_once_one_is_told_and_takes_back_what_it_gave(scene: Scene) -> None:
    grants, one = scene.node.host.authority.grants, scene.secondary
    with using(scene.node):
        other = GroupSecondaryAuthorization(Group())
        await one.set_delegation_rules([OWNERS])
        await other.refresh()
        made = await one.setup_secondary_authorization()
        with pytest.raises(Conflict):
            await other.create_delegation_chains()
        with pytest.raises(Conflict):
            await other.set_primary_authorization(scene.weather)
    await one.refresh()
    assert one.authorization_chains == made.delegation_chains
    page = await grants.list(OWNER, delegator=scene.weather, status="active")
    assert {given.id for given in page.delegations} == {
        grant for ids in made.delegation_chains.values() for grant in ids
    }


@pytest.fixture
async def lent(tmp_path: Path) -> AsyncIterator[Scene]:
    """A node of its own: what its primary agent lends to ann and ben counts."""
    node = Node(settings(tmp_path))
    node.add(weather())
    async with node:
        made = await begun(node)
        everybody = OWNERS.model_copy(update={"delegate": "member"})
        await made.secondary.set_delegation_rules([OWNERS, everybody])
        await made.secondary.set_approval_workflows({})
        await made.secondary.setup_secondary_authorization()
        for who in (ANN, BEN):
            assert (await made.secondary.check_delegation_permission(who, "weather.owners", "write")).allowed
        yield made


async def borrowers(scene: Scene) -> set[str]:
    page = await scene.node.host.authority.grants.list(OWNER, delegator=scene.weather, status="active")
    return {given.delegate for given in page.delegations}


async def test_what_a_member_was_lent_ends_when_it_leaves_or_is_taken_out(lent: Scene) -> None:
    groups, engine = lent.node.host.grouping.groups, lent.node.host.authority.engine
    assert (await engine.check(ANN, "write", lent.node.host.capabilities.snapshot.find("weather.owners"))).allowed
    await groups.remove(TEAM, ANN.id)
    assert not (await engine.check(ANN, "write", lent.node.host.capabilities.snapshot.find("weather.owners"))).allowed
    assert await borrowers(lent) == {BEN.id}
    await lent.secondary.refresh()
    assert set(lent.secondary.authorization_chains) == {BEN.id}
    await groups.remove(TEAM, BEN.id, by=BEN)
    assert await borrowers(lent) == set()
    await member(lent.node, "ann", "clerk", group=TEAM)  # who comes back is lent nothing until it is set up again
    assert await borrowers(lent) == set()


async def test_it_ends_when_the_primary_agent_leaves_and_when_the_group_does(lent: Scene) -> None:
    groups = lent.node.host.grouping.groups
    await groups.transfer(TEAM, ANN.id)
    await groups.remove(TEAM, lent.weather)
    assert await borrowers(lent) == set()
    await groups.add(TEAM, lent.weather)
    await groups.transfer(TEAM, lent.weather)
    await lent.secondary.setup_secondary_authorization()
    assert await borrowers(lent) == {ANN.id, BEN.id}
    await groups.dissolve(TEAM)
    assert await borrowers(lent) == set()


async def test_a_set_up_that_fails_gives_nothing_and_takes_nothing_back(
    lent: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, chains = await borrowers(lent), lent.secondary.authorization_chains
    monkeypatch.setattr("moothall.grants.rows.MOST_GIVEN", 3)
    with pytest.raises(Overloaded):
        await lent.secondary.setup_secondary_authorization()
    await lent.secondary.refresh()
    assert (await borrowers(lent), lent.secondary.authorization_chains) == (before, chains)


async def test_a_group_whose_rules_make_no_sense_can_be_left(lent: Scene) -> None:
    await lent.node.host.grouping.groups.change(TEAM, secondary={"primary": 7})
    assert (await lent.node.host.grouping.groups.remove(TEAM, ANN.id)).member is not None
