"""Streams that stay open: what runs them ends when the client leaves and when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from mcp.server.subscriptions import ResourceUpdated, ServerEvent

from moothall.protocols.house import STREAMS, Streams
from moothall.protocols.mcp.changes import METHODS
from moothall.protocols.mcp.exchange import Exchange
from moothall.protocols.mcp.ground import Ground
from moothall.protocols.mcp.hearing import Hearing
from moothall.protocols.mcp.visits import Visit
from moothall.protocols.mcp.wire import event, notification


async def held(exchange: Exchange, ground: Ground, visit: Visit, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run what answers a request with a stream.

    Raises:
        Overloaded: too many streams are open, or too many of this caller.
        MoothallError: as `run`.
    """
    with ground.streams.one_of(visit):
        await _held(exchange, run)


async def _held(exchange: Exchange, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    streams: Streams = exchange.scope[STREAMS]
    pump = streams.open(run)
    try:
        await asyncio.wait([pump])
    finally:
        if not pump.done():
            pump.cancel()
            await asyncio.wait([pump])
    if not pump.cancelled():
        pump.result()
    elif not exchange.gone:
        await exchange.finish()


async def changed_lists(exchange: Exchange, ground: Ground, visit: Visit) -> None:
    """Tell a client of the handshake era, which has no session here, whenever a list has changed that it may read.

    It is told that once, however often it happened while it did not read.
    """
    due: dict[str, None] = {}
    ready = asyncio.Event()

    def deliver(told: ServerEvent) -> None:
        if not isinstance(told, ResourceUpdated) and hearing.hears(told):
            due[METHODS[type(told)]] = None
            ready.set()

    hearing = Hearing(ground, visit.principal)
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
        exchange.leave()
