"""Calling capabilities as the node's owner: at the running node over its HTTP door, else in this process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, Self

from pydantic_core import to_jsonable_python

from moothall.cli import nodefile
from moothall.cli.desk import JsonObject
from moothall.cli.nodefile import NodeFile
from moothall.errors import ERRORS, MoothallError, NodeUnreachable
from moothall.messages import Lang

if TYPE_CHECKING:
    import httpx

    from moothall.node import Node
    from moothall.settings import Settings

_CAPABILITIES = "/api/v1/capabilities"
_CONNECT_SECONDS = 2.0
_SLACK_SECONDS = 5.0
"""What the node may take beyond the time of the call itself."""


class Calls(Protocol):
    """What the commands need to call."""

    async def call(self, target: str, params: Mapping[str, Any], timeout: float) -> Any:  # noqa: ANN401, ASYNC109 - sent along
        """The value of a call, as JSON."""

    def stream(self, target: str, params: Mapping[str, Any], timeout: float) -> AsyncIterator[Any]:
        """The values of a call, as JSON, one by one."""

    async def tools(self) -> list[JsonObject]:
        """What can be called."""


class AnsweredError(MoothallError):
    """An error that the node answered, told again here under its own code."""

    def __init__(self, code: str, message: str, details: Mapping[str, object]) -> None:
        super().__init__(message, details=details)
        self.code = code  # type: ignore[misc]  # of this one answer, not of the class


@asynccontextmanager
async def calls_of(settings: Settings, lang: Lang, node: Node | None = None) -> AsyncIterator[Calls]:
    """Calls at the node of the data folder when it runs, else at ``node``, or at one that starts for this command.

    Raises:
        StoreLocked: a node holds the folder and does not answer.
    """
    if (known := nodefile.read(settings.data)) is not None:
        from moothall.cli.remote import alive  # noqa: PLC0415 - httpx is needed for a live node only

        if await alive(known):
            async with _RemoteCalls(known, lang) as remote:
                yield remote
            return
    from moothall.node import Node  # noqa: PLC0415 - the whole node is needed without a live one only

    async with node or Node(settings) as opened:
        yield _LocalCalls(opened)


class _LocalCalls:
    def __init__(self, node: Node) -> None:
        self._node = node

    async def call(self, target: str, params: Mapping[str, Any], timeout: float) -> Any:  # noqa: ANN401, ASYNC109
        return to_jsonable_python(await self._node.call(target, params, timeout=timeout))

    async def stream(self, target: str, params: Mapping[str, Any], timeout: float) -> AsyncIterator[Any]:  # noqa: ASYNC109
        async for value in self._node.stream(target, params, timeout=timeout):
            yield to_jsonable_python(value)

    async def tools(self) -> list[JsonObject]:
        found: list[JsonObject] = await self._node.call("local:node.tools")
        return found


class _RemoteCalls:
    def __init__(self, known: NodeFile, lang: Lang) -> None:
        from moothall.cli.remote import client_of  # noqa: PLC0415 - as above

        self._url = known.url
        self._client = client_of(
            known,
            base_url=f"{known.url}{_CAPABILITIES}",
            headers={"Authorization": f"Bearer {known.owner_token}", "Accept-Language": lang},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def call(self, target: str, params: Mapping[str, Any], timeout: float) -> Any:  # noqa: ANN401, ASYNC109
        return await self._post("node.call", {"target": target, "parameters": params}, timeout)

    async def tools(self) -> list[JsonObject]:
        found: list[JsonObject] = await self._post("node.tools", {}, _SLACK_SECONDS)
        return found

    async def stream(self, target: str, params: Mapping[str, Any], timeout: float) -> AsyncIterator[Any]:  # noqa: ASYNC109
        import httpx  # noqa: PLC0415 - as above

        request = self._request("node.stream", {"target": target, "parameters": params}, timeout, sse=True)
        try:
            answer = await self._client.send(request, stream=True)
            if "text/event-stream" not in answer.headers.get("content-type", ""):
                self._value(await answer.aread())
            kind = ""
            async for line in answer.aiter_lines():
                name, _, value = line.partition(":")
                kind = value.strip() if name == "event" else kind
                if name == "data" and kind == "item":
                    yield json.loads(value)
                elif name == "data" and kind == "end":
                    self._value(value.encode())
            await answer.aclose()
        except httpx.TransportError as error:
            raise NodeUnreachable(f"{self._url} does not answer", why=str(error)) from error

    async def _post(self, name: str, body: Mapping[str, Any], timeout: float) -> Any:  # noqa: ANN401, ASYNC109
        import httpx  # noqa: PLC0415 - as above

        try:
            answer = await self._client.send(self._request(name, body, timeout))
        except httpx.TransportError as error:
            raise NodeUnreachable(f"{self._url} does not answer", why=str(error)) from error
        return self._value(answer.content)

    def _request(self, name: str, body: Mapping[str, Any], seconds: float, *, sse: bool = False) -> httpx.Request:
        headers = {"X-Moothall-Timeout": f"{seconds:g}"} | ({"Accept": "text/event-stream"} if sse else {})
        limit = {"connect": _CONNECT_SECONDS, "read": seconds + _SLACK_SECONDS, "write": seconds, "pool": seconds}
        return self._client.build_request("POST", f"/{name}", json=body, headers=headers, extensions={"timeout": limit})

    def _value(self, body: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
        """The value in an envelope; raises the error in it."""
        try:
            envelope = json.loads(body)
            if envelope["success"]:
                return envelope.get("data")
            told = envelope["error"]
            code, message, details = str(told["code"]), str(told["message"]), told.get("details") or {}
        except (ValueError, KeyError, TypeError) as error:
            raise NodeUnreachable(f"{self._url} answered something that is no reply") from error
        if code not in ERRORS:
            code, message = "UPSTREAM_ERROR", f"{code}: {message}"
        raise AnsweredError(code, message, details if isinstance(details, dict) else {"errors": details})
