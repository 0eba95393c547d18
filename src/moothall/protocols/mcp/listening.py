"""Streams that stay open: what runs them ends when the client leaves and when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from mcp.server.subscriptions import ResourceUpdated, ServerEvent

from moothall.errors import MoothallError, PermissionDeniedError, Unauthenticated
from moothall.identity.principal import Principal
from moothall.protocols.house import STREAMS, Streams
from moothall.protocols.intake import received
from moothall.protocols.mcp.changes import METHODS
from moothall.protocols.mcp.exchange import Exchange
from moothall.protocols.mcp.ground import Ground
from moothall.protocols.mcp.hearing import Hearing
from moothall.protocols.mcp.visits import Visit
from moothall.protocols.mcp.wire import event, notification
from moothall.telemetry import logger

_log = logger("mcp")


async def held(exchange: Exchange, ground: Ground, visit: Visit, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run what answers a request with a stream.

    Raises:
        Overloaded: too many streams are open, or too many of this caller.
        MoothallError: as `run`.
    """
    with ground.streams.one_of(visit):
        await _held(exchange, ground, visit, run)


async def _held(exchange: Exchange, ground: Ground, visit: Visit, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    streams: Streams = exchange.scope[STREAMS]
    pump = streams.open(run)
    try:
        while not (await asyncio.wait([pump], timeout=exchange.heartbeat))[0]:
            if not await _welcome(exchange, ground, visit.principal):
                break
    finally:
        if not pump.done():
            pump.cancel()
            await asyncio.wait([pump])
    if not pump.cancelled():
        pump.result()
    elif not exchange.gone:
        await exchange.finish()


async def _welcome(exchange: Exchange, ground: Ground, principal: Principal) -> bool:
    """Whether a reader is still who it proved to be; a proof of the request itself cannot be looked at twice."""
    if exchange.barred():
        return False
    if principal.binding != "token":
        return True
    try:
        again = await ground.gateway().authenticate(received(exchange.scope, b""))
    except (Unauthenticated, PermissionDeniedError):  # it has expired, or was revoked
        return False
    except MoothallError as error:
        _log.warning("whether a stream's token still holds is not known: %s", error)
        return True
    return again.id == principal.id


async def changed_lists(exchange: Exchange, ground: Ground, visit: Visit) -> None:
    """Tell a client of the handshake era, which has no session here, whenever a list has changed that it may read.

    It is told that once, however often it happened while it did not read.
    """
    due: dict[str, None] = {}
    ready = asyncio.Event()

    def deliver(told: ServerEvent) -> None:
        if not isinstance(told, ResourceUpdated):
            hearing.hear(told, due_now)

    def due_now(told: ServerEvent) -> None:
        due[METHODS[type(told)]] = None
        ready.set()

    hearing = Hearing(ground, visit.principal)
    await hearing.begin()
    exchange.attend()
    end = ground.bus.subscribe(deliver)
    try:
        await exchange.event(b": \n\n")
        while True:
            await ready.wait()
            ready.clear()
            while due:
                method, _ = due.popitem()
                await exchange.event(event(notification(method, None)))
    finally:
        end()
        hearing.close()
        exchange.leave()
