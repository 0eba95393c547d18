"""What a declaration says, as it is seen from outside: where the work is done, which kind it is, what it is about."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from moothall import Agent, capability
from moothall.capability.options import OptionError
from moothall.capability.plugins import SOURCES
from moothall.node import Node
from tests.doors.doubles import JsonService, mcp_server, serving
from tests.doors.house import ANNA, META, MODERN, served


def price(item: str) -> str:
    """Tell a price."""
    return f"mcp: {item}"


@capability(access="public", read_only=True)
def origin(item: str) -> str:
    """Tell where a thing comes from."""
    return f"did: {item}"


@pytest.mark.requirement("DEC-12")
async def test_each_source_is_an_engine_of_its_own(tmp_path: Path) -> None:
    service = JsonService(lambda _, params: f"a2a: {params['item']}")
    async with (
        mcp_server("shop", price) as shop,
        serving(service) as endpoint,
        served(tmp_path / "far", Agent("customs", origin)) as far,
        served(tmp_path / "near", mcp={"shop": {"url": shop}}) as near,
    ):
        customs = far.host.office.did("customs")
        assert customs is not None

        @capability
        def by_default(item: str) -> str:
            return f"local: {item}"

        @capability(source="local")
        def local(item: str) -> str:
            return f"local: {item}"

        @capability(source="mcp", server="shop", method="price")
        def mcp(item: str) -> str:  # type: ignore[empty-body]
            """Tell a price."""

        @capability(source="a2a", endpoint=endpoint)
        def a2a(item: str) -> str:  # type: ignore[empty-body]
            """Ask an agent."""

        @capability(source="did", did=customs, method="origin")
        def did(item: str) -> str:  # type: ignore[empty-body]
            """Ask whom the name names."""

        @capability(read_only=True)
        def tune_a_violin(item: str) -> str:
            """调小提琴 tune a violin"""
            return f"auto: {item}"

        @capability(source="auto")
        def auto(item: str) -> str:  # type: ignore[empty-body]
            """tune a violin"""

        declared = (local, mcp, a2a, did, auto)
        near.include(by_default, tune_a_violin, *declared)
        assert await near.call("local:by_default", item="tea") == "local: tea"
        for function in declared:
            name = function.__name__
            assert await near.call(f"local:{name}", item="tea") == f"{name}: tea"
        assert len(service.asked) == 1


@pytest.mark.requirement("DEC-12", "DEC-07")
def test_a_source_or_template_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(OptionError) as source:
        capability(source="telepathy")(price)
    for name in ("local", "mcp", "a2a", "did", "llm", "auto"):
        assert name in SOURCES.names()
        assert name in str(source.value)
    with pytest.raises(OptionError) as template:
        capability(template="telepathy")(price)
    for name in ("api", "message", "group", "mcp", "a2a"):
        assert name in str(template.value)


@capability(access="authenticated", tags=["ai", "nlp"])
def digest(text: str) -> str:
    """Make a text short."""
    return text[:3]


@capability(permissions=["read"], tags=["ledger"])
def books() -> str:
    """For those who may."""
    return "kept"


@capability(access="authenticated")
def untagged() -> str:
    """About nothing."""
    return ""


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[Node, Node]]:
    async with (
        served(tmp_path / "far", Agent(ANNA)) as far,
        served(tmp_path / "near", Agent("reader", digest, books, untagged)) as near,
    ):
        yield near, far


async def tools(near: Node, far: Node) -> dict[str, Any]:
    """The tools that anna is listed over MCP."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}}
    told = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    told |= {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/list"}
    session = far.host.office.session(ANNA)
    answer = await session.request("POST", f"{near.url}/mcp", content=json.dumps(body).encode(), headers=told)
    text = answer.body.decode()
    message = json.loads(text.partition("data: ")[2].partition("\n")[0] if text.startswith("event:") else text)
    return {tool["name"]: tool for tool in message["result"]["tools"]}


@pytest.mark.requirement("DEC-30")
async def test_a_tag_finds_a_capability_and_stands_wherever_it_is_described(pair: tuple[Node, Node]) -> None:
    near, far = pair
    for tag in ("ai", "nlp", "NLP"):
        hits = (await near.call("local:search", tags=[tag], kinds=["capability"])).hits
        assert [hit.target for hit in hits] == ["local:reader.digest"], tag
    listed = await tools(near, far)
    assert listed["reader_digest"]["_meta"] == {"moothall/tags": ["ai", "nlp"]}
    assert "_meta" not in listed["reader_untagged"]
    for form, of in (("mcp", lambda tool: tool["_meta"]["moothall/tags"]), ("a2a", lambda tool: tool["tags"])):
        (found,) = (
            tool
            for tool in await near.call("local:relay.functions", form=form)
            if "reader_digest" in (tool.get("name"), tool.get("id"))
        )
        assert of(found) == ["ai", "nlp"]
    session = far.host.office.session(ANNA)
    description = json.loads((await session.request("GET", f"{near.url}/agents/reader/ad.json")).body)
    assert description["tags"] == ["ai", "nlp"]
    interface = json.loads((await session.request("GET", f"{near.url}/agents/reader/interface.json")).body)
    (method,) = (method for method in interface["methods"] if method["name"] == "digest")
    assert method["tags"] == [{"name": "ai"}, {"name": "nlp"}]


@pytest.mark.requirement("DEC-30")
async def test_a_tag_of_what_one_may_not_call_is_no_tag_for_one(pair: tuple[Node, Node]) -> None:
    near, far = pair
    session = far.host.office.session(ANNA)
    for path in ("/agents/reader/ad.json", "/agents/reader/interface.json", "/openapi.json"):
        assert b"ledger" not in (await session.request("GET", f"{near.url}{path}")).body
        async with httpx.AsyncClient(base_url=near.url, trust_env=False) as stranger:
            assert "ledger" not in (await stranger.get(path)).text
    assert "ledger" not in json.dumps(await tools(near, far))
    assert (await near.call("local:search", tags=["ledger"], kinds=["capability"])).total == 1
    theirs = near.caller(principal=near.host._caller(str(far.host.office.did(ANNA))))
    assert (await theirs.call("local:search", tags=["ledger"])).total == 0
