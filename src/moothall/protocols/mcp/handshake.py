"""The handshake era without sessions: every request stands alone, only the stream for changed lists stays open.

A client gets a sealed session id all the same (`session_ids`): with it, it opens the stream, and names what to cancel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from mcp.server.connection import Connection
from mcp.server.lowlevel import Server
from mcp.shared.dispatcher import coerce_request_id
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types import INVALID_REQUEST, ErrorData

from moothall.protocols.headers import NOT_KEPT
from moothall.protocols.mcp.exchange import Exchange
from moothall.protocols.mcp.ground import Ground
from moothall.protocols.mcp.listening import changed_lists, held
from moothall.protocols.mcp.session_ids import SessionIds
from moothall.protocols.mcp.single import answer
from moothall.protocols.mcp.visits import Visit
from moothall.protocols.mcp.wire import Id, Message, failure, request_id

SESSION: Final = "mcp-session-id"
OLDEST: Final = "2025-03-26"
"""The version that a request has which names none."""


class Handshake(Protocol):
    """What takes the messages of the handshake era."""

    @property
    def verbs(self) -> Sequence[str]:
        """The methods of HTTP beside POST."""
        ...

    async def take(self, exchange: Exchange, visit: Visit, message: Message | None, body: bytes) -> None:
        """Take a POST; no message is a response to a request of ours."""
        ...

    async def take_other(self, exchange: Exchange, visit: Visit) -> None:
        """Take a request of one of the `verbs`."""
        ...


class InFlight:
    """The requests of one client that are being answered, by their ids."""

    def __init__(self) -> None:
        self._exchanges: dict[tuple[str, Id], Exchange] = {}

    def enter(self, session: str, call_id: Id, exchange: Exchange) -> bool:
        """Take a request in; False when one of that id is being answered: nobody could tell the answers apart."""
        key = session, coerce_request_id(call_id)
        if key in self._exchanges:
            return False
        self._exchanges[key] = exchange
        return True

    def leave(self, session: str, call_id: Id) -> None:
        """It is answered."""
        del self._exchanges[session, coerce_request_id(call_id)]

    def cancel(self, session: str, message: Message) -> None:
        """Do what ``notifications/cancelled`` asks for; a request that is not here is answered, or elsewhere."""
        call_id = request_id((message.params or {}).get("requestId"))
        if call_id is not None and (found := self._exchanges.get((session, coerce_request_id(call_id)))):
            found.cancel()


class Stateless:
    """Takes the messages of clients without keeping anything of them."""

    verbs: Final = ("GET",)

    def __init__(self, server: Server[Any], ground: Ground) -> None:
        self._server = server
        self._ground = ground
        self._ids = SessionIds(ground.secret)
        self._in_flight = InFlight()

    async def take(self, exchange: Exchange, visit: Visit, message: Message | None, body: bytes) -> None:
        """Answer a request, or do what a notification asks for."""
        del body
        session = exchange.headers.get(SESSION, "")
        if session and not self._ids.holds(session, visit.principal.id):
            await no_session(exchange)
            return
        if message is None or message.id is None:
            if session and message is not None and message.method == "notifications/cancelled":
                self._in_flight.cancel(session, message)
            await exchange.answer(202, exchange.extra, b"")
            return
        if message.method == "initialize":
            exchange.extra = [*exchange.extra, (SESSION.encode(), self._ids.issue(visit.principal.id).encode())]
        if session and not self._in_flight.enter(session, message.id, exchange):
            await twice(exchange)
            return
        version = exchange.headers.get(MCP_PROTOCOL_VERSION_HEADER, OLDEST)
        connection = Connection.from_envelope(version, None, None)
        try:
            await answer(self._server, exchange, visit, message, connection, modern=False)
        finally:
            if session:
                self._in_flight.leave(session, message.id)

    async def take_other(self, exchange: Exchange, visit: Visit) -> None:
        """Open the stream for changed lists."""
        session = exchange.headers.get(SESSION, "")
        if session and not self._ids.holds(session, visit.principal.id):
            await no_session(exchange)
        else:
            await held(exchange, self._ground, visit, lambda: changed_lists(exchange, self._ground, visit))


async def no_session(exchange: Exchange) -> None:
    """Answer for a session that there is not, or not for this caller: the client begins anew."""
    error = ErrorData(code=INVALID_REQUEST, message="Session not found")
    await exchange.answer(404, [NOT_KEPT], failure(exchange.call_id, error))


async def twice(exchange: Exchange) -> None:
    """Answer for an id that another request of the session has, which is being answered still."""
    error = ErrorData(code=INVALID_REQUEST, message="A request with this id is being answered already")
    await exchange.answer(400, [NOT_KEPT], failure(exchange.call_id, error))
