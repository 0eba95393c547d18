"""One decision at every door: the same key in every refusal, and no trace of what somebody may not see."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio
from websockets.exceptions import ConnectionClosed

from moothall.errors import PermissionDeniedError, ServiceNotFoundError
from tests.doors.house import ANNA, BEN, META, MODERN, Calls, Door, House, Local, house
from tests.doors.refusals import denied, read, rpc, text_of
from tests.doors.socket_door import EVERY, UNPROVED, SocketCaller, WebSocket, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "guarded"
"""What BEN may not call, and ANNA may."""


@pytest.fixture(params=EVERY, ids=lambda door: door.name)
def door(request: pytest.FixtureRequest) -> Door:
    found: Door = request.param
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hidden(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """The same capabilities at a node that conceals what its callers may not call."""
    async with house(tmp_path_factory.mktemp("hidden"), conceal=True) as opened:
        yield opened


async def tools(place: House, who: str) -> str:
    told = {"Accept": "application/json, text/event-stream", "MCP_Protocol_Version": MODERN}
    return await rpc(place, "/mcp", "tools/list", {"_meta": META}, who, Mcp_Method="tools/list", **told)


async def listings(place: House, who: str) -> dict[str, str]:
    """Everything that lists capabilities for a caller, door by door."""
    local = Local().caller(place, who)
    gateway, principal = place.near.host.path, local._principal
    visible = [entry.id for entry in await gateway.visible(principal, "local")]
    return {
        "local": json.dumps(visible),
        "relay.tools": json.dumps(await local.call("local:node.relay.tools")),
        "relay.functions": json.dumps(await local.call("local:node.relay.functions", {"form": "openai"})),
        "http": await read(place, "/api/v1/capabilities", who),
        "mcp": await tools(place, who),
        "a2a": await rpc(place, "/agents/hall/a2a", "GetExtendedAgentCard", {}, who, A2A_Version="1.0"),
        "anp description": await read(place, "/agents/hall/ad.json", who),
        "anp interface": await read(place, "/agents/hall/interface.json", who),
        "openapi": await read(place, "/openapi.json", who),
        **await catalogues(local, place, who),
    }


async def catalogues(local: Calls, place: House, who: str) -> dict[str, str]:
    """What finds capabilities by their meaning, and by whatever it may be called, for a caller."""
    discover = {"action": "discover", "parameters": {"size": 100}}
    search = {"action": "search", "query": "add numbers, for those who may", "parameters": {"limit": 100}}
    socket = WebSocket()
    return {
        "search": text_of(await local.call("local:node.search", {"limit": 100})),
        "search over websocket": text_of(
            await socket.caller(place, who).call(socket.target(place, "search", "node"), {"limit": 100})
        ),
        "ard": await searched(place, "add numbers, for those who may", who),
        "crawler discovers": text_of(await local.call("local:node.unified_crawler", discover)),
        "crawler searches": text_of(await local.call("local:node.unified_crawler", search)),
        "manager lists": text_of(await local.call("local:node.resource_manager", {"action": "list"})),
    }


async def searched(place: House, words: str, who: str) -> str:
    """The answer of ``POST /search``."""
    body = json.dumps({"query": {"text": words}, "pageSize": 100}).encode()
    session = place.far.host.office.session(who)
    kind = {"Content-Type": "application/json"}
    answer = await session.request("POST", f"{place.near.url}/search", content=body, headers=kind)
    assert answer.status == 200
    return answer.body.decode()


async def test_a_denied_call_has_the_same_decision_at_every_door(place: House) -> None:
    keys = {}
    for door in EVERY:
        error = await denied(place, door, SECRET)
        assert isinstance(error, PermissionDeniedError)
        keys[door.name] = error.details["decision"]
    assert str(keys["local"]).startswith("sha-256:")
    assert set(keys.values()) == {keys["local"]}, keys


async def test_another_caller_and_another_capability_have_other_decisions(place: House, door: Door) -> None:
    by_ben = (await denied(place, door, SECRET)).details["decision"]
    assert (await denied(place, door, "owned")).details["decision"] != by_ben
    assert (await denied(place, door, "owned", ANNA)).details["decision"] != by_ben


async def test_a_stranger_hears_nothing_of_a_decision(place: House) -> None:
    for path, body in (
        (f"/api/v1/capabilities/hall.{SECRET}", {}),
        ("/agents/hall/rpc", {"jsonrpc": "2.0", "id": 1, "method": SECRET, "params": {}}),
    ):
        answer = await place.client.post(path, json=body)
        assert answer.status_code == 401
        assert "sha-256:" not in answer.text
        assert "decision" not in answer.text


async def test_a_stranger_at_a_websocket_hears_the_same_whatever_it_asks_for(place: House) -> None:
    ends = []
    for target in (f"hall.{SECRET}", "hall.guarder", "hall.add"):
        heard = []
        async with opened(place, "") as link:
            with suppress(ConnectionClosed):
                await link.send(json.dumps({"type": "call", "id": "1", "target": target}))
                while True:
                    heard.append(await link.recv())
            ends.append((heard, link.close_code, link.close_reason))
    assert ends == [([], UNPROVED, "Authentication failed")] * 3


async def test_what_one_may_not_call_stands_in_no_listing_and_no_card(place: House) -> None:
    mine, others = await listings(place, ANNA), await listings(place, BEN)
    for name in mine:
        assert SECRET in mine[name], name
        assert SECRET not in others[name], name
        assert "add" in others[name], name


async def test_who_proves_nothing_reads_of_what_whoever_proves_it_may_call(place: House) -> None:
    for path in ("/agents/hall/ad.json", "/agents/hall/interface.json", "/openapi.json"):
        told = (await place.client.get(path)).text
        assert '"who"' in told or "who," in told or ".who" in told, path
        assert SECRET not in told, path
        assert "owned" not in told, path


async def test_a_name_close_to_what_one_may_not_call_is_no_hint(place: House, door: Door) -> None:
    error = await denied(place, door, "guarde")
    assert isinstance(error, ServiceNotFoundError)
    assert "guarded" not in f"{error} {error.why} {error.details} {error.told}"


async def test_where_denials_are_concealed_one_is_answered_as_if_there_were_no_such_thing(
    hidden: House, door: Door
) -> None:
    there, nobody = await denied(hidden, door, SECRET), await denied(hidden, door, "guarder")
    assert isinstance(there, ServiceNotFoundError)
    assert (there.code, there.message, there.told and there.told.why) == (
        nobody.code,
        nobody.message,
        nobody.told and nobody.told.why,
    )
    assert there.details.keys() == nobody.details.keys()
    assert SECRET not in f"{there} {there.details} {there.told}"
    assert await door.caller(hidden, ANNA).call(door.target(hidden, SECRET)) == "welcome"


async def test_where_denials_are_concealed_listings_show_no_more(hidden: House) -> None:
    others = await listings(hidden, BEN)
    assert not [name for name, told in others.items() if SECRET in told]


def calls(name: str) -> dict[str, tuple[str, Any, dict[str, str]]]:
    """A call of the hall's capability at every door that is reached over the net: path, body, headers."""
    tool = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    parts = [{"data": {"skill": name, "arguments": {}}}]
    sent = {"message": {"messageId": "m-1", "role": "ROLE_USER", "parts": parts}}
    mcp = {"Mcp-Method": "tools/call", "Mcp-Name": f"hall.{name}", "MCP-Protocol-Version": MODERN}
    mcp["Accept"] = "application/json, text/event-stream"
    return {
        "http": (f"/api/v1/capabilities/hall.{name}", {}, {}),
        "mcp": ("/mcp", {**tool, "params": {"name": f"hall.{name}", "arguments": {}, "_meta": META}}, mcp),
        "a2a": (
            "/agents/hall/a2a",
            {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": sent},
            {"A2A-Version": "1.0"},
        ),
        "a2a rest": ("/agents/hall/a2a/v1/message:send", sent, {"A2A-Version": "1.0"}),
        "anp": ("/agents/hall/rpc", {"jsonrpc": "2.0", "id": 1, "method": name, "params": {}}, {}),
    }


def answered(status: int, headers: Mapping[str, str], text: str, name: str) -> tuple[int, dict[str, str], str]:
    """An answer without what differs from one request to the next, the name, and names like it."""
    own = {"date", "x-request-id", "x-processing-time", "authentication-info", "content-length"}
    told = {key.lower(): value for key, value in headers.items()}
    once = re.compile(
        r'nonce="[^"]+"|"nonce":\s*"[^"]+"|"(request_id|requestId|timestamp)":\s*"[^"]+"'
        r'|there are [^"\\]*|"similar":\[[^\]]*\]'
    )
    return (
        status,
        {key: once.sub("", value) for key, value in sorted(told.items()) if key not in own},
        once.sub("", text).replace(name, "NAME"),
    )


async def unproved(place: House, at: str, name: str) -> tuple[int, dict[str, str], str]:
    path, body, headers = calls(name)[at]
    answer = await place.client.post(path, json=body, headers=headers)
    return answered(answer.status_code, answer.headers, answer.text, name)


async def proved(place: House, at: str, name: str) -> tuple[int, dict[str, str], str]:
    path, body, headers = calls(name)[at]
    session = place.far.host.office.session(BEN)
    told = {"Content-Type": "application/json", **headers}
    answer = await session.request("POST", f"{place.near.url}{path}", content=json.dumps(body).encode(), headers=told)
    return answered(answer.status, dict(answer.headers), answer.body.decode(), name)


AT = tuple(calls(""))


async def over_a_websocket(place: House, kind: str, name: str) -> list[str]:
    """All that a session says of a call, without what differs from one to the next, the name, and names like it."""
    once = re.compile(r'"(request_id|timestamp)":"[^"]*",?|there are [^"\\]*|"similar":\[[^\]]*\]')
    frames = [frame async for frame in SocketCaller(place, BEN).told(kind, f"hall.{name}", {})]
    return [once.sub("", json.dumps(each, separators=(",", ":"))).replace(name, "NAME") for each in frames]


@pytest.mark.parametrize("kind", ["call", "stream"])
async def test_where_denials_are_concealed_a_session_says_of_it_what_it_says_of_a_missing_name(
    hidden: House, kind: str
) -> None:
    assert await over_a_websocket(hidden, kind, SECRET) == await over_a_websocket(hidden, kind, "guarder")


@pytest.mark.parametrize("at", AT)
async def test_where_denials_are_concealed_who_proves_nothing_is_asked_for_a_proof_whatever_the_name(
    hidden: House, at: str
) -> None:
    there, nobody = await unproved(hidden, at, SECRET), await unproved(hidden, at, "guarder")
    assert there == nobody
    assert there[0] == 401
    assert "www-authenticate" in there[1]


@pytest.mark.parametrize("at", AT)
async def test_where_denials_are_concealed_status_headers_and_body_are_those_of_a_missing_name(
    hidden: House, at: str
) -> None:
    assert await proved(hidden, at, SECRET) == await proved(hidden, at, "guarder")


async def test_the_version_of_a_capability_is_told_to_whom_was_let_in_alone(place: House) -> None:
    assert "x-api-version" not in (await unproved(place, "http", SECRET))[1]
    assert "x-api-version" not in (await proved(place, "http", SECRET))[1]
    assert "x-api-version" in (await unproved(place, "http", "add"))[1]
