"""Demands through the call path: who may call what, and whose demands are there for whom (issue 4, one door policy)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moothall.calls.path import CallPath
from moothall.calls.ports import CallFacts
from moothall.calls.target import Target
from moothall.capability.agents import Agent
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.members import members_of
from moothall.capability.registry import Registry
from moothall.directory.capabilities import AgentCapabilities
from moothall.errors import (
    BadDemand,
    ChannelNotFound,
    Conflict,
    DemandNotFound,
    Forbidden,
    MoothallError,
    PermissionDeniedError,
    RateLimited,
    ServiceNotFoundError,
    Unauthenticated,
    ValidationError,
)
from moothall.identity.apikeys import ADMIN, LOCAL
from moothall.identity.principal import ANONYMOUS, OWNER, Principal
from moothall.negotiation.demand.capabilities import DemandCapabilities
from moothall.negotiation.demand.people_capabilities import PeopleCapabilities
from moothall.negotiation.demand.replies import DemandReply, SubmitReply
from moothall.negotiation.demand.submissions import SubmitLimit
from moothall.negotiation.demand.tokens import participant, stream_holder
from moothall.node import Node
from moothall.policy.engine import PolicyEngine
from moothall.resilience import RateLimiter
from moothall.storage.schema import idempotency
from tests.support.demand import profile, running

DEMAND = "我想在北京办一场AI主题聚会，需要场地和嘉宾"
LIN = {"display_name": "小林", "capability_tags": ["演讲嘉宾"]}
MAY = frozenset({"demand"})
ALICE = Principal(id="user:alice", kind="user", binding="token", permissions=MAY)
BOB = Principal(id="user:bob", kind="user", binding="token", permissions=MAY)
SHOP = Principal(id="did:wba:example.com:agents:shop:e1_abc", kind="did", binding="request", permissions=MAY)
STRANGER = Principal(id="did:wba:example.com:agents:other:e1_def", kind="did", binding="request")
READING = ("demand.read", "demand.state", "demand.steps")
STEERING = ("demand.cancel", "demand.confirm", "demand.erase")
OF_A_CHANNEL = ("demand.channel", "demand.roster")
OF_AGENTS = ("list", "show", "new", "load", "edit", "disable", "enable", "remove")


@dataclass
class House:
    """A node without a network, and the call path to it."""

    node: Node
    path: CallPath
    registry: Registry
    limit: SubmitLimit

    async def ask(
        self, caller: Principal, name: str, /, *, door: str = "local", key: str | None = None, **arguments: Any
    ) -> Any:
        """The value of a call; its error is raised."""
        reply = await self.path.call(
            Target("local", f"node.{name}"), arguments, CallFacts(door=door, principal=caller, idempotency_key=key)
        )
        if reply.error is not None:
            raise reply.error
        return reply.data

    async def submitted(self, caller: Principal = ALICE, **more: Any) -> SubmitReply:
        reply: SubmitReply = await self.ask(caller, "demand.submit", raw_input=DEMAND, confirm=True, **more)
        return reply


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with running(tmp_path, [profile("hall", "场地提供")]) as node:
        limit = SubmitLimit(RateLimiter(3, node.clock.monotonic))
        registry = Registry()
        for offered in (
            DemandCapabilities(node.demands, limit),
            PeopleCapabilities(node.demands),
            AgentCapabilities(node.registry),
        ):
            registry.add("node", members_of(offered))
        yield House(
            node, CallPath(registry, PolicyEngine.usual(), store=node.log.store, clock=node.clock), registry, limit
        )
        await registry.stop()


async def test_in_process_a_demand_is_a_value_and_elsewhere_its_json(house: House) -> None:
    done = await house.submitted()
    seen = await house.ask(ALICE, "demand.read", demand_id=done.demand_id)
    assert isinstance(seen, DemandReply)
    assert (seen.requester_id, seen.stream_token) == ("alice", done.stream_token)
    told = await house.ask(ALICE, "demand.read", door="http", demand_id=done.demand_id)
    assert told == seen.model_dump(mode="json")


async def test_an_agent_that_was_granted_demand_submits_in_its_own_name(house: House) -> None:
    for door in ("http", "anp"):
        told = await house.ask(SHOP, "demand.submit", door=door, raw_input=DEMAND, confirm=True)
        record = await house.node.demands.record(told["demand_id"])
        assert record.meta["requester_id"] == SHOP.id
        assert (await house.ask(SHOP, "demand.state", door=door, demand_id=record.id))["awaiting_confirmation"]
    with pytest.raises(Forbidden):
        await house.ask(SHOP, "demand.submit", door="http", raw_input=DEMAND, user_id="alice")


async def test_a_demand_of_somebody_else_does_not_exist_at_any_door(house: House) -> None:
    done = await house.submitted()
    for door in ("local", "http", "anp"):
        for caller in (BOB, SHOP):
            for name in (*READING, *STEERING):
                with pytest.raises(DemandNotFound):
                    await house.ask(caller, name, door=door, demand_id=done.demand_id)
            for name in OF_A_CHANNEL:
                with pytest.raises(ChannelNotFound):
                    await house.ask(caller, name, door=door, channel_id=done.channel_id)
    for caller in (BOB, SHOP):
        assert (await house.ask(caller, "demand.page")).demands == ()
        with pytest.raises(DemandNotFound):
            await house.ask(caller, "demand.page", user_id="alice")
    for caller in (ALICE, OWNER, ADMIN, LOCAL):
        assert (await house.ask(caller, "demand.state", demand_id=done.demand_id)).awaiting_confirmation


@pytest.mark.parametrize("door", ["local", "http", "anp"])
async def test_who_was_not_granted_demand_is_refused(house: House, door: str) -> None:
    done = await house.submitted(participants=[LIN])
    record = await house.node.demands.record(done.demand_id)
    follower = stream_holder(record, done.stream_token)
    guest = participant(record, next(iter(done.participant_tokens.values())))
    assert follower is not None
    assert guest is not None
    for caller, refusal in (
        (ANONYMOUS, Unauthenticated),
        (replace(ALICE, verified=False), Unauthenticated),
        (STRANGER, PermissionDeniedError),
        (follower, PermissionDeniedError),
        (guest, PermissionDeniedError),
    ):
        for name in (*READING, *STEERING):
            with pytest.raises(refusal):
                await house.ask(caller, name, door=door, demand_id=done.demand_id)
        with pytest.raises(refusal):
            await house.ask(caller, "demand.submit", door=door, raw_input=DEMAND)
    assert len(await house.node.log.runs(kind="demand")) == 1


async def test_nobody_but_the_owner_admins_and_who_was_granted_it_handles_agents(house: House) -> None:
    for caller in (ANONYMOUS, ALICE, SHOP, LOCAL):
        refusal = PermissionDeniedError if caller.verified else Unauthenticated
        for name in OF_AGENTS:
            with pytest.raises(refusal):
                await house.ask(caller, f"agents.{name}", agent_id="user_agent_hall")
    keeper = replace(SHOP, permissions=frozenset({"agents"}))
    for caller in (OWNER, ADMIN, keeper):
        assert len((await house.ask(caller, "agents.list")).agents) == 1
    with pytest.raises(PermissionDeniedError):
        await house.ask(keeper, "demand.page")


async def test_a_person_answers_in_its_own_channel_in_this_process_only(house: House) -> None:
    done = await house.submitted(participants=[LIN])
    other = await house.submitted(participants=[LIN])
    token = next(iter(done.participant_tokens.values()))
    guest = participant(await house.node.demands.record(done.demand_id), token)
    assert guest is not None
    assert (await house.ask(guest, "demand.invitation", channel_id=done.channel_id)).channel_id == done.channel_id
    with pytest.raises(Unauthenticated):
        await house.ask(guest, "demand.invitation", channel_id=other.channel_id)
    offer = {"decision": "decline", "decline_reason": "没空"}
    with pytest.raises(Conflict):
        await house.ask(guest, "demand.offer", channel_id=done.channel_id, offer=offer)
    for door in ("http", "anp"):
        with pytest.raises(ServiceNotFoundError):
            await house.ask(guest, "demand.invitation", door=door, channel_id=done.channel_id)
    for nobody in (OWNER, ALICE, LOCAL):
        with pytest.raises((Unauthenticated, PermissionDeniedError)):
            await house.ask(nobody, "demand.invitation", channel_id=done.channel_id)


async def test_errors_are_the_services_own_and_say_in_which_language_they_are_about(house: House) -> None:
    with pytest.raises(BadDemand):
        await house.ask(ALICE, "demand.submit", raw_input="  ")
    done = await house.submitted()
    await house.ask(ALICE, "demand.confirm", demand_id=done.demand_id)
    with pytest.raises(Conflict) as refused:
        await house.ask(ALICE, "demand.confirm", demand_id=done.demand_id)
    assert (refused.value.code, refused.value.lang) == ("CONFLICT", "zh")
    with pytest.raises(DemandNotFound) as unknown:
        await house.ask(ALICE, "demand.read", demand_id="d-00000000")
    assert unknown.value.lang == ""


async def test_arguments_that_do_not_fit_start_nothing(house: House) -> None:
    for wrong in ({}, {"raw_input": 5}, {"raw_input": DEMAND, "participants": [{}]}, {"raw_input": DEMAND, "x": 1}):
        with pytest.raises((ValidationError, BadDemand)):
            await house.ask(SHOP, "demand.submit", door="http", **wrong)
    assert not await house.node.log.runs(kind="demand")


@pytest.mark.requirement("NEG-API-01")
async def test_submissions_at_other_doors_count_for_the_same_limit(house: House) -> None:
    async def submit(caller: Principal, door: str) -> MoothallError | None:
        try:
            await house.ask(caller, "demand.submit", door=door, raw_input="")
        except MoothallError as error:
            return error
        return None

    answers = [await submit(SHOP, door) for door in ("http", "anp", "http", "anp")]
    assert [type(answer) for answer in answers] == [BadDemand, BadDemand, BadDemand, RateLimited]
    assert isinstance(await submit(ALICE, "http"), BadDemand)


@pytest.mark.requirement("NEG-API-01")
async def test_a_submission_through_another_capability_counts_as_its_callers(house: House) -> None:
    @capability(access="authenticated")
    async def relay(ctx: CallContext) -> None:
        await ctx.call("local:demand.submit", raw_input="")

    house.registry.add("node", Agent("node", relay).members)
    for expected in (BadDemand, BadDemand, BadDemand, RateLimited):
        with pytest.raises(expected):
            await house.ask(SHOP, "relay", door="http")
    with pytest.raises(RateLimited):
        await house.ask(SHOP, "demand.submit", raw_input="")


@pytest.mark.requirement("NEG-API-01")
async def test_what_a_route_has_counted_is_one_submission_of_one_caller(house: House) -> None:
    with house.limit.counted(SHOP):
        for expected in (BadDemand, BadDemand, BadDemand, BadDemand, RateLimited):
            with pytest.raises(expected):
                await house.ask(SHOP, "demand.submit", raw_input="")
    with house.limit.counted(SHOP):
        for expected in (BadDemand, BadDemand, BadDemand, RateLimited):
            with pytest.raises(expected):
                await house.ask(BOB, "demand.submit", raw_input="")


async def test_a_replaced_profile_keeps_its_reservation_and_shows_it_to_nobody(house: House) -> None:
    shown = await house.ask(OWNER, "agents.show", door="http", agent_id="user_agent_hall")
    assert "reservation" not in shown
    before = await house.node.registry.get("user_agent_hall")
    changed = {name: value for name, value in shown.items() if name in type(before.profile).model_fields}
    changed["user_name"] = "renamed"
    told = await house.ask(OWNER, "agents.edit", door="http", agent_id="user_agent_hall", profile=changed)
    after = await house.node.registry.get("user_agent_hall")
    assert told["user_name"] == "renamed"
    assert after.profile.reservation == before.profile.reservation
    with pytest.raises(Conflict):
        await house.ask(OWNER, "agents.edit", agent_id="user_agent_hall", profile=changed, revision=before.revision)


@pytest.mark.requirement("NEG-OPS-11")
async def test_no_answer_about_an_erased_demand_is_kept_for_its_repetition(house: House) -> None:
    submission: dict[str, Any] = {"door": "http", "raw_input": DEMAND, "confirm": True, "participants": [LIN]}
    first = await house.ask(SHOP, "demand.submit", key="one", **submission)
    other = await house.ask(SHOP, "demand.submit", key="two", **submission)
    assert await house.ask(SHOP, "demand.submit", key="one", **submission) == first
    await house.ask(SHOP, "demand.erase", door="http", demand_id=first["demand_id"])
    kept = await house.node.log.store.read(lambda store: store.execute(sa.select(idempotency.c.reply)).scalars().all())
    assert sorted(reply is None for reply in kept) == [False, True]
    assert await house.ask(SHOP, "demand.submit", key="two", **submission) == other
    with pytest.raises(Conflict):
        await house.ask(SHOP, "demand.submit", key="one", **submission)
