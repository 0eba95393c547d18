"""Resources over MCP: listed to whom they are for, read by their URIs, and watched."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from mcp.shared.subscriptions import ResourceUpdated
from mcp_types import EmptyResult, ResourceUpdatedNotification, SubscribeRequest, UnsubscribeRequest

from moothall import resource
from moothall.capability.decorators import capability
from tests.protocols.http.hall import members
from tests.protocols.mcp.hall import ANNA, Hall, hall

AT = "2025-11-25"


@resource("notes://today", access="public")
def today() -> str:
    """What is noted today."""
    return "nothing"


@resource("notes://{day}/{hour}", "text/markdown", access="public")
def note(day: str, hour: int) -> str:
    """One hour's note."""
    return f"{day} {hour}"


@resource("notes://secret", access="authenticated")
def secret() -> bytes:
    """What is not for everybody."""
    return b"\xff"


@resource("notes://broken", access="public")
def broken() -> str:
    """What fails."""
    raise RuntimeError("SECRET")


@capability(access="public")
def add(a: int, b: int) -> int:
    return a + b


FUNCTIONS = (today, note, secret, broken, add)


async def read(open_: Hall, uri: str, **more: Any) -> dict[str, Any]:
    return dict((await open_.modern("resources/read", {"uri": uri}, **more)).json())


async def test_resources_are_listed_to_whom_they_are_for_and_templates_apart() -> None:
    async with hall(*FUNCTIONS) as open_:
        listed = (await open_.modern("resources/list")).json()["result"]["resources"]
        known = (await open_.modern("resources/list", who=ANNA)).json()["result"]["resources"]
        templates = (await open_.modern("resources/templates/list")).json()["result"]["resourceTemplates"]
        tools = (await open_.modern("tools/list")).json()["result"]["tools"]
    assert [row["uri"] for row in listed] == ["notes://broken", "notes://today"]
    assert {row["uri"]: row["mimeType"] for row in known}["notes://secret"] == "application/octet-stream"
    assert [(row["uriTemplate"], row["mimeType"]) for row in templates] == [("notes://{day}/{hour}", "text/markdown")]
    assert listed[1] == {
        "uri": "notes://today",
        "name": "node.today",
        "title": "today",
        "description": "What is noted today.",
        "mimeType": "text/plain",
    }
    assert [tool["name"] for tool in tools] == ["add"]


async def test_a_resource_is_read_and_the_variables_of_its_uri_are_arguments() -> None:
    async with hall(*FUNCTIONS) as open_:
        plain = (await read(open_, "notes://today"))["result"]["contents"]
        filled = (await read(open_, "notes://a%20b/7"))["result"]["contents"]
        binary = (await read(open_, "notes://secret", who=ANNA))["result"]["contents"]
    assert plain == [{"uri": "notes://today", "mimeType": "text/plain", "text": "nothing"}]
    assert filled == [{"uri": "notes://a%20b/7", "mimeType": "text/markdown", "text": "a b 7"}]
    assert base64.b64decode(binary[0]["blob"]) == b"\xff"


@pytest.mark.parametrize("uri", ["notes://nowhere", "notes://secret"], ids=["unknown", "forbidden"])
async def test_what_is_unknown_and_what_is_forbidden_look_alike(uri: str) -> None:
    async with hall(*FUNCTIONS) as open_:
        newer = (await read(open_, uri))["error"]
        older = (await open_.older("resources/read", {"uri": uri})).json()["error"]
    assert newer == {"code": -32602, "message": "Resource not found", "data": {"uri": uri, "code": "NOT_FOUND"}}
    assert older["code"] == -32002


async def test_an_argument_that_does_not_fit_and_a_failure_are_errors_of_the_protocol() -> None:
    async with hall(*FUNCTIONS) as open_:
        misfit = (await read(open_, "notes://a/noon"))["error"]
        failed = await read(open_, "notes://broken")
    assert (misfit["code"], misfit["data"]["code"]) == (-32602, "VALIDATION_ERROR")
    assert failed["error"]["data"]["code"] == "INTERNAL_ERROR"
    assert "SECRET" not in str(failed)


async def test_who_watches_a_resource_in_a_session_is_told_of_it_and_of_no_other() -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def take(message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            await heard.put(message.params.uri)

    async with hall(*FUNCTIONS, sessions=2) as open_, open_.client("legacy", message_handler=take) as client:
        for uri in ("notes://today", "notes://monday/7"):
            await client.session.send_request(SubscribeRequest(params={"uri": uri}), EmptyResult)
        gone = UnsubscribeRequest(params={"uri": "notes://monday/7"})
        await client.session.send_request(gone, EmptyResult)
        async with asyncio.timeout(8):
            while heard.empty():  # the client opens its stream for such messages when it likes
                for uri in ("notes://monday/7", "notes://secret", "notes://today"):
                    open_.registry.updated(uri)
                await client.list_tools()
        told = {heard.get_nowait() for _ in range(heard.qsize())}
    assert told == {"notes://today"}


async def test_a_client_without_a_session_hears_of_what_it_listens_to_and_may_read() -> None:
    wanted = ["notes://today", "notes://secret"]
    async with (
        hall(*FUNCTIONS) as open_,
        open_.client() as client,
        client.listen(resource_subscriptions=wanted) as changes,
    ):
        for uri in ("notes://secret", "notes://today"):
            open_.registry.updated(uri)
        first = await anext(aiter(changes))
    assert first == ResourceUpdated("notes://today")


async def test_what_may_not_be_read_cannot_be_watched() -> None:
    async with hall(*FUNCTIONS, sessions=2) as open_:
        session = await open_.begin()
        answer = await open_.older("resources/subscribe", {"uri": "notes://secret"}, session=session)
    assert "Resource not found" in answer.text


@resource("log://{year}-{month}-{day}-{hour}/end", access="public")
def log(year: str, month: str, day: str, hour: str) -> str:
    """One hour's log."""
    return f"{year} {month} {day} {hour}"


async def test_a_uri_is_compared_in_one_go_whatever_it_is() -> None:
    async with hall(log) as open_:
        answer = await read(open_, "log://2026-7-28-a-b/end")
        assert answer["result"]["contents"][0]["text"] == "2026 7 28 a-b"
        hostile = await read(open_, "log://" + "-" * 2000 + "!")
        assert hostile["error"]["data"]["code"] == "NOT_FOUND"


async def test_a_uri_that_is_too_long_is_nobodys() -> None:
    async with hall(note) as open_:
        fits, beyond = ("notes://" + "a" * length + "/7" for length in (2038, 2039))
        assert "result" in await read(open_, fits)
        assert (await read(open_, beyond))["error"]["data"]["code"] == "NOT_FOUND"


async def test_a_stream_watches_only_so_many_resources() -> None:
    async with hall(note) as open_, open_.client() as client:
        wanted = [f"notes://a/{hour}" for hour in range(300)]
        async with client.listen(resource_subscriptions=wanted) as heard:
            assert heard.honored.resource_subscriptions == wanted[:256]


async def test_who_may_read_a_resource_no_more_hears_nothing_of_it() -> None:
    @resource("notes://today", access="owner", name="today")
    def today_for_the_owner() -> str:
        """What is noted today."""
        return "secret"

    async with (
        hall(today, note) as open_,
        open_.client() as client,
        client.listen(resource_subscriptions=["notes://today", "notes://a/1"]) as heard,
    ):
        open_.registry.remove("node.today")
        open_.registry.add("node", members([today_for_the_owner]))
        open_.registry.updated("notes://today")
        open_.registry.updated("notes://a/1")
        assert await anext(aiter(heard)) == ResourceUpdated("notes://a/1")
