"""A signed JSON-RPC call of another agent's method, and what its answer means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

from moothall.calls.ports import Outgoing, Report
from moothall.calls.reply import Progress
from moothall.calls.request_ids import fresh
from moothall.error_table import ERRORS
from moothall.errors import (
    CallTimeout,
    InvalidInput,
    MoothallError,
    Told,
    UpstreamError,
    UpstreamInvalid,
    ValidationError,
)
from moothall.identity.egress import Incoming
from moothall.identity.limited_body import Caps
from moothall.protocols.anp import jsonrpc
from moothall.protocols.anp.asked import EVENTS
from moothall.protocols.anp.remote import RemoteMethod, text
from moothall.protocols.anp.sessions import Session
from moothall.protocols.approving import headers_of
from moothall.protocols.events import events
from moothall.protocols.failures import error_of_status, remote_error
from moothall.protocols.intake import MOST_ANSWERED, read_json
from moothall.telemetry import logger

_JSON: Final = "application/json"
_WHOLE: Final = 16 * 1024 * 1024
_STREAM: Final = 1024 * 1024 * 1024
_NEGOTIATING: Final = range(1600, 1609)
_CODES: Final[Mapping[int, str]] = {
    -32601: "NOT_FOUND",
    -32602: "VALIDATION_ERROR",
    **{row.jsonrpc: code for code, row in ERRORS.items() if row.jsonrpc in _NEGOTIATING},
}
"""What the codes of JSON-RPC itself say of a call, and those of ANP of a negotiation; the others of JSON-RPC's own say
that the far side is at fault, or we."""

_SHOWN: Final = 200
_FAR: Final = 1e300
_log = logger("anp")


async def call(session: Session, method: RemoteMethod, outgoing: Outgoing) -> Any:  # noqa: ANN401 - JSON of any shape
    """Call and return the value; of a method that streams, the list of its values.

    Raises:
        MoothallError: as the far side answered, or because it did not.
    """
    items: list[Any] = []
    try:
        async with (
            asyncio.timeout(outgoing.timeout),
            aclosing(_messages(session, method, outgoing, events_wanted=outgoing.report is not None)) as messages,
        ):
            async for message in messages:
                if not _is_notification(message):
                    value = _result(message)
                    return items if items and value is None else value
                items += await _noted(message, outgoing.report)
    except CallTimeout:
        raise
    except TimeoutError as error:
        raise CallTimeout("no answer in time", told=Told("egress.silent")) from error
    raise _cut()


async def stream(session: Session, method: RemoteMethod, outgoing: Outgoing) -> AsyncGenerator[Any]:
    """Call and yield the values; those of a list, where the far side does not stream. Raises as `call`."""
    streamed = False
    async with aclosing(_messages(session, method, outgoing, events_wanted=True)) as messages:
        async for message in messages:
            if _is_notification(message):
                for value in await _noted(message, outgoing.report):
                    streamed = True
                    yield value
                continue
            result = _result(message)
            if not streamed:
                for value in result if isinstance(result, list) else [] if result is None else [result]:
                    yield value
            return
    raise _cut()


async def _messages(
    session: Session, method: RemoteMethod, outgoing: Outgoing, *, events_wanted: bool
) -> AsyncGenerator[dict[str, Any]]:
    """The messages that answer a call; the last one is its response."""
    call_id = fresh()
    async with _sent(session, method, outgoing, call_id, f"{EVENTS}, {_JSON}" if events_wanted else _JSON) as answer:
        if answer.status != HTTPStatus.OK or not _is_events(answer):
            fetched = await answer.read()
            if answer.status == HTTPStatus.UNAUTHORIZED:
                _log.info("%s: %.*s", method.url, _SHOWN, ascii(fetched.headers.get("www-authenticate", "")))
            yield await _response(fetched.body, fetched.status, call_id, fetched.headers.get("retry-after", ""))
            return
        async with aclosing(events(answer.chunks())) as arriving:
            async for event in arriving:
                message = await _object(event.data)
                if message is None:
                    raise _unfit()
                if _is_notification(message) or message.get("id") in (call_id, None):
                    yield message


@asynccontextmanager
async def _sent(
    session: Session, method: RemoteMethod, outgoing: Outgoing, call_id: str, accept: str
) -> AsyncIterator[Incoming]:
    headers = {
        "Accept": accept,
        "Content-Type": _JSON,
        "X-Moothall-Hops": str(outgoing.hops),
        "X-Moothall-Timeout": f"{outgoing.timeout:.3f}",
    }
    if outgoing.idempotency_key is not None:
        headers["Idempotency-Key"] = outgoing.idempotency_key
    headers |= headers_of(outgoing.approval, outgoing.purpose)
    most = _STREAM if EVENTS in accept else _WHOLE
    caps = Caps(most_bytes=most, head_seconds=outgoing.timeout, idle_seconds=outgoing.timeout)
    try:
        content = jsonrpc.request(call_id, method.name, method.arguments(outgoing.params))
    except TypeError as error:
        raise ValidationError("the arguments are no JSON", told=Told("anp.no_wire")) from error
    async with AsyncExitStack() as stack:
        sent = session.stream("POST", method.url, headers=headers, content=content, caps=caps)
        try:
            answer = await stack.enter_async_context(sent)
        except InvalidInput as error:  # the address is the far side's choice, not our caller's
            raise UpstreamInvalid("an address that may not be called", told=error.told) from error
        yield answer


async def _response(body: bytes, status: int, call_id: str, retry_after: str) -> dict[str, Any]:
    """The response in a whole answer; a status that says of the failure what no response does, is told instead.

    Raises:
        MoothallError: there is none.
    """
    message = await _object(body)
    fits = message is not None and ("result" in message) != ("error" in message)
    if message is not None and fits and isinstance(message.get("error", {}), dict):
        if status == HTTPStatus.OK and message.get("jsonrpc") == "2.0" and message.get("id") in (call_id, None):
            return message
        if status not in {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED} and "error" in message:
            return message
    if status == HTTPStatus.OK:
        raise _unfit()
    raise error_of_status(status, retry_after)


def _result(message: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON of any shape
    """The value in a response.

    Raises:
        MoothallError: it says that the call failed.
    """
    error = message.get("error")
    if error is None:
        if "result" not in message:
            raise _unfit()
        return message["result"]
    if not isinstance(error, dict):
        raise _unfit()
    _log.info("the far side refused: %r %.*r", error.get("code"), _SHOWN, error.get("message"))
    raise _refusal(error)


def _refusal(error: Mapping[str, Any]) -> MoothallError:
    data, number = error.get("data"), error.get("code")
    if isinstance(data, dict) and isinstance(data.get("code"), str):
        return remote_error(data["code"], data.get("details"))
    details = data.get("details") if isinstance(data, dict) else None
    return remote_error(_CODES.get(number) if isinstance(number, int) else None, details)


async def _noted(message: Mapping[str, Any], report: Report | None) -> list[Any]:
    """The value in a notification, if it has one; progress goes to whoever wants it."""
    params = message.get("params")
    if not isinstance(params, dict):
        return []
    if message["method"] == "rpc.item" and "value" in params:
        return [params["value"]]
    if message["method"] == "rpc.progress" and report is not None:
        done = _number(params.get("done"))
        if done is not None:
            await report(Progress(done, _number(params.get("total")), text(params.get("message"))))
    return []


def _number(value: object) -> float | None:
    """A number that can be counted with; JSON has integers of any length."""
    small = isinstance(value, int | float) and -_FAR < value < _FAR
    return float(value) if small and isinstance(value, int | float) else None


def _is_notification(message: Mapping[str, Any]) -> bool:
    return "method" in message


def _is_events(answer: Incoming) -> bool:
    kind: str = answer.headers.get("content-type", "")
    return kind.partition(";")[0].strip().lower() == EVENTS


async def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = await read_json(body, MOST_ANSWERED)
    except ValidationError:
        return None
    return value if isinstance(value, dict) else None


def _unfit() -> UpstreamInvalid:
    return UpstreamInvalid("no response", told=Told("anp.remote_response"))


def _cut() -> UpstreamError:
    return UpstreamError("the answer ended early", told=Told("anp.remote_cut"))
