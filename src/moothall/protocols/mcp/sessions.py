"""Sessions of the handshake era: the client can be asked while a call waits, and hears of changes on its own stream.

Each is a transport of the SDK with one task of ours, in which its streams are opened and closed. It belongs to the
principal that opened it, and ends when nothing has happened in it for a while.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from secrets import token_hex
from typing import Any, Final

import anyio
from mcp.server.connection import Connection
from mcp.server.lowlevel import Server
from mcp.server.runner import serve_connection
from mcp.server.streamable_http import StreamableHTTPServerTransport
from mcp.server.subscriptions import ResourceUpdated, ServerEvent
from mcp.shared.dispatcher import coerce_request_id
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from mcp.shared.transport_context import TransportContext
from starlette.types import Message as Event

from moothall.errors import Overloaded, Told, Unavailable, UsageError
from moothall.identity.principal import ANONYMOUS, Principal
from moothall.protocols.mcp.changes import METHODS
from moothall.protocols.mcp.exchange import Exchange
from moothall.protocols.mcp.ground import Ground
from moothall.protocols.mcp.handshake import SESSION, no_session, twice
from moothall.protocols.mcp.hearing import Hearing
from moothall.protocols.mcp.listening import held
from moothall.protocols.mcp.passage import Passage
from moothall.protocols.mcp.resources import watched
from moothall.protocols.mcp.visits import VISIT, Visit
from moothall.protocols.mcp.wire import Id, Message
from moothall.telemetry import logger

_ID: Final = 16
_INLINE: Final = frozenset({"initialize"})
_log = logger("mcp")


class Session:
    """One of them.

    Attributes:
        id: what its messages bear in a header.
        owner: the id of its principal.
        hearing: what that hears of changes.
        transport: takes its requests of HTTP.
        in_flight: the ids of its requests that are being answered.
        present: its requests of HTTP that are open, streams included.
        task: serves it.
    """

    def __init__(self, owner: str, hearing: Hearing, idle: float) -> None:
        self.id = token_hex(_ID)
        self.owner = owner
        self.hearing = hearing
        self.transport = StreamableHTTPServerTransport(self.id, idle_timeout=idle)
        self.in_flight: set[Id] = set()
        self.present = 0
        self.task: asyncio.Task[None] | None = None
        self._due: dict[tuple[str, str], None] = {}
        self._telling: asyncio.Task[None] | None = None
        self._connection: Connection | None = None

    async def serve(self, server: Server[Any], ready: asyncio.Future[None]) -> None:
        """Answer its messages until it ends."""
        try:
            async with self.transport.connect() as (incoming, outgoing):
                dispatcher: JSONRPCDispatcher[TransportContext] = JSONRPCDispatcher(
                    incoming, outgoing, inline_methods=_INLINE
                )
                self._connection = Connection.for_loop(dispatcher, session_id=self.id)
                ready.set_result(None)
                with self.transport.idle_scope or anyio.CancelScope():
                    await serve_connection(server, dispatcher, connection=self._connection, lifespan_state=None)
        finally:
            self._connection = None
            self.hearing.close()
            if self._telling is not None:
                self._telling.cancel()
            if not self.transport.is_terminated:
                with anyio.CancelScope(shield=True):
                    await self.transport.terminate()

    @property
    def begun(self) -> bool:
        """Whether the handshake was accepted; until then nobody uses it."""
        return self._connection is not None and self._connection.initialize_accepted

    def tell(self, event: ServerEvent) -> None:
        """Send what the client wants to hear, once however often it is due while the client does not read."""
        if self._connection is None:
            return
        uri = event.uri if isinstance(event, ResourceUpdated) else ""
        if not uri or uri in watched(self._connection):
            self.hearing.hear(event, self._take)

    def _take(self, event: ServerEvent) -> None:
        self._due[METHODS[type(event)], event.uri if isinstance(event, ResourceUpdated) else ""] = None
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while self._due and self._connection is not None:
            (method, uri), _ = self._due.popitem()
            await self._connection.notify(method, {"uri": uri} if uri else None)


class Sessions:
    """All of them: at most ``most``, each for at most ``idle`` seconds in which nothing happens."""

    verbs: Final = ("DELETE", "GET")

    def __init__(self, server: Server[Any], ground: Ground, most: int, idle: float) -> None:
        self._server = server
        self._ground = ground
        self._most = most
        self._idle = idle
        self._sessions: dict[str, Session] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._end = ground.bus.subscribe(self._changed)

    def __len__(self) -> int:
        return len(self._sessions)

    async def take(self, exchange: Exchange, visit: Visit, message: Message | None, body: bytes) -> None:
        """Hand a message to its session; ``initialize`` without one opens it.

        Raises:
            Overloaded: there are too many.
            UsageError: it belongs to none.
        """
        if SESSION in exchange.headers:
            session = self._of(exchange, visit)
            if session is None:
                await no_session(exchange)
            elif message is None or message.id is None:
                await self._pass(session, exchange, visit, body)
            else:
                await self._request(session, exchange, visit, message.id, body)
        elif message is not None and message.method == "initialize" and message.id is not None:
            await self._initialize(exchange, visit, body)
        else:
            raise UsageError("no session", told=Told("mcp.session"))

    async def take_other(self, exchange: Exchange, visit: Visit) -> None:
        """Open the stream of a session, or end it.

        Raises:
            Overloaded: too many streams are open.
        """
        session = self._of(exchange, visit)
        if session is None:
            await no_session(exchange)
        elif exchange.scope["method"] == "GET":
            await held(exchange, self._ground, visit, lambda: self._pass(session, exchange, visit, b""))
        else:
            await self._pass(session, exchange, visit, b"")
            await self._finish(session)

    async def aclose(self) -> None:
        """End every session."""
        self._end()
        for session in tuple(self._sessions.values()):
            await self._finish(session)
        if self._ending:
            await asyncio.wait(self._ending)

    async def _initialize(self, exchange: Exchange, visit: Visit, body: bytes) -> None:
        """Open a session. Its place is taken before anything is awaited, and nobody is given it meanwhile."""
        leaving = self._leaving(visit.principal) if len(self._sessions) >= self._most else None
        if leaving is not None:
            del self._sessions[leaving.id]
        session = Session(visit.principal.id, Hearing(self._ground, visit.principal), self._idle)
        self._sessions[session.id] = session
        session.present += 1
        try:
            if leaving is not None:
                await self._finish(leaving)
            await session.hearing.begin()
            ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            session.task = asyncio.create_task(session.serve(self._server, ready))
            session.task.add_done_callback(lambda task: self._over(session, ready, task))
            await ready
            await self._pass(session, exchange, visit, body)
        finally:
            session.present -= 1
            if not session.begun:
                await self._finish(session)

    def _over(self, session: Session, ready: asyncio.Future[None], task: asyncio.Task[None]) -> None:
        """A session has ended; whoever waits for its beginning hears it."""
        self._sessions.pop(session.id, None)
        failure = None if task.cancelled() else task.exception()
        if not ready.done():
            ready.set_exception(failure or Unavailable("the session has ended", told=Told("mcp.session")))
        elif failure is not None:
            _log.error("a session failed", exc_info=failure)

    def _leaving(self, principal: Principal) -> Session:
        """The oldest session of this principal in which nothing happens: it makes room.

        Nobody else's makes room for it, except that of those who prove nothing for one who does.

        Raises:
            Overloaded: it has none.
        """
        idle = [session for session in self._sessions.values() if not session.present]
        own = [session for session in idle if session.owner == principal.id]
        unproved = [session for session in idle if principal.verified and session.owner == ANONYMOUS.id]
        oldest = next(iter((*own, *unproved)), None)
        if oldest is None:
            raise Overloaded("too many sessions", told=Told("mcp.sessions_full", {"most": self._most}))
        return oldest

    async def _request(self, session: Session, exchange: Exchange, visit: Visit, call_id: Id, body: bytes) -> None:
        key = coerce_request_id(call_id)
        if key in session.in_flight:
            await twice(exchange)
            return
        session.in_flight.add(key)
        visit.work = anyio.CancelScope()
        try:
            await self._pass(session, exchange, visit, body)
        finally:
            session.in_flight.discard(key)

    async def _pass(self, session: Session, exchange: Exchange, visit: Visit, body: bytes) -> None:
        """Let the SDK's transport answer a request whose body was read already."""
        passage = Passage(session.transport, exchange, visit, body)

        async def send(event: Event) -> None:
            if event.get("more_body", False) and exchange.barred():
                self._bar(session)
            else:
                await passage.send(event)

        exchange.scope[VISIT] = visit
        session.present += 1
        try:
            await session.transport.handle_request(exchange.scope, passage.receive, send)
        finally:
            session.present -= 1

    def _bar(self, session: Session) -> None:
        """End the session of one that was suspended, and with it every answer that is open."""
        if self._sessions.pop(session.id, None) is not None:
            ending = asyncio.create_task(self._finish(session))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    def _of(self, exchange: Exchange, visit: Visit) -> Session | None:
        """The session of a request; None where it is none of this principal's."""
        session = self._sessions.get(exchange.headers.get(SESSION, ""))
        return session if session is not None and session.owner == visit.principal.id else None

    async def _finish(self, session: Session) -> None:
        self._sessions.pop(session.id, None)
        if not session.transport.is_terminated:
            await session.transport.terminate()
        if session.task is not None:
            session.task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([session.task])

    def _changed(self, told: ServerEvent) -> None:
        for session in tuple(self._sessions.values()):
            if session.hearing.over:
                self._bar(session)
            else:
                session.tell(told)
