"""Requests that stand alone: both eras without a session. The SDK's kernel answers them; the transport is ours.

Ours, since it must read JSON strictly, find out who sends before it reads, answer refusals as every door does, and end
the work of whoever leaves. The kernel checks and shapes every message by the protocol's version, as with its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
from mcp.server.connection import Connection
from mcp.server.lowlevel import Server
from mcp.server.runner import serve_one
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import MCPError, NoBackChannelError
from mcp.shared.inbound import ERROR_CODE_HTTP_STATUS
from mcp.shared.jsonrpc_dispatcher import progress_token_from_params
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import INVALID_PARAMS, ErrorData
from pydantic import ValidationError

from moothall.errors import MoothallError, Told, Unauthenticated, UsageError
from moothall.protocols.headers import Headers
from moothall.protocols.mcp.exchange import Exchange
from moothall.protocols.mcp.failures import Refused
from moothall.protocols.mcp.visits import Visit
from moothall.protocols.mcp.wire import Id, Message, event, failure, notification, success


class Single:
    """One request as the SDK's kernel sees it (`DispatchContext`): it can be told things, and asked nothing."""

    can_send_request = False

    def __init__(self, exchange: Exchange, visit: Visit, message: Message, call_id: Id) -> None:
        self._exchange = exchange
        self._token = progress_token_from_params(message.params)
        self._listening = "text/event-stream" in exchange.headers.get("accept", "")
        self._visit = visit
        self.request_id = call_id
        self.message_metadata = ServerMessageMetadata(request_context=visit)

    @property
    def transport(self) -> TransportContext:
        """Where it came in."""
        return TransportContext(kind="streamable-http", can_send_request=False, headers=self._visit.headers)

    @property
    def cancel_requested(self) -> anyio.Event:
        """Never set: the work of a request that is cancelled is cancelled itself."""
        return anyio.Event()

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Refuse: a client without a session has nowhere to send its answer.

        Raises:
            NoBackChannelError: always.
        """
        del params, opts
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Tell the client something, where it takes events."""
        del opts
        if self._listening and not self._exchange.gone:
            await self._exchange.event(event(notification(method, params)))

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Tell the client how far the work is, where it asked for that."""
        if self._token is not None:
            params = {"progressToken": self._token, "progress": progress, "total": total, "message": message}
            await self.notify("notifications/progress", {k: v for k, v in params.items() if v is not None})


async def answer(
    server: Server[Any],
    exchange: Exchange,
    visit: Visit,
    message: Message,
    connection: Connection,
    *,
    modern: bool,
) -> None:
    """Answer one request.

    Raises:
        MoothallError: the sender must prove first who it is; nothing was sent.
    """
    if message.id is None:
        raise UsageError("a notification has no answer", told=Told("mcp.message"))
    single = Single(exchange, visit, message, message.id)
    exchange.attend()
    status = 200
    try:
        result = await serve_one(
            server, single, message.method, message.params, connection=connection, lifespan_state=None
        )
        body = success(message.id, result)
    except (MCPError, ValidationError) as error:
        if not exchange.events and (refusal := _refusal(error)) is not None:
            raise refusal from error
        told = error.error if isinstance(error, MCPError) else _misfit()
        body = failure(message.id, told)
        status = ERROR_CODE_HTTP_STATUS.get(told.code, 200) if modern else 200
    finally:
        exchange.leave()
    if exchange.events:
        await exchange.finish(event(body))
    else:
        headers: Headers = exchange.extra
        await exchange.answer(status, headers, body)


def _refusal(error: Exception) -> MoothallError | None:
    """The error that clients must see as one of HTTP: only then do they ask a person, or sign, and come again."""
    cause = error.cause if isinstance(error, Refused) else None
    return cause if isinstance(cause, Unauthenticated) else None


def _misfit() -> ErrorData:
    """What parameters are answered with that do not have the protocol's form; their text stays inside."""
    return ErrorData(code=INVALID_PARAMS, message="Invalid request parameters", data={"code": "VALIDATION_ERROR"})
