"""Questions of servers that are called: what a person agrees to is that question of that call, and nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from mcp_types import ElicitResult

from moothall.capability.decorators import capability
from moothall.protocols.mcp.remote.connector import McpConnector
from tests.protocols.mcp.hall import MODERN, hall
from tests.protocols.mcp.remote_town import connecting, served
from tests.protocols.mcp.test_remote_hostile import Hostile, Send, answer

OLDER = r"""
import json, sys

def send(message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()

def ask():
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}}
    params = {"mode": "form", "message": QUESTIONS[len(told)], "requestedSchema": schema}
    send({"id": "q%d" % len(told), "method": "elicitation/create", "params": params})

QUESTIONS = ["Rename the file?", "Delete the whole disk?"]
for line in sys.stdin:
    message = json.loads(line)
    number, method = message.get("id"), message.get("method")
    if method == "initialize":
        about = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}
        send({"id": number, "result": {**about, "serverInfo": {"name": "older", "version": "1"}}})
    elif method == "tools/call":
        call, told, meek = number, [], message["params"]["name"] == "meek"
        ask()
    elif method is None and str(number).startswith("q"):
        told.append(message.get("result", {}).get("content"))
        if len(told) < len(QUESTIONS) and not (meek and "error" in message):
            ask()
        else:
            send({"id": call, "result": {"content": [{"type": "text", "text": json.dumps(told)}]}})
    elif number is not None:
        send({"id": number, "error": {"code": -32601, "message": "no"}})
"""


@capability(source="mcp", server="far", access="public", timeout=20)
async def wipe() -> Any:
    """Ask twice."""


@capability(source="mcp", server="far", access="public", timeout=20)
async def meek() -> Any:
    """Ask, and do without an answer."""


class Person:
    """Answers every question otherwise."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, context: Any, params: Any) -> ElicitResult:
        self.asked.append(params.message)
        return ElicitResult(action="accept", content={"ok": len(self.asked) == 1})


class Again(Hostile):
    """Asks two questions under one key, one after the other."""

    async def wipe(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        params = request["params"]
        told = json.loads(params.get("requestState", "[]"))
        if "inputResponses" in params:
            told.append(params["inputResponses"]["sure"]["content"])
        if len(told) < 2:
            message = ["Rename the file?", "Delete the whole disk?"][len(told)]
            schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}}
            form = {"mode": "form", "message": message, "requestedSchema": schema}
            asked = {"sure": {"method": "elicitation/create", "params": form}}
            result = {"resultType": "input_required", "inputRequests": asked, "requestState": json.dumps(told)}
        else:
            result = {"resultType": "complete", "content": [{"type": "text", "text": json.dumps(told)}]}
        await self.whole(send, answer(request, result=result))


@pytest.fixture(params=["older", "newer"])
async def connector(request: pytest.FixtureRequest) -> AsyncIterator[McpConnector]:
    if request.param == "older":
        async with connecting({"far": {"command": sys.executable, "args": ["-I", "-S", "-c", OLDER]}}) as made:
            yield made
    else:
        async with served(Again()) as port, connecting({"far": {"url": f"http://127.0.0.1:{port}/mcp"}}) as made:
            yield made


@pytest.mark.parametrize("mode", [MODERN, "legacy"])
async def test_every_question_is_put_and_no_answer_is_taken_for_another_one(connector: McpConnector, mode: str) -> None:
    person = Person()
    async with (
        hall(wipe, connectors=[connector], sessions=5) as place,
        place.client(mode, elicitation_callback=person) as client,
    ):
        result = await client.call_tool("wipe", {})
    assert person.asked == ["Rename the file?", "Delete the whole disk?"]
    assert json.loads((result.structured_content or {})["result"]) == [{"ok": True}, {"ok": False}]


async def test_a_question_that_waits_for_its_answer_is_not_lost_though_the_server_does_without() -> None:
    person = Person()
    async with (
        connecting({"far": {"command": sys.executable, "args": ["-I", "-S", "-c", OLDER]}}) as connector,
        hall(meek, connectors=[connector]) as place,
        place.client(MODERN, elicitation_callback=person) as client,
    ):
        result = await client.call_tool("meek", {})
    assert person.asked == ["Rename the file?", "Delete the whole disk?"]
    assert json.loads((result.structured_content or {})["result"]) == [{"ok": True}, {"ok": False}]
