"""The MCP server over lines of text, such as standard input and output: one client, one principal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final, Protocol

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.runner import serve_dual_era_loop
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated, ServerEvent
from mcp.shared.subscriptions import event_to_notification
from mcp_types import NotificationParams

from moothall.capability.spec import JsonObject
from moothall.protocols.mcp.asking import connection_state
from moothall.protocols.mcp.lines import UnfitLine, read_line
from moothall.protocols.mcp.resources import WATCHED
from moothall.protocols.mcp.visits import Visit, visit_of
from moothall.protocols.mcp.wire import failure

_ENDLESS: Final = "subscriptions/listen"
_CANCELLED: Final = "notifications/cancelled"

Lines = AsyncIterator[str]
"""What a client sends, line by line, each with its end."""


class Output(Protocol):
    """Takes what a client is sent."""

    async def write(self, text: str, /) -> object:
        """Take text in."""
        ...

    async def flush(self) -> object:
        """Send it."""
        ...


async def greeted(ctx: ServerRequestContext[Any, Any], params: NotificationParams) -> None:
    """Remember of a connection that its handshake is over, and how its client is told something."""
    del params
    visit_of(ctx).greeting = ctx


async def serve_lines(
    server: Server[Any], visit: Visit, bus: InMemorySubscriptionBus, stdin: Lines, stdout: Output
) -> None:
    """Serve a client until it sends no more and everything is answered that it asked."""
    pipe = _Pipe(stdin, stdout)
    events: asyncio.Queue[ServerEvent] = asyncio.Queue()
    end = bus.subscribe(events.put_nowait)
    telling = asyncio.create_task(_tell(visit, events))
    # The SDK only iterates over the one, and writes to and flushes the other.
    lines: Any = pipe.lines()
    try:
        async with stdio_server(stdin=lines, stdout=pipe) as (incoming, outgoing):  # type: ignore[arg-type]
            await serve_dual_era_loop(
                server,
                incoming,
                outgoing,
                lifespan_state=visit,
                init_options=server.create_initialization_options(),
            )
    finally:
        end()
        telling.cancel()


async def _tell(visit: Visit, events: asyncio.Queue[ServerEvent]) -> None:
    """Tell a client of the handshake era what changes; one of the newer era listens on its own."""
    while True:
        event = await events.get()
        ctx = visit.greeting
        if ctx is None or (
            isinstance(event, ResourceUpdated) and event.uri not in connection_state(ctx).get(WATCHED, ())
        ):
            continue
        await ctx.session.send_notification(event_to_notification(event, {}))


class _Pipe:
    """Passes lines on, and holds the end of the input back until every request has its answer."""

    def __init__(self, stdin: Lines, stdout: Output) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._open: set[str] = set()
        self._answered = asyncio.Event()

    async def lines(self) -> AsyncIterator[str]:
        async for line in self._stdin:
            if line.strip() and await self._fits(line):
                yield line
        while self._open:
            self._answered.clear()
            await self._answered.wait()
        await anyio.lowlevel.checkpoint()

    async def write(self, text: str, /) -> None:
        await self._stdout.write(text)
        message: JsonObject = json.loads(text)
        if "id" in message and "method" not in message:
            self._close(message["id"])

    async def flush(self) -> None:
        await self._stdout.flush()

    async def _fits(self, line: str) -> bool:
        """Whether a line is a message; what is none is answered here and goes no further."""
        try:
            self._note(read_line(line))
        except UnfitLine as unfit:
            await self._stdout.write(failure(None, unfit.error).decode() + "\n")
            await self._stdout.flush()
            return False
        return True

    def _note(self, message: JsonObject) -> None:
        method = message.get("method")
        if method == _CANCELLED and isinstance(params := message.get("params"), dict):
            self._close(params.get("requestId"))  # nothing answers it
        elif method is not None and method != _ENDLESS and "id" in message:
            self._open.add(json.dumps(message["id"]))

    def _close(self, call_id: object) -> None:
        self._open.discard(json.dumps(call_id))
        self._answered.set()
