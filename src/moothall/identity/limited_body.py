"""The body of an answer from elsewhere: never longer than was agreed, packed or unpacked, and never endless silence."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import httpcore
import httpx

from moothall.errors import CallTimeout, InvalidInput, MoothallError, Told, UpstreamError, UpstreamInvalid

FAILURES: Final = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
)
"""What httpcore raises when a connection fails; `failure` says what each means."""

_GZIP: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """What one answer may take, and where it may lead.

    Attributes:
        most_bytes: of the body, after unpacking.
        head_seconds: until its head is there: a free connection, the look-up, TLS and the server's thinking.
        idle_seconds: of silence in the body.
        connect_seconds: for the look-up and the connection alone.
        redirects: that are followed, at most 3, and only of GET and HEAD; with 0 a redirect is an answer like others.
        same_origin: whether one to another origin is an error.
        for_strangers: whether the address was named by somebody who has proved nothing yet. Such requests have
            connections and look-ups of their own: those that hang take none from the node's own calls.
    """

    most_bytes: int = 4 * 1024 * 1024
    head_seconds: float = 30.0
    idle_seconds: float = 30.0
    connect_seconds: float = 10.0
    redirects: int = 0
    same_origin: bool = False
    for_strangers: bool = False


class LimitedBody(httpx.AsyncByteStream):
    """The bytes of an answer, unpacked, as they come; raises UpstreamInvalid, UpstreamError and CallTimeout."""

    def __init__(self, answer: httpcore.Response, caps: Caps, *, packed: bool) -> None:
        self._answer = answer
        self._caps = caps
        self._packed = packed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield what arrives until the end, or until it is too much."""
        most, arrived = self._caps.most_bytes, 0
        unpack = _Unpacked(most) if self._packed else None
        async for chunk in self._arriving():
            arrived += len(chunk)
            if arrived > most:  # of what is packed, too: empty blocks unpack to nothing, for ever
                raise _too_long()
            if data := unpack.feed(chunk) if unpack else chunk:
                yield data
        if unpack and arrived and not unpack.complete:
            raise UpstreamInvalid("the answer is cut off", told=Told("egress.cut"))

    async def _arriving(self) -> AsyncIterator[bytes]:
        chunks = aiter(self._answer.aiter_stream())
        while True:
            try:
                async with asyncio.timeout(self._caps.idle_seconds):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            except FAILURES as error:
                raise failure(error) from error
            except TimeoutError as error:
                raise silence() from error
            yield chunk

    async def aclose(self) -> None:
        """Give the connection back, or end it when the body was not read to its end."""
        await self._answer.aclose()


class _Unpacked:
    """gzip, read up to a length: it gives way as soon as there is one byte more."""

    def __init__(self, most: int) -> None:
        self._room = most
        self._gzip = zlib.decompressobj(_GZIP)

    @property
    def complete(self) -> bool:
        return self._gzip.eof

    def feed(self, chunk: bytes) -> bytes:
        try:
            data = self._gzip.decompress(chunk, self._room + 1)
        except zlib.error as error:
            raise UpstreamInvalid("the answer cannot be unpacked", told=Told("egress.packed")) from error
        if len(data) > self._room:
            raise _too_long()
        self._room -= len(data)
        return data


def body_of(answer: httpcore.Response, headers: httpx.Headers, caps: Caps) -> LimitedBody:
    """The body of an answer; what it says of its packing and length is taken off the headers once it is unpacked.

    Raises:
        UpstreamInvalid: it announces more than is allowed, or is packed in another way than gzip.
    """
    length = headers.get("content-length", "")
    if length.isdecimal() and (len(length) > len(str(caps.most_bytes)) or int(length) > caps.most_bytes):
        raise _too_long()
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"identity", ""}:
        return LimitedBody(answer, caps, packed=False)
    if encoding not in {"gzip", "x-gzip"}:
        raise UpstreamInvalid("the answer cannot be unpacked", told=Told("egress.packed"))
    for name in ("content-encoding", "content-length"):
        headers.pop(name, None)
    return LimitedBody(answer, caps, packed=True)


def _too_long() -> UpstreamInvalid:
    return UpstreamInvalid("the answer is too long", told=Told("egress.long"))


def silence() -> CallTimeout:
    """The error of a far side that says nothing, or too slowly."""
    return CallTimeout("no answer in time", told=Told("egress.silent"))


def failure(error: Exception) -> MoothallError:
    """What a failure of the connection is to a caller; `sent` is False only where no byte of the request had left."""
    if isinstance(error, httpcore.LocalProtocolError | httpcore.UnsupportedProtocol):
        return InvalidInput("the request cannot be written", told=Told("egress.unwritable"))
    found = UpstreamError("the connection failed", told=Told("egress.broken"))
    if isinstance(error, httpcore.ConnectError | httpcore.ConnectTimeout | httpcore.PoolTimeout):
        found = UpstreamError("no connection", told=Told("egress.unreachable"))
        found.sent = False
    return found
