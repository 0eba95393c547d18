"""Our client in a whole node: another node's agents call what an MCP server does, and a server's questions find them."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from moothall import Agent
from moothall.capability.decorators import capability
from moothall.capability.questions import Answers, LogLevel, Questions
from moothall.errors import InputRequired, UpstreamInvalid
from tests.doors.house import ANNA, served
from tests.protocols.mcp.remote_town import connecting, far, outgoing
from tests.protocols.mcp.remote_town import served as app_served
from tests.protocols.mcp.test_remote_hostile import Hostile, Send, answer


@pytest.mark.requirement("TPL-14")
async def test_another_agent_calls_the_tool_by_the_did_of_the_agent_that_offers_it(tmp_path: Path) -> None:
    @capability(source="mcp", server="far", access="authenticated")
    async def add(a: int, b: int) -> int: ...

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hall = Agent("hall")
    hall.include(add)
    reach = {"egress_allow": "http://localhost,http://127.0.0.1"}
    async with (
        far(port) as url,
        served(tmp_path / "near", hall, mcp={"far": {"url": url}}, **reach) as near,
        served(tmp_path / "far", Agent(ANNA), **reach) as there,
    ):
        identity = near.host.office.agent("hall")
        assert identity is not None
        assert await there.call(f"{identity.did.text}#add", a=40, b=2) == 42


class Asking(Hostile):
    """Asks how hot it is, and repeats what it is told; keeps what else it is told of a call."""

    def __init__(self, question: dict[str, Any]) -> None:
        self.question = question
        self.meta: dict[str, Any] = {}

    async def weather(self, request: dict[str, Any], receive: Any, send: Send) -> None:
        params = request["params"]
        self.meta = params["_meta"]
        if "inputResponses" not in params:
            asked = {"resultType": "input_required", "inputRequests": {"heat": self.question}, "requestState": "s1"}
            await self.whole(send, answer(request, result=asked))
            return
        assert params["requestState"] == "s1"
        block = {"type": "text", "text": json.dumps(params["inputResponses"]["heat"]["content"])}
        await self.whole(send, answer(request, result={"resultType": "complete", "content": [block]}))


class Person:
    """Answers forms."""

    def __init__(self, content: Any) -> None:
        self.content = content
        self.asked: Questions = {}

    async def ask(self, questions: Questions) -> Answers:
        self.asked = questions
        return {name: {"action": "accept", "content": self.content} for name in questions}

    async def log(self, level: LogLevel, data: Any, topic: str) -> None:
        """Nobody reads it."""


SCHEMA = {"type": "object", "properties": {"celsius": {"type": "number"}}}
FORM = {"method": "elicitation/create", "params": {"mode": "form", "message": "How hot?", "requestedSchema": SCHEMA}}
PAGE = {
    "method": "elicitation/create",
    "params": {"mode": "url", "message": "Pay", "url": "https://x.example", "elicitationId": "1"},
}
MODEL = {"method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 10}}


async def test_a_form_is_passed_on_to_whoever_called_and_its_answer_back() -> None:
    server, person = Asking(FORM), Person({"celsius": 21.5})
    async with app_served(server) as port, connecting({"far": {"url": f"http://127.0.0.1:{port}/mcp"}}) as connector:
        call = outgoing("mcp:far.weather", partner=person, idempotency_key="k1", hops=3, timeout=9.0)
        assert await connector.call(call) == '{"celsius": 21.5}'
        assert [name.rpartition(":")[0] for name in person.asked] == ["mcp:far.weather:heat"]
        assert (server.meta["moothall/idempotencyKey"], server.meta["moothall/hops"]) == ("k1", 3)
        assert 0 < server.meta["moothall/timeout"] <= 9.0
        with pytest.raises(InputRequired):
            await connector.call(outgoing("mcp:far.weather"))
        person.content = {"celsius": {"not": "flat"}}
        with pytest.raises(UpstreamInvalid):
            await connector.call(outgoing("mcp:far.weather", partner=person))


@pytest.mark.parametrize("question", [PAGE, MODEL], ids=["a page", "a model"])
async def test_nothing_but_a_form_is_passed_on(question: dict[str, Any]) -> None:
    person = Person({})
    async with (
        app_served(Asking(question)) as port,
        connecting({"far": {"url": f"http://127.0.0.1:{port}/mcp"}}) as connector,
    ):
        with pytest.raises(InputRequired):
            await connector.call(outgoing("mcp:far.weather", partner=person))
    assert person.asked == {}
