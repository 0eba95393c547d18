"""Delegations at work: calls through the call path and the policy engine, by a delegate and for its root."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from moothall.audit.record import AuditRecord
from moothall.capability.decorators import capability
from moothall.identity.agent import AgentIdentity
from moothall.policy.engine import PolicyEngine
from moothall.policy.ports import FixedRules, Sources
from moothall.policy.store import FixedPolicies
from moothall.storage.store import Store
from tests.calls.hall import Hall, code
from tests.grants.lending import Lender, Street, proved


@capability(name="ledger", permissions=["books"], read_only=True)
def ledger() -> str:
    return "42"


@capability(name="count", permissions=["books"], read_only=True, quota=3)
def count() -> int:
    return 7


@capability(name="pay", permissions=["books"])
def pay() -> str:
    return "paid"


@dataclass
class House:
    """A node with a call path; `ann` holds the permission for both of its capabilities."""

    lender: Lender
    hall: Hall
    settings: FixedRules
    records: list[AuditRecord]

    async def calls(self, who: AgentIdentity, name: str = "ledger") -> str:
        return code(await self.hall.call(name, proved(who), "http"))

    @property
    def last(self) -> AuditRecord:
        return self.records[-1]


class Records(list[AuditRecord]):
    def check(self) -> None:
        """Always room for more."""

    def put(self, record: AuditRecord) -> None:
        self.append(record)

    async def settle(self, record: AuditRecord) -> None:
        self.append(record)


def house(street: Street, store: Store, settings: FixedRules) -> House:
    engines: list[PolicyEngine] = []

    def changed(holders: frozenset[str], revision: int, /) -> None:
        engines[0].grants_changed(holders, revision)

    lender = street.on(store, on_change=changed)
    sources = Sources(settings=settings, delegations=lender.grants, revisions=lender.revisions)
    engines.append(PolicyEngine(FixedPolicies.of(None), sources, clock=street.clock))
    records = Records()
    hall = Hall(ledger, count, pay, authorizer=engines[0], recorder=records, clock=street.clock)
    return House(lender, hall, settings, records)


@pytest.fixture
async def node(street: Street) -> tuple[House, AgentIdentity]:
    return await furnished(street)


async def furnished(street: Street) -> tuple[House, AgentIdentity]:
    store = (await street.lender()).store
    ann = street.world.agent(
        "ann", query="node.ledger", read="node.ledger node.count", write="node.pay", manage="node.pay"
    )
    return house(street, store, FixedRules({ann.did.text: ["books"]})), ann


@pytest.mark.requirement("DEL-05")
async def test_each_use_is_on_record_with_who_acts_and_for_whom(node: tuple[House, AgentIdentity]) -> None:
    at, ann = node
    bob = at.lender.world.far("bob")
    assert await at.calls(bob) == "PERMISSION_DENIED"
    made = await at.lender.give(ann, bob, "read", "node.ledger")
    assert await at.calls(bob) == "ok"
    assert (at.last.actor, at.last.subject, at.last.grants) == (bob.did.text, ann.did.text, (made.id,))
    assert at.last.resource == "node.ledger"
    assert await at.calls(bob, "pay") == "PERMISSION_DENIED"
    assert await at.calls(ann) == "ok"
    assert (at.last.actor, at.last.grants) == (ann.did.text, ())


@pytest.mark.requirement("POL-14")
async def test_lending_multiplies_no_quota(node: tuple[House, AgentIdentity]) -> None:
    at, ann = node
    many = [at.lender.world.far(name) for name in ("bob", "cid", "dot")]
    for one in many:
        await at.lender.give(ann, one, "read", "node.count")
    assert await at.calls(ann, "count") == "ok"
    assert [await at.calls(one, "count") for one in many] == ["ok", "ok", "RATE_LIMITED"]
    assert await at.calls(ann, "count") == "RATE_LIMITED"


@pytest.mark.requirement("DEL-04", "DEL-05")
async def test_a_revocation_of_the_first_link_stops_the_very_next_call(node: tuple[House, AgentIdentity]) -> None:
    at, ann = node
    bob, cid = at.lender.world.agent("bob"), at.lender.world.far("cid")
    first = await at.lender.give(ann, bob, "read", "node.ledger", depth=1)
    second = await at.lender.give(bob, cid, "read", "node.ledger", parent=first.id)
    assert [await at.calls(each) for each in (bob, cid)] == ["ok", "ok"]
    assert at.last.grants == (first.id, second.id)
    assert (at.last.actor, at.last.subject) == (cid.did.text, ann.did.text)
    await at.lender.grants.revoke(proved(ann), first.id)
    assert [await at.calls(each) for each in (cid, bob)] == ["PERMISSION_DENIED"] * 2


@pytest.mark.requirement("DEL-03")
async def test_the_roots_present_rights_are_asked_for_at_each_use(node: tuple[House, AgentIdentity]) -> None:
    at, ann = node
    bob = at.lender.world.far("bob")
    await at.lender.give(ann, bob, "read", "node.ledger")
    assert await at.calls(bob) == "ok"
    kept = at.settings.rules
    at.settings.rules = FixedRules().rules
    assert await at.calls(bob) == "PERMISSION_DENIED"
    at.settings.rules = kept
    assert await at.calls(bob) == "ok"
    at.settings.rules = FixedRules({ann.did.text: ["books"]}, suspended=[ann.did.text]).rules
    assert await at.calls(bob) != "ok"


async def test_somebody_refused_in_the_middle_of_a_chain_closes_it(node: tuple[House, AgentIdentity]) -> None:
    at, ann = node
    bob, cid = at.lender.world.agent("bob"), at.lender.world.far("cid")
    first = await at.lender.give(ann, bob, "read", "node.ledger", depth=1)
    await at.lender.give(bob, cid, "read", "node.ledger", parent=first.id)
    assert await at.calls(cid) == "ok"
    at.settings.rules = FixedRules({ann.did.text: ["books"]}, suspended=[bob.did.text]).rules
    assert await at.calls(cid) == "PERMISSION_DENIED"


async def test_a_delegation_ends_by_itself_however_often_it_was_used(node: tuple[House, AgentIdentity]) -> None:
    at, ann = node
    bob = at.lender.world.far("bob")
    await at.lender.give(ann, bob, "read", "node.ledger")
    assert [await at.calls(bob) for _ in range(3)] == ["ok"] * 3
    await at.lender.clock.advance(86_400)
    assert await at.calls(bob) == "PERMISSION_DENIED"
    at.lender.clock._now = at.lender.clock._start  # the machine's clock is set back
    assert await at.calls(bob) == "PERMISSION_DENIED"


@pytest.mark.requirement("DEL-05")
async def test_what_another_process_took_back_stops_the_very_next_call_here(shared: Street) -> None:
    here, ann = await furnished(shared)
    there = await shared.lender()
    bob = shared.world.far("bob")
    for _ in range(5):
        made = await there.give(ann, bob, "read", "node.ledger")
        assert await here.calls(bob) == "ok"
        await there.grants.revoke(proved(ann), made.id)
        assert await here.calls(bob) == "PERMISSION_DENIED"
