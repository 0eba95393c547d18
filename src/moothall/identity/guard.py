"""The last step of every outgoing connection: look the name up once, check every answer, connect to what was checked.

It stands below TLS: httpcore leaves the connection to this backend, and goes on to use the *name* for SNI and for the
certificate. So nothing can come between the check and the connection (DNS rebinding), and no code above can forget it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any, Final

import httpcore

from moothall.errors import Overloaded, Told
from moothall.identity.addresses import Address, is_loopback, is_private, is_public, parse
from moothall.identity.allowed import Allowed
from moothall.identity.destination import refused

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Finds the addresses of a host; raises OSError where there are none."""

_TRIED: Final = 4
"""Addresses of one host that are tried in turn."""
LOOKUPS: Final = 64
"""Names that are looked up at once for the node's own calls."""
LOOKUPS_FOR_STRANGERS: Final = 16
"""Names that are looked up at once because somebody named them who has proved nothing yet."""
_CONNECT_SECONDS: Final = 10.0


class SystemLookup:
    """The resolver of the system, in threads of its own: one that hangs holds up nobody but those who look names up.

    Nobody waits for a thread: a look-up that was given up goes on in its thread, and a queue would only hide that.
    """

    def __init__(self, most: int = LOOKUPS) -> None:
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="moothall-lookup")
        self._free = BoundedSemaphore(most)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host, IPv4 and IPv6, in the order of the system's preference.

        Raises:
            OSError: there are none.
            Overloaded: as many names as may be are being looked up.
        """
        if not self._free.acquire(blocking=False):
            raise Overloaded("too many names are being looked up", told=Told("egress.names"))
        try:
            looking = self._threads.submit(_addresses, host, port)
        except BaseException:
            self._free.release()
            raise
        looking.add_done_callback(lambda _: self._free.release())
        return tuple(dict.fromkeys(await asyncio.wrap_future(looking)))

    def close(self) -> None:
        """Look up nothing more; what is under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class Guard(httpcore.AsyncNetworkBackend):
    """A network backend that connects to public addresses, and to private ones where the operator listed the host."""

    def __init__(self, allowed: Allowed, lookup: Lookup) -> None:
        self._allowed = allowed
        self._lookup = lookup
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers, once all of them are known to be fit.

        Raises:
            InvalidInput: one of them is not, and nothing was connected to.
            httpcore.ConnectError: there are none, or none answers.
            httpcore.ConnectTimeout: it took longer than `timeout` seconds.
            Overloaded: too many names are being looked up.
        """
        try:
            seconds = _CONNECT_SECONDS if timeout is None else timeout
            async with asyncio.timeout(seconds):
                addresses = (await self.fit(host, port))[:_TRIED]
                options = {"local_address": local_address, "socket_options": socket_options}
                return await self._first(addresses, port, seconds / len(addresses), options)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error

    async def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002 - the signature is httpcore's
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: a path of this machine is no place on the network."""
        raise refused("scheme")

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts."""
        await asyncio.sleep(seconds)

    async def fit(self, host: str, port: int) -> list[Address]:
        """The addresses of a host, all of them fit to connect to; nothing is connected to.

        Raises:
            InvalidInput: one of them is not.
            httpcore.ConnectError: there are none.
            Overloaded: too many names are being looked up.
        """
        literal = parse(host)
        try:
            answers = [str(literal)] if literal else await self._lookup(host, port)
        except (OSError, UnicodeError) as error:  # socket.gaierror; Python's IDNA codec, which it runs over every name
            raise httpcore.ConnectError("the name cannot be looked up") from error
        if not answers:
            raise httpcore.ConnectError("the name has no address")
        found = [parse(answer) for answer in answers]
        if not all(address is not None and self._fits(host, port, address) for address in found):
            raise refused("address")
        return [address for address in found if address is not None]

    def _fits(self, host: str, port: int, address: Address) -> bool:
        if self._allowed.speaks_http(host, port):
            return is_loopback(address)
        return is_public(address) or (self._allowed.may_be_private(host, port) and is_private(address))

    async def _first(
        self, addresses: Sequence[Address], port: int, seconds: float, options: Mapping[str, Any]
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first that answers; each gets its share of the time, so that a dead one costs no more."""
        failure: Exception = httpcore.ConnectError()
        for address in addresses:
            try:
                return await self._sockets.connect_tcp(str(address), port, seconds, **options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


def _addresses(host: str, port: int) -> Iterable[str]:
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
