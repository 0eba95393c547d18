"""One remote client: a task of its own enters and leaves the SDK's contexts, calls share what it holds open.

It connects when the first call comes, once for all that come meanwhile; anew when the connection has ended; and it lets
go of a connection that nobody has used for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, Final, TypeVar

from mcp.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types import DiscoverResult
from mcp_types.jsonrpc import CONNECTION_CLOSED, INTERNAL_ERROR, INVALID_REQUEST, UNSUPPORTED_PROTOCOL_VERSION

from moothall.errors import MoothallError, Told, Unavailable
from moothall.identity.limited_body import silence
from moothall.protocols.mcp.remote.exchange import Exchange
from moothall.protocols.mcp.remote.failures import FAILURES, failure_of
from moothall.telemetry import logger

T = TypeVar("T")

CONNECT_SECONDS: Final = 30.0
"""For the start of a program and the first exchange with it, or with a server."""

_LEAVE_SECONDS: Final = 5.0
_UNKNOWN: Final = 404
_REFUSED: Final = 400
_SESSION_LOST: Final = frozenset({INVALID_REQUEST, -32001})
"""What servers say with 404 of a session that they do not know; the SDK says the first one where they say nothing."""

_SESSION_MISSED: Final = frozenset({INTERNAL_ERROR, -32000})
"""What elder servers say of it with 400, and of other things, too; the SDK says the first one, as above."""

_TURNS: Final = 6
"""Turns of the loop from the end of a pipe to whoever reads it, with some to spare."""

_PAUSE_SECONDS: Final = 0.25
_LONGEST_PAUSE: Final = 5.0
_MOST_DOUBLED: Final = 8
_log = logger("mcp")

Opener = Callable[["Pinned | None", Callable[[], None]], Client]
"""Makes a client that has not been entered; it is given what is known of the server, and what to call at its end."""


class Pinned:
    """What a server said of itself, so that it need not be asked again."""

    def __init__(self, version: str, discovered: DiscoverResult) -> None:
        self.version = version
        self.discovered = discovered


class _Connection:
    """A client that is open, or about to be."""

    def __init__(self) -> None:
        self.ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self.ready.add_done_callback(lambda done: done.cancelled() or done.exception())  # if nobody waits any more
        self.task: asyncio.Task[None] | None = None
        self.users = 0
        self.retired = False
        self.lost = False
        self._moved = asyncio.Event()

    def retire(self, *, lost: bool = False) -> None:
        """No further call uses it; it is left when the last one is through, at once where it is lost."""
        self.retired = True
        self.lost = self.lost or lost
        self._moved.set()

    async def use(self, work: Callable[[Client], Awaitable[T]]) -> T:
        """Do something with the client."""
        client = await asyncio.shield(self.ready)
        self.users += 1
        try:
            return await work(client)
        finally:
            self.users -= 1
            self._moved.set()

    async def until_left(self, idle_seconds: float) -> None:
        """Wait until it is lost, or retired, or idle, and nobody uses it."""
        while not self.lost and (self.users or not self.retired):
            self._moved.clear()
            try:
                async with asyncio.timeout(None if self.users else idle_seconds):
                    await self._moved.wait()
            except TimeoutError:
                self.retired = True


class Link:
    """The client of one server, for one agent where each has its own.

    Args:
        name: of the server, for the log.
        opener: makes the client.
        idle_seconds: after which a connection that nobody uses is left.
        starts: whether a program is started for it; one that ends at once is left alone for a while.
    """

    def __init__(self, name: str, opener: Opener, idle_seconds: float, *, starts: bool = False) -> None:
        self._name = name
        self._opener = opener
        self._idle_seconds = idle_seconds
        self._starts = starts
        self._failed_starts = 0
        self._not_before = 0.0
        self._connection: _Connection | None = None
        self._pinned: Pinned | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, work: Callable[[Client], Awaitable[T]], exchange: Exchange) -> T:
        """Do something with the client, in the time that the exchange has.

        The work goes on in a task that is not waited for: the SDK still tells the server that a call was given up
        when nobody waits for the answer any more.

        Raises:
            CallTimeout: it took too long.
            Exception: what the work, or the connection, raised.
        """
        task = self.start(self._worked(work, exchange))
        try:
            await asyncio.wait({task}, timeout=exchange.left)
            if not task.done():
                raise silence()
            if task.cancelled():
                raise Unavailable("the client was closed", told=Told("mcp.remote_closed"))
            return task.result()
        finally:
            exchange.end()
            task.cancel()

    async def aclose(self) -> None:
        """Leave the connection, and end what runs."""
        connection, open_ = self._connection, None
        if connection is not None:
            connection.retire(lost=True)
            open_ = connection.task if connection.ready.done() else None  # that one leaves by itself, in order
        for task in self._tasks - {open_}:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _worked(self, work: Callable[[Client], Awaitable[T]], exchange: Exchange) -> T:
        exchange.enter()
        if self._starts:
            await _heard_of()
        connection = self._connected()
        try:
            return await connection.use(work)
        except MCPError as error:
            if not self._outdated(connection, error, exchange):
                raise
        exchange.again()
        return await self._connected().use(work)

    def _outdated(self, connection: _Connection, error: MCPError, exchange: Exchange) -> bool:
        """Whether the server refused a call because it does not know the connection (any more): nothing was done."""
        if error.code == CONNECTION_CLOSED and exchange.failure is None and not exchange.status:
            connection.retire(lost=True)
            return not (self._starts or exchange.begun)  # it had ended before the call had anything to do with it
        named = self._pinned is None and exchange.session
        if named and exchange.status == _REFUSED and error.code in _SESSION_MISSED:
            connection.retire()  # if it was that, the next call has another session; this one may have been made
            return False
        lost = named and exchange.status == _UNKNOWN and error.code in _SESSION_LOST
        if lost or error.code == UNSUPPORTED_PROTOCOL_VERSION:
            self._pinned = None
            connection.retire()
            return True
        return False

    def _connected(self) -> _Connection:
        connection = self._connection
        if connection is None or connection.retired:
            if asyncio.get_running_loop().time() < self._not_before:
                raise _unstarted()
            connection = self._connection = _Connection()
            connection.task = self.start(self._supervise(connection))
        return connection

    async def _supervise(self, connection: _Connection) -> None:
        """Enter the client, keep it open, leave it: all of it in this task, as its contexts demand."""
        opening = Exchange(CONNECT_SECONDS, opening=True)
        opening.enter()
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(CONNECT_SECONDS):
                    made = self._opener(self._pinned, lambda: connection.retire(lost=True))
                    client = await stack.enter_async_context(made)
                self._pin(client)
                self._failed_starts, self._not_before = 0, 0.0
                connection.ready.set_result(client)
                await connection.until_left(self._idle_seconds)
                Exchange(_LEAVE_SECONDS, opening=True).enter()
        except Exception as error:  # noqa: BLE001 - it is handed on to who waits, or told to the log
            self._failed(connection, opening, error)
        finally:
            connection.retire(lost=True)
            connection.ready.cancel()

    def _failed(self, connection: _Connection, opening: Exchange, error: Exception) -> None:
        self._pinned = None
        if connection.ready.done():
            _log.warning("the connection to the MCP server %s ended: %s", self._name, type(error).__name__)
        else:
            foreseen = isinstance(error, (MoothallError, *FAILURES))
            found = failure_of(error, opening) if foreseen else error
            if self._starts and foreseen:
                self._pause()
                found = _unstarted(found)
            connection.ready.set_exception(found)

    def _pause(self) -> None:
        """Leave a program alone that has ended before it could be asked anything, the longer the oftener it did."""
        pause = min(_LONGEST_PAUSE, _PAUSE_SECONDS * 2**self._failed_starts)
        self._failed_starts = min(self._failed_starts + 1, _MOST_DOUBLED)
        self._not_before = asyncio.get_running_loop().time() + pause

    def _pin(self, client: Client) -> None:
        """Keep what the server said of itself; one of the older protocol is asked again every time."""
        discovered = client.session.discover_result
        self._pinned = None if discovered is None else Pinned(client.protocol_version, discovered)

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something beside the calls, until the link is closed."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """Take note of an end for which nobody waits."""
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()


async def _heard_of() -> None:
    """Let the loop take in what it could know already: that the program has ended since it was asked last."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


def _unstarted(cause: Exception | None = None) -> Unavailable:
    """The program is not there to be asked."""
    found = Unavailable("the program does not start", told=Told("mcp.remote_start"))
    found.__cause__ = cause
    return found
