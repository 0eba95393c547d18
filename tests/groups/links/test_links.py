"""Links of two groups: who makes and ends them, who knows of them (rows IGL-02, IGL-04, IGL-05)."""

from __future__ import annotations

import pytest

from moothall.errors import Conflict, InvalidInput, PermissionDeniedError, ServiceNotFoundError
from moothall.groups.links.ending import Ending
from moothall.groups.links.letting import at
from moothall.groups.links.model import InterGroupPolicy
from moothall.groups.links.register import MOST_OPEN, Links
from moothall.groups.links.relations import InterGroupRelations
from moothall.identity.principal import ANONYMOUS, OWNER
from tests.groups.house import GroupHouse, agent, did

ANN, BEN, CID = did("ann"), did("ben"), did("cid")


async def two(house: GroupHouse) -> Links:
    """Groups of Ann's and Ben's; Cid is a member of both and owns neither."""
    for name, owner in (("alpha", ANN), ("beta", BEN)):
        await house.groups.create(name, [CID], by=agent(owner))
        await house.groups.join(name, by=agent(CID))
    return Links(house.groups.store)


@pytest.mark.requirement("IGL-02")
async def test_a_link_is_active_only_after_both_owners_consented(house: GroupHouse) -> None:
    links = await two(house)
    made = await links.propose("beta", "alpha", "message", direction="forth", by=agent(BEN))
    assert (made.group1, made.group2, made.direction, made.state) == ("alpha", "beta", "back", "proposed")
    assert (made.consent1, made.consent2) == ("", BEN)
    assert await links.between("alpha", "beta") is None
    for who in (agent(BEN), agent(CID), ANONYMOUS):
        with pytest.raises(PermissionDeniedError):
            await links.consent(made.id, by=who)
    agreed = await links.consent(made.id, by=agent(ANN))
    assert (agreed.state, agreed.consent1, agreed.consent2) == ("active", ANN, BEN)
    assert await links.between("alpha", "beta") == agreed
    assert await links.consent(made.id, "alpha", by=agent(ANN)) == agreed


@pytest.mark.requirement("IGL-02")
async def test_the_operator_agrees_for_one_group_at_a_time(house: GroupHouse) -> None:
    links = await two(house)
    made = await links.propose("alpha", "beta", "call", by=OWNER)
    assert made.state == "proposed"
    assert (await links.consent(made.id, by=OWNER)).state == "active"


@pytest.mark.requirement("IGL-02")
async def test_only_who_rules_a_group_proposes_its_links_and_only_to_groups_that_there_are(house: GroupHouse) -> None:
    links = await two(house)
    for who in (agent(CID), agent(BEN), ANONYMOUS):
        with pytest.raises(PermissionDeniedError):
            await links.propose("alpha", "beta", "message", by=who)
    with pytest.raises(PermissionDeniedError):
        await links.propose("nothing", "beta", "message", by=agent(ANN))
    with pytest.raises(ServiceNotFoundError):
        await links.propose("alpha", "nothing", "message", by=agent(ANN))
    await house.groups.dissolve("beta", by=agent(BEN))
    with pytest.raises(ServiceNotFoundError):
        await links.propose("alpha", "beta", "message", by=agent(ANN))


@pytest.mark.requirement("IGL-02")
@pytest.mark.parametrize(
    ("kind", "terms"),
    [
        ("telepathy", {}), ("message", {"direction": "up"}), ("message", {"hops": 0}), ("message", {"hops": 9}),
        ("message", {"seconds": -1}), ("message", {"seconds": 400 * 86_400}),
    ],
)  # fmt: skip
async def test_terms_that_make_no_sense_are_errors(house: GroupHouse, kind: str, terms: dict[str, object]) -> None:
    links = await two(house)
    with pytest.raises(InvalidInput):
        await links.propose("alpha", "beta", kind, by=agent(ANN), **terms)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        await links.propose("alpha", "alpha", "message", by=agent(ANN))


async def test_the_same_proposal_again_changes_nothing_and_another_one_conflicts(house: GroupHouse) -> None:
    links = await two(house)
    made = await links.propose("alpha", "beta", "message", by=agent(ANN))
    assert await links.propose("alpha", "beta", "message", by=agent(ANN)) == made
    with pytest.raises(Conflict):
        await links.propose("alpha", "beta", "message", hops=5, by=agent(ANN))
    with pytest.raises(Conflict):  # it is for Ben to agree, not to propose the same
        await links.propose("beta", "alpha", "message", by=agent(BEN))
    assert (await links.propose("alpha", "beta", "event", by=agent(ANN))).id != made.id


@pytest.mark.requirement("IGL-04")
async def test_either_owner_closes_a_link_and_nobody_else(house: GroupHouse) -> None:
    links = await two(house)
    for closer in (ANN, BEN):
        made = await links.propose("alpha", "beta", "message", by=agent(ANN))
        await links.consent(made.id, by=agent(BEN))
        for who in (agent(CID), ANONYMOUS):
            with pytest.raises(PermissionDeniedError):
                await links.close(made.id, by=who)
        assert await links.close(made.id, by=agent(closer)) is True
        assert await links.close(made.id, by=agent(closer)) is False
        assert await links.between("alpha", "beta") is None
        with pytest.raises(Conflict):
            await links.consent(made.id, "alpha", by=agent(ANN))


@pytest.mark.requirement("IGL-05")
async def test_a_relation_is_visible_to_both_owners_and_to_nobody_else(house: GroupHouse) -> None:
    links = await two(house)
    made = await links.propose("alpha", "beta", "message", by=agent(ANN))
    for owner, group in ((ANN, "alpha"), (BEN, "beta")):
        assert await links.of(group, by=agent(owner)) == [made]
        assert await links.get(made.id, by=agent(owner)) == made
        assert await InterGroupRelations(links, agent(owner)).get(group) == [made]
    for who, group in ((agent(CID), "alpha"), (agent(ANN), "beta"), (ANONYMOUS, "beta"), (agent(CID), "nothing")):
        with pytest.raises(PermissionDeniedError):
            await links.of(group, by=who)
    for who in (agent(CID), ANONYMOUS):
        with pytest.raises(PermissionDeniedError):
            await links.get(made.id, by=who)
    with pytest.raises(PermissionDeniedError):
        await links.get("lk-unknown", by=agent(ANN))


async def test_a_link_with_an_end_carries_nothing_from_then_on_and_is_closed(house: GroupHouse) -> None:
    links = await two(house)
    made = await links.propose("alpha", "beta", "call", seconds=60, by=agent(ANN))
    await links.consent(made.id, by=agent(BEN))
    store, told = house.groups.store, list[frozenset[str] | None]()
    store.let_in(at(house.house.clock.now))
    store.on_change(lambda ids, _number: told.append(ids))
    assert await store.groups(ANN) == {"alpha", "beta"}
    await house.house.clock.advance(61)
    assert await store.groups(ANN) == {"alpha"}
    assert await links.between("alpha", "beta") is None
    assert (await links.get(made.id, by=agent(ANN))).state == "expired"
    ending = Ending(store)
    assert await ending.sweep() == 1
    assert await ending.sweep() == 0
    assert told == [frozenset({ANN, BEN, CID})]
    assert (await links.propose("alpha", "beta", "call", by=agent(ANN))).state == "proposed"


async def test_links_of_calls_let_members_into_the_other_group_in_their_direction_alone(house: GroupHouse) -> None:
    links = await two(house)
    await house.groups.create("gamma", by=agent(did("dan")))
    store = house.groups.store
    store.let_in(at(house.house.clock.now))
    first = await links.propose("alpha", "beta", "call", direction="forth", by=agent(ANN))
    await links.consent(first.id, by=agent(BEN))
    second = await links.propose("beta", "gamma", "call", by=agent(BEN))
    await links.consent(second.id, by=agent(did("dan")))
    assert await store.groups(ANN) == {"alpha", "beta"}  # not gamma: a guest's way leads no further
    assert await store.groups(BEN) == {"beta", "gamma"}
    assert await store.own(ANN) == {"alpha"}
    assert await store.groups(did("eve")) == frozenset()
    await links.close(first.id, by=agent(BEN))
    assert await store.groups(ANN) == {"alpha"}


async def test_a_group_has_so_many_links_and_no_more(house: GroupHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    links = await two(house)
    monkeypatch.setattr("moothall.groups.links.register.MOST_OPEN", 1)
    made = await links.propose("alpha", "beta", "message", by=agent(ANN))
    with pytest.raises(Conflict):
        await links.propose("beta", "alpha", "event", by=agent(BEN))
    await links.close(made.id, by=agent(ANN))
    again = await links.propose("beta", "alpha", "event", policy=InterGroupPolicy(relay=True), by=agent(BEN))
    assert again.policy.relay
    assert MOST_OPEN == 100
