"""Calling capabilities as the node's owner: at the running node over its JSON-RPC route, else in this process.

Either way it is the node's own capabilities ``call``, ``stream`` and ``tools`` that do it, so both answer alike.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Self

from moothall.calls.ports import CallFacts
from moothall.calls.reply import Item, Progress
from moothall.calls.target import Target
from moothall.cli import nodefile
from moothall.cli.desk import JsonObject
from moothall.cli.nodefile import NodeFile
from moothall.error_table import ENVELOPE_CODES, ERRORS
from moothall.errors import MoothallError, NodeUnreachable
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.identity.principal import OWNER
from moothall.messages import Lang
from moothall.protocols.approving import headers_of

if TYPE_CHECKING:
    import httpx

    from moothall.node import Node
    from moothall.settings import Settings

_DOOR: Final = "cli"
_CONNECT_SECONDS: Final = 2.0
_SLACK_SECONDS: Final = 5.0
"""What the node may take beyond the time of the call itself."""

_OWN_SECONDS: Final = 60.0
"""For what the node says of itself, or of what it can call elsewhere."""

_EVENTS: Final = "text/event-stream"
_CODES: Final = {seen: code for code, seen in ENVELOPE_CODES.items()} | {code: code for code in ERRORS}
"""What the node calls an error -> our code."""


class Said(NamedTuple):
    """What a caller says of its call: the approval that it was given, and what it is for."""

    approval: str = ""
    purpose: str = ""


_NOTHING: Final = Said()


class Calls(ABC):
    """What the commands need to call; ``served``: it is a node that others reach, too."""

    served: ClassVar[bool] = True

    async def call(
        self,
        target: str,
        params: Mapping[str, Any],
        timeout: float,  # noqa: ASYNC109 - sent along
        said: Said = _NOTHING,
    ) -> Any:  # noqa: ANN401
        """The value of a call, as JSON."""
        return await self._ask("relay.call", {"target": target, "parameters": params}, timeout, said)

    async def tools(self) -> list[JsonObject]:
        """What can be called."""
        found: list[JsonObject] = await self._ask("relay.tools", {})
        return found

    async def functions(self, form: str) -> list[JsonObject]:
        """What a language model can call, in the form of a provider."""
        found: list[JsonObject] = await self._ask("relay.functions", {"form": form})
        return found

    async def describe(self, target: str) -> JsonObject:
        """What can be called somewhere else."""
        found: JsonObject = await self._ask("relay.describe", {"target": target})
        return found

    @abstractmethod
    def stream(
        self,
        target: str,
        params: Mapping[str, Any],
        timeout: float,
        said: Said = ...,
    ) -> AsyncIterator[Any]:
        """The values of a call, as JSON, one by one, and its `Progress` in between."""

    @abstractmethod
    async def _ask(
        self, name: str, params: Mapping[str, Any], seconds: float | None = None, said: Said = _NOTHING
    ) -> Any:  # noqa: ANN401 - JSON of any shape
        """What a capability of the node itself says."""


class AnsweredError(MoothallError):
    """An error that the node answered, told again here under its own code."""

    def __init__(self, code: str, why: str, hint: str, details: Mapping[str, Any]) -> None:
        super().__init__(why, hint=hint, details=details)
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


class _LocalCalls(Calls):
    served = False

    def __init__(self, node: Node) -> None:
        self._path = node.host.path

    async def stream(
        self,
        target: str,
        params: Mapping[str, Any],
        timeout: float,  # noqa: ASYNC109 - sent along
        said: Said = _NOTHING,
    ) -> AsyncIterator[Any]:
        admitted = await self._path.admit(_own("relay.stream"), _facts(timeout, said))
        async for chunk in self._path.stream(admitted, {"target": target, "parameters": params}):
            if isinstance(chunk, Item):
                yield chunk.value
            elif isinstance(chunk, Progress):
                yield chunk
            elif chunk.error is not None:
                raise chunk.error

    async def _ask(
        self, name: str, params: Mapping[str, Any], seconds: float | None = None, said: Said = _NOTHING
    ) -> Any:  # noqa: ANN401 - JSON of any shape
        reply = await self._path.call(_own(name), params, _facts(seconds, said))
        if reply.error is not None:
            raise reply.error
        return reply.data


class _RemoteCalls(Calls):
    def __init__(self, known: NodeFile, lang: Lang) -> None:
        from moothall.cli.remote import client_of  # noqa: PLC0415 - as above

        self._url = known.url
        self._client = client_of(
            known,
            base_url=known.url,
            headers={"Authorization": f"Bearer {known.owner_token}", "Accept-Language": lang},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def stream(
        self,
        target: str,
        params: Mapping[str, Any],
        timeout: float,  # noqa: ASYNC109 - sent along
        said: Said = _NOTHING,
    ) -> AsyncIterator[Any]:
        import httpx  # noqa: PLC0415 - as above

        from moothall.protocols.events import events  # noqa: PLC0415 - as above

        wanted = {"target": target, "parameters": params}
        request = self._request("relay.stream", wanted, timeout, said, accept=_EVENTS)
        try:
            answer = await self._client.send(request, stream=True)
            try:
                if _EVENTS not in answer.headers.get("content-type", ""):
                    self._result(await answer.aread())
                async for event in events(answer.aiter_bytes()):
                    message = self._message(event.data)
                    if message.get("method") == "rpc.item":
                        yield message["params"]["value"]
                    elif message.get("method") == "rpc.progress":
                        yield _progress(message["params"])
                    elif "id" in message:
                        self._result(event.data)
                        return
            finally:
                await answer.aclose()
        except httpx.TransportError as error:
            raise NodeUnreachable(f"{self._url} does not answer", why=str(error)) from error
        raise NodeUnreachable(f"{self._url} broke the stream off")

    async def _ask(
        self, name: str, params: Mapping[str, Any], seconds: float | None = None, said: Said = _NOTHING
    ) -> Any:  # noqa: ANN401 - JSON of any shape
        import httpx  # noqa: PLC0415 - as above

        try:
            answer = await self._client.send(self._request(name, params, seconds or _OWN_SECONDS, said))
        except httpx.TransportError as error:
            raise NodeUnreachable(f"{self._url} does not answer", why=str(error)) from error
        return self._result(answer.content)

    def _request(
        self, method: str, params: Mapping[str, Any], seconds: float, said: Said, accept: str = "application/json"
    ) -> httpx.Request:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        headers = {"X-Moothall-Timeout": f"{seconds:g}", "Accept": accept, **headers_of(*said)}
        limit = {"connect": _CONNECT_SECONDS, "read": seconds + _SLACK_SECONDS, "write": seconds, "pool": seconds}
        path = f"/agents/{DEFAULT_AGENT}/rpc"
        return self._client.build_request("POST", path, json=message, headers=headers, extensions={"timeout": limit})

    def _message(self, body: bytes) -> JsonObject:
        try:
            message = json.loads(body)
        except ValueError as error:
            raise self._astray() from error
        if not isinstance(message, dict):
            raise self._astray()
        return message

    def _result(self, body: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
        """The value in a response; raises the error in it."""
        message = self._message(body)
        if "result" in message:
            return message["result"]
        try:
            data = message["error"]["data"]
            code, why, hint = str(data["code"]), str(data["why"]), str(data["hint"])
            details = data.get("details", {})
        except (KeyError, TypeError) as error:
            raise self._astray() from error
        if code not in _CODES:
            code, why = "UPSTREAM_ERROR", f"{code}: {why}"
        raise AnsweredError(_CODES[code], why, hint, details if isinstance(details, dict) else {})

    def _astray(self) -> NodeUnreachable:
        return NodeUnreachable(f"{self._url} answered something that is no response")


def _own(name: str) -> Target:
    """A capability of the node itself."""
    return Target("local", f"{DEFAULT_AGENT}.{name}")


def _progress(told: JsonObject) -> Progress:
    return Progress(told["done"], told.get("total"), str(told.get("message", "")))


def _facts(seconds: float | None, said: Said) -> CallFacts:
    return CallFacts(door=_DOOR, principal=OWNER, timeout=seconds, approval=said.approval, purpose=said.purpose)
