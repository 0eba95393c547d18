"""The door of real time as one of the doors: calls over a WebSocket, each over one of its own."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from moothall.errors import MoothallError
from moothall.identity.signing import sign_request
from moothall.protocols.failures import remote_error
from tests.doors.house import ANNA, DOORS, Calls, Door, House, Remote

PATH = "/realtime/socket"
UNPROVED = 4001
"""How a WebSocket is closed that nobody has proved to be theirs."""


@asynccontextmanager
async def opened(place: House, who: str) -> AsyncIterator[ClientConnection]:
    """A WebSocket whose upgrade somebody has signed; nobody has where `who` is empty."""
    url, headers = f"{place.near.url}{PATH}", {}
    if who:
        identity = place.far.host.office.agent(who)
        assert identity is not None
        headers = sign_request(identity.signer, "GET", url, b"", now=int(time.time()))
    async with connect(f"ws{url.removeprefix('http')}", additional_headers=headers, proxy=None) as link:
        yield link


class SocketCaller:
    """Calls over WebSockets as one of the second node's agents."""

    def __init__(self, place: House, who: str) -> None:
        self._place, self._who = place, who

    async def told(self, kind: str, target: str, params: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """The frames that answer one call, as they come."""
        async with opened(self._place, self._who) as link:
            await link.send(json.dumps({"type": kind, "id": "1", "target": target, "params": dict(params)}))
            while True:
                frame: dict[str, Any] = json.loads(await link.recv())
                if frame.get("id") == "1":
                    yield frame
                if frame["type"] == "result":
                    return

    async def call(self, target: str, params: Mapping[str, Any] = {}, /, **_more: Any) -> Any:
        (*_, last) = [frame async for frame in self.told("call", target, params)]
        return value_of(last)

    async def stream(self, target: str, params: Mapping[str, Any] = {}, /, **_more: Any) -> AsyncIterator[Any]:
        async for frame in self.told("stream", target, params):
            if frame["type"] == "item":
                yield frame["value"]
            elif frame["type"] == "result":
                value_of(frame)


class WebSocket(Remote):
    name = "websocket"

    def caller(self, house: House, who: str) -> Calls:
        return SocketCaller(house, who)

    def target(self, house: House, name: str, agent: str = "hall") -> str:
        return f"{agent}.{name}"

    async def raw(self, house: House, name: str, arguments: bytes, kind: str, who: str = ANNA) -> str:
        frame = b'{"type":"call","id":"1","target":"hall.%b","params":%b}' % (name.encode(), arguments)
        async with opened(house, who) as link:
            with suppress(ConnectionClosed):
                await link.send(frame.decode())
                while (answer := json.loads(await link.recv()))["type"] != "result":
                    pass
                return "ok" if answer["success"] else str(answer["error"]["code"])
            assert link.close_code == UNPROVED
        return "UNAUTHENTICATED"


def value_of(result: Mapping[str, Any]) -> Any:
    """The value in a result; raises its error as other doors' clients do."""
    if result["success"]:
        return result["data"]
    raise failure_of(result["error"])


def failure_of(error: Mapping[str, Any]) -> MoothallError:
    return remote_error(error["code"], error.get("details"))


EVERY: tuple[Door, ...] = (*DOORS, WebSocket())
"""The doors, and that of real time, which no target names."""
