"""The A2A client of a whole node, against another node and against services under names of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from moothall import Agent, Node
from moothall.calls.call import LOCAL
from moothall.calls.ports import CallFacts
from moothall.calls.reply import Item, Progress
from moothall.calls.target import Target
from moothall.capability import capability
from moothall.capability.context import CallContext
from moothall.capability.questions import Answers, Form, LogLevel, Question, Questions
from moothall.errors import PermissionDeniedError, ServiceNotFoundError, ValidationError
from moothall.identity.principal import OWNER
from tests.doors.doubles import JsonService, lead_to, serving
from tests.doors.house import served

pytestmark = pytest.mark.asyncio(loop_scope="module")
BEGAN, LEFT = asyncio.Event(), asyncio.Event()


@capability(access="public")
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@capability(access="public")
async def count(to: int) -> AsyncIterator[int]:
    """Count."""
    for number in range(to):
        yield number


@capability(access="public")
async def far_away(ctx: CallContext) -> str:
    """Tell how far it is."""
    await ctx.progress(1, 2, "half way")
    return "there"


@capability(access="authenticated")
async def who(ctx: CallContext) -> str:
    """Tell who asks."""
    return ctx.principal.id


@capability(access="public")
async def wait() -> None:
    """Wait for ever."""
    BEGAN.set()
    try:
        await asyncio.Event().wait()
    finally:
        LEFT.set()


@capability(access="authenticated")
async def greet(ctx: CallContext) -> AsyncIterator[str]:
    """Greet whoever is named."""
    yield "well"
    answers = await ctx.ask({"name": Form("Who?", {"type": "object", "properties": {"name": {"type": "string"}}})})
    yield answers["name"]["content"]["name"]


class Person:
    """A partner that says who it is."""

    def __init__(self) -> None:
        self.asked: list[Question] = []

    async def ask(self, questions: Questions) -> Answers:
        self.asked += questions.values()
        return {name: {"action": "accept", "content": {"name": "Bob"}} for name in questions}

    async def log(self, level: LogLevel, data: Any, topic: str) -> None: ...


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def nodes(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Node, Node]]:
    data = tmp_path_factory.mktemp("nodes")
    async with served(data / "far", Agent("hall", add, count, far_away, who, wait, greet)) as far:
        named = {name: {"url": f"{far.url}/agents/hall"} for name in ("hall", "counted")}
        async with served(data / "near", a2a=named) as near:
            yield near, far


@pytest.fixture
def near(nodes: tuple[Node, Node]) -> Node:
    return nodes[0]


@pytest.fixture
def far(nodes: tuple[Node, Node]) -> Node:
    return nodes[1]


@pytest.mark.requirement("CAL-06", "TPL-30")
async def test_another_node_is_called_by_a_name_of_the_file(near: Node, far: Node) -> None:
    assert await near.caller().call("a2a:hall#add", a=2**53, b=-1) == 2**53 - 1
    assert [value async for value in near.caller().stream("a2a:hall#count", to=3)] == [0, 1, 2]
    assert await near.caller().call("a2a:hall#count", to=1) == [0]
    signer = near.host.office.agent("node")
    assert signer is not None
    assert await near.caller().call("a2a:hall#who") == signer.did.text
    with pytest.raises(ValidationError):
        await near.caller().call("a2a:hall#add", a="x", b=1)
    with pytest.raises(ServiceNotFoundError):
        await near.caller().call("a2a:hall#missing")
    described = await near.caller().call("a2a:hall")
    vouches = far.host.office.agent("hall")
    assert vouches is not None
    assert (described["signature"], described["signed_by"]) == ("signed", vouches.did.text)
    added = next(skill for skill in described["skills"] if skill["id"] == "add")
    assert added["input_schema"]["properties"]["a"]["type"] == "integer"


async def test_progress_there_is_told_here(near: Node) -> None:
    path = near.host.path
    admitted = await path.admit(Target.parse("a2a:hall#far_away"), CallFacts(door=LOCAL, principal=OWNER))
    seen = [chunk async for chunk in path.stream(admitted, {})]
    assert Progress(1.0, 2.0, "half way") in seen


@pytest.mark.parametrize("key", [None, "once"])
async def test_what_a_task_there_asks_is_asked_here(near: Node, key: str | None) -> None:
    path, person = near.host.path, Person()
    facts = CallFacts(door=LOCAL, principal=OWNER, partner=person, idempotency_key=key)
    admitted = await path.admit(Target.parse("a2a:hall#greet"), facts)
    reply = await path.run(admitted, {})
    assert (reply.error, reply.data) == (None, ["well", "Bob"])
    (asked,) = person.asked
    assert isinstance(asked, Form)
    assert asked.message == "Who?"


async def test_a_stream_gives_each_value_once_whatever_is_asked_in_between(near: Node) -> None:
    facts = CallFacts(door=LOCAL, principal=OWNER, partner=Person())
    admitted = await near.host.path.admit(Target.parse("a2a:hall#greet"), facts)
    seen = [chunk async for chunk in near.host.path.stream(admitted, {})]
    assert [chunk.value for chunk in seen if isinstance(chunk, Item)] == ["well", "Bob"]


async def test_a_stream_there_that_gives_nothing_is_an_empty_list_here(near: Node) -> None:
    assert await near.caller().call("a2a:hall#count", to=0) == []
    assert [value async for value in near.caller().stream("a2a:hall#count", to=0)] == []


@pytest.mark.requirement("TPL-20")
async def test_a_call_that_is_given_up_ends_the_work_there(near: Node) -> None:
    BEGAN.clear()
    LEFT.clear()
    calling = asyncio.ensure_future(near.caller().call("a2a:hall#wait"))
    await BEGAN.wait()
    calling.cancel()
    await asyncio.wait([calling])
    await asyncio.wait_for(LEFT.wait(), 10)


@pytest.mark.requirement("TPL-25")
async def test_the_figures_of_the_node_have_the_endpoint(near: Node) -> None:
    for _ in range(3):
        await near.caller().call("a2a:counted#add", a=1, b=1)
    async with httpx.AsyncClient(base_url=near.url, trust_env=False) as client:
        shown = (await client.get("/metrics")).text
    assert 'outgoing_latency_seconds_count{endpoint="a2a:counted"} 3.0' in shown


@pytest.mark.requirement("CAL-06", "WIRE-NET-03")
async def test_a_plain_address_works_when_it_is_listed_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = JsonService(lambda host, params: f"{params['item']} at {host}")
    async with serving(service) as url:
        lead_to(monkeypatch, url, "api.service.com", "other.service.com")
        async with served(tmp_path / "node", egress_allow="http://localhost,http://api.service.com") as node:
            value = await node.caller().call("a2a:http://api.service.com", item="pen")
            assert value == "pen at api.service.com"
            with pytest.raises(PermissionDeniedError):
                await node.caller().call("a2a:http://other.service.com", item="pen")
    assert [call["method"] for _, call in service.asked] == ["execute"]
