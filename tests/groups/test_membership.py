"""Who is in a group, and who may change that."""

from __future__ import annotations

import asyncio

import pytest

from moothall.errors import Conflict, InvalidInput, PermissionDeniedError
from moothall.groups.model import NO_ACCESS, GroupPolicy
from moothall.identity.principal import ANONYMOUS, OWNER
from tests.groups.house import HOUSE, GroupHouse, agent, did, person

ANN, BEN, CID = did("ann"), did("ben"), did("cid")


async def test_a_group_is_its_makers_who_is_in_it_and_others_are_invited(house: GroupHouse) -> None:
    made = await house.groups.create("club", [BEN], title="The club", by=agent(ANN))
    assert (made.owner, made.kind, made.status, made.title) == (ANN, "group", "active", "The club")
    states = {one.member: one.state for one in await house.groups.store.members("club", active=False)}
    assert states == {ANN: "active", BEN: "invited"}
    assert await house.groups.store.groups(BEN) == frozenset()
    moved = await house.groups.join("club", by=agent(BEN))
    assert moved.member is not None
    assert moved.member.state == "active"
    assert await house.groups.store.groups(BEN) == {"club"}


async def test_nobody_joins_without_an_invitation_unless_the_group_is_open(house: GroupHouse) -> None:
    await house.groups.create("club", by=agent(ANN))
    for group in ("club", "nothing"):
        with pytest.raises(PermissionDeniedError) as refused:
            await house.groups.join(group, by=agent(BEN))
        assert refused.value.message == NO_ACCESS
    await house.groups.change("club", policy=GroupPolicy(join="open"), by=agent(ANN))
    await house.groups.join("club", by=agent(BEN))
    assert await house.groups.store.groups(BEN) == {"club"}


@pytest.mark.requirement("GRP-03")
async def test_only_who_rules_a_group_changes_who_is_in_it(house: GroupHouse) -> None:
    groups = house.groups
    await groups.create("club", [BEN], by=agent(ANN))
    await groups.join("club", by=agent(BEN))
    for by in (agent(BEN), agent(CID), person("ann"), ANONYMOUS):
        with pytest.raises(PermissionDeniedError):
            await groups.add("club", CID, by=by)
        with pytest.raises(PermissionDeniedError):
            await groups.remove("club", ANN, by=by)
        with pytest.raises(PermissionDeniedError):
            await groups.change("club", title="mine", by=by)
        with pytest.raises(PermissionDeniedError):
            await groups.transfer("club", BEN, by=by)
        with pytest.raises(PermissionDeniedError):
            await groups.dissolve("club", by=by)
    await groups.add("club", CID, "finance", by=OWNER)
    await groups.remove("club", CID, by=agent(ANN))
    await groups.remove("club", BEN, by=agent(BEN))
    assert [one.member for one in await groups.store.members("club", active=False)] == [ANN]
    with pytest.raises(Conflict):
        await groups.remove("club", ANN, by=agent(ANN))


async def test_whoever_edits_an_old_state_is_told(house: GroupHouse) -> None:
    made = await house.groups.create("club", by=agent(ANN))
    await house.groups.change("club", title="one", revision=made.revision, by=agent(ANN))
    with pytest.raises(Conflict):
        await house.groups.change("club", title="two", revision=made.revision, by=agent(ANN))
    assert (await house.groups.store.get("club")).title == "one"  # type: ignore[union-attr]


async def test_the_operator_takes_in_agents_of_its_node_at_once(house: GroupHouse) -> None:
    hosted = house.house.world.hosted("weather")
    made = await house.groups.create("club", {hosted: "finance", BEN: ""})
    assert made.owner == HOUSE
    states = {one.member: (one.state, one.role) for one in await house.groups.store.members("club", active=False)}
    assert states == {HOUSE: ("active", "member"), hosted: ("active", "finance"), BEN: ("invited", "member")}


async def test_a_dissolved_group_has_nobody_and_its_id_stays_its_own(house: GroupHouse) -> None:
    await house.groups.create("club", by=agent(ANN))
    assert await house.groups.dissolve("club", by=agent(ANN))
    assert not await house.groups.dissolve("club", by=agent(ANN))
    assert await house.groups.store.groups(ANN) == frozenset()
    with pytest.raises(Conflict):
        await house.groups.create("club", by=agent(BEN))
    with pytest.raises(Conflict):
        await house.groups.add("club", BEN, by=agent(ANN))


async def test_names_that_nobody_can_have_are_refused(house: GroupHouse) -> None:
    with pytest.raises(InvalidInput):
        await house.groups.create("a/b", by=agent(ANN))
    with pytest.raises(InvalidInput):
        await house.groups.create("club", ["user:ann"], by=agent(ANN))
    with pytest.raises(InvalidInput):
        await house.groups.create("club", {BEN: "no role"}, by=agent(ANN))
    with pytest.raises(Conflict):
        await house.groups.create("user_ann_agents", by=agent(ANN))
    with pytest.raises(PermissionDeniedError):
        await house.groups.create("club", owner=BEN, by=agent(ANN))


@pytest.mark.requirement("GRP-09")
async def test_of_two_who_take_over_a_group_at_once_one_has_it(house: GroupHouse) -> None:
    made = await house.groups.create("club", [BEN, CID], by=agent(ANN))
    for each in (BEN, CID):
        made = (await house.groups.join("club", by=agent(each))).group
    done = await asyncio.gather(
        house.groups.transfer("club", BEN, revision=made.revision, by=agent(ANN)),
        house.groups.transfer("club", CID, revision=made.revision, by=agent(ANN)),
        return_exceptions=True,
    )
    winners = [each for each in done if not isinstance(each, BaseException)]
    assert len(winners) == 1
    with pytest.raises(PermissionDeniedError):
        await house.groups.change("club", title="still mine", by=agent(ANN))
    assert (await house.groups.change("club", title="new", by=agent(winners[0].owner))).title == "new"


async def test_the_own_groups_of_many_are_one_question(house: GroupHouse) -> None:
    await house.groups.create("club", [BEN], by=agent(ANN))
    await house.groups.create("choir", by=agent(ANN))
    many = [did(f"m{place}") for place in range(600)]
    assert await house.groups.store.own_of_each([*many, ANN, BEN]) == {ANN: {"club", "choir"}}
    assert await house.groups.store.own_of_each([]) == {}
