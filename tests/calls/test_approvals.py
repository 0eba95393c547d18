"""Calls that somebody has to approve, from asking to the answer, at every door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from moothall.approvals.asking import digest_of
from moothall.calls.reply import Item, Reply
from moothall.calls.target import Target
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import (
    ApprovalPending,
    Conflict,
    MoothallError,
    PermissionDeniedError,
    ServiceNotFoundError,
    StorageError,
    Told,
    Unavailable,
    ValidationError,
)
from moothall.policy.decision import AccessRequest, PermissionResult
from moothall.policy.engine import PolicyEngine
from moothall.policy.ports import FixedRules, Sources
from moothall.policy.store import FixedPolicies
from tests.calls.desk import Desk
from tests.calls.hall import ALICE, BOB, OWNER, Hall, Remote, code, facts


@dataclass
class Receipt:
    cents: int
    number: int


class Bank:
    """Pays, and remembers what it paid."""

    def __init__(self) -> None:
        self.paid: list[int] = []
        self.error: MoothallError | None = None

    @capability(access="authenticated", approval=True)
    async def pay(self, cents: int) -> Receipt:
        self.paid.append(cents)
        if self.error is not None:
            raise self.error
        return Receipt(cents, len(self.paid))

    @capability(access="authenticated", approval="two-eyes")
    async def coins(self, cents: int) -> AsyncIterator[int]:
        for coin in range(cents):
            self.paid.append(coin)
            yield coin

    @capability(access="authenticated", approval=True)
    async def sign(self, ctx: CallContext) -> int:
        ctx.firsthand()
        self.paid.append(0)
        return len(self.paid)

    @capability(access="authenticated")
    async def lure(self, ctx: CallContext) -> int:
        signed: int = await ctx.call("local:node.sign")
        return signed

    @capability(access="authenticated")
    async def send(self, cents: int, to: str = "x") -> int:
        self.paid.append(cents)
        return len(self.paid)


class Lent(PolicyEngine):
    """Lets everybody in once it is approved, by a right that somebody has lent."""

    def __init__(self, *lenders: str) -> None:
        super().__init__(FixedPolicies.of(None), Sources(settings=FixedRules()))
        self.lenders = lenders

    def decide(self, request: AccessRequest) -> PermissionResult:
        return PermissionResult("approve", on_behalf_of=next(iter(self.lenders), ""), lenders=self.lenders)


def bank(**rules: Any) -> tuple[Hall, Bank, Desk]:
    desk, made = Desk(**rules), Bank()
    return Hall(made, approvals=desk), made, desk


async def pending(hall: Hall, name: str = "pay", /, *given: Any, **arguments: Any) -> str:
    reply = await hall.call(name, *(given or (ALICE, "http")), **(arguments or {"cents": 7}))
    assert isinstance(reply.error, ApprovalPending), reply
    return reply.error.approval_id


async def test_a_call_that_has_to_be_approved_is_asked_for_whole_and_not_made() -> None:
    hall, made, desk = bank()
    reply = await hall.call("pay", ALICE, "http", cents=7, _purpose="rent")
    (ask,) = desk.asked
    assert (ask.principal, ask.target, ask.action, ask.arguments) == (ALICE, "node.pay@1.0.0", "write", {"cents": 7})
    assert (ask.door, ask.request_id, ask.purpose) == ("http", reply.request_id, "rent")
    assert ask.digest == digest_of(ALICE.id, "node.pay@1.0.0", {"cents": 7})
    assert isinstance(reply.error, ApprovalPending)
    assert reply.error.details == {
        "approval_id": "ap-0000000000000001",
        "digest": ask.digest,
        "expires": 1_900_000_000,
        "location": "/api/v1/approvals/ap-0000000000000001",
        "requester": ALICE.id,
    }
    assert made.paid == []


async def test_the_workflow_of_the_option_is_asked_for() -> None:
    hall, _, desk = bank()
    await pending(hall, "coins", cents=2)
    assert [ask.workflow for ask in desk.asked] == ["two-eyes"]


async def test_the_same_call_joins_what_is_open_and_another_does_not() -> None:
    hall, _, desk = bank()
    first = await pending(hall)
    assert await pending(hall) == first
    assert await pending(hall, cents=8) != first
    assert await pending(hall, "pay", BOB, "http", cents=7) != first
    assert len(desk.asked) == 3


async def test_the_answer_of_the_approved_call_has_the_form_of_the_door_and_the_call_is_made_once() -> None:
    hall, made, desk = bank()
    approval = await pending(hall)
    assert code(await hall.call("pay", ALICE, "http", cents=7, _approval=approval)) == "APPROVAL_PENDING"
    await desk.approve(hall.path, approval)
    at_a_door = await hall.call("pay", ALICE, "http", cents=7, _approval=approval)
    here = await hall.call("pay", ALICE, "local", cents=7, _approval=approval)
    assert (at_a_door.data, here.data) == ({"cents": 7, "number": 1}, Receipt(7, 1))
    assert made.paid == [7]


async def test_what_a_capability_asked_for_in_its_callers_name_is_not_made_as_if_the_caller_had_asked() -> None:
    hall, made, desk = bank()
    reply = await hall.call("lure", ALICE, "http")
    assert isinstance(reply.error, ApprovalPending)
    await desk.approve(hall.path, reply.error.approval_id)
    refused = await hall.call("sign", ALICE, "http", _approval=reply.error.approval_id)
    assert (code(refused), made.paid) == ("PERMISSION_DENIED", [])


async def test_the_call_is_not_made_by_the_right_of_somebody_else_than_was_approved() -> None:
    ann, bob, cid = "did:ann", "did:bob", "did:cid"
    for lenders, then, answer in (
        ((ann, cid), (ann, cid), "ok"),
        ((ann, cid), (ann,), "ok"),
        ((ann, cid), (), "ok"),
        ((ann,), (bob,), "CONFLICT"),
        ((ann, cid), (ann, bob), "CONFLICT"),
    ):
        _, made, desk = bank()
        policy = Lent(*lenders)
        hall = Hall(made, approvals=desk, authorizer=policy)
        approval = await pending(hall)
        assert (desk.asked[-1].on_behalf_of, desk.asked[-1].lenders) == (lenders[0], lenders)
        policy.lenders = then
        await desk.approve(hall.path, approval)
        assert code(await hall.call("pay", ALICE, "http", cents=7, _approval=approval)) == answer
        assert len(made.paid) == (answer == "ok")


async def test_without_the_approval_the_same_call_is_asked_for_anew() -> None:
    hall, made, desk = bank()
    approval = await pending(hall)
    await desk.approve(hall.path, approval)
    assert await pending(hall) != approval
    assert made.paid == [7]


async def test_values_one_by_one_come_from_the_call_that_was_made() -> None:
    hall, made, desk = bank()
    (chunk,) = [chunk async for chunk in hall.stream("coins", ALICE, "http", cents=3)]
    assert isinstance(chunk, Reply)
    assert isinstance(chunk.error, ApprovalPending)
    await desk.approve(hall.path, chunk.error.approval_id)
    for door in ("http", "local"):
        chunks = [
            chunk async for chunk in hall.stream("coins", ALICE, door, _approval=chunk.error.approval_id, cents=3)
        ]
        assert [chunk.value for chunk in chunks if isinstance(chunk, Item)] == [0, 1, 2]
    assert made.paid == [0, 1, 2]


async def test_an_error_of_the_approved_call_is_its_answer() -> None:
    hall, made, desk = bank()
    made.error = Conflict("no money", told=Told("calls.key"), details={"left": 3})
    approval = await pending(hall)
    await desk.approve(hall.path, approval)
    for _ in range(2):
        reply = await hall.call("pay", ALICE, "http", cents=7, _approval=approval)
        assert isinstance(reply.error, Conflict)
        assert (str(reply.error), reply.error.details) == ("no money", {"left": 3})
    assert made.paid == [7]


@pytest.mark.parametrize("status", ["rejected", "expired", "cancelled"])
async def test_what_was_not_approved_is_denied_with_the_reason(status: Any) -> None:
    hall, made, desk = bank()
    approval = await pending(hall)
    desk.decide(approval, status, "too much")
    reply = await hall.call("pay", ALICE, "http", cents=7, _approval=approval)
    assert isinstance(reply.error, PermissionDeniedError)
    assert reply.error.details == {"approval_id": approval, "status": status, "reason": "too much"}
    assert made.paid == []


async def test_an_approval_is_for_this_call_and_this_caller_alone() -> None:
    hall, made, desk = bank()
    approval = await pending(hall)
    await desk.approve(hall.path, approval)
    others = [
        await hall.call("pay", ALICE, "http", cents=8, _approval=approval),
        await hall.call("pay", BOB, "http", cents=7, _approval=approval),
        await hall.call("coins", ALICE, "http", cents=7, _approval=approval),
        await hall.call("pay", ALICE, "http", cents=7, _approval="ap-00000000000000ff"),
    ]
    assert [code(reply) for reply in others] == ["CONFLICT"] * 4
    assert len({str(reply.error) for reply in others}) == 1
    assert made.paid == [7]


async def test_a_call_that_is_being_made_is_waited_for_until_the_caller_has_no_time_left() -> None:
    hall, _, desk = bank()
    approval = await pending(hall)
    desk.decide(approval, "approved")
    late = await hall.call("pay", ALICE, "http", cents=7, _approval=approval, _timeout=0.01)
    assert code(late) == "APPROVAL_PENDING"
    desk.waiting.clear()
    waiting = asyncio.create_task(hall.call("pay", ALICE, "http", cents=7, _approval=approval))
    await desk.waiting.wait()
    await desk.execute(hall.path, approval)
    assert (await waiting).data == {"cents": 7, "number": 1}


async def test_an_answer_that_was_not_kept_is_said_to_be_lost_and_the_call_is_not_made_again() -> None:
    hall, made, desk = bank()
    approval = await pending(hall)
    await desk.approve(hall.path, approval)
    desk.lose(approval)
    reply = await hall.call("pay", ALICE, "http", cents=7, _approval=approval)
    assert code(reply) == "CONFLICT"
    assert made.paid == [7]


@pytest.mark.requirement("SEC-05")
async def test_the_option_does_not_ask_the_operator_and_a_rule_of_the_file_asks_everybody() -> None:
    hall, made, desk = bank(send=lambda arguments: arguments["cents"] > 100)
    assert code(await hall.call("pay", OWNER, cents=7)) == "ok"
    assert code(await hall.call("send", OWNER, cents=100)) == "ok"
    assert code(await hall.call("send", ALICE, "http", cents=100)) == "ok"
    await pending(hall, "send", OWNER, "local", cents=101)
    await pending(hall, "send", ALICE, "http", cents=101)
    assert [ask.workflow for ask in desk.asked] == ["large", "large"]
    assert made.paid == [7, 100, 100]


async def test_a_call_is_judged_by_the_rules_of_the_moment_at_which_it_was_let_in() -> None:
    desk, made = Desk(send=lambda _: True), Bank()
    hall = Hall(made, approvals=desk)
    admitted = await hall.path.admit(Target.parse("local:send"), facts(ALICE, "http"))
    desk._rules.clear()  # the same file may forbid the call from now on, which this one was not asked about
    assert code(await hall.path.run(admitted, {"cents": 1})) == "APPROVAL_PENDING"
    assert made.paid == []
    assert code(await hall.call("send", ALICE, "http", cents=1)) == "ok"


async def test_a_rule_that_fails_lets_nobody_in() -> None:
    def fails(_: Any) -> bool:
        raise RuntimeError("a rule")

    hall, made, _ = bank(send=fails)
    assert code(await hall.call("send", OWNER, cents=1)) == "INTERNAL_ERROR"
    assert made.paid == []


async def test_an_argument_that_the_kept_call_could_not_have_again_is_refused() -> None:
    desk = Desk(anything=lambda _: True)

    @capability
    async def anything(value: Any) -> None: ...

    hall = Hall(anything, approvals=desk)
    reply = await hall.call("anything", value=date(2030, 1, 1))
    assert isinstance(reply.error, ValidationError)
    assert desk.asked == []
    assert code(await hall.call("anything", value="2030-01-01")) == "APPROVAL_PENDING"


async def test_a_call_that_needs_no_approval_any_more_is_not_made_a_second_time() -> None:
    asks = True
    hall, made, desk = bank(send=lambda _: asks)
    approval = await pending(hall, "send", OWNER, "local", cents=1)
    await desk.approve(hall.path, approval)
    asks = False
    assert (await hall.call("send", cents=1, _approval=approval)).data == 1
    assert made.paid == [1]
    assert (await hall.call("send", cents=1)).data == 2


async def test_an_approval_that_is_given_to_what_needs_none_changes_nothing() -> None:
    desk = Desk(send=lambda _: True)

    @capability(access="authenticated")
    async def anything(value: Any) -> str:
        return str(value)

    hall = Hall(anything, Bank(), approvals=desk)
    approval = await pending(hall, "send", OWNER, "local", cents=1)
    for given in (approval, "ap-00000000000000ff"):
        reply = await hall.call("anything", OWNER, "local", value=date(2030, 1, 1), _approval=given)
        assert reply.data == "2030-01-01"


async def test_where_nobody_can_be_asked_the_call_waits_and_says_so() -> None:
    made = Bank()
    reply = await Hall(made).call("pay", ALICE, "http", cents=7, _approval="ap-1")
    assert isinstance(reply.error, ApprovalPending)
    assert set(reply.error.details) == {"digest"}
    assert made.paid == []


async def test_the_approval_of_another_node_goes_on_to_it() -> None:
    remote = Remote(5)

    @capability(source="did", did="did:wba:far.example:e1_f", access="authenticated")
    async def far(n: int) -> int: ...

    hall = Hall(far, remote=remote, approvals=Desk())
    assert (await hall.call("far", ALICE, "http", n=1, _approval="ap-far", _purpose="rent")).data == 5
    assert (await hall.call("did:wba:far.example:e1_f#x", _approval="ap-far")).data == 5
    assert [(out.approval, out.purpose) for out in remote.seen] == [("ap-far", "rent"), ("ap-far", "")]


class Office:
    """Capabilities that pay through the bank: as their caller, as their agent, and with what they kept."""

    def __init__(self) -> None:
        self.kept = ""
        self.runs = 0

    @capability(access="authenticated")
    async def settle(self, ctx: CallContext, cents: int) -> Receipt:
        self.runs += 1
        receipt: Receipt = await ctx.call("local:pay", cents=cents)
        return receipt

    @capability(access="authenticated")
    async def own(self, ctx: CallContext, cents: int) -> int:
        value: int = await ctx.call("local:send", cents=cents, as_agent=True)
        return value

    @capability(access="authenticated")
    async def resumes(self, ctx: CallContext, cents: int) -> str:
        try:
            return f"paid {await ctx.call('local:send', cents=cents, as_agent=True, approval=self.kept)}"
        except ApprovalPending as error:
            self.kept = error.approval_id
            return "waiting"


async def test_a_caller_hears_of_an_inner_call_of_its_own_and_gets_on_with_that_approval() -> None:
    desk, made, office = Desk(), Bank(), Office()
    hall = Hall(made, office, approvals=desk)
    approval = await pending(hall, "settle", ALICE, "http", cents=7)
    assert [ask.target for ask in desk.asked] == ["node.pay@1.0.0"]
    await desk.approve(hall.path, approval)
    reply = await hall.call("settle", ALICE, "http", cents=7, _approval=approval)
    assert reply.data == {"cents": 7, "number": 1}
    assert (made.paid, office.runs) == ([7], 2)


async def test_a_caller_that_gives_a_foreign_approval_has_an_inner_call_asked_for_anew() -> None:
    desk, made = Desk(), Bank()
    hall = Hall(made, Office(), approvals=desk)
    first = await pending(hall, "settle", ALICE, "http", cents=7)
    await desk.approve(hall.path, first)
    reply = await hall.call("settle", ALICE, "http", cents=8, _approval=first)
    assert isinstance(reply.error, ApprovalPending)
    assert reply.error.approval_id != first
    assert made.paid == [7]


async def test_what_an_agent_waits_for_is_no_business_of_its_caller() -> None:
    desk, made = Desk(send=lambda _: True), Bank()
    hall = Hall(made, Office(), approvals=desk)
    reply = await hall.call("own", ALICE, "http", cents=7)
    assert isinstance(reply.error, Unavailable)
    assert not reply.error.details
    assert [ask.principal.id for ask in desk.asked] == ["agent:node"]


async def test_a_capability_may_come_back_to_what_its_agent_waits_for() -> None:
    desk, made, office = Desk(send=lambda _: True), Bank(), Office()
    hall = Hall(made, office, approvals=desk)
    assert (await hall.call("resumes", ALICE, "http", cents=7)).data == "waiting"
    await desk.approve(hall.path, office.kept)
    assert (await hall.call("resumes", ALICE, "http", cents=7)).data == "paid 1"
    assert made.paid == [7]


async def test_callers_in_this_process_give_approval_and_purpose_by_name() -> None:
    hall, made, desk = bank(send=lambda _: True)
    with pytest.raises(ApprovalPending) as refused:
        await hall.caller.call("local:send", cents=1, purpose="rent")
    assert desk.asked[0].purpose == "rent"
    await desk.approve(hall.path, refused.value.approval_id)
    assert await hall.caller.call("local:send", cents=1, approval=refused.value.approval_id) == 1
    assert (await hall.caller.try_call("local:send", cents=1, approval=refused.value.approval_id)).data == 1
    values = [value async for value in hall.caller.stream("local:send", cents=1, approval=refused.value.approval_id)]
    assert values == [1]
    assert made.paid == [1]


async def test_the_answer_can_be_had_by_the_id_alone() -> None:
    hall, _, desk = bank()
    approval = await pending(hall)

    async def had(approval: str) -> Reply[Any]:
        return await hall.path.approved(approval, asyncio.get_running_loop().time())

    waits, unknown = await had(approval), await had("ap-00000000000000ff")
    assert isinstance(waits.error, ApprovalPending)
    assert isinstance(unknown.error, ServiceNotFoundError)
    await desk.approve(hall.path, approval)
    assert (await had(approval)).data == {"cents": 7, "number": 1}
    rejected = await pending(hall)
    desk.decide(rejected, "rejected")
    assert isinstance((await had(rejected)).error, PermissionDeniedError)


@pytest.mark.parametrize("error", [StorageError("down"), Unavailable("down")], ids=lambda error: error.code)
async def test_what_cannot_be_read_now_is_told_apart_from_a_call_that_ended_like_that(error: MoothallError) -> None:
    hall, made, desk = bank()
    made.error = error
    approval = await pending(hall)
    await desk.approve(hall.path, approval)
    assert code(await hall.path.approved(approval, 0.0)) == error.envelope_code
    desk.down = error
    with pytest.raises(type(error)):
        await hall.path.approved(approval, 0.0)
