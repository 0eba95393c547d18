"""An httpx transport that is guarded: whoever is given it can reach nothing that the node's operator did not mean.

It stands on httpcore's public interface (a pool and a network backend), so no update can move the guard out of the way
unnoticed. httpx's own transport takes no backend, reads proxies from the environment and unpacks without a limit.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterable
from pathlib import Path
from typing import Final

import httpcore
import httpx

from moothall.errors import SettingsError
from moothall.identity.allowed import Allowed
from moothall.identity.destination import Destination, Origin, destination
from moothall.identity.guard import Guard, Lookup
from moothall.identity.limited_body import FAILURES, Caps, body_of, failure, silence

CAPS: Final = "moothall.caps"
"""The request extension with the `Caps` of its answer."""

_CONNECTIONS: Final = 200
_KEPT: Final = 40
_KEPT_SECONDS: Final = 30.0


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends requests to public https addresses, and to those that are listed.

    Every method raises errors of moothall's own: InvalidInput for an address that is refused, UpstreamError,
    UpstreamInvalid and CallTimeout. Redirects are the client's business; each comes back here as a new request.
    """

    def __init__(self, allowed: Allowed, lookup: Lookup, trust: ssl.SSLContext) -> None:
        self._allowed = allowed
        self._trust = trust
        self._guard = Guard(allowed, lookup)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust,
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_KEPT,
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=self._guard,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and return its answer when the head is there.

        Raises:
            InvalidInput: its address is refused; nothing was sent.
            UpstreamError: nobody answers there; `sent` says whether any of it may have arrived.
            UpstreamInvalid: the answer is too long or packed in an unknown way.
            CallTimeout: there was no head in time.
        """
        place = destination(request.url, self._allowed)
        caps = request.extensions.get(CAPS, _DEFAULT)
        try:
            async with asyncio.timeout(caps.head_seconds):
                answer = await self._pool.handle_async_request(_plain(request, place.url, caps))
        except FAILURES as error:
            raise failure(error) from error
        except TimeoutError as error:
            raise silence() from error
        headers = httpx.Headers(answer.headers)
        try:
            body = body_of(answer, headers, caps)
        except BaseException:
            await answer.aclose()
            raise
        return httpx.Response(answer.status, headers=headers, stream=body, request=request)

    async def examine(self, place: Destination, seconds: float) -> None:
        """Look a place up without connecting to it.

        Raises:
            InvalidInput: a request to it would be refused.
            UpstreamError: its name cannot be looked up.
            CallTimeout: not in time.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._guard.fit(place.origin.host, place.origin.port)
        except FAILURES as error:
            raise failure(error) from error
        except TimeoutError as error:
            raise silence() from error

    async def connect(self, place: Destination, seconds: float) -> httpcore.AsyncNetworkStream:
        """A connection of its own to a place, with TLS where its scheme asks for that; whoever asked closes it.

        Raises:
            InvalidInput: a request to it would be refused.
            UpstreamError: nobody answers there.
            CallTimeout: not in time.
        """
        origin = place.origin
        try:
            async with asyncio.timeout(seconds):
                stream = await self._guard.connect_tcp(origin.host, origin.port, seconds)
                try:
                    return await self._secured(stream, origin) if origin.scheme == "https" else stream
                except BaseException:
                    await stream.aclose()
                    raise
        except FAILURES as error:
            raise failure(error) from error
        except TimeoutError as error:
            raise silence() from error

    async def _secured(self, stream: httpcore.AsyncNetworkStream, origin: Origin) -> httpcore.AsyncNetworkStream:
        return await stream.start_tls(self._trust, origin.host)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


def _plain(request: httpx.Request, url: httpx.URL, caps: Caps) -> httpcore.Request:
    headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"accept-encoding"]
    if not isinstance(request.stream, AsyncIterable):
        raise TypeError("the body of an asynchronous request must be asynchronous")
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=[*headers, (b"Accept-Encoding", b"identity")],
        content=request.stream,
        extensions={
            "timeout": {
                "pool": caps.connect_seconds,
                "connect": caps.connect_seconds,
                "write": caps.idle_seconds,
            }
        },
    )


_DEFAULT: Final = Caps()


def trust(ca: Path | None = None) -> ssl.SSLContext:
    """Whom to believe: those in ``SSL_CERT_FILE``, else those that browsers believe, and those in the file ``ca``.

    A certificate holds for the names it lists (SAN) and for no common name.

    Raises:
        SettingsError: the file ``ca`` cannot be read or holds no certificate.
    """
    context = httpx.create_ssl_context()
    context.hostname_checks_common_name = False
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except OSError as error:  # among them ssl.SSLError
            raise SettingsError(
                "the setting egress_ca does not fit",
                why="the file cannot be read, or holds no certificate (PEM)",
                hint="set MOOTHALL_EGRESS_CA to a file of certificates in PEM form",
                details={"setting": "egress_ca", "variable": "MOOTHALL_EGRESS_CA"},
            ) from error
    return context
