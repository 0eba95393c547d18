"""Delegations and their records: none is made or taken back unrecorded, and what was done is not said to have failed."""

from __future__ import annotations

import logging

import pytest

from moothall.errors import Unavailable
from tests.grants.lending import OPERATOR, Lender, proved, token


async def test_what_cannot_be_put_on_record_is_not_done(lender: Lender) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.agent("bob")
    made = await lender.give(ann, bob)
    lender.full = True
    for doing in (
        lender.give(ann, bob),
        lender.grants.add(proved(ann), token(ann, bob, lender.clock)),
        lender.grants.revoke(proved(ann), made.id),
    ):
        with pytest.raises(Unavailable):
            await doing
    assert [one.status for one in (await lender.grants.list(OPERATOR)).delegations] == ["active"]
    assert (len(lender.records), len(lender.changes)) == (1, 1)


async def test_what_was_done_although_its_record_is_lost_afterwards_is_done_and_in_the_log(
    lender: Lender, caplog: pytest.LogCaptureFixture
) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.agent("bob")
    lender.failing = True
    with caplog.at_level(logging.CRITICAL, "moothall.audit"):
        made = await lender.give(ann, bob)
        assert await lender.opens(bob)
        await lender.grants.revoke(proved(ann), made.id)
    assert not await lender.opens(bob)
    assert len(lender.changes) == 2
    assert caplog.text.count(made.id) == 2
