"""Calls that somebody has to approve: every door says the same of them, and gives the same answer in the end."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from moothall.calls.caller import UnifiedCaller
from moothall.errors import ApprovalPending, Conflict, MoothallError, PermissionDeniedError
from tests.doors.capabilities import RAN
from tests.doors.house import ANNA, BEN, Door, House

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def pending(place: House, door: Door, params: dict[str, Any], who: str = ANNA, **more: Any) -> ApprovalPending:
    with pytest.raises(ApprovalPending) as raised:
        await door.caller(place, who).call(door.target(place, "pay"), params, **more)
    return raised.value


async def decide(place: House, approval_id: str, decision: str, reason: str = "") -> None:
    owner = UnifiedCaller(place.near.host.path)
    params = {"approval_id": approval_id, "decision": decision, "reason": reason}
    await owner.call("local:node.approvals.decide", params)


async def refused(place: House, door: Door, params: dict[str, Any], approval: str, who: str = ANNA) -> MoothallError:
    with pytest.raises(MoothallError) as raised:
        await door.caller(place, who).call(door.target(place, "pay"), params, approval=approval)
    return raised.value


def payment() -> dict[str, Any]:
    return {"name": secrets.token_hex(6), "cents": 5}


@pytest.mark.requirement("SEC-05")
async def test_a_call_that_needs_an_approval_says_so_at_once_and_names_it(place: House, door: Door) -> None:
    params = payment()
    error = await pending(place, door, params)
    assert error.approval_id.startswith("ap-")
    assert error.details["location"] == f"/api/v1/approvals/{error.approval_id}"
    assert str(error.details["digest"]).startswith("sha-256:")
    assert isinstance(error.details["expires"], int)
    assert RAN[params["name"]] == 0


async def test_the_same_call_again_waits_for_the_same_approval(place: House, door: Door) -> None:
    params = payment()
    first = await pending(place, door, params)
    again = await pending(place, door, params)
    named = await pending(place, door, params, approval=first.approval_id)
    assert first.approval_id == again.approval_id == named.approval_id


async def test_an_approved_call_is_made_once_and_answers_who_comes_again(place: House, door: Door) -> None:
    params = payment()
    approval = (await pending(place, door, params)).approval_id
    await decide(place, approval, "approved")
    for _ in range(2):
        value = await door.caller(place, ANNA).call(door.target(place, "pay"), params, approval=approval)
        assert value == 5
    assert RAN[params["name"]] == 5


async def test_an_approval_is_for_these_arguments_and_this_caller(place: House, door: Door) -> None:
    params = payment()
    approval = (await pending(place, door, params)).approval_id
    await decide(place, approval, "approved")
    assert isinstance(await refused(place, door, {**params, "cents": 6}, approval), Conflict)
    assert isinstance(await refused(place, door, params, approval, BEN), Conflict)
    assert RAN[params["name"]] == 5


async def test_a_rejected_call_is_refused_and_never_made(place: House, door: Door) -> None:
    params = payment()
    approval = (await pending(place, door, params)).approval_id
    await decide(place, approval, "rejected", "too much")
    assert isinstance(await refused(place, door, params, approval), PermissionDeniedError)
    assert RAN[params["name"]] == 0
