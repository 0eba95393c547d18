"""A negotiation as server-sent events: history first, then live (rows NEG-API-09 to -15).

Plain ASGI: a stream costs one task and a cursor into the log's shared, once-encoded frames.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from moothall.errors import Overloaded, Told
from moothall.events.log import EventLog
from moothall.events.model import RunRecord, parse_event_id
from moothall.negotiation.demand.callers import reader_of
from moothall.server.boundary import HEAD
from moothall.server.visible import caller_of

STREAM_PATH = "/api/v1/events/negotiations/{demand_id}/stream"
ALIAS_PATH = "/api/v1/events/stream"
"""The same by channel, ``?channel_id=`` (row NEG-API-21)."""

BEGINNING = -1

_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-cache"),
        (b"connection", b"keep-alive"),
        (b"x-accel-buffering", b"no"),
    ],
}


class OpenStreams:
    """The streams open now: at most ``limit``, and all ended together when the node stops."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pumps: set[asyncio.Task[None]] = set()
        self._closing = False

    def __len__(self) -> int:
        return len(self._pumps)

    def open(self, run: Callable[[], Coroutine[None, None, None]]) -> asyncio.Task[None]:
        """Start one more stream and count it until it is done.

        Raises:
            Overloaded: too many are open, or the node is stopping.
        """
        if self._closing or len(self._pumps) >= self._limit:
            raise Overloaded("too many event streams are open", told=Told("why.streams_full"))
        pump = asyncio.create_task(run())
        self._pumps.add(pump)
        pump.add_done_callback(self._pumps.discard)
        return pump

    def close(self) -> None:
        """End every stream; the clients resume with their last id at the next start."""
        self._closing = True
        for pump in self._pumps:
            pump.cancel()


Find = Callable[[Request], Awaitable[RunRecord]]
"""Finds the run that a request wants to follow, if its caller may."""


class EventStream:
    """The ASGI endpoint of one demand's stream.

    Who is suspended while a stream is open gets nothing more: it ends instead of the next event or sign of life.
    """

    def __init__(
        self, find: Find, log: EventLog, streams: OpenStreams, heartbeat: float, suspended: Callable[[str], bool]
    ) -> None:
        self._find = find
        self._log = log
        self._streams = streams
        self._heartbeat = heartbeat
        self._suspended = suspended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take an ASGI connection."""
        request = Request(scope, receive)
        record = await self._find(request)
        after = await resume_point(self._log, record, asked_for(request))
        if await self._over(record, after):
            await Response(status_code=204)(scope, receive, send)
            return
        if HEAD in scope:
            await send(_START)
            await send({"type": "http.response.body", "body": b""})
            return
        reader = reader_of(caller_of(request), record)
        await self._serve(lambda: self._pump(record.id, after, reader, send), receive, send)

    async def _over(self, record: RunRecord, after: int) -> bool:
        """Whether the client has seen everything there will ever be."""
        seen_some = record.status == "closed" and after > BEGINNING
        return seen_some and not await self._log.load(record.id, after=after, public=True, limit=1)

    async def _serve(self, run: Callable[[], Coroutine[None, None, None]], receive: Receive, send: Send) -> None:
        """Send until the run has ended, the client has gone or the node stops."""
        pump = self._streams.open(run)
        watch = asyncio.create_task(_cancel_when_gone(receive, pump))
        try:
            await asyncio.wait([pump])
        finally:
            watch.cancel()
            pump.cancel()
        if not pump.cancelled():
            pump.result()
        await send({"type": "http.response.body", "body": b""})

    async def _pump(self, run: str, after: int, reader: str, send: Send) -> None:
        await send(_START)
        frames = self._log.frames(run, after=after, heartbeat=self._heartbeat)
        async with aclosing(frames) as chunks:
            async for chunk in chunks:
                if self._suspended(reader):
                    break
                await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _cancel_when_gone(receive: Receive, pump: asyncio.Task[None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    pump.cancel()


def asked_for(request: Request) -> str:
    """The id to resume after: the header ``Last-Event-ID``, else the query ``last_event_id``, else nothing."""
    return request.headers.get("last-event-id") or request.query_params.get("last_event_id", "")


async def resume_point(log: EventLog, record: RunRecord, last: str) -> int:
    """The seq to go on after; the beginning for an id that no public event of this run has."""
    seq = parse_event_id(record.id, last)
    if seq is None:
        return BEGINNING
    found = await log.load(record.id, after=seq - 1, public=True, limit=1)
    return seq if found and found[0].seq == seq else BEGINNING
