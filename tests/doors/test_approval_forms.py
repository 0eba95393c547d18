"""How each door says that a call waits for an approval, byte by byte, and how its clients go on."""

from __future__ import annotations

import asyncio
import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from moothall import Agent, capability
from moothall.calls.caller import UnifiedCaller
from moothall.errors import Unavailable
from tests.doors.capabilities import RAN, hall
from tests.doors.house import ANNA, BEN, META, MODERN, House, served

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALL = "/api/v1/capabilities/hall.pay"
FORMS = {**META, "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}


async def send(
    place: House, path: str, body: Any = None, *, method: str = "POST", who: str = ANNA, **headers: str
) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON of the answer to a signed request."""
    session = place.far.host.office.session(who)
    content = b"" if body is None else json.dumps(body).encode()
    told = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    answer = await session.request(method, f"{place.near.url}{path}", content=content, headers=told)
    text = answer.body.decode()
    if text.startswith("event:"):
        text = text.partition("data: ")[2].partition("\n")[0]
    return answer.status, dict(answer.headers), json.loads(text)


async def decide(place: House, approval_id: str, decision: str) -> None:
    owner = UnifiedCaller(place.near.host.path)
    await owner.call("local:node.approvals.decide", {"approval_id": approval_id, "decision": decision})


def payment() -> dict[str, Any]:
    return {"name": secrets.token_hex(6), "cents": 3}


async def test_http_answers_202_with_the_place_where_it_is_told_how_far(place: House) -> None:
    status, headers, envelope = await send(place, CALL, payment())
    approval = envelope["error"]["details"]["approval_id"]
    assert (status, envelope["status_code"], envelope["error"]["code"]) == (202, 202, "APPROVAL_PENDING")
    assert headers["location"] == f"/api/v1/approvals/{approval}"
    assert int(headers["retry-after"]) > 0


async def test_http_gives_the_requester_the_answer_of_the_call(place: House) -> None:
    params = payment()
    _, headers, _ = await send(place, CALL, params)
    where = headers["location"]
    status, told, view = await send(place, where, method="GET")
    assert (status, view["status"], view["executed"], view["reply"]) == (200, "pending", False, None)
    assert view["arguments"] == params
    assert int(told["retry-after"]) > 0
    await decide(place, where.rpartition("/")[2], "approved")
    status, _, envelope = await send(place, CALL, params, X_Moothall_Approval=where.rpartition("/")[2])
    assert (status, envelope["data"]) == (200, 3)
    status, told, view = await send(place, where, method="GET")
    assert (status, view["status"], view["executed"]) == (200, "approved", True)
    assert (view["reply"]["success"], view["reply"]["data"]) == (True, 3)
    assert "retry-after" not in told


async def test_http_shows_an_approval_to_nobody_whom_it_does_not_concern(place: House) -> None:
    _, headers, _ = await send(place, CALL, payment())
    assert (await send(place, headers["location"], method="GET", who=BEN))[0] == 404
    assert (await send(place, "/api/v1/approvals", method="GET", who=BEN))[2]["approvals"] == []
    plain = await place.client.get(headers["location"])
    assert plain.status_code == 401
    mine = (await send(place, "/api/v1/approvals?whose=mine&limit=1", method="GET"))[2]["approvals"]
    assert headers["location"].endswith(mine[0]["approval_id"])


async def test_http_lets_no_cache_keep_what_is_told_of_approvals(place: House) -> None:
    _, headers, _ = await send(place, CALL, payment())
    where = headers["location"]
    answers = [
        await send(place, "/api/v1/approvals", method="GET"),
        await send(place, where, method="GET"),
        await send(place, where, method="GET", who=BEN),
        await send(place, f"{where}/decide", {"decision": "approved"}),
        await send(place, f"{where}/cancel", {}),
    ]
    assert [answer[0] for answer in answers] == [200, 200, 404, 403, 200]
    assert {answer[1]["cache-control"] for answer in answers} == {"no-store"}
    for status, told, _ in answers:
        assert status != 200 or {"signature", "authorization"} <= {
            one.strip().lower() for one in told["vary"].split(",")
        }


async def test_http_takes_decisions_and_withdrawals(place: House) -> None:
    _, headers, _ = await send(place, CALL, payment())
    where = headers["location"]
    assert (await send(place, f"{where}/decide", {"decision": "approved"}))[0] == 403  # the requester never decides
    assert (await send(place, f"{where}/decide", {"decision": "approved"}, who=BEN))[0] == 404
    status, _, told = await send(place, f"{where}/cancel", {"reason": "changed my mind"})
    assert (status, told["status"], told["reason"]) == (200, "cancelled", "changed my mind")
    assert (await send(place, f"{where}/cancel", {}))[0] in {200, 409}


@pytest.mark.parametrize("value", ["a b", "", "x" * 200, "ap-1, ap-2"])
async def test_an_approval_that_is_no_id_is_refused(place: House, value: str) -> None:
    status, _, envelope = await send(place, CALL, payment(), X_Moothall_Approval=value)
    assert (status, envelope["error"]["code"]) == (400, "VALIDATION_ERROR")


async def test_anp_answers_an_error_with_what_to_send_along(place: House) -> None:
    params = payment()
    call = {"jsonrpc": "2.0", "id": 1, "method": "pay", "params": params}
    _, _, told = await send(place, "/agents/hall/rpc", call)
    data = told["error"]["data"]
    assert (told["error"]["code"], data["code"]) == (-32045, "APPROVAL_PENDING")
    await decide(place, data["details"]["approval_id"], "approved")
    named = {"X_Moothall_Approval": data["details"]["approval_id"]}
    assert (await send(place, "/agents/hall/rpc", call, **named))[2]["result"] == 3
    _, _, batch = await send(place, "/agents/hall/rpc", [call, call], **named)
    assert batch["error"]["code"] == -32600  # an approval is for one call


def tool(params: dict[str, Any], meta: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "hall_pay", "arguments": params, "_meta": meta, **more},
    }  # fmt: skip


async def mcp(place: House, message: dict[str, Any]) -> Any:
    told = {"Accept": "application/json, text/event-stream", "MCP_Protocol_Version": MODERN}
    named = {"Mcp_Method": "tools/call", "Mcp_Name": "hall_pay"}
    return (await send(place, "/mcp", message, **told, **named))[2]["result"]


async def test_mcp_asks_a_client_with_forms_to_come_again(place: House) -> None:
    params = payment()
    asked = await mcp(place, tool(params, FORMS))
    details = asked["_meta"]["moothall/approval"]
    assert asked["resultType"] == "input_required"
    assert list(asked["inputRequests"]) == ["approval"]
    assert details["approval_id"] not in asked["requestState"]  # it is sealed
    yes = {"approval": {"action": "accept", "content": {}}}
    again = await mcp(place, tool(params, FORMS, requestState=asked["requestState"], inputResponses=yes))
    assert again["resultType"] == "input_required"
    await decide(place, details["approval_id"], "approved")
    given = await mcp(place, tool(params, FORMS, requestState=again["requestState"], inputResponses=yes))
    assert given["structuredContent"] == {"result": 3}
    assert RAN[params["name"]] == 3


async def test_mcp_does_not_ask_a_client_for_ever(place: House) -> None:
    params, state, rounds = payment(), {}, 0
    while (asked := await mcp(place, tool(params, FORMS, **state)))["resultType"] == "input_required":
        yes = {"approval": {"action": "accept", "content": {}}}
        state, rounds = {"requestState": asked["requestState"], "inputResponses": yes}, rounds + 1
        assert rounds < 10
    assert asked["isError"] is True
    assert asked["_meta"]["moothall/approval"]["approval_id"].startswith("ap-")


async def test_mcp_ends_a_call_whose_person_does_not_want_to_wait(place: House) -> None:
    params = payment()
    asked = await mcp(place, tool(params, FORMS))
    no = {"approval": {"action": "decline"}}
    told = await mcp(place, tool(params, FORMS, requestState=asked["requestState"], inputResponses=no))
    assert (told["resultType"], told["isError"]) == ("complete", True)


async def test_mcp_tells_other_clients_what_to_do(place: House) -> None:
    params = payment()
    told = await mcp(place, tool(params, META))
    error = json.loads(told["content"][0]["text"])["error"]
    approval = error["details"]["approval_id"]
    assert (told["isError"], error["code"]) == (True, "APPROVAL_PENDING")
    assert told["_meta"]["moothall/approval"]["approval_id"] == approval
    assert "structuredContent" not in told  # the tool announces a schema, which that would not fit
    await decide(place, approval, "approved")
    given = await mcp(place, tool(params, {**META, "moothall/approval": approval}))
    assert given["structuredContent"] == {"result": 3}


def message(params: dict[str, Any], **more: Any) -> dict[str, Any]:
    part = {"data": {"skill": "pay", "arguments": params}, "mediaType": "application/json"}
    return {
        "jsonrpc": "2.0", "id": 1, "method": "SendMessage",
        "params": {"message": {"messageId": secrets.token_hex(8), "role": "ROLE_USER", "parts": [part], **more}},
    }  # fmt: skip


async def a2a(place: House, request: dict[str, Any]) -> Any:
    told = (await send(place, "/agents/hall/a2a", request, A2A_Version="1.0"))[2]
    assert "error" not in told, told
    return told["result"].get("task", told["result"])


async def rested(place: House, task: str, state: str) -> Any:
    """The task once it has a state; what becomes of it is read from its stream."""
    ask = {"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {"id": task}}
    found = await a2a(place, ask)
    if found["status"]["state"] == state:
        return found
    session = place.far.host.office.session(ANNA)
    follow = {"jsonrpc": "2.0", "id": 2, "method": "SubscribeToTask", "params": {"id": task}}
    headers = {"Content-Type": "application/json", "A2A-Version": "1.0", "Accept": "text/event-stream"}
    await session.request(
        "POST", f"{place.near.url}/agents/hall/a2a", content=json.dumps(follow).encode(), headers=headers
    )
    found = await a2a(place, ask)
    assert found["status"]["state"] == state
    return found


async def test_a2a_a_task_goes_on_by_itself_once_its_call_was_approved(place: House) -> None:
    params = payment()
    task = await a2a(place, message(params))
    assert task["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    details = task["status"]["message"]["metadata"]["moothall/approval"]
    assert details["digest"].startswith("sha-256:")
    await decide(place, details["approval_id"], "approved")
    found = await rested(place, task["id"], "TASK_STATE_COMPLETED")
    assert found["artifacts"][0]["parts"][0]["data"] == 3
    assert RAN[params["name"]] == 3


async def test_a2a_a_task_ends_by_itself_when_its_call_was_rejected(place: House) -> None:
    task = await a2a(place, message(payment()))
    approval = task["status"]["message"]["metadata"]["moothall/approval"]["approval_id"]
    await decide(place, approval, "rejected")
    found = await rested(place, task["id"], "TASK_STATE_REJECTED")
    assert found["status"]["message"]["parts"][1]["data"]["error"]["code"] == "PERMISSION_DENIED"


async def test_a2a_a_task_ends_whatever_its_call_ended_with(place: House, tmp_path: Path) -> None:
    @capability(access="authenticated", approval=True)
    async def pay(name: str, cents: int) -> int:
        """Fail, with what could pass for a failure to read how it ended."""
        RAN[name] += cents
        raise Unavailable("the bank is closed")

    params = payment()
    async with served(tmp_path / "closed", Agent("hall").include(pay)) as node:
        there = House(node, place.far, place.client)
        task = await a2a(there, message(params))
        approval = task["status"]["message"]["metadata"]["moothall/approval"]["approval_id"]
        await decide(there, approval, "approved")
        async with asyncio.timeout(20):
            found = await rested(there, task["id"], "TASK_STATE_FAILED")
        assert found["status"]["message"]["parts"][1]["data"]["error"]["code"] == "UNAVAILABLE"
    assert RAN[params["name"]] == 3


async def test_a2a_a_task_that_waits_can_be_asked_and_waits_on(place: House) -> None:
    params = payment()
    task = await a2a(place, message(params))
    again = await a2a(place, message(params, taskId=task["id"], contextId=task["contextId"]))
    assert again["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    approval = again["status"]["message"]["metadata"]["moothall/approval"]["approval_id"]
    assert approval == task["status"]["message"]["metadata"]["moothall/approval"]["approval_id"]
    await decide(place, approval, "approved")
    found = await rested(place, task["id"], "TASK_STATE_COMPLETED")
    assert found["artifacts"][0]["parts"][0]["data"] == 3


async def test_a2a_a_task_that_waits_survives_a_restart(place: House, tmp_path: Path) -> None:
    params = payment()
    async with served(tmp_path / "own", hall()) as node:
        there = House(node, place.far, place.client)
        task = await a2a(there, message(params))
        assert task["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    async with served(tmp_path / "own", hall()) as node:
        there = House(node, place.far, place.client)
        approval = task["status"]["message"]["metadata"]["moothall/approval"]["approval_id"]
        await decide(there, approval, "approved")
        found = await rested(there, task["id"], "TASK_STATE_COMPLETED")
        assert found["artifacts"][0]["parts"][0]["data"] == 3
    assert RAN[params["name"]] == 3
