"""A function that calls another one which has to be approved: its A2A task ends with its own value, and no other."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest

from moothall import Agent, CallContext, capability
from tests.doors.capabilities import RAN
from tests.doors.house import House, served
from tests.doors.test_approval_forms import a2a, decide, payment, rested

pytestmark = pytest.mark.asyncio(loop_scope="module")


@capability(access="authenticated", approval=True)
async def pay(name: str, cents: int) -> int:
    """Pay something, once somebody has agreed to that."""
    RAN[name] += cents
    return RAN[name]


@capability(access="authenticated")
async def book(ctx: CallContext, name: str, cents: int) -> dict[str, Any]:
    """Pay for a seat, and say which one it is."""
    paid = await ctx.call("local:hall.pay", name=name, cents=cents)
    return {"seat": "7B", "paid": paid}


def message(params: dict[str, Any], **more: Any) -> dict[str, Any]:
    part = {"data": {"skill": "book", "arguments": params}, "mediaType": "application/json"}
    told = {"messageId": secrets.token_hex(8), "role": "ROLE_USER", "parts": [part], **more}
    return {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": told}}


async def test_a_task_whose_function_waits_for_a_call_of_its_own_goes_on_with_the_next_message(
    place: House, tmp_path: Path
) -> None:
    params = payment()
    async with served(tmp_path / "own", Agent("hall").include(pay, book)) as node:
        there = House(node, place.far, place.client)
        task = await a2a(there, message(params))
        assert task["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
        details = task["status"]["message"]["metadata"]["moothall/approval"]
        assert details["inside"] is True
        await decide(there, details["approval_id"], "approved")
        await a2a(there, message(params, taskId=task["id"], contextId=task["contextId"]))
        found = await rested(there, task["id"], "TASK_STATE_COMPLETED")
        assert found["artifacts"][0]["parts"][0]["data"] == {"seat": "7B", "paid": 3}
    assert RAN[params["name"]] == 3
