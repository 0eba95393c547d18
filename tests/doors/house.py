"""Two served nodes, and the ways from the second to the capabilities of the first.

A door is a way to name them; everything else a test says once.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

from moothall import Agent, Node
from moothall.calls.caller import UnifiedCaller
from moothall.calls.ports import Report
from moothall.calls.reply import Progress
from moothall.errors import MoothallError
from moothall.identity.principal import ANONYMOUS, Principal
from moothall.server.run import Address, bind, serve_on
from moothall.settings import Settings
from tests.doors.capabilities import hall

ANNA, BEN = "anna", "ben"
"""Agents of the second node; the first one grants anna everything that is asked for, and ben nothing."""

GRANTED = ("read", "write")

MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


@asynccontextmanager
async def served(data: Path, *agents: Agent, at: socket.socket | None = None, **settings: Any) -> AsyncIterator[Node]:
    """A node with agents behind an HTTP server on a free port, or on one that is bound already."""
    with at or bind("127.0.0.1", 0) as listener:
        values = {"data": data, "demo_agents": False, "egress_allow": "http://localhost", **settings}
        node = Node(Settings(**values))
        node.listen_on(listener.getsockname()[1])
        node.add(*agents)
        async with node:
            ready: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
            stop = asyncio.Event()
            serving = asyncio.create_task(
                serve_on(listener, node.app(), host="127.0.0.1", on_ready=ready.set_result, stop=stop)
            )
            await ready
            try:
                yield node
            finally:
                stop.set()
                await serving


@dataclass
class Outcome:
    """How a call ended: its value, or the code of its error and all that it says."""

    value: Any = None
    code: str = "ok"
    said: str = ""


@dataclass
class House:
    """The node with the capabilities, the node that calls, and a client without identity."""

    near: Node
    far: Node
    client: httpx.AsyncClient

    def did(self, agent: str) -> str:
        identity = self.near.host.office.agent(agent) or self.far.host.office.agent(agent)
        assert identity is not None
        return identity.did.text


@asynccontextmanager
async def house(folder: Path, *more: Any, **settings: Any) -> AsyncIterator[House]:
    """Open both nodes; the first one's hall has more capabilities, and the settings are its own."""
    with bind("127.0.0.1", 0) as listener:
        url = f"http://localhost:{listener.getsockname()[1]}"
        reach = {
            "mcp": {"near": {"url": f"{url}/mcp", "auth": "did"}},
            "a2a": {
                alias: {"url": f"{url}/agents/{agent}/.well-known/agent-card.json", "profile": "a2a"}
                for alias, agent in (("near", "hall"), ("node", "node"))
            },
        }
        async with served(folder / "far", Agent(ANNA), Agent(BEN), **reach) as far:
            anna = far.host.office.agent(ANNA)
            assert anna is not None
            granted = {anna.did.text: GRANTED}
            async with (
                served(folder / "near", hall(*more), at=listener, permissions=granted, **settings) as near,
                httpx.AsyncClient(base_url=near.url, trust_env=False, timeout=20) as client,
            ):
                near.host.capabilities.disable("hall.retired")
                yield House(near, far, client)


class Calls(Protocol):
    """What calls; `UnifiedCaller` is one."""

    async def call(self, target: str, params: Mapping[str, Any] = ..., /, **more: Any) -> Any:
        """The value of a call. Raises MoothallError."""
        ...

    def stream(self, target: str, params: Mapping[str, Any] = ..., /, **more: Any) -> AsyncIterator[Any]:
        """Its values one by one. Raises MoothallError."""
        ...


class Door(Protocol):
    """A way to the capabilities of the first node."""

    name: str
    bytes: bool
    """Whether requests are bytes, which can be malformed or too many."""
    streams: bool
    """Whether values arrive one by one, or all at the end."""

    def caller(self, house: House, who: str) -> Calls:
        """What calls as one of the second node's agents."""
        ...

    def target(self, house: House, name: str, agent: str = "hall") -> str:
        """The target of a capability of the hall, or of the node itself."""
        ...

    async def raw(self, house: House, name: str, arguments: bytes, kind: str, who: str = ANNA) -> str:
        """Send arguments as they are, signed by somebody unless `who` is empty; the code of the answer."""
        ...

    async def unproved(self, house: House, name: str) -> str:
        """Call without proof; the code of the answer."""
        ...


class Local:
    """In the process of the first node, as the principal that a proof would have made."""

    name = "local"
    bytes = False
    streams = True

    def caller(self, house: House, who: str) -> UnifiedCaller:
        permissions = frozenset(GRANTED if who == ANNA else ())
        principal = Principal(id=house.did(who), kind="did", binding="request", permissions=permissions)
        return UnifiedCaller(house.near.host.path, principal)

    def target(self, house: House, name: str, agent: str = "hall") -> str:
        return f"local:{agent}.{name}"

    async def raw(self, house: House, name: str, arguments: bytes, kind: str, who: str = ANNA) -> str:
        raise NotImplementedError

    async def unproved(self, house: House, name: str) -> str:
        reply = await UnifiedCaller(house.near.host.path, ANONYMOUS).try_call(self.target(house, name))
        return "ok" if reply.error is None else reply.error.envelope_code


class Remote:
    """From the second node, signed by one of its agents."""

    bytes = True
    streams = True

    def caller(self, house: House, who: str) -> UnifiedCaller:
        return house.far.caller(who)

    async def raw(self, house: House, name: str, arguments: bytes, kind: str, who: str = ANNA) -> str:
        raise NotImplementedError

    async def unproved(self, house: House, name: str) -> str:
        return await self.raw(house, name, b"{}", "application/json", "")

    async def post(
        self, house: House, path: str, body: bytes, kind: str, who: str, more: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Status and text of the answer."""
        headers = {"Content-Type": kind, **(more or {})}
        if who:
            session = house.far.host.office.session(who)
            answer = await session.request("POST", f"{house.near.url}{path}", content=body, headers=headers)
            status, text = answer.status, answer.body.decode()
        else:
            plain = await house.client.post(path, content=body, headers=headers)
            status, text = plain.status_code, plain.text
        assert "SECRET" not in text
        return status, text


class Http(Remote):
    name = "http"

    def target(self, house: House, name: str, agent: str = "hall") -> str:
        return f"{house.near.url}/api/v1/capabilities/{agent}.{name}"

    async def raw(self, house: House, name: str, arguments: bytes, kind: str, who: str = ANNA) -> str:
        status, text = await self.post(house, f"/api/v1/capabilities/hall.{name}", arguments, kind, who)
        envelope = json.loads(text)
        assert envelope.get("status_code", 200) == status
        return "ok" if envelope["success"] else str(envelope["error"]["code"])


class Anp(Remote):
    name = "anp"

    def target(self, house: House, name: str, agent: str = "hall") -> str:
        return f"{house.did(agent)}#{name}"

    async def raw(self, house: House, name: str, arguments: bytes, kind: str, who: str = ANNA) -> str:
        call = b'{"jsonrpc":"2.0","id":1,"method":%b,"params":%b}' % (json.dumps(name).encode(), arguments)
        status, text = await self.post(house, "/agents/hall/rpc", call, kind, who)
        return "UNAUTHENTICATED" if status == 401 else code_of(json.loads(text))


class Mcp(Remote):
    name = "mcp"
    streams = False

    def target(self, house: House, name: str, agent: str = "hall") -> str:
        return f"mcp:near.{name.replace('.', '_')}" if agent == "node" else f"mcp:near.{agent}_{name}"

    async def raw(self, house: House, name: str, arguments: bytes, kind: str, who: str = ANNA) -> str:
        tool = f"hall_{name}"
        call = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%b,"arguments":%b,"_meta":%b}}' % (
            json.dumps(tool).encode(),
            arguments,
            json.dumps(META).encode(),
        )
        told = {
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": tool,
        }  # fmt: skip
        status, text = await self.post(house, "/mcp", call, kind, who, told)
        message = json.loads(text.partition("data: ")[2].partition("\n")[0] if text.startswith("event:") else text)
        if status == 401:
            return "UNAUTHENTICATED"
        if message.get("result", {}).get("isError"):
            return str(json.loads(message["result"]["content"][0]["text"])["error"]["code"])
        return code_of(message)


class A2a(Remote):
    name = "a2a"

    def target(self, house: House, name: str, agent: str = "hall") -> str:
        return f"a2a:{'node' if agent == 'node' else 'near'}#{name}"

    async def raw(self, house: House, name: str, arguments: bytes, kind: str, who: str = ANNA) -> str:
        part = b'{"data":{"skill":%b,"arguments":%b}}' % (json.dumps(name).encode(), arguments)
        message = b'{"messageId":"%b","role":"ROLE_USER","parts":[%b]}' % (secrets.token_hex(8).encode(), part)
        call = b'{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":%b}}' % message
        status, text = await self.post(house, "/agents/hall/a2a", call, kind, who, {"A2A-Version": "1.0"})
        answer = json.loads(text)
        if status == 401:
            return "UNAUTHENTICATED"
        if "error" in answer:
            return next(str(each["value"]["code"]) for each in answer["error"]["data"] if "value" in each)
        told = answer["result"]["task"]["status"]
        parts = told.get("message", {}).get("parts", [])
        errors = [part["data"]["error"]["code"] for part in parts if "error" in part.get("data", {})]
        return errors[0] if errors else "ok"


def code_of(message: dict[str, Any]) -> str:
    """The code in a JSON-RPC response, or in an envelope."""
    error = message.get("error")
    if error is None:
        return "ok"
    return str(error["data"]["code"] if "data" in error else error["code"])


DOORS: tuple[Door, ...] = (Local(), Http(), Anp(), Mcp(), A2a())


async def called(
    house: House, door: Door, name: str, params: dict[str, Any] | None = None, *, who: str = ANNA, **more: Any
) -> Outcome:
    """Call a capability through a door."""
    try:
        value = await door.caller(house, who).call(door.target(house, name), params or {}, **more)
    except MoothallError as error:
        return Outcome(code=error.envelope_code, said=f"{error} {error.details}")
    return Outcome(value)


async def poured(house: House, door: Door, name: str, params: dict[str, Any]) -> Outcome:
    """The values of a stream, and how it ended."""
    values: list[Any] = []
    try:
        async for value in door.caller(house, ANNA).stream(door.target(house, name), params):
            values.append(value)  # noqa: PERF401 - those before an error count
    except MoothallError as error:
        return Outcome(values, error.envelope_code)
    return Outcome(values)


def reporting(told: list[Progress]) -> Report:
    async def report(progress: Progress) -> None:
        told.append(progress)

    return report
