"""Operations of another agent over the bindings of the protocol: JSON-RPC and HTTP+JSON (A2A 1.0 §9, §11)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal
from urllib.parse import quote

from moothall.calls.request_ids import fresh
from moothall.canonical import dumps
from moothall.capability.spec import JsonObject
from moothall.errors import MoothallError, Told, UpstreamInvalid, ValidationError
from moothall.identity.egress import Incoming
from moothall.identity.limited_body import Caps
from moothall.protocols.a2a.remote import older
from moothall.protocols.a2a.remote.allowance import Allowance
from moothall.protocols.a2a.remote.card import CAPABILITIES, Interface
from moothall.protocols.a2a.remote.refusals import refusal
from moothall.protocols.a2a.remote.way import Said, Way
from moothall.protocols.events import events
from moothall.protocols.failures import error_of_status
from moothall.protocols.intake import read_json

Operation = Literal["SendMessage", "SendStreamingMessage", "GetTask", "CancelTask", "SubscribeToTask"]

EVENTS: Final = "text/event-stream"
_JSON: Final = "application/json"
_REST_JSON: Final = "application/a2a+json"
_WHOLE: Final = 16 * 1024 * 1024
_SHOWN: Final = 200
_REST: Final[Mapping[str, tuple[str, str]]] = {
    "SendMessage": ("POST", "/message:send"),
    "SendStreamingMessage": ("POST", "/message:stream"),
    "GetTask": ("GET", "/tasks/{id}"),
    "CancelTask": ("POST", "/tasks/{id}:cancel"),
    "SubscribeToTask": ("GET", "/tasks/{id}:subscribe"),
}
"""Verbs and paths; SubscribeToTask is GET in the protocol's own table."""


@dataclass(frozen=True, slots=True)
class Binding:
    """An agent as it is asked.

    Attributes:
        way: the way to it.
        interface: where and how it listens.
        structured: whether it knows our extension.
        silence: seconds that it may say nothing.
    """

    way: Way
    interface: Interface
    structured: bool
    silence: float

    async def ask(self, operation: Operation, request: JsonObject, allowance: Allowance | None = None) -> JsonObject:
        """Ask and take the whole answer: a ``SendMessageResponse``, or a task as ``{"task": …}``.

        Raises:
            MoothallError: as the agent answered, or because it did not.
        """
        call_id, allowance = fresh(), allowance or Allowance(_WHOLE)
        async with self._sent(operation, request, call_id, _WHOLE) as answer:
            result = await self._whole(answer, call_id, allowance)
        if self._old:
            return older.answered(result)
        return {"task": result} if operation in {"GetTask", "CancelTask"} else _object(result)

    async def follow(
        self, operation: Operation, request: JsonObject, allowance: Allowance
    ) -> AsyncGenerator[JsonObject]:
        """Ask and take the answer event by event, as ``StreamResponse`` objects; raises as `ask`."""
        call_id = fresh()
        async with self._sent(operation, request, call_id, allowance.left) as answer:
            if not _is(answer, EVENTS):
                result = await self._whole(answer, call_id, allowance)
                yield older.answered(result) if self._old else _object(result)
                return
            async with aclosing(events(allowance.metered(answer.chunks()))) as arriving:
                async for event in arriving:
                    value = _object(await _json(event.data))
                    if self.interface.binding == "JSONRPC":
                        value = self._event(value, call_id)
                    elif isinstance(value.get("error"), dict):
                        raise refusal(value["error"])
                    yield value

    @property
    def _old(self) -> bool:
        return self.interface.version.startswith("0.")

    def _event(self, value: JsonObject, call_id: str) -> JsonObject:
        result = _result(value, call_id)
        return older.answered(result) if self._old else _object(result)

    def _sent(
        self, operation: Operation, request: JsonObject, call_id: str, most: int
    ) -> AbstractAsyncContextManager[Incoming]:
        streams = operation in {"SendStreamingMessage", "SubscribeToTask"}
        headers = {"A2A-Version": "0.3" if self._old else "1.0"}
        if self.structured:
            headers["A2A-Extensions"] = CAPABILITIES
        verb, url, content = "POST", self.interface.url, b""
        if self.interface.binding == "JSONRPC":
            kind = _JSON
            content = self._rpc(operation, request, call_id)
        else:
            kind = _REST_JSON
            verb, path = _REST[operation]
            tenant = f"/{quote(self.interface.tenant, safe='')}" if self.interface.tenant else ""
            url = f"{url.rstrip('/')}{tenant}{path.format(id=quote(str(request.get('id', '')), safe=''))}"
            content = _written(request) if "message" in request else b"{}" if verb == "POST" else b""
        headers["Accept"] = f"{EVENTS}, {kind}" if streams else f"{kind}, {_JSON}"
        if content:
            headers["Content-Type"] = kind
        caps = Caps(most_bytes=most, head_seconds=self.silence, idle_seconds=self.silence)
        return self.way.open(verb, url, headers=headers, content=content, caps=caps)

    def _rpc(self, operation: Operation, request: JsonObject, call_id: str) -> bytes:
        method, params = (older.METHODS[operation], older.asked(request)) if self._old else (operation, dict(request))
        if self.interface.tenant and not self._old:
            params["tenant"] = self.interface.tenant
        return _written({"jsonrpc": "2.0", "id": call_id, "method": method, "params": params})

    async def _whole(self, answer: Incoming, call_id: str, allowance: Allowance) -> Any:  # noqa: ANN401 - JSON of any shape
        """The result in a whole answer; raises what it says went wrong."""
        fetched = await answer.read()
        allowance.replaced(len(fetched.body))
        good = HTTPStatus.OK <= fetched.status < HTTPStatus.MULTIPLE_CHOICES
        try:
            value = await read_json(fetched.body)
        except ValidationError as error:
            said = Said(ascii(fetched.body[:_SHOWN].decode("utf-8", "replace")))
            if good:
                raise _unfit() from error
            raise error_of_status(fetched.status, fetched.headers.get("retry-after", "")) from said
        row = _object(value)
        if good:
            return _result(row, call_id) if self.interface.binding == "JSONRPC" else row
        if isinstance(row.get("error"), dict):
            raise refusal(row["error"], fetched.status, fetched.headers.get("retry-after", ""))
        raise error_of_status(fetched.status, fetched.headers.get("retry-after", ""))


def _result(message: JsonObject, call_id: str) -> Any:  # noqa: ANN401 - JSON of any shape
    """The result in a JSON-RPC response.

    Raises:
        MoothallError: it is an error, or an answer to something else.
    """
    if message.get("jsonrpc") != "2.0" or ("result" in message) == ("error" in message):
        raise _unfit()
    if isinstance(message.get("error"), dict) and message.get("id") in (call_id, None):
        raise refusal(message["error"])
    if message.get("id") != call_id or "result" not in message:
        raise _unfit()
    return message["result"]


def _written(value: object) -> bytes:
    try:
        return dumps(value)
    except TypeError as error:
        raise ValidationError("the arguments are no JSON", told=Told("protocols.no_wire")) from error


async def _json(body: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    try:
        return await read_json(body)
    except ValidationError as error:
        raise _unfit() from error


def _object(value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise _unfit()
    return value


def _is(answer: Incoming, kind: str) -> bool:
    declared: str = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return declared == kind


def _unfit() -> MoothallError:
    return UpstreamInvalid("no answer of the protocol", told=Told("a2a.remote.answer"))
