"""What a delegation costs the node: only what it names is looked at, and others run meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from moothall.errors import PermissionDeniedError
from moothall.grants.claims import ACTIONS
from moothall.policy.holdings import Holdings
from tests.grants.lending import Lender, token
from tests.grants.lending import proved as signed_by
from tests.policy.ground import Town, did, entry

MANY = 40


class Counted:
    """An engine that counts what it is asked."""

    def __init__(self) -> None:
        town = Town()
        town.agents = {"node": "did:wba:node.example:e1_n"}
        self.engine, self.asked = town.engine(), 0
        self.subject, self.principal = self.engine.subject, self.engine.principal

    async def check(self, *given: Any) -> Any:
        self.asked += 1
        return await self.engine.check(*given)

    def holdings(self) -> Holdings:
        entries = [entry("node", f"f{number}", access="authenticated") for number in range(MANY)]
        return Holdings(self, lambda: entries)  # type: ignore[arg-type]


async def test_only_what_is_named_is_asked_about() -> None:
    engine = Counted()
    found = await engine.holdings()(did("x").id, frozenset({"read"}), frozenset({"node.f1", "node.none"}))
    assert found == {"read": {"node.f1"}}
    assert engine.asked == 1


async def test_others_run_between_any_two_questions() -> None:
    engine, turns = Counted(), 0
    asking = asyncio.create_task(_ask(engine))
    while not asking.done():
        turns += 1
        await asyncio.sleep(0)
    assert engine.asked == MANY * len(ACTIONS)
    assert turns >= engine.asked


async def _ask(engine: Counted) -> None:
    await engine.holdings()(did("x").id, ACTIONS)


async def test_a_delegation_from_elsewhere_is_weighed_by_what_it_names_and_one_of_this_node_too(lender: Lender) -> None:
    far, bob = lender.world.far("far", read="hall.a hall.b"), lender.world.far("bob")
    ann = lender.world.agent("ann", read="hall.a hall.b")
    named = frozenset({"hall.a"})
    await lender.grants.add(signed_by(far), token(far, bob, lender.clock))
    with pytest.raises(PermissionDeniedError):
        await lender.grants.add(
            signed_by(far), token(far, bob, lender.clock, id="2", capabilities=frozenset({"hall.c"}))
        )
    cid = lender.world.agent("cid")
    await lender.give(ann, bob)
    lent = await lender.give(ann, cid, capabilities="hall.a hall.b", depth=1)
    await lender.give(cid, bob, capabilities="*", parent=lent.id)
    everything = frozenset({"hall.a", "hall.b"})
    assert lender.world.asked == [named, frozenset({"hall.c"}), named, everything, everything]
