"""A node behind its HTTP door, written down in node.json for the owner's other commands."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing

from moothall.cli import nodefile
from moothall.cli.nodefile import NodeFile
from moothall.errors import SettingsError
from moothall.messages import Lang, text
from moothall.node import Node
from moothall.server.access import parse_keys
from moothall.server.admission import is_loopback
from moothall.server.cors import Cors
from moothall.server.run import Address, AddressInUse, bind, serve_on
from moothall.settings import Settings, variable

_HIGHEST = 65_535
_TRIES = 100


def refuse_open_host(settings: Settings, lang: Lang) -> None:
    """Refuse to listen where others could reach a node that asks nobody who they are.

    All settings of the door are read here, before the node opens its store.

    Raises:
        SettingsError: the host is not a loopback address and no API keys are set, or a list of keys or origins does
            not fit.
    """
    Cors.of(settings.cors_origins)
    if not parse_keys(settings.api_keys) and not is_loopback(settings.host.strip("[]").lower()):
        told = text("cli.serve.open_host", lang, host=settings.host)
        raise SettingsError(told, hint=text("cli.serve.open_host_try", lang, variable=variable("api_keys")))


def bind_near(host: str, port: int) -> socket.socket:
    """Take the port, or the next free one above it.

    Raises:
        AddressInUse: a hundred ports in a row are taken.
    """
    last = min(port + _TRIES, _HIGHEST)
    while True:
        try:
            return bind(host, port)
        except AddressInUse:
            if port >= last:
                raise
            port += 1


@asynccontextmanager
async def served(
    node: Node, listener: socket.socket, host: str, stop: asyncio.Event, ready: Callable[[Address], None]
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve a started node on ``listener`` from here to the end of the block; ``ready`` is called when it answers."""
    with closing(listener):
        begun = asyncio.Event()
        written: list[NodeFile] = []

        def on_ready(address: Address) -> None:
            written.append(NodeFile(address.url, os.getpid(), node.owner_token))
            nodefile.write(node.settings.data, written[0])
            ready(address)
            begun.set()

        door = asyncio.create_task(serve_on(listener, node.app(), host=host, on_ready=on_ready, stop=stop))
        waiting = asyncio.create_task(begun.wait())
        try:
            await asyncio.wait([door, waiting], return_when=asyncio.FIRST_COMPLETED)
            yield door
        finally:
            waiting.cancel()
            stop.set()
            await door
            for entry in written:
                nodefile.remove(node.settings.data, entry)
