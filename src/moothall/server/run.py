"""Serving the application inside the running event loop, until told to stop."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from moothall.errors import SettingsError
from moothall.negotiation.protocol.limits import MAX_MESSAGE_BYTES
from moothall.server.app import ServerApp
from moothall.server.limited import LIMITS, Limits, limited
from moothall.server.socket_protocol import SocketProtocol

GRACE_SECONDS = 5
"""How long requests under way may take when the server stops."""
LONGEST_MESSAGE = MAX_MESSAGE_BYTES
"""Bytes of one WebSocket message; a longer one closes its connection (1009)."""
_BACKLOG = 2048
_ONE_OF_ALL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - the addresses are looked up, not bound
_OF_THIS_MACHINE = frozenset({"127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Tls:
    """Files (PEM) with which the server speaks https.

    ``authority`` vouches for a development certificate, which nobody else trusts.
    """

    chain: Path
    key: Path
    authority: Path | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens."""

    host: str
    port: int
    secure: bool = False

    @property
    def url(self) -> str:
        """The address as a URL without a trailing slash; for a wildcard, how this machine reaches it."""
        host = _ONE_OF_ALL.get(self.host, self.host)
        if self.secure and host in _OF_THIS_MACHINE:
            host = "localhost"  # certificates and DIDs name hosts, not addresses
        scheme = "https" if self.secure else "http"
        return f"{scheme}://[{host}]:{self.port}" if ":" in host else f"{scheme}://{host}:{self.port}"


class AddressInUse(SettingsError):
    """Another program listens on the wanted port."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers (the caller decides when to stop), which says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(host: str, port: int) -> socket.socket:
    """Take the address; port 0 takes any free one.

    Raises:
        AddressInUse: the port is taken.
        SettingsError: there is no such address on this machine.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return _listening(family, (str(address[0]), port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AddressInUse(
                f"port {port} on {host} is taken",
                why="another program, perhaps another node, listens there",
                hint="choose another port with --port, or 0 for any free one",
            ) from error
        raise SettingsError(f"cannot listen on {host}:{port}", why=error.strerror or str(error)) from error


def _listening(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    """As `socket.create_server`, which leaves the protocol out: asyncio then keeps small answers back for 40 ms."""
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


async def serve(
    app: ServerApp,
    *,
    host: str,
    port: int,
    on_ready: Callable[[Address], None],
    stop: asyncio.Event | None = None,
    limits: Limits = LIMITS,
    tls: Tls | None = None,
) -> None:
    """Serve ``app`` until ``stop`` is set or the caller is cancelled; then end the streams and finish the requests.

    ``on_ready`` is called once, when requests are answered.

    Raises:
        AddressInUse, SettingsError: see :func:`bind`.
    """
    await serve_on(bind(host, port), app, host=host, on_ready=on_ready, stop=stop, limits=limits, tls=tls)


async def serve_on(
    listener: socket.socket,
    app: ServerApp,
    *,
    host: str,
    on_ready: Callable[[Address], None],
    stop: asyncio.Event | None = None,
    limits: Limits = LIMITS,
    tls: Tls | None = None,
) -> None:
    """As :func:`serve`, on a socket that :func:`bind` took earlier."""
    server = _Server(_config(app, limits, tls))
    running = asyncio.create_task(server.serve([listener]))
    listening = asyncio.create_task(server.listening.wait())
    stopping = asyncio.create_task((stop or asyncio.Event()).wait())
    try:
        await asyncio.wait([running, listening], return_when=asyncio.FIRST_COMPLETED)
        if server.started:
            on_ready(Address(host, listener.getsockname()[1], secure=tls is not None))
            await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        listening.cancel()
        stopping.cancel()
        app.streams.close()
        server.should_exit = True
        await running
        listener.close()


def _config(app: ServerApp, limits: Limits, tls: Tls | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ssl_certfile=tls.chain if tls else None,
        ssl_keyfile=tls.key if tls else None,
        loop="none",
        http=limited(limits),
        ws=SocketProtocol,
        ws_max_size=LONGEST_MESSAGE,
        ws_per_message_deflate=False,  # a small frame could unpack to a large one
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
