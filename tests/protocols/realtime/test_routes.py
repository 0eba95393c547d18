"""The same capabilities over every way in, WebSocket among them."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from moothall.calls.ports import CallFacts
from moothall.calls.reply import Progress
from moothall.calls.target import Target
from moothall.identity.principal import OWNER
from moothall.identity.signing import sign_request
from tests.doors.house import ANNA, BEN, DOORS, A2a, Door, House, Http, Mcp, called, house, poured, reporting
from tests.protocols.realtime.town import SOCKET, Socket

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rooms(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


async def over_websocket(place: House, who: str, **frame: object) -> list[dict[str, object]]:
    """What a session answers to one frame, up to its result."""
    identity = place.far.host.office.agent(who)
    assert identity is not None
    url = f"{place.near.url}{SOCKET}"
    signed = sign_request(identity.signer, "GET", url, b"", now=int(time.time()))
    async with connect(f"ws{url.removeprefix('http')}", additional_headers=signed, proxy=None) as link:
        socket = Socket(link)
        await socket.send(id="1", **frame)
        told = []
        while not told or told[-1]["type"] != "result":
            told.append(await socket.next("item", "progress", "result"))
        return told


@pytest.mark.requirement("DEC-40")
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
async def test_without_the_permission_a_call_is_refused_on_every_route(rooms: House, door: Door) -> None:
    assert (await called(rooms, door, "guarded", who=BEN)).code == "PERMISSION_DENIED"
    assert (await called(rooms, door, "guarded", who=ANNA)).value == "welcome"


@pytest.mark.requirement("DEC-40")
async def test_and_over_websocket(rooms: House) -> None:
    (refused,) = await over_websocket(rooms, BEN, type="call", target="hall.guarded")
    assert refused["success"] is False
    assert json.loads(json.dumps(refused["error"]))["code"] == "PERMISSION_DENIED"
    (made,) = await over_websocket(rooms, ANNA, type="call", target="hall.guarded")
    assert made["data"] == "welcome"


@pytest.mark.requirement("RTC-06")
@pytest.mark.parametrize("door", [Http(), A2a()], ids=lambda door: door.name)
async def test_the_values_of_a_generator_come_one_by_one_over_events_and_tasks(rooms: House, door: Door) -> None:
    assert (await poured(rooms, door, "count", {"to": 3})).value == [0, 1, 2]


@pytest.mark.requirement("RTC-06")
async def test_over_mcp_they_are_told_as_progress(rooms: House) -> None:
    told: list[Progress] = []
    facts = CallFacts(door="local", principal=OWNER, agent=ANNA, report=reporting(told))
    reply = await rooms.far.host.path.call(Target.parse(Mcp().target(rooms, "count")), {"to": 3}, facts)
    assert reply.data == [0, 1, 2]
    assert [json.loads(progress.message) for progress in told if progress.message] == [0, 1, 2]


@pytest.mark.requirement("RTC-06")
async def test_over_websocket_they_come_one_by_one(rooms: House) -> None:
    told = await over_websocket(rooms, ANNA, type="stream", target="hall.count", params={"to": 3})
    assert [frame.get("value") for frame in told[:-1]] == [0, 1, 2]
    assert told[-1]["success"] is True
