"""Approvals from the side of callers: a real call path asks, approvers decide by capabilities, the node calls once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from moothall.approvals.capabilities import ApprovalCapabilities
from moothall.approvals.desk import ApprovalDesk
from moothall.approvals.driver import ApprovalDriver
from moothall.approvals.kept import KIND
from moothall.approvals.news import Bells
from moothall.approvals.rules import Rules, read
from moothall.calls.relay import Relay
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.entry import Entry
from moothall.errors import ApprovalPending, Conflict, Forbidden, MoothallError, PermissionDeniedError, Told
from moothall.identity.principal import OWNER, Principal
from tests.approvals.hall import ANNA, ASKER, BEN, STRANGER, Records
from tests.calls.hall import Hall as Path_
from tests.events.house import House

OWNERS = {"approvers": ["user:anna", BEN.id, "owner"]}
CONFIG = {
    "rule": [{"name": "large", "capability": "node.pay", "argument": "amount", "operator": ">", "value": 100}],
    "workflow": {"default": {"step": [OWNERS]}},
}


@dataclass
class Bank:
    """A node with a capability whose large payments need an approval, and one that always needs one."""

    path: Path_
    paid: list[int]
    records: Records

    async def call(self, principal: Principal, name: str, approval: str = "", **given: Any) -> Any:
        """The value of a call by somebody of the network, or its error."""
        reply = await self.path.call(f"node.{name}", principal, "http", _approval=approval, **given)
        if reply.error is not None:
            raise reply.error
        return reply.data

    async def refused(self, principal: Principal, name: str, approval: str = "", **given: Any) -> MoothallError:
        with pytest.raises(MoothallError) as failure:
            await self.call(principal, name, approval, **given)
        return failure.value

    async def asked(self, amount: int) -> str:
        error = await self.refused(ASKER, "pay", amount=amount)
        assert isinstance(error, ApprovalPending)
        assert error.details["location"] == f"/api/v1/approvals/{error.approval_id}"
        return error.approval_id

    async def decided(self, principal: Principal, approval: str, decision: str) -> dict[str, Any]:
        result: dict[str, Any] = await self.call(principal, "approvals.decide", approval_id=approval, decision=decision)
        return result


@pytest.fixture
async def bank(database_url: str, tmp_path: Path) -> AsyncIterator[Bank]:
    async with AsyncExitStack() as stack:
        house = House(database_url, tmp_path, stack)
        log = await house.log()
        bells, records, paid = Bells(), Records(), list[int]()
        desk = ApprovalDesk(log, Rules(read(CONFIG)), bells)

        @capability(access="authenticated")
        async def pay(amount: int) -> int:
            paid.append(amount)
            return len(paid)

        @capability(access="authenticated")
        async def meddle(ctx: CallContext, target: str, approval: str) -> Any:
            """Does something else in its caller's name than this one asked for."""
            given = {"approval_id": approval, "decision": "approved"}
            if target == "relay.call":
                return await ctx.call(
                    "local:node.relay.call", {"target": "local:node.approvals.decide", "parameters": given}
                )
            if target == "caller":
                return await path.caller.call("local:node.approvals.decide", given)
            return await ctx.call(f"local:{target}", given if target.endswith("decide") else {"approval_id": approval})

        async def visible(ctx: CallContext) -> tuple[Entry, ...]:
            return await path.path.visible(ctx.principal, ctx.door)

        capabilities = (pay, meddle, ApprovalCapabilities(desk), Relay(visible))
        path = Path_(*capabilities, approvals=desk, store=log.store, recorder=records)
        await house.worker(log, {KIND: ApprovalDriver(path.path.execute, records, bells)})
        yield Bank(path, paid, records)


@pytest.mark.requirement("SEC-05", "SEC-09")
async def test_the_caller_gets_an_id_at_once_and_the_answer_when_all_have_approved(bank: Bank) -> None:
    assert await bank.call(ASKER, "pay", amount=100) == 1
    pending = await bank.refused(ASKER, "pay", amount=5_000)
    assert pending.appearance.http == 202
    approval = await bank.asked(5_000)
    assert approval == pending.details["approval_id"]
    assert bank.paid == [100]
    assert isinstance(await bank.refused(ASKER, "pay", approval, amount=5_000), ApprovalPending)
    assert (await bank.decided(ANNA, approval, "approved"))["status"] == "approved"
    answers = await asyncio.gather(*(bank.call(ASKER, "pay", approval, amount=5_000) for _ in range(20)))
    assert answers == [2] * 20
    assert bank.paid == [100, 5_000]
    again = await bank.refused(ASKER, "pay", amount=5_000)
    assert isinstance(again, ApprovalPending)
    assert again.approval_id != approval


@pytest.mark.requirement("SEC-05")
async def test_an_approval_permits_no_other_arguments_and_nobody_else(bank: Bank) -> None:
    approval = await bank.asked(5_000)
    await bank.decided(ANNA, approval, "approved")
    assert isinstance(await bank.refused(ASKER, "pay", approval, amount=5_001), Conflict)
    assert isinstance(await bank.refused(STRANGER, "pay", approval, amount=5_000), Conflict)
    assert await bank.call(ASKER, "pay", approval, amount=5_000) == 1
    assert bank.paid == [5_000]


@pytest.mark.requirement("SEC-08", "SEC-10")
async def test_a_rejected_or_cancelled_call_is_not_made(bank: Bank) -> None:
    rejected = await bank.asked(5_000)
    misspelt = await bank.refused(ANNA, "approvals.decide", approval_id="ap-0000000000000000", decision="yes")
    assert misspelt.appearance.http == 400
    await bank.decided(BEN, rejected, "rejected")
    refusal = await bank.refused(ASKER, "pay", rejected, amount=5_000)
    assert isinstance(refusal, PermissionDeniedError)
    assert refusal.told == Told("calls.approval_rejected_silently")
    cancelled = await bank.asked(6_000)
    done = await bank.call(ASKER, "approvals.cancel", approval_id=cancelled, reason="not needed")
    assert done == {
        "approval_id": cancelled,
        "status": "cancelled",
        "executed": False,
        "failed": "",
        "reason": "not needed",
        "counted": True,
    }
    late = await bank.refused(ANNA, "approvals.decide", approval_id=cancelled, decision="approved")
    assert late.appearance.http == 409
    assert isinstance(await bank.refused(ASKER, "pay", cancelled, amount=6_000), PermissionDeniedError)
    assert bank.paid == []


async def test_capabilities_answer_strangers_as_if_there_were_nothing(bank: Bank) -> None:
    approval = await bank.asked(5_000)
    for name, given in (
        ("approvals.show", {}),
        ("approvals.decide", {"decision": "approved"}),
        ("approvals.cancel", {}),
    ):
        hidden = await bank.refused(STRANGER, name, approval_id=approval, **given)
        absent = await bank.refused(STRANGER, name, approval_id="ap-0000000000000000", **given)
        assert (hidden.code, str(hidden)) == (absent.code, str(absent))
    assert await bank.call(STRANGER, "approvals.list") == {"approvals": [], "next_cursor": None}
    shown = await bank.call(ASKER, "approvals.show", approval_id=approval)
    assert (shown["arguments"], shown["status"], shown["executed"]) == ({"amount": 5_000}, "pending", False)
    mine = await bank.call(ASKER, "approvals.list", whose="mine", status="pending", limit=1)
    assert [one["approval_id"] for one in mine["approvals"]] == [approval]


async def test_the_operator_sees_what_everybody_asks(bank: Bank) -> None:
    approval = await bank.asked(5_000)
    reply = await bank.path.call("node.approvals.list", OWNER, whose="all")
    assert reply.error is None
    assert [one.approval_id for one in reply.data.approvals] == [approval]


@pytest.mark.parametrize("target", ["node.approvals.decide", "relay.call", "caller", "node.approvals.cancel"])
async def test_no_capability_decides_in_the_name_of_an_approver_who_calls_it(bank: Bank, target: str) -> None:
    approval = await bank.asked(5_000)
    reply = await bank.path.call("node.meddle", OWNER, target=target, approval=approval)
    assert isinstance(reply.error, Forbidden)
    shown = await bank.call(ASKER, "approvals.show", approval_id=approval)
    assert (shown["status"], shown["steps"][0]["votes"]) == ("pending", [])
    assert bank.paid == []


async def test_a_decision_that_is_only_relayed_is_the_callers_own(bank: Bank) -> None:
    approval = await bank.asked(5_000)
    given = {"approval_id": approval, "decision": "approved"}
    reply = await bank.path.call("node.relay.call", OWNER, target="local:node.approvals.decide", parameters=given)
    assert reply.error is None
    assert await bank.call(ASKER, "pay", approval, amount=5_000) == 1
