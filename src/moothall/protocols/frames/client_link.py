"""The connection as the client has it: WebSocket (RFC 6455) over a guarded connection.

The protocol is that of the library ``websockets``, without its way to the network: ours goes through the guard.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Final, Self

import httpcore
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidState, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from moothall.errors import PermissionDeniedError, Told, Unauthenticated, UpstreamError
from moothall.identity.auth_params import challenge_nonce
from moothall.identity.limited_body import silence
from moothall.protocols.frames.link import NORMAL, UNFIT, ended, text_frame, too_big

_CHUNK: Final = 64 * 1024
_CLOSING_SECONDS: Final = 2.0
_WRITING_SECONDS: Final = 30.0
"""After which a peer that takes nothing in is taken for gone."""
QUIET_SECONDS: Final = 20.0
"""After which a silent peer is asked whether it is there; as long once more without a word, and it is gone."""

_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_TOO_BIG: Final = 1009
_GONE: Final = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError)


class Challenged(Exception):
    """The server asks for a proof over its nonce."""

    def __init__(self, nonce: str) -> None:
        super().__init__("a nonce of the server is to be signed")
        self.nonce = nonce


class ClientLink:
    """A WebSocket that a server accepted; use `open`."""

    def __init__(
        self, stream: httpcore.AsyncNetworkStream, protocol: ClientProtocol, most: int, quiet: float = QUIET_SECONDS
    ) -> None:
        self._stream, self._protocol, self._most, self._quiet = stream, protocol, most, quiet
        self._arrived: deque[bytes] = deque()
        self._begun = bytearray()
        self._writing = asyncio.Lock()
        self._text = False
        self._asked = False
        self._closed = False

    @classmethod
    async def open(
        cls,
        stream: httpcore.AsyncNetworkStream,
        url: str,
        headers: dict[str, str],
        most: int,
        seconds: float,
        quiet: float = QUIET_SECONDS,
    ) -> Self:
        """Ask for a WebSocket at ``url`` (``ws`` or ``wss``) over a connection that leads there.

        ``seconds`` are for the handshake; ``quiet`` ones of silence have the other side asked whether it is there.

        Raises:
            Challenged: it answers 401 with a nonce.
            Unauthenticated, PermissionDeniedError: it lets this agent not in.
            UpstreamError: it speaks no WebSocket there, or hangs up.
            CallTimeout: no answer in time.
        """
        protocol = ClientProtocol(parse_uri(url), max_size=most)
        link = cls(stream, protocol, most, quiet)
        request = protocol.connect()
        for name, value in headers.items():
            request.headers[name] = value
        protocol.send_request(request)
        try:
            async with asyncio.timeout(seconds):
                await link._shake_hands()
        except TimeoutError as error:
            await link._hang_up()
            raise silence() from error
        except BaseException:
            await link._hang_up()
            raise
        return link

    async def send(self, frame: bytes) -> None:
        """See `Link.send`; a frame whose sender is cancelled is sent whole all the same."""
        sending = asyncio.ensure_future(self._sent(frame))
        sending.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(sending)

    async def receive(self) -> bytes:
        """See `Link.receive`."""
        while not self._arrived:
            if self._text:
                await self.close(UNFIT)
                raise text_frame()
            if self._closed:
                raise ended()
            await self._read()
        return self._arrived.popleft()

    async def close(self, code: int = NORMAL) -> None:
        """See `Link.close`."""
        if self._closed:
            return
        try:
            async with asyncio.timeout(_CLOSING_SECONDS), self._writing:
                self._protocol.send_close(code)
                await self._flush()
        except (InvalidState, TimeoutError, *_GONE):
            pass  # it has gone already
        finally:
            await self._hang_up()

    async def _sent(self, frame: bytes) -> None:
        async with self._writing:
            if self._closed:
                raise ended()
            try:
                self._protocol.send_binary(frame)
                await self._flush()
            except (InvalidState, *_GONE) as error:
                await self._hang_up()
                raise ended() from error

    async def _shake_hands(self) -> None:
        await self._flush()
        while self._protocol.handshake_exc is None:
            await self._take()
            events = self._protocol.events_received()
            if any(isinstance(event, Response) for event in events) and self._protocol.handshake_exc is None:
                self._take_frames(events)  # some may have come in one piece with the answer
                return
        raise _refusal(self._protocol.handshake_exc)

    async def _read(self) -> None:
        """Take in what arrived next; frames that are whole go into the queue."""
        try:
            await self._take(self._quiet)
            self._asked = False
        except httpcore.ReadTimeout as error:
            if self._asked:
                await self._hang_up()
                raise ended() from error
            self._asked = True
            self._protocol.send_ping(b"")
        except UpstreamError as error:
            await self._hang_up()
            raise ended() from error
        self._take_frames(self._protocol.events_received())
        async with self._writing:
            try:
                await self._flush()  # pings, pongs, and the answer to a close
            except _GONE as error:
                await self._hang_up()
                raise ended() from error
        if self._protocol.parser_exc is not None:
            sent = self._protocol.close_sent
            await self._hang_up()
            raise too_big(self._most) if sent and sent.code == _TOO_BIG else ended()
        if self._protocol.close_rcvd is not None or self._protocol.close_expected():
            await self._hang_up()

    def _take_frames(self, events: Iterable[object]) -> None:
        for frame in events:
            if not isinstance(frame, Frame):
                continue
            if frame.opcode is Opcode.TEXT:
                self._text = True
            elif frame.opcode in {Opcode.BINARY, Opcode.CONT} and not self._text:
                self._begun += frame.data
                if frame.fin:
                    self._arrived.append(bytes(self._begun))
                    self._begun.clear()

    async def _take(self, seconds: float | None = None) -> None:
        """Hand what came to the protocol; raises ReadTimeout where nothing came in so many seconds."""
        try:
            data = await self._stream.read(_CHUNK, seconds)
        except httpcore.ReadTimeout:
            raise
        except _GONE as error:
            raise _hung_up() from error
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
            raise _hung_up()

    async def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                await self._stream.write(data, _WRITING_SECONDS)

    async def _hang_up(self) -> None:
        self._closed = True
        await self._stream.aclose()


def _refusal(error: Exception) -> Exception:
    """Why there is no WebSocket; nothing of the server's own words."""
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        nonce = challenge_nonce(error.response.headers.get_all("WWW-Authenticate"))
        if status == _UNAUTHORIZED:
            told = Told("agreeing.refused_us")
            return (
                Challenged(nonce) if nonce else Unauthenticated("the other side does not accept the proof", told=told)
            )
        if status == _FORBIDDEN:
            return PermissionDeniedError("the other side lets this agent not in", told=Told("agreeing.refused_us"))
    if isinstance(error, InvalidHandshake | EOFError):
        return UpstreamError("no frames are spoken there", told=Told("agreeing.no_frames"))
    return error


def _hung_up() -> UpstreamError:
    return UpstreamError("the other side hung up", told=Told("agreeing.hung_up"))
