"""Delegations are made by whom they bind, give no more than there is, and end when they are taken back."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import get_args

import pytest

from moothall.errors import InvalidInput, Overloaded, PermissionDeniedError
from moothall.grants import rows
from moothall.grants.chain import Refusal, Why
from moothall.grants.terms import refused
from moothall.identity.principal import ANONYMOUS, OWNER_BY_TOKEN, Principal
from moothall.messages import LANGS, Lang, explain, tell
from tests.grants.lending import OPERATOR, Lender, Street, proved


def why(caught: pytest.ExceptionInfo[InvalidInput] | pytest.ExceptionInfo[PermissionDeniedError]) -> str:
    assert caught.value.told is not None
    return caught.value.told.why


@pytest.mark.requirement("DEL-02")
async def test_a_delegator_lends_a_right_it_has_for_a_day_unless_it_says_more(lender: Lender) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.far("bob")
    made = await lender.give(ann, bob)
    assert made.status == "active"
    assert made.created_at == lender.clock.now()
    assert made.expires_at - made.not_before == timedelta(hours=24)
    assert (made.depth, made.classification, made.parent) == (0, 1, None)
    assert await lender.opens(bob)
    assert not await lender.opens(bob, "write")
    assert not await lender.opens(bob, "read", "hall.b")
    assert not await lender.opens(ann)


@pytest.mark.requirement("DEL-02")
@pytest.mark.parametrize(
    "caller",
    [
        pytest.param(lambda ann, bob: proved(bob), id="the delegate"),
        pytest.param(lambda ann, bob: proved(bob, owner=True), id="another agent of the node"),
        pytest.param(lambda ann, bob: proved(ann, verified=False), id="nobody proved it"),
        pytest.param(lambda ann, bob: proved(ann, kind="user"), id="a user of that name"),
        pytest.param(lambda ann, bob: ANONYMOUS, id="anonymous"),
        pytest.param(lambda ann, bob: Principal(id="user:ann", kind="user", binding="token"), id="a user"),
    ],
)
async def test_nobody_else_delegates_for_a_delegator(lender: Lender, caller: object) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.agent("bob", read="hall.a")
    with pytest.raises(PermissionDeniedError) as caught:
        await lender.give(ann, bob, by=caller(ann, bob))  # type: ignore[operator]
    assert why(caught) == "grants.not_delegator"
    assert lender.changes == []


@pytest.mark.requirement("DEL-02")
async def test_a_stolen_bearer_token_makes_no_delegation_that_outlives_it(lender: Lender) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.far("bob")
    with pytest.raises(PermissionDeniedError) as caught:
        await lender.give(ann, bob, by=proved(ann, binding="token"))
    assert why(caught) == "grants.unsigned"


async def test_the_operator_delegates_for_agents_of_this_node_and_for_no_others(lender: Lender) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.far("bob", read="hall.a")
    assert (await lender.give(ann, bob, by=OPERATOR)).delegator == ann.did.text
    with pytest.raises(PermissionDeniedError) as caught:
        await lender.give(bob, ann, by=OPERATOR)
    assert why(caught) == "grants.no_key"


@pytest.mark.requirement("DEL-02")
@pytest.mark.parametrize(
    ("actions", "capabilities"),
    [("write", "hall.a"), ("read", "hall.b"), ("read", "hall.a hall.b"), ("read query", "hall.a"), ("write", "*")],
)
async def test_rights_that_the_delegator_lacks_cannot_be_given(lender: Lender, actions: str, capabilities: str) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.far("bob")
    with pytest.raises(PermissionDeniedError) as caught:
        await lender.give(ann, bob, actions, capabilities)
    assert why(caught) == "grants.lacks"
    assert not await lender.opens(bob, "read", "hall.a")


async def test_a_wildcard_is_written_out_as_what_the_delegator_holds_when_it_is_made(lender: Lender) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a hall.b", write="hall.c"), lender.world.far("bob")
    made = await lender.give(ann, bob, "*", "*")
    assert made.actions == ["read", "write"]
    assert made.capabilities == ["hall.a", "hall.b", "hall.c"]
    lender.world.may(ann, read="hall.a hall.b hall.new", manage="hall.d")
    assert not await lender.opens(bob, "read", "hall.new")
    assert not await lender.opens(bob, "manage", "hall.d")
    narrow = await lender.give(ann, bob, "*", "hall.a")
    assert (narrow.actions, narrow.capabilities) == (["read"], ["hall.a"])


async def test_who_has_nothing_gives_nothing_away_with_a_wildcard(lender: Lender) -> None:
    ann, bob = lender.world.agent("ann"), lender.world.far("bob")
    with pytest.raises(PermissionDeniedError):
        await lender.give(ann, bob, "*", "*")


@pytest.mark.requirement("DEL-02")
@pytest.mark.parametrize("moment", [datetime(2026, 1, 23), datetime(9999, 12, 31)], ids=["ahead", "far away"])
async def test_a_naive_time_is_refused(lender: Lender, moment: datetime) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.far("bob")
    with pytest.raises(InvalidInput) as caught:
        await lender.give(ann, bob, expires_at=moment)
    assert why(caught) == "grants.naive"


@pytest.mark.parametrize("days", [-1, 0, 30.001, 400])
async def test_a_delegation_ends_ahead_and_within_thirty_days(lender: Lender, days: float) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.far("bob")
    with pytest.raises(InvalidInput) as caught:
        await lender.give(ann, bob, expires_at=lender.in_days(days))
    assert why(caught) == "grants.span"


async def test_a_time_of_another_zone_means_the_same_moment(lender: Lender) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.far("bob")
    end = lender.in_days(2)
    made = await lender.give(ann, bob, expires_at=end.astimezone(timezone(timedelta(hours=8))))
    assert made.expires_at == end


@pytest.mark.parametrize("more", [{"depth": 4}, {"depth": -1}, {"classification": 4}, {"actions": "fly"}])
async def test_numbers_and_actions_that_there_are_not_are_refused(lender: Lender, more: dict[str, object]) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.far("bob")
    with pytest.raises((InvalidInput, PermissionDeniedError)):
        await lender.give(ann, bob, **more)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        await lender.give(ann, ann)


@pytest.mark.requirement("DEL-04")
async def test_a_right_is_passed_on_only_where_the_depth_allows_it_and_never_grows(lender: Lender) -> None:
    world = lender.world
    ann, bob, cid = world.agent("ann", read="hall.a hall.b"), world.agent("bob"), world.agent("cid")
    plain = await lender.give(ann, bob)
    with pytest.raises(PermissionDeniedError) as caught:
        await lender.give(bob, cid, parent=plain.id)
    assert why(caught) == "grants.chain.depth"
    first = await lender.give(ann, bob, "read", "hall.a hall.b", depth=1, expires_at=lender.in_days(2))
    second = await lender.give(bob, cid, "read", "hall.a", parent=first.id)
    assert await lender.opens(cid)
    assert not await lender.opens(cid, "read", "hall.b")
    assert second.expires_at < first.expires_at
    for more in ({"expires_at": lender.in_days(3)}, {"classification": 2}, {"depth": 1}):
        with pytest.raises(PermissionDeniedError):
            await lender.give(bob, cid, "read", "hall.a", parent=first.id, **more)
    with pytest.raises(PermissionDeniedError):
        await lender.give(bob, cid, "read", "hall.c", parent=first.id)
    with pytest.raises(InvalidInput) as around:
        await lender.give(bob, ann, "read", "hall.a", parent=first.id)
    assert why(around) == "grants.chain.cycle"


@pytest.mark.requirement("DEL-04")
async def test_passing_on_everything_passes_on_what_was_lent_and_no_more_of_what_the_root_has(lender: Lender) -> None:
    world = lender.world
    ann, bob, cid = world.agent("ann", read="hall.a hall.b", write="hall.a"), world.agent("bob"), world.far("cid")
    first = await lender.give(ann, bob, "read", "hall.a", depth=1)
    second = await lender.give(bob, cid, "*", "*", parent=first.id)
    assert (second.actions, second.capabilities) == (["read"], ["hall.a"])


@pytest.mark.requirement("DEL-04")
async def test_a_right_that_was_lent_cannot_be_passed_on_as_ones_own(lender: Lender) -> None:
    ann, bob, cid = lender.world.agent("ann", read="hall.a"), lender.world.agent("bob"), lender.world.agent("cid")
    first = await lender.give(ann, bob, depth=3)
    with pytest.raises(PermissionDeniedError) as caught:
        await lender.give(bob, cid)
    assert why(caught) == "grants.lacks"
    with pytest.raises(PermissionDeniedError) as stolen:
        await lender.give(cid, bob, parent=first.id)
    assert why(stolen) == "grants.chain.holder"


@pytest.mark.requirement("DEL-04")
async def test_what_the_root_has_lost_is_passed_on_by_nobody(lender: Lender) -> None:
    ann, bob, cid = lender.world.agent("ann", read="hall.a"), lender.world.agent("bob"), lender.world.agent("cid")
    first = await lender.give(ann, bob, depth=1)
    lender.world.may(ann)
    with pytest.raises(PermissionDeniedError) as caught:
        await lender.give(bob, cid, parent=first.id)
    assert why(caught) == "grants.lacks"


@pytest.mark.requirement("DEL-04", "DEL-05")
async def test_taking_the_first_link_back_ends_all_that_stand_on_it_at_once(lender: Lender) -> None:
    world = lender.world
    ann, bob, cid, dot = world.agent("ann", read="hall.a"), world.agent("bob"), world.agent("cid"), world.far("dot")
    first = await lender.give(ann, bob, depth=2)
    second = await lender.give(bob, cid, parent=first.id, depth=1)
    third = await lender.give(cid, dot, parent=second.id)
    assert [await lender.opens(each) for each in (bob, cid, dot)] == [True] * 3
    lender.changes.clear()
    await lender.grants.revoke(proved(ann), first.id)
    assert [await lender.opens(each) for each in (bob, cid, dot)] == [False] * 3
    (change,) = lender.changes
    assert change[0] == {each.did.text for each in (bob, cid, dot)}
    assert (await lender.revisions.current())["grants"] == change[1]
    shown = [await lender.grants.show(OPERATOR, each.id) for each in (first, second, third)]
    assert [each.status for each in shown] == ["revoked"] * 3
    with pytest.raises(PermissionDeniedError) as caught:
        await lender.give(bob, cid, parent=first.id)
    assert why(caught) == "grants.chain.revoked"


async def test_a_chain_has_four_links_at_most(lender: Lender) -> None:
    people = [lender.world.agent(f"p{number}") for number in range(6)]
    lender.world.may(people[0], read="hall.a")
    parent = ""
    for number in range(4):
        made = await lender.give(people[number], people[number + 1], depth=3 - number, parent=parent)
        parent = made.id
    assert await lender.opens(people[4])
    with pytest.raises(PermissionDeniedError):
        await lender.give(people[4], people[5], parent=parent)


async def test_only_who_is_concerned_takes_a_delegation_back(lender: Lender) -> None:
    world = lender.world
    ann, bob, cid, eve = world.agent("ann", read="hall.a"), world.agent("bob"), world.agent("cid"), world.far("eve")
    first = await lender.give(ann, bob, depth=1)
    for who in (ann, bob, cid):
        second = await lender.give(bob, cid, parent=first.id)
        with pytest.raises(PermissionDeniedError) as caught:
            await lender.grants.revoke(proved(eve), second.id)
        assert why(caught) == "grants.not_yours"
        assert await lender.opens(cid)
        await lender.grants.revoke(proved(who), second.id)
        assert not await lender.opens(cid)
    with pytest.raises(PermissionDeniedError) as missing:
        await lender.grants.revoke(OPERATOR, "none")
    assert why(missing) == "grants.not_yours"
    with pytest.raises(PermissionDeniedError):
        await lender.grants.revoke(proved(cid), first.id)
    await lender.grants.revoke(OPERATOR, first.id)


@pytest.mark.requirement("DEL-05")
async def test_each_has_a_status_and_is_listed_to_whom_it_concerns(lender: Lender) -> None:
    world = lender.world
    ann, bob, cid = world.agent("ann", read="hall.a"), world.agent("bob", read="hall.a"), world.far("cid")
    short = await lender.give(ann, bob, expires_at=lender.in_days(0.5))
    await lender.clock.advance(1)
    back = await lender.give(ann, bob)
    await lender.clock.advance(1)
    kept = await lender.give(ann, cid, expires_at=lender.in_days(3))
    await lender.clock.advance(1)
    other = await lender.give(bob, cid, expires_at=lender.in_days(3))
    await lender.grants.revoke(proved(ann), back.id)
    await lender.clock.advance(timedelta(days=0.6))

    async def listed(who: Principal, **wanted: object) -> list[tuple[str, str]]:
        page = await lender.grants.list(who, **wanted)  # type: ignore[arg-type]
        return [(each.id, each.status) for each in page.delegations]

    mine = [(kept.id, "active"), (back.id, "revoked"), (short.id, "expired")]
    assert await listed(proved(ann)) == mine
    assert await listed(OPERATOR, delegator=ann.did.text) == mine
    assert await listed(OPERATOR) == [(other.id, "active"), *mine]
    assert await listed(OPERATOR, status="expired") == [(short.id, "expired")]
    assert await listed(proved(cid), delegate=cid.did.text) == [(other.id, "active"), (kept.id, "active")]
    assert await listed(proved(cid), delegator=ann.did.text, delegate=cid.did.text) == [(kept.id, "active")]
    for who, wanted in ((proved(cid), {"delegator": ann.did.text}), (ANONYMOUS, {})):
        with pytest.raises(PermissionDeniedError):
            await listed(who, **wanted)


async def test_a_long_list_comes_in_pages(lender: Lender) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.far("bob")
    made = {(await lender.give(ann, bob)).id for _ in range(7)}  # all in one moment
    found: list[str] = []
    cursor = ""
    while True:
        page = await lender.grants.list(proved(ann), limit=3, cursor=cursor)
        found += [each.id for each in page.delegations]
        cursor = page.next_cursor
        if not cursor:
            break
    assert len(found) == 7
    assert set(found) == made
    with pytest.raises(InvalidInput):
        await lender.grants.list(proved(ann), cursor="x")


async def test_the_store_cannot_be_filled_for_one_delegate(lender: Lender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_BETWEEN", 2)
    ann, bob, cid = lender.world.agent("ann", read="hall.a"), lender.world.far("bob"), lender.world.far("cid")
    first = await lender.give(ann, bob)
    await lender.give(ann, bob)
    with pytest.raises(Overloaded):
        await lender.give(ann, bob)
    await lender.give(ann, cid)
    await lender.grants.revoke(proved(bob), first.id)
    await lender.give(ann, bob)


async def test_strangers_who_lend_somebody_a_lot_keep_the_operator_from_nothing(
    lender: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST_HELD", 2)
    monkeypatch.setattr(rows, "MOST_FROM_HERE", 1)
    ann, dan = lender.world.agent("ann", read="hall.a"), lender.world.agent("dan", read="hall.a")
    bob = lender.world.far("bob")
    for one in (ann, dan):
        await lender.give(one, bob)
    with pytest.raises(Overloaded):
        await lender.give(ann, bob)
    made = await lender.give(ann, bob, by=OWNER_BY_TOKEN)
    assert made.id in {chain.links[-1].id for chain in await lender.grants.chains_for(bob.did.text)}
    with pytest.raises(Overloaded):
        await lender.give(ann, bob, by=OWNER_BY_TOKEN)


async def test_the_store_cannot_be_filled_by_one_delegator(lender: Lender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_GIVEN", 2)
    monkeypatch.setattr(rows, "ENDED_KEPT", 2)
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.far("bob")
    for _ in range(4):
        for _ in range(2):
            made = await lender.give(ann, bob)
            await lender.grants.revoke(proved(ann), made.id)
        with pytest.raises(Overloaded):
            await lender.give(ann, bob)
        await lender.clock.advance(timedelta(days=2))
    page = await lender.grants.list(proved(ann), status="revoked")
    assert len(page.delegations) <= 4


@pytest.mark.requirement("DEL-05")
async def test_what_is_lent_and_taken_back_is_on_record_with_who_and_for_whom(lender: Lender) -> None:
    ann, bob, cid = lender.world.agent("ann", read="hall.a"), lender.world.agent("bob"), lender.world.far("cid")
    first = await lender.give(ann, bob, depth=1)
    second = await lender.give(bob, cid, parent=first.id)
    await lender.grants.revoke(OWNER_BY_TOKEN, second.id)
    await lender.grants.revoke(OWNER_BY_TOKEN, second.id)
    said = [(each.kind, each.action, each.actor, each.subject, each.resource) for each in lender.records]
    root = ann.did.text
    assert said == [
        ("grant", "create", root, root, first.id),
        ("grant", "create", bob.did.text, root, second.id),
        ("grant", "revoke", "owner", root, second.id),
    ]
    assert lender.records[1].grants == (first.id, second.id)
    assert lender.records[1].details["delegate"] == cid.did.text


async def test_delegations_are_there_after_a_restart(street: Street) -> None:
    ann, bob = street.world.agent("ann", read="hall.a"), street.world.far("bob")
    before = await street.lender("same")
    made = await before.give(ann, bob)
    after = street.on(before.store)
    assert await after.opens(bob)
    assert (await after.grants.show(proved(bob), made.id)) == made


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("reason", get_args(Why))
def test_every_reason_why_a_chain_is_refused_is_told_in_both_languages(reason: Why, lang: Lang) -> None:
    error = refused(Refusal(reason))
    assert error.told is not None
    assert tell(error.told, lang)
    assert explain(error, lang).why == tell(error.told, lang)
