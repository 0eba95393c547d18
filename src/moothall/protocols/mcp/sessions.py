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
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated, ServerEvent
from mcp.shared.dispatcher import coerce_request_id
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from mcp.shared.transport_context import TransportContext
from starlette.types import Message as Event

from moothall.errors import Overloaded, Told, UsageError
from moothall.identity.principal import ANONYMOUS, Principal
from moothall.protocols.mcp.changes import METHODS
from moothall.protocols.mcp.exchange import Exchange
from moothall.protocols.mcp.handshake import SESSION, no_session, twice
from moothall.protocols.mcp.listening import held
from moothall.protocols.mcp.resources import watched
from moothall.protocols.mcp.visits import VISIT, Visit
from moothall.protocols.mcp.wire import Id, Message

_ID: Final = 16
_INLINE: Final = frozenset({"initialize"})


class Session:
    """One of them.

    Attributes:
        id: what its messages bear in a header.
        owner: the id of its principal.
        transport: takes its requests of HTTP.
        in_flight: the ids of its requests that are being answered.
        present: its requests of HTTP that are open, streams included.
        task: serves it.
    """

    def __init__(self, owner: str, idle: float) -> None:
        self.id = token_hex(_ID)
        self.owner = owner
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
        if not isinstance(event, ResourceUpdated):
            self._due[METHODS[type(event)], ""] = None
        elif event.uri in watched(self._connection):
            self._due["notifications/resources/updated", event.uri] = None
        else:
            return
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while self._due and self._connection is not None:
            (method, uri), _ = self._due.popitem()
            await self._connection.notify(method, {"uri": uri} if uri else None)


class Sessions:
    """All of them: at most ``most``, each for at most ``idle`` seconds in which nothing happens."""

    verbs: Final = ("DELETE", "GET")

    def __init__(self, server: Server[Any], bus: InMemorySubscriptionBus, most: int, idle: float) -> None:
        self._server = server
        self._most = most
        self._idle = idle
        self._sessions: dict[str, Session] = {}
        self._end = bus.subscribe(self._changed)

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
            await held(exchange, lambda: self._pass(session, exchange, visit, b""))
        else:
            await self._pass(session, exchange, visit, b"")
            await self._finish(session)

    async def aclose(self) -> None:
        """End every session."""
        self._end()
        for session in tuple(self._sessions.values()):
            await self._finish(session)

    async def _initialize(self, exchange: Exchange, visit: Visit, body: bytes) -> None:
        if len(self._sessions) >= self._most:
            await self._make_room(visit.principal)
        session = Session(visit.principal.id, self._idle)
        self._sessions[session.id] = session
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        session.task = asyncio.create_task(session.serve(self._server, ready))
        session.task.add_done_callback(lambda _: self._sessions.pop(session.id, None))
        try:
            await ready
            await self._pass(session, exchange, visit, body)
        finally:
            if not session.begun:
                await self._finish(session)

    async def _make_room(self, principal: Principal) -> None:
        """End the oldest session of this principal in which nothing happens.

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
        await self._finish(oldest)

    async def _request(self, session: Session, exchange: Exchange, visit: Visit, call_id: Id, body: bytes) -> None:
        key = coerce_request_id(call_id)
        if key in session.in_flight:
            await twice(exchange)
            return
        session.in_flight.add(key)
        try:
            await self._pass(session, exchange, visit, body)
        finally:
            session.in_flight.discard(key)

    async def _pass(self, session: Session, exchange: Exchange, visit: Visit, body: bytes) -> None:
        """Let the SDK's transport answer a request whose body was read already."""
        unread = True

        async def receive() -> Event:
            nonlocal unread
            if unread:
                unread = False
                return {"type": "http.request", "body": body, "more_body": False}
            event = await exchange.receive()
            exchange.gone = exchange.gone or event["type"] == "http.disconnect"
            return event

        async def send(event: Event) -> None:
            if event["type"] == "http.response.start":
                exchange.events = True  # it has begun, so that only its end can follow
                event = {**event, "headers": [*event.get("headers", ()), *exchange.extra]}
            await exchange.send(event)
            if event["type"] == "http.response.body" and not event.get("more_body", False):
                exchange.gone = True  # and this was it

        exchange.scope[VISIT] = visit
        session.present += 1
        try:
            await session.transport.handle_request(exchange.scope, receive, send)
        finally:
            session.present -= 1

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
        for session in self._sessions.values():
            session.tell(told)
