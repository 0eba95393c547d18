"""Calls of capabilities over a WebSocket: as at every door, through the call path (rows DEC-40, RTC-06).

::

    {"type": "call" | "stream", "id", "target", "params"?, "timeout"?, "idempotency_key"?, "approval"?, "purpose"?}
    {"type": "cancel", "id"}

    {"type": "item", "id", "value"}        one value of a stream, as it comes
    {"type": "progress", "id", "done", "total", "message"}
    {"type": "result", "id", "success", "data" | "error", "request_id", "timestamp"}
    {"type": "cancelled", "id"}
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from math import isfinite
from typing import Any, Final

from moothall.calls.ports import CallFacts, Gateway, Params
from moothall.calls.reply import Item, Progress, Reply
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.clock import Clock, rfc3339
from moothall.errors import (
    InternalError,
    InvalidInput,
    MoothallError,
    Overloaded,
    ServiceNotFoundError,
    SessionEnded,
    Told,
    ValidationError,
)
from moothall.messages import Lang, explain
from moothall.protocols.approving import approval_of, purpose_of
from moothall.protocols.realtime.connections import Connection
from moothall.protocols.realtime.link import SocketLink
from moothall.telemetry import logger

DOOR: Final = "websocket"
LONGEST_ID: Final = 255
_NOT_DETAILED: Final = frozenset({"INTERNAL_ERROR", "RATE_LIMITED", "UNAVAILABLE", "METHOD_NOT_ALLOWED"})
_log = logger("realtime")


class Calls:
    """The calls of one connection."""

    def __init__(
        self,
        gateway: Callable[[], Gateway],
        connection: Connection,
        link: SocketLink,
        most: int,
        clock: Clock,
        lang: Lang,
    ) -> None:
        self._gateway, self._connection, self._link = gateway, connection, link
        self._most, self._clock, self._lang = most, clock, lang
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def begin(self, frame: Mapping[str, Any]) -> None:
        """Begin what a frame asks for.

        Raises:
            InvalidInput: the frame has no id of its own.
            Overloaded: too many calls are under way.
        """
        name = id_of(frame)
        if name in self._under_way:
            raise InvalidInput("a call of this id is under way", told=Told("realtime.call_id"))
        if len(self._under_way) >= self._most:
            raise Overloaded("too many calls are under way", told=Told("realtime.calls_most", {"most": self._most}))
        task = asyncio.create_task(self._make(name, frame))
        self._under_way[name] = task
        task.add_done_callback(lambda _: self._under_way.pop(name, None))

    def cancel(self, frame: Mapping[str, Any]) -> None:
        """Cancel a call; one that has ended is let be."""
        task = self._under_way.get(id_of(frame))
        if task is not None:
            task.cancel()

    async def aclose(self) -> None:
        """Cancel every call, and wait for that."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make(self, name: str, frame: Mapping[str, Any]) -> None:
        request_id = fresh()
        try:
            try:
                await self._link.send(self._result(name, await self._reply(name, frame, request_id)))
            except MoothallError as error:
                if not isinstance(error, SessionEnded):
                    await self._link.send(self._failure(name, error, request_id))
            except TypeError as error:
                _log.warning("call %s: the result is no JSON: %s", request_id, error)
                failed = InternalError("the result is no JSON", told=Told("protocols.failed"))
                await self._link.send(self._failure(name, failed, request_id))
        except asyncio.CancelledError:
            await self._quietly({"type": "cancelled", "id": name})
            raise
        except SessionEnded:
            pass

    async def _quietly(self, frame: Mapping[str, Any]) -> None:
        with suppress(SessionEnded):
            await self._link.send(frame)

    async def _reply(self, name: str, frame: Mapping[str, Any], request_id: str) -> Reply[Any]:
        """Make the call, and send what comes before its end; raises MoothallError."""

        async def report(progress: Progress) -> None:
            await self._link.send({"type": "progress", "id": name, **_progress(progress)})

        gateway = self._gateway()
        target, facts = _target(frame), self._facts(frame, request_id)
        streams = frame["type"] == "stream"
        if not streams:
            facts.report = report
        admitted = await gateway.admit(target, facts)
        params = frame.get("params", {})
        if not isinstance(params, dict | list):
            raise ValidationError("params are no object", told=Told("protocols.no_object"))
        arguments: Params = admitted.entry.locate(params) if isinstance(params, dict) else params
        if not streams:
            return await gateway.run(admitted, arguments)
        chunks = gateway.stream(admitted, arguments)
        async with aclosing(chunks) as found:  # type: ignore[type-var]  # every stream of the path is a generator
            async for chunk in found:
                if isinstance(chunk, Reply):
                    return chunk
                if isinstance(chunk, Item):
                    await self._link.send({"type": "item", "id": name, "value": chunk.value})
                else:
                    await report(chunk)
        raise InternalError("a stream without an end", told=Told("protocols.failed"))

    def _facts(self, frame: Mapping[str, Any], request_id: str) -> CallFacts:
        connection = self._connection
        approval, purpose = _text(frame, "approval"), _text(frame, "purpose")
        facts = CallFacts(
            door=DOOR,
            principal=connection.principal,
            request_id=request_id,
            timeout=_seconds(frame),
            idempotency_key=_text(frame, "idempotency_key") or None,
            address=connection.caller.address,
        )
        if approval:
            facts.approval = _known("approval", approval_of(approval))
        if purpose:
            facts.purpose = _known("purpose", purpose_of(purpose))
        return facts

    def _result(self, name: str, reply: Reply[Any]) -> dict[str, Any]:
        if reply.error is not None:
            return self._failure(name, reply.error, reply.request_id)
        ended = {"request_id": reply.request_id, "timestamp": rfc3339(reply.timestamp)}
        return {"type": "result", "id": name, "success": True, "data": reply.data, **ended}

    def _failure(self, name: str, error: MoothallError, request_id: str) -> dict[str, Any]:
        ended = {"request_id": request_id, "timestamp": rfc3339(self._clock.now())}
        return {"type": "result", "id": name, "success": False, "error": shown(error, self._lang), **ended}


def shown(error: MoothallError, lang: Lang) -> dict[str, Any]:
    """An error as a client reads it."""
    said = explain(error, lang)
    row: dict[str, Any] = {"code": error.envelope_code, "message": said.message, "why": said.why, "hint": said.hint}
    if error.details and error.envelope_code not in _NOT_DETAILED:
        row["details"] = error.details
    return row


def id_of(frame: Mapping[str, Any]) -> str:
    """The id that a frame has.

    Raises:
        InvalidInput: it has none.
    """
    name = frame.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_ID:
        raise _unfit("id")
    return name


def _target(frame: Mapping[str, Any]) -> Target:
    """What is called: a capability of this node, never something elsewhere in the name of the node."""
    said = frame.get("target")
    if not isinstance(said, str) or not said:
        raise _unfit("target")
    target = Target.parse(said if ":" in said else f"local:{said}")
    if target.scheme != "local":
        raise ServiceNotFoundError("no such capability", told=Told("protocols.no_name"))
    return target


def _progress(progress: Progress) -> dict[str, Any]:
    return {"done": progress.done, "total": progress.total, "message": progress.message}


def _seconds(frame: Mapping[str, Any]) -> float | None:
    value = frame.get("timeout")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value <= 0:
        raise _unfit("timeout")
    return float(value)


def _text(frame: Mapping[str, Any], name: str) -> str:
    value = frame.get(name, "")
    if not isinstance(value, str) or len(value) > LONGEST_ID or not value.isprintable():
        raise _unfit(name)
    return value


def _known(name: str, value: str | None) -> str:
    if value is None:
        raise _unfit(name)
    return value


def _unfit(name: str) -> InvalidInput:
    return InvalidInput(f"{name} does not fit", told=Told("realtime.wanted", {"name": name}))
