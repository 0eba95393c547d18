"""Requests of a session on their way through the SDK's transport: what ends the work for one whose client leaves."""

from __future__ import annotations

import asyncio
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.streamable_http import REQUEST_CANCELLED, StreamableHTTPServerTransport
from mcp.shared.exceptions import MCPError
from mcp_types import CONNECTION_CLOSED, ErrorData
from starlette.types import Message as Event

from moothall.protocols.mcp.exchange import Exchange
from moothall.protocols.mcp.visits import Visit, visit_of
from moothall.protocols.mcp.wire import event as event_of
from moothall.protocols.mcp.wire import failure


class Passage:
    """One exchange as the transport of a session sees it.

    It does not see the client of a request leave: then the work is ended, and only with its end the exchange is over,
    so that nothing else has the id of the request until then.
    """

    def __init__(self, transport: StreamableHTTPServerTransport, exchange: Exchange, visit: Visit, body: bytes) -> None:
        self._transport = transport
        self._exchange = exchange
        self._visit = visit
        self._body: bytes | None = body
        self._streams = False
        self._left = False

    async def receive(self) -> Event:
        """Take the body, which was read, and then what the client does next."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        event = await self._exchange.receive()
        if event["type"] == "http.disconnect":
            self._exchange.gone = self._left = True
            if self._visit.work is not None:
                self._visit.work.cancel()
                await asyncio.Event().wait()
        return event

    async def send(self, event: Event) -> None:
        """Pass a piece of the answer on, as long as there is somebody to read it."""
        if self._left:
            return
        if event["type"] == "http.response.start":
            self._exchange.events = True  # it has begun, so that only its end can follow
            headers = [*event.get("headers", ())]
            self._streams = any(value.startswith(b"text/event-stream") for _, value in headers)
            event = {**event, "headers": [*headers, *self._exchange.extra]}
        elif not event.get("more_body", False):
            if self._streams and self._unanswered:
                error = ErrorData(code=CONNECTION_CLOSED, message="The session has ended")
                event = {**event, "body": event_of(failure(self._exchange.call_id, error))}
            self._exchange.gone = True  # and this was it
        await self._exchange.send(event)

    @property
    def _unanswered(self) -> bool:
        """Whether the session ended before the work did that a request asked for."""
        return self._visit.work is not None and not self._visit.done and self._transport.is_terminated


async def abandoned(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """A layer of the server: the work for a request of a session ends when its client leaves.

    Raises:
        MCPError: it has left; nobody reads that, but the request is over.
    """
    request = ctx.request
    if request is None or type(request) is Visit or (work := visit_of(ctx).work) is None:
        return await call_next(ctx)
    with work:
        try:
            result = await call_next(ctx)
        except Exception:
            visit_of(ctx).done = True
            raise
        visit_of(ctx).done = True
        return result
    raise MCPError(REQUEST_CANCELLED, "Request cancelled")
