"""MCP from standard input and output on to the ``/mcp`` of a running node, message by message and as its owner."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine
from typing import Any, Final, TypeGuard

import httpx
from mcp.shared.inbound import (
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    NAME_BEARING_METHODS,
    encode_header_value,
    mcp_param_headers,
    x_mcp_header_map,
)
from mcp_types import CONNECTION_CLOSED, INVALID_REQUEST, PARSE_ERROR, PROTOCOL_VERSION_META_KEY

from moothall.canonical import strict_json
from moothall.cli.desk import JsonObject
from moothall.cli.nodefile import NodeFile
from moothall.cli.remote import client_of
from moothall.cli.wire import Output, Wire
from moothall.errors import UpstreamInvalid, ValidationError
from moothall.protocols.events import events
from moothall.protocols.mcp.visits import UNDECIDING
from moothall.telemetry import logger

CONNECT_SECONDS: Final = 5.0
LAST_SECONDS: Final = 30.0
"""As long as requests under way are waited for once standard input has ended."""

_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE: Final = 10.0
_SESSION: Final = "mcp-session-id"
_EVENTS: Final = "text/event-stream"
_LISTENING: Final = "subscriptions/listen"
"""The request that is answered when the client leaves, and not before."""

_INITIALIZE: Final = "initialize"
_READY: Final = "notifications/initialized"
_CANCELLED: Final = "notifications/cancelled"
_log = logger("cli")


class Bridge:
    """One client at standard input, and the node.

    Args:
        known: the running node.
        wire: where the client is.
        deciding: whether it may use what a person decides with.
    """

    def __init__(self, known: NodeFile, wire: Wire, *, deciding: bool) -> None:
        timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)
        headers = {"Authorization": f"Bearer {known.owner_token}"} | ({} if deciding else {UNDECIDING: "1"})
        self._client = client_of(known, base_url=known.url, headers=headers, timeout=timeout)
        self._wire = wire
        self._session = ""
        self._version = ""
        self._schemas: dict[str, Any] = {}
        self._asked: dict[str | int, asyncio.Task[None]] = {}
        self._endless: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Carry messages both ways until standard input ends and what was asked is answered."""
        try:
            async for line in self._wire.lines:
                if line.strip():
                    await self._take(line)
            if under_way := set(self._asked.values()) - self._endless:
                await asyncio.wait(under_way, timeout=LAST_SECONDS)
        finally:
            await self._leave()

    async def _take(self, line: str) -> None:
        """Pass a message on; requests wait for their answers side by side."""
        try:
            message = strict_json(line.encode())
        except ValidationError:
            await self._fail(None, PARSE_ERROR, "the line is no JSON, or could be read in two ways")
            return
        if not _is_message(message):
            await self._fail(_name_of(message), INVALID_REQUEST, "the line is no message of JSON-RPC 2.0")
            return
        name, method = message.get("id"), message.get("method")
        if method is None or name is None:
            await self._tell(message)
            return
        if name in self._asked:
            await self._fail(name, INVALID_REQUEST, "a request with this id is under way")
            return
        self._asked[name] = task = asyncio.create_task(self._ask(message, name))
        task.add_done_callback(lambda done: self._answered(name, done))
        if method == _LISTENING:
            self._keep(task)

    def _answered(self, name: str | int, done: asyncio.Task[None]) -> None:
        if self._asked.get(name) is done:
            del self._asked[name]

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._endless.add(task)
        task.add_done_callback(self._endless.discard)

    async def _tell(self, message: JsonObject) -> None:
        """Pass on what nobody answers; in the newer protocol to stop waiting is to cancel."""
        if message.get("method") == _CANCELLED and not self._version:
            cancelled = message.get("params", {}).get("requestId")
            asked = self._asked.get(cancelled) if _is_name(cancelled) else None
            if asked is not None:
                asked.cancel()
            return
        try:
            answer = await self._client.send(self._request(message))
        except httpx.TransportError as error:
            _log.warning("the node does not answer: %s", error)
            return
        if answer.is_error:
            _log.warning("the node refused %s: %s", message.get("method", "an answer"), answer.status_code)
        if message.get("method") == _READY and self._session:
            self._keep(asyncio.create_task(self._listen()))

    async def _ask(self, message: JsonObject, name: str | int) -> None:
        """Pass a request on and its answer back, with what the node sends in between."""
        try:
            answer = await self._client.send(self._request(message), stream=True)
            try:
                if message["method"] == _INITIALIZE:
                    self._session = answer.headers.get(_SESSION, "")
                if _EVENTS in answer.headers.get("content-type", ""):
                    done = False
                    async for event in events(answer.aiter_bytes()):
                        if event.data:
                            done = await self._pass_back(message, event.data) or done
                    if not done:
                        await self._fail(name, CONNECTION_CLOSED, "the node ended the stream without an answer")
                elif not await self._pass_back(message, await answer.aread()):
                    await self._fail(name, CONNECTION_CLOSED, f"the node answered {answer.status_code}")
            finally:
                await answer.aclose()
        except (httpx.TransportError, UpstreamInvalid) as error:
            _log.warning("the node does not answer: %s", error)
            await self._fail(name, CONNECTION_CLOSED, "the node does not answer")

    async def _pass_back(self, asked: JsonObject, body: bytes) -> bool:
        """Pass a message of the node back; whether it answers what was asked."""
        try:
            message = json.loads(body)
        except ValueError:
            return False
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            return False
        answers = "method" not in message
        if answers and message.get("id") is None and "error" in message:
            message["id"] = asked["id"]  # the node refused the request before it looked into it
        if answers:
            self._learn(asked["method"], message.get("result"))
        await _send(self._wire.output, message)
        return answers

    def _learn(self, method: str, result: Any) -> None:  # noqa: ANN401 - JSON of any shape
        """Keep of an answer what later requests have in their headers."""
        if not isinstance(result, dict):
            return
        if method == _INITIALIZE:
            self._version = str(result.get("protocolVersion", ""))
        elif method == "tools/list":
            for tool in result.get("tools", ()):
                if headers := x_mcp_header_map(tool.get("inputSchema")):
                    self._schemas[tool["name"]] = headers

    async def _listen(self) -> None:
        """Pass back what a node of the older protocol tells unasked, as long as it takes somebody who listens."""
        pause = _PAUSE_SECONDS
        while True:
            begun = time.monotonic()
            if not await self._heard():
                return
            pause = _PAUSE_SECONDS if time.monotonic() - begun > _LONGEST_PAUSE else min(pause * 2, _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _heard(self) -> bool:
        """Listen until the stream ends; whether another may be opened."""
        headers = self._headers() | {"Accept": _EVENTS}
        try:
            async with self._client.stream("GET", "/mcp", headers=headers) as answer:
                if not answer.is_success or _EVENTS not in answer.headers.get("content-type", ""):
                    return answer.is_server_error
                async for event in events(answer.aiter_bytes()):
                    if event.data:
                        await _send(self._wire.output, json.loads(event.data))
        except (httpx.TransportError, UpstreamInvalid, ValueError) as error:
            _log.warning("the node stopped telling of changes: %s", error)
        return True

    def _request(self, message: JsonObject) -> httpx.Request:
        headers = self._headers() | {"Accept": f"application/json, {_EVENTS}", "Content-Type": "application/json"}
        params = message.get("params")
        if message.get("method") == _INITIALIZE:
            headers = {name: value for name, value in headers.items() if name in {"Accept", "Content-Type"}}
        elif isinstance(params, dict):
            headers |= self._of_the_newer(str(message.get("method", "")), params)
        content = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
        return self._client.build_request("POST", "/mcp", content=content, headers=headers)

    def _of_the_newer(self, method: str, params: JsonObject) -> dict[str, str]:
        """What a request of the newer protocol says in its headers, too; none for one of the older."""
        meta = params.get("_meta")
        version = meta.get(PROTOCOL_VERSION_META_KEY) if isinstance(meta, dict) else None
        if not isinstance(version, str):
            return {}
        headers = {MCP_PROTOCOL_VERSION_HEADER: version, MCP_METHOD_HEADER: method}
        name = params.get(NAME_BEARING_METHODS.get(method, ""))
        if isinstance(name, str):
            headers[MCP_NAME_HEADER] = encode_header_value(name)
            arguments = params.get("arguments")
            if isinstance(arguments, dict) and name in self._schemas:
                headers |= mcp_param_headers(self._schemas[name], arguments)
        return headers

    def _headers(self) -> dict[str, str]:
        headers = {_SESSION: self._session} if self._session else {}
        return headers | ({MCP_PROTOCOL_VERSION_HEADER: self._version} if self._version else {})

    async def _fail(self, name: str | int | None, code: int, message: str) -> None:
        await _send(self._wire.output, {"jsonrpc": "2.0", "id": name, "error": {"code": code, "message": message}})

    async def _leave(self) -> None:
        """End what is under way, and the session at the node."""
        under_way = {*self._asked.values(), *self._endless}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        try:
            if self._session:
                await self._client.delete("/mcp", headers=self._headers(), timeout=CONNECT_SECONDS)
        except httpx.TransportError as error:
            _log.debug("the node does not answer: %s", error)
        finally:
            await self._client.aclose()


def _is_name(name: object) -> TypeGuard[str | int]:
    return isinstance(name, str | int) and not isinstance(name, bool)


def _is_message(message: object) -> TypeGuard[JsonObject]:
    """Whether it is a request, a notification or an answer; what else it says, the node looks into."""
    if not isinstance(message, dict):
        return False
    method, name = message.get("method"), message.get("id")
    if "id" in message and not (_is_name(name) or (name is None and "error" in message)):
        return False
    if "method" not in message:
        return "id" in message and ("result" in message or "error" in message)
    return isinstance(method, str) and isinstance(message.get("params", {}), dict)


def _name_of(message: object) -> str | int | None:
    """What an error about a message is called; None where the message says nothing that fits."""
    name = message.get("id") if isinstance(message, dict) else None
    return name if _is_name(name) else None


def _send(output: Output, message: JsonObject) -> Coroutine[Any, Any, None]:
    return output.write(json.dumps(message, ensure_ascii=False, separators=(",", ":")) + "\n")
