"""A node behind its HTTP door, written down in node.json for the owner's other commands."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from moothall.cli import nodefile, process
from moothall.cli.nodefile import NodeFile
from moothall.errors import SettingsError
from moothall.identity.apikeys import parse_keys
from moothall.identity.devca import development_tls
from moothall.messages import Lang, text
from moothall.node import Node
from moothall.server.admission import is_loopback
from moothall.server.cors import Cors
from moothall.server.run import Address, AddressInUse, Tls, bind, serve_on
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


def tls_of(settings: Settings, *, wanted: bool, now: datetime) -> Tls | None:
    """The certificate to serve with: the settings', else one of a development authority where it is wanted.

    Raises:
        SettingsError: only one of the two files is named, or one of them is not there.
        StorageError: the development certificate cannot be read or written.
    """
    if not (settings.tls_cert or settings.tls_key):
        if not wanted:
            return None
        names = [name for name in (settings.host, urlsplit(settings.public_url).hostname or "") if name]
        made = development_tls(settings.data, names, now)
        return Tls(made.chain, made.key, made.authority)
    for name in ("tls_cert", "tls_key"):
        if not Path(getattr(settings, name)).is_file():
            raise SettingsError(
                f"the setting {name} names no file",
                hint=f"set {variable('tls_cert')} and {variable('tls_key')}, both",
                details={"setting": name},
            )
    return Tls(Path(settings.tls_cert), Path(settings.tls_key))


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
    node: Node,
    listener: socket.socket,
    host: str,
    stop: asyncio.Event,
    ready: Callable[[Address], None],
    tls: Tls | None = None,
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve a started node on ``listener`` from here to the end of the block; ``ready`` is called when it answers."""
    with closing(listener):
        begun = asyncio.Event()
        written: list[NodeFile] = []

        def on_ready(address: Address) -> None:
            authority = str(tls.authority.resolve()) if tls and tls.authority else ""
            written.append(NodeFile(address.url, os.getpid(), node.owner_token, authority))
            nodefile.write(node.settings.data, written[0])
            ready(address)
            process.settle()
            begun.set()

        door = asyncio.create_task(serve_on(listener, node.app(), host=host, on_ready=on_ready, stop=stop, tls=tls))
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
