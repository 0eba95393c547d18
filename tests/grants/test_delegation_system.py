"""The names of spec B §8.6, and the capabilities: both ask the one service, as the proved caller."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from moothall.capability.agents import Agent
from moothall.capability.context import CallContext, Calling
from moothall.capability.registry import Registry
from moothall.errors import InvalidInput, PermissionDeniedError, ValidationError
from moothall.grants.capabilities import GrantCapabilities
from moothall.grants.delegation_system import AgentDelegationSystem
from moothall.identity.agent import AgentIdentity
from moothall.identity.principal import ANONYMOUS, Principal
from tests.grants.lending import OPERATOR, Lender, Street, proved, token


def system(lender: Lender, who: Principal | AgentIdentity) -> AgentDelegationSystem:
    principal = who if isinstance(who, Principal) else proved(who)
    return AgentDelegationSystem(lender.grants, lender.world.held, principal)


@pytest.mark.requirement("DEL-01")
async def test_chains_and_policies_are_readable_and_survive_a_restart(street: Street) -> None:
    before = await street.lender("same")
    world = street.world
    ann, bob, cid = world.agent("ann", read="hall.a", write="hall.b"), world.far("bob"), world.far("cid")
    await system(before, ann).create_delegation(ann.did.text, bob.did.text, ["read"])
    await before.clock.advance(1)
    back = await system(before, ann).create_delegation(ann.did.text, cid.did.text, ["*"])
    await before.clock.advance(1)
    await system(before, ann).create_delegation(ann.did.text, bob.did.text, ["write"])
    await before.grants.revoke(proved(ann), back.id)
    for lender in (before, street.on(before.store)):
        chains = await system(lender, OPERATOR).delegation_chains()
        assert list(chains) == [ann.did.text]
        assert [(each.delegate, each.actions, each.status) for each in chains[ann.did.text]] == [
            (bob.did.text, ["write"], "active"),
            (cid.did.text, ["read", "write"], "revoked"),
            (bob.did.text, ["read"], "active"),
        ]
        policies = await system(lender, ann).delegation_policies()
        assert policies == {ann.did.text: {bob.did.text: {"read", "write"}}}
        assert list(await system(lender, cid).delegation_policies()) == []


@pytest.mark.requirement("DEL-02")
async def test_a_delegation_is_created_by_its_delegator_alone_with_an_end_and_rights_it_has(lender: Lender) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.agent("bob")
    made = await system(lender, ann).create_delegation(ann.did.text, bob.did.text, ["read"])
    assert made.status == "active"
    assert made.created_at == lender.clock.now()
    assert made.expires_at == lender.clock.now() + timedelta(hours=24)
    for other in (bob, ANONYMOUS):
        with pytest.raises(PermissionDeniedError):
            await system(lender, other).create_delegation(ann.did.text, bob.did.text, ["read"])
    with pytest.raises(PermissionDeniedError):
        await system(lender, ann).create_delegation(ann.did.text, bob.did.text, ["write"])
    with pytest.raises(InvalidInput):
        await system(lender, ann).create_delegation(ann.did.text, bob.did.text, ["read"], datetime(2026, 1, 23))


@pytest.mark.requirement("DEL-03")
@pytest.mark.parametrize("permissions", ["read", "*"])
async def test_the_delegate_may_what_is_listed_while_the_delegator_may_it(lender: Lender, permissions: str) -> None:
    world = lender.world
    ann, bob, cid = world.agent("ann", read="hall.a"), world.far("bob"), world.far("cid")
    asked = system(lender, OPERATOR)
    soon = lender.clock.now() + timedelta(hours=1)
    made = await system(lender, ann).create_delegation(ann.did.text, bob.did.text, [permissions], soon)
    assert await asked.check_delegation_permission(ann.did.text, bob.did.text, "read")
    assert not await asked.check_delegation_permission(ann.did.text, bob.did.text, "write")  # not listed
    assert not await asked.check_delegation_permission(ann.did.text, cid.did.text, "read")  # others
    assert not await asked.check_delegation_permission(cid.did.text, bob.did.text, "read")
    assert not await asked.check_delegation_permission(bob.did.text, ann.did.text, "read")
    world.may(ann)  # the delegator's present rights
    assert not await asked.check_delegation_permission(ann.did.text, bob.did.text, "read")
    world.may(ann, read="hall.b")
    assert not await asked.check_delegation_permission(ann.did.text, bob.did.text, "read")
    world.may(ann, read="hall.a")
    assert await asked.check_delegation_permission(ann.did.text, bob.did.text, "read")
    await lender.grants.revoke(proved(ann), made.id)  # not active
    assert not await asked.check_delegation_permission(ann.did.text, bob.did.text, "read")
    await system(lender, ann).create_delegation(ann.did.text, bob.did.text, [permissions], soon)
    assert await asked.check_delegation_permission(ann.did.text, bob.did.text, "read")
    await lender.clock.advance(3600)  # expired
    assert not await asked.check_delegation_permission(ann.did.text, bob.did.text, "read")


@pytest.mark.requirement("DEL-03", "DEL-04")
async def test_in_a_chain_the_right_of_its_root_is_what_counts(lender: Lender) -> None:
    world = lender.world
    ann, bob, cid = world.agent("ann", read="hall.a"), world.agent("bob"), world.far("cid")
    first = await lender.give(ann, bob, depth=1)
    await lender.give(bob, cid, parent=first.id)
    asked = system(lender, OPERATOR)
    assert await asked.check_delegation_permission(bob.did.text, cid.did.text, "read")
    assert not await asked.check_delegation_permission(ann.did.text, cid.did.text, "read")
    world.may(ann)
    world.may(bob, read="hall.a")
    assert not await asked.check_delegation_permission(bob.did.text, cid.did.text, "read")


class Door:
    """Calls the capabilities as a door would, with a caller that was proved."""

    def __init__(self, lender: Lender) -> None:
        self.registry = Registry()
        Agent("node", GrantCapabilities(lender.grants)).join(self.registry)

    async def call(self, who: Principal, name: str, **arguments: Any) -> Any:
        entry = next(each for each in self.registry.snapshot.newest if each.spec.name == f"grants.{name}")
        context = CallContext(
            principal=who,
            agent="node",
            capability=entry.spec.name,
            door="http",
            request_id="r",
            deadline=0.0,
            calling=cast("Calling", None),
        )
        return entry.encode(await entry.invoke(entry.bind(arguments), context))


async def test_every_capability_asks_who_calls_and_believes_nothing_else(lender: Lender) -> None:
    world = lender.world
    ann, bob, eve = world.agent("ann", read="hall.a"), world.far("bob"), world.far("eve", write="hall.w")
    door, lent = Door(lender), {"delegate": bob.did.text, "actions": ["read"]}
    for who in (proved(eve), ANONYMOUS):
        with pytest.raises(PermissionDeniedError):
            await door.call(who, "create", **lent, delegator=ann.did.text)
    made = await door.call(proved(ann), "create", **lent, capabilities=["hall.a"], depth=1)
    assert (made["delegator"], made["status"], made["depth"]) == (ann.did.text, "active", 1)
    assert (await door.call(OPERATOR, "create", **lent, delegator=ann.did.text))["capabilities"] == ["hall.a"]
    text = token(eve, bob, lender.clock, actions=frozenset({"write"}), capabilities=frozenset({"hall.w"}))
    assert (await door.call(proved(eve), "add", token=text))["delegator"] == eve.did.text
    listed = await door.call(proved(bob), "list", status="active", limit=10)
    assert len(listed["delegations"]) == 3
    assert await door.call(proved(bob), "show", grant_id=made["id"]) == made
    for name in ("show", "revoke"):
        with pytest.raises(PermissionDeniedError):
            await door.call(proved(eve), name, grant_id=made["id"])
    assert await door.call(proved(ann), "revoke", grant_id=made["id"]) == made["id"]
    assert (await door.call(proved(ann), "show", grant_id=made["id"]))["status"] == "revoked"


@pytest.mark.parametrize(
    "wrong",
    [
        {"expires_at": "2026-01-23T10:00:00"},
        {"depth": 4},
        {"classification": 4},
        {"actions": []},
        {"capabilities": []},
        {"delegate": "did:wba:" + "x" * 2000},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_arguments_of_another_form_do_not_reach_the_service(lender: Lender, wrong: dict[str, Any]) -> None:
    ann, bob = lender.world.agent("ann", read="hall.a"), lender.world.far("bob")
    with pytest.raises(ValidationError):
        await Door(lender).call(proved(ann), "create", **{"delegate": bob.did.text, "actions": ["read"], **wrong})
