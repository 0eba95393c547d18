"""The one way out: every request that a node makes to an address it was told by somebody else (rows WIRE-NET-01, 02).

A request goes to https and to public addresses only, but for the hosts in ``MOOTHALL_EGRESS_ALLOW``; no proxy and no
cookie of the environment has a part in it. Redirects are followed only where asked for, each checked like the first
address; to another origin go none of the caller's headers but those that say what it understands.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import httpcore
import httpx

from moothall.errors import CallTimeout, InternalError, InvalidInput, MoothallError, Told, UpstreamInvalid
from moothall.identity.allowed import Allowed
from moothall.identity.destination import Destination, Origin, destination
from moothall.identity.guard import LOOKUPS_FOR_STRANGERS, Lookup, SystemLookup
from moothall.identity.limited_body import Caps, silence
from moothall.identity.transport import CAPS, GuardedTransport, trust
from moothall.settings import Settings
from moothall.tracing import HEADER, current

_MOST_REDIRECTS: Final = 3

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_FOLLOWED: Final = frozenset({"GET", "HEAD"})
_FRAMING: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect"}
)
"""Headers that belong to the connection and are written here; a caller's would make two requests of one."""

_HARMLESS: Final = ("accept", "accept-language", "user-agent")
"""Headers that cross to another origin; a list of what must not would lack the next credential that is invented."""

Proof = Callable[[Destination], Mapping[str, str]]
"""Makes the headers that prove to the receiver who sends a request there."""

_DEFAULT: Final = Caps()
_PROBE: Final = "guard.invalid"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole answer.

    Attributes:
        status: of HTTP; 4xx and 5xx are answers, too.
        headers: as received.
        body: unpacked.
        uri: where it came from, after the redirects that were followed.
    """

    status: int
    headers: httpx.Headers
    body: bytes
    uri: str


class Incoming:
    """An answer whose body is still to come."""

    def __init__(self, answer: httpx.Response, place: Destination) -> None:
        self._answer = answer
        self.status = answer.status_code
        self.headers = answer.headers
        self.origin: Origin = place.origin
        self.uri = place.uri

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes; raises UpstreamError, UpstreamInvalid (too long) and CallTimeout (silence)."""
        return self._answer.aiter_raw()

    async def read(self) -> Fetched:
        """The whole answer; raises as `chunks`."""
        return Fetched(self.status, self.headers, b"".join([chunk async for chunk in self.chunks()]), self.uri)


async def fetched(opening: AbstractAsyncContextManager[Incoming], seconds: float) -> Fetched:
    """Open an answer and read the whole of it, within so many seconds; raises as `Egress.stream`."""
    try:
        async with asyncio.timeout(seconds), opening as answer:
            return await answer.read()
    except CallTimeout:
        raise
    except TimeoutError as error:
        raise silence() from error


class Egress:
    """The guarded client; one for a node, shared by everything that calls out.

    Args:
        allowed: hosts that may be private, or speak http on loopback.
        ca: a file of further certificate authorities (PEM).
        lookup: finds the addresses of a name; the system's when left out.

    Raises:
        SettingsError: the file cannot be read.
    """

    def __init__(self, allowed: Allowed | None = None, *, ca: Path | None = None, lookup: Lookup | None = None) -> None:
        self.allowed = allowed or Allowed()
        self._trust = trust(ca)
        self._lookups = SystemLookup(), SystemLookup(LOOKUPS_FOR_STRANGERS)  # threads begin with the first look-up
        ours, theirs = (lookup, lookup) if lookup else self._lookups
        self.transport = GuardedTransport(self.allowed, ours, self._trust)
        self._theirs = GuardedTransport(self.allowed, theirs, self._trust)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The client that a node's settings ask for.

        Raises:
            SettingsError: they do not fit.
        """
        ca = Path(settings.egress_ca) if settings.egress_ca else None
        return cls(Allowed.parsed(settings.egress_allow), ca=ca)

    async def self_check(self) -> None:
        """Prove that the guard stands in the way of a connection; to be called once, before the first request.

        Raises:
            InternalError: it does not.
        """

        async def loopback(_host: str, _port: int) -> tuple[str, ...]:
            return ("127.0.0.1",)

        probe = GuardedTransport(Allowed(), loopback, self._trust)
        try:
            await probe.handle_async_request(httpx.Request("GET", f"https://{_PROBE}/"))
        except InvalidInput as error:
            if error.told and error.told.why == "egress.address":
                return
            raise InternalError("outgoing requests are not guarded") from error
        except MoothallError as error:
            raise InternalError("outgoing requests are not guarded") from error
        finally:
            await probe.aclose()
        raise InternalError("outgoing requests are not guarded")

    async def aclose(self) -> None:
        """Close every connection."""
        try:
            await self.transport.aclose()
        finally:
            await self._theirs.aclose()
            for lookup in self._lookups:
                lookup.close()

    def scheme(self, host: str, port: int) -> str:
        """How a host is spoken to: ``https``, or ``http`` where it is listed so."""
        return "http" if self.allowed.speaks_http(host, port) else "https"

    def destination(self, url: str) -> Destination:
        """Where a URL leads; raises InvalidInput as `request` would, without looking its host up."""
        return destination(url, self.allowed)

    async def examine(self, url: str, *, seconds: float = 5.0) -> Destination:
        """Where a URL that a stranger named leads, its host looked up and nothing connected to.

        What its name means when a request is made is judged again then.

        Raises:
            InvalidInput: a request to it would be refused.
            UpstreamError: its name cannot be looked up.
            CallTimeout: not in time.
            Overloaded: too many names are being looked up.
        """
        place = self.destination(url)
        await self._theirs.examine(place, seconds)
        return place

    async def connect(self, place: Destination, seconds: float) -> httpcore.AsyncNetworkStream:
        """A guarded connection to a place (`destination`), for what is no request and answer, such as WebSocket.

        Raises:
            InvalidInput: the address is refused.
            UpstreamError: nobody answers there.
            CallTimeout: not in time.
            Overloaded: too many names are being looked up.
        """
        return await self.transport.connect(place, seconds)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        seconds: float = 60.0,
        caps: Caps = _DEFAULT,
        proof: Proof | None = None,
    ) -> Fetched:
        """Make a request and read its answer, all within ``seconds``; for the rest see `stream`."""
        return await fetched(
            self.stream(method, url, headers=headers, content=content, caps=caps, proof=proof), seconds
        )

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        caps: Caps = _DEFAULT,
        proof: Proof | None = None,
    ) -> AsyncIterator[Incoming]:
        """Make a request; the answer's body can be read within the block, however long it goes on.

        Args:
            method: the verb.
            url: absolute.
            headers: of the request; ``Accept-Encoding`` is ours.
            content: the body.
            caps: what the answer may take, how many redirects it may make, and whom the request is made for.
            proof: makes further headers for each address at the origin of `url`; never asked for another one.

        Raises:
            InvalidInput: the address is refused; nothing was sent.
            UpstreamError: nobody answers there; `sent` says whether any of it may have arrived.
            UpstreamInvalid: the answer is too long, packed in an unknown way, or leads astray.
            CallTimeout: silence.
            Overloaded: too many names are being looked up.
        """
        place = self.destination(url)
        fields = httpx.Headers({"user-agent": "moothall"})
        fields.update({name: value for name, value in (headers or {}).items() if name.lower() not in _FRAMING})
        if (trace := current.get()) and not caps.for_strangers:
            fields[HEADER] = trace
        hops = 0
        follows = min(caps.redirects, _MOST_REDIRECTS) if method in _FOLLOWED else 0
        while True:
            head = {**fields, **(proof(place) if proof else {})}
            request = httpx.Request(method, place.url, headers=head, content=content, extensions={CAPS: caps})
            answer = await self._sent(request, redirected=hops > 0)
            try:
                if not follows or answer.status_code not in _REDIRECTS:
                    yield Incoming(answer, place)
                    return
                onward = self._onward(place, answer.headers)
            finally:
                await answer.aclose()
            hops += 1
            if onward.origin != place.origin:
                fields = httpx.Headers({name: fields[name] for name in _HARMLESS if name in fields})
                content, proof = b"", None
            if hops > follows or (caps.same_origin and onward.origin != place.origin):
                raise _astray()
            place = onward

    def _onward(self, place: Destination, headers: httpx.Headers) -> Destination:
        """Where a redirect leads that came from `place`; raises UpstreamInvalid where that is refused."""
        location = headers.get("location")
        if not location:
            raise _astray()
        try:
            return destination(location, self.allowed, place.url)
        except InvalidInput as error:
            raise _astray() from error

    async def _sent(self, request: httpx.Request, *, redirected: bool) -> httpx.Response:
        try:
            transport = self._theirs if request.extensions[CAPS].for_strangers else self.transport
            return await transport.handle_async_request(request)
        except InvalidInput as error:
            if redirected:  # the name to which the far side sent us is refused: that is its fault, not the caller's
                raise _astray() from error
            raise


def _astray() -> UpstreamInvalid:
    return UpstreamInvalid("the answer is a redirect that is not followed", told=Told("egress.redirect"))
