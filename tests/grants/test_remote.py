"""Delegations that somebody else signed, and what a store that somebody tampered with is worth."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from moothall.errors import Conflict, InvalidInput, PermissionDeniedError, Unavailable, UpstreamError
from moothall.grants import walking
from moothall.grants.claims import LONGEST_GRANT, LONGEST_ID
from moothall.identity.document import DidDocument
from moothall.identity.keys import Algorithm
from moothall.storage.authority import delegation
from tests.grants.lending import DAY, OPERATOR, Lender, Street, World, identity, proved, token
from tests.support.clock import ManualClock


def why(caught: pytest.ExceptionInfo[Any]) -> str:
    return str(caught.value.told.why)


@pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1"])
async def test_a_far_delegator_hands_in_what_it_signed(lender: Lender, algorithm: Algorithm) -> None:
    far = lender.world.far("far", algorithm, read="hall.a")
    bob = lender.world.far("bob")
    made = await lender.grants.add(proved(far), token(far, bob, lender.clock))
    assert (made.delegator, made.delegate, made.status) == (far.did.text, bob.did.text, "active")
    assert await lender.opens(bob)
    assert lender.records[-1].action == "add"
    assert lender.changes[-1][0] == {bob.did.text}


async def test_the_same_token_twice_is_one_delegation(lender: Lender) -> None:
    far, bob = lender.world.far("far", read="hall.a"), lender.world.far("bob")
    text = token(far, bob, lender.clock)
    first = await lender.grants.add(proved(far), text)
    assert await lender.grants.add(proved(bob), text) == first
    assert (len(lender.changes), len(lender.records)) == (1, 1)
    with pytest.raises(Conflict):
        await lender.grants.add(proved(far), token(far, bob, lender.clock, depth=1))
    await lender.grants.revoke(proved(far), first.id)
    with pytest.raises(Conflict) as caught:
        await lender.grants.add(proved(bob), text)
    assert why(caught) == "grants.chain.revoked"
    assert not await lender.opens(bob)
    assert not lender.store.failing


async def test_only_who_is_concerned_hands_a_delegation_in(lender: Lender) -> None:
    far, bob, eve = lender.world.far("far", read="hall.a"), lender.world.far("bob"), lender.world.far("eve")
    text = token(far, bob, lender.clock)
    for who in (proved(eve), proved(far, verified=False), proved(far, kind="user")):
        with pytest.raises(PermissionDeniedError) as caught:
            await lender.grants.add(who, text)
        assert why(caught) == "grants.not_party"
    await lender.grants.add(OPERATOR, text)


@pytest.mark.requirement("DEL-02")
async def test_a_far_delegator_gives_no_right_that_it_lacks_here(lender: Lender) -> None:
    far, bob = lender.world.far("far", read="hall.b"), lender.world.far("bob")
    for more in ({}, {"capabilities": frozenset({"hall.a", "hall.b"})}, {"actions": frozenset({"read", "write"})}):
        with pytest.raises(PermissionDeniedError) as caught:
            await lender.grants.add(proved(far), token(far, bob, lender.clock, **more))
        assert why(caught) == "grants.lacks"


NOW = int(ManualClock().now().timestamp())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"audience": "https://other.example"}, "grants.chain.audience"),
        ({"issued": NOW - 9 * DAY, "not_before": NOW - 9 * DAY, "expires": NOW - DAY}, "grants.chain.expired"),
        ({"expires": NOW + 31 * DAY}, "grants.chain.time"),
        ({"issued": NOW + DAY, "not_before": NOW + DAY, "expires": NOW + 2 * DAY}, "grants.chain.time"),
        ({"not_before": NOW - 1}, "grants.chain.time"),
        ({"capabilities": frozenset({"*"})}, "grants.chain.wildcard"),
        ({"depth": 4}, "grants.chain.form"),
        ({"classification": 4}, "grants.chain.form"),
        ({"parent": "none"}, "grants.chain.link"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
async def test_a_signed_delegation_that_does_not_fit_is_refused(
    lender: Lender, changed: Mapping[str, Any], reason: str
) -> None:
    far, bob = lender.world.far("far", read="hall.a *"), lender.world.far("bob")
    with pytest.raises((InvalidInput, PermissionDeniedError)) as caught:
        await lender.grants.add(proved(far), token(far, bob, lender.clock, **changed))
    assert why(caught) == reason
    assert lender.changes == []


async def test_a_signature_of_somebody_else_is_refused(lender: Lender) -> None:
    far, bob, eve = lender.world.far("far", read="hall.a"), lender.world.far("bob"), identity("far", "far.example")
    forged = token(replace(eve, did=far.did, signer=replace(eve.signer, keyid=far.signer.keyid)), bob, lender.clock)
    with pytest.raises(InvalidInput) as caught:
        await lender.grants.add(proved(bob), forged)
    assert why(caught) == "grants.signature"


@pytest.mark.requirement("DEL-04")
async def test_a_far_delegate_passes_on_what_it_was_lent_within_the_depth(lender: Lender) -> None:
    ann, far, bob = lender.world.agent("ann", read="hall.a hall.b"), lender.world.far("far"), lender.world.far("bob")
    plain = await lender.give(ann, far)
    wide = await lender.give(ann, far, "read", "hall.a", depth=1)
    ends = {"expires": NOW + DAY // 2, "classification": 1}
    with pytest.raises(PermissionDeniedError) as caught:
        await lender.grants.add(proved(far), token(far, bob, lender.clock, parent=plain.id, **ends))
    assert why(caught) == "grants.chain.depth"
    for more in ({"classification": 2}, {"expires": NOW + 2 * DAY}, {"capabilities": frozenset({"hall.b"})}):
        with pytest.raises(PermissionDeniedError) as caught:
            await lender.grants.add(proved(far), token(far, bob, lender.clock, parent=wide.id, **{**ends, **more}))
        assert why(caught) == "grants.chain.amplify"
    await lender.grants.add(proved(far), token(far, bob, lender.clock, parent=wide.id, **ends))
    assert await lender.opens(bob)
    await lender.grants.revoke(proved(ann), wide.id)
    assert not await lender.opens(bob)


async def test_a_key_that_is_newer_than_the_document_at_hand_is_asked_for(street: Street) -> None:
    class Rolled(World):
        async def resolve(self, did: str, /, *, refresh: bool = False) -> DidDocument:
            found = await super().resolve(did, refresh=refresh)
            return found if refresh else replace(found, authentication={}, assertion={})

    street.world = Rolled()
    lender = await street.lender()
    far, bob = lender.world.far("far", read="hall.a"), lender.world.far("bob")
    await lender.grants.add(proved(far), token(far, bob, lender.clock))
    assert await lender.opens(bob)


async def test_a_signature_is_proved_once(lender: Lender) -> None:
    far, bob = lender.world.far("far", read="hall.a"), lender.world.far("bob")
    await lender.grants.add(proved(far), token(far, bob, lender.clock))
    for _ in range(5):
        assert await lender.opens(bob)
    assert lender.world.resolved == [far.did.text]


async def test_a_delegation_cannot_be_handed_in_while_its_delegators_document_is_away(lender: Lender) -> None:
    far, bob = lender.world.far("far", read="hall.a"), lender.world.far("bob")
    lender.world.silent.add(far.did.text)
    with pytest.raises(UpstreamError):
        await lender.grants.add(proved(far), token(far, bob, lender.clock))


async def test_after_a_restart_a_document_that_is_away_costs_its_right_until_it_comes(street: Street) -> None:
    before = await street.lender()
    world = street.world
    ann, far, bob = world.agent("ann", read="hall.b"), world.far("far", read="hall.a"), world.agent("bob")
    made = await before.grants.add(proved(far), token(far, bob, street.clock, depth=1))
    await before.give(ann, bob, "read", "hall.b")
    world.silent.add(far.did.text)
    after = street.on(before.store)
    assert not await after.opens(bob)
    assert await after.opens(bob, "read", "hall.b")
    with pytest.raises(Unavailable):
        await after.give(bob, ann, parent=made.id)
    await street.clock.sleeping()
    await street.clock.advance(20)
    assert after.changes == []
    world.silent.clear()
    await street.clock.sleeping()
    await street.clock.advance(60)
    while not after.changes:  # noqa: ASYNC110 - the store is read on the way, in a thread
        await asyncio.sleep(0)
    assert after.changes == [(frozenset({bob.did.text}), 2)]
    assert await after.opens(bob)


async def test_a_host_that_never_answers_holds_nobody_up_for_long_and_once_only(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mute(World):
        async def resolve(self, did: str, /, *, refresh: bool = False) -> DidDocument:
            if did in self.silent:
                await asyncio.Event().wait()
            return await super().resolve(did, refresh=refresh)

    monkeypatch.setattr(walking, "BRIEF", 0.0)
    street.world = Mute()
    before = await street.lender()
    far, bob = street.world.far("far", read="hall.a"), street.world.far("bob")
    await before.grants.add(proved(far), token(far, bob, street.clock))
    street.world.silent.add(far.did.text)
    after = street.on(before.store)
    assert not await after.opens(bob)
    monkeypatch.setattr(walking, "BRIEF", 1e9)
    assert not await after.opens(bob), "it is asked for in the background, and nobody waits for that"


async def write(lender: Lender, grant_id: str, **columns: Any) -> None:
    change = sa.update(delegation).where(delegation.c.id == grant_id).values(**columns)
    await lender.store.write(lambda connection: connection.execute(change))


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("column", ["delegate", "delegator", "parent", "expires", "format", "token", "garbage", "id"])
async def test_a_row_that_somebody_changed_gives_nothing(street: Street, column: str, restarted: bool) -> None:
    lender = await street.lender()
    world = street.world
    ann, bob, eve = world.agent("ann", read="hall.a"), world.far("bob"), world.far("eve", read="hall.a")
    made = await lender.give(ann, bob)
    changes: dict[str, dict[str, Any]] = {
        "delegate": {"delegate": eve.did.text},
        "delegator": {"delegator": eve.did.text},
        "parent": {"parent": "other"},
        "expires": {"expires": NOW + 20 * DAY},
        "format": {"format": "plain"},
        "token": {"delegate": eve.did.text, "token": token(replace(eve, did=ann.did), eve, street.clock, id=made.id)},
        "garbage": {"token": "x.y.z"},
        "id": {"id": f"{made.id}1"},
    }
    await write(lender, made.id, **changes[column])
    seen = street.on(lender.store) if restarted else lender
    assert not await seen.opens(eve)
    assert not await seen.opens(bob)
    page = await seen.grants.list(OPERATOR)
    assert page.delegations == []


async def test_a_row_moved_to_another_chain_gives_nothing_to_it(lender: Lender) -> None:
    world = lender.world
    ann, bob, cid = world.agent("ann", read="hall.a"), world.agent("bob", read="hall.a"), world.far("cid")
    first = await lender.give(ann, bob, depth=1)
    second = await lender.give(bob, cid, parent=first.id)
    assert await lender.opens(cid)
    await write(lender, first.id, parent=second.id)  # a circle
    assert not await lender.opens(cid)
    await lender.store.write(lambda each: each.execute(sa.delete(delegation).where(delegation.c.id == first.id)))
    assert not await lender.opens(cid)


async def test_a_revocation_works_on_a_row_that_somebody_changed(lender: Lender) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.far("bob")
    made = await lender.give(ann, bob)
    await write(lender, made.id, expires=NOW + 20 * DAY)
    await lender.grants.revoke(OPERATOR, made.id)
    await write(lender, made.id, expires=NOW + DAY)
    assert not await lender.opens(bob)
    with pytest.raises(PermissionDeniedError):
        await lender.grants.show(proved(lender.world.far("eve")), made.id)


async def test_a_clock_that_is_set_back_brings_nothing_back(lender: Lender) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.far("bob")
    await lender.give(ann, bob, expires_at=lender.clock.now() + timedelta(hours=1))
    (chain,) = await lender.grants.chains_for(bob.did.text)
    await lender.clock.advance(3600)
    assert not chain.covers("read", "hall.a", 0, lender.grants.now())
    lender.clock._now -= timedelta(hours=2)
    assert not chain.covers("read", "hall.a", 0, lender.grants.now())
    assert await lender.grants.chains_for(bob.did.text) == ()
    made = await lender.give(ann, bob)
    assert made.expires_at > lender.clock.now() + timedelta(hours=24)
    assert await lender.opens(bob)


async def test_what_does_not_count_yet_is_found_and_opens_nothing_before_its_time(lender: Lender) -> None:
    far, bob = lender.world.far("far", read="hall.a"), lender.world.far("bob")
    await lender.grants.add(proved(far), token(far, bob, lender.clock, not_before=NOW + 600))
    (chain,) = await lender.grants.chains_for(bob.did.text)
    assert not chain.covers("read", "hall.a", 0, lender.grants.now())
    await lender.clock.advance(600)
    assert chain.covers("read", "hall.a", 0, lender.grants.now())


async def test_whatever_id_its_delegator_chose_a_delegation_can_be_looked_at_and_taken_back(lender: Lender) -> None:
    far, bob = lender.world.far("far", read="hall.a"), lender.world.far("bob")
    ids = [str(number) * LONGEST_GRANT for number in range(3)]
    for each in ids:
        await lender.grants.add(proved(far), token(far, bob, lender.clock, id=each))
    seen: list[str] = []
    cursor = ""
    for _ in ids:
        page = await lender.grants.list(proved(bob), limit=1, cursor=cursor)
        seen += [each.id for each in page.delegations]
        cursor = page.next_cursor
        assert len(cursor) <= LONGEST_ID, "as much as grants.list takes"
    assert sorted(seen) == ids
    await lender.grants.revoke(proved(bob), ids[0])


async def test_tokens_that_are_not_kept_are_not_remembered(lender: Lender) -> None:
    far, bob = lender.world.far("far"), lender.world.far("bob")
    text = token(far, bob, lender.clock)
    for _ in range(2):
        with pytest.raises(PermissionDeniedError):
            await lender.grants.add(proved(far), text)
    assert lender.world.resolved == [far.did.text] * 2, "else anybody fills the memory with what lends nothing"
    lender.world.may(far, read="hall.a")
    await lender.grants.add(proved(far), text)
    lender.world.silent.add(far.did.text)
    assert await lender.opens(bob)
