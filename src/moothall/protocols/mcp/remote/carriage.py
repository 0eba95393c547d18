"""The way from the SDK's HTTP client to the guarded one: every request of an MCP client goes through it.

The SDK ends a whole session when a request raises. So a failure becomes an answer that the SDK passes on to the one
call it belongs to, and the call finds the failure itself in its `Exchange`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Final, Protocol

import httpx2
from mcp.client.auth import OAuthFlowError

from moothall.errors import CallTimeout, MoothallError, Told, Unauthenticated, UpstreamInvalid
from moothall.identity.egress import Incoming
from moothall.identity.limited_body import Caps, silence
from moothall.protocols.mcp.remote.exchange import Exchange, current
from moothall.telemetry import logger

MOST_ANSWERED: Final = 16 * 1024 * 1024
"""Bytes of an answer, and of one event of a stream."""

_STREAM: Final = 64 * 1024 * 1024
_MOST_EVENTS: Final = 50_000
_AT_ONCE: Final = 1_000
_EVENTS_A_SECOND: Final = 2_000
"""What the events of one answer may cost us: whoever sends more waits until we read on."""

_ENDS: Final = (b"\n\n", b"\r\n\r\n", b"\r\r")
_STANDING_SECONDS: Final = 3600.0
_OPENING_SECONDS: Final = 30.0
_EVENTS: Final = "text/event-stream"
_SESSION: Final = "mcp-session-id"
_DROPPED: Final = frozenset({"host", "connection", "user-agent", "accept-encoding", "content-length", "cookie"})
"""Headers of the connection, which are made below; and cookies, which belong to no agent."""

_log = logger("mcp")
_FAILED: Final = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"not carried"}}'


class Session(Protocol):
    """Makes guarded requests; raises as `moothall.identity.egress.Egress.stream`."""

    def stream(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes = b"", caps: Caps
    ) -> AbstractAsyncContextManager[Incoming]:
        """Make a request; the answer's body can be read within the block."""
        ...


class GuardedCarriage(httpx2.AsyncBaseTransport):
    """Carries requests through a session, within the time of the call that they are made for.

    Args:
        session: the guarded client, or the signing one of an agent.
        headers: added to requests to the origin of `url`, and to no other.
        url: the address of the server.
    """

    def __init__(self, session: Session, url: str, headers: Mapping[str, str]) -> None:
        self._session = session
        self._origin = _origin(httpx2.URL(url))
        self._headers = headers

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return its answer when the head is there; raises as `Session.stream`, and CallTimeout."""
        exchange = current()
        if exchange is not None and exchange.opening and request.method == "GET":
            exchange = None  # the stream on which a server says what has changed: it stays open
        head, idle = (exchange.left,) * 2 if exchange else (_OPENING_SECONDS, _STANDING_SECONDS)
        if not head:
            raise silence()
        caps = Caps(most_bytes=_STREAM, head_seconds=head, idle_seconds=idle)
        fields = {name: value for name, value in request.headers.items() if name.lower() not in _DROPPED}
        if _origin(request.url) == self._origin:
            fields.update(self._headers)
        content = await request.aread()
        if exchange is not None:
            exchange.begun = True
        async with AsyncExitStack() as opening:
            sent = self._session.stream(request.method, str(request.url), headers=fields, content=content, caps=caps)
            answer = await opening.enter_async_context(sent)
            if exchange is not None:
                exchange.status = answer.status
                exchange.session = _SESSION in request.headers
            if _kind(answer) != _EVENTS and _announced(answer) > MOST_ANSWERED:
                raise _too_long()
            body = _Body(answer, opening.pop_all(), exchange)
        received = [pair for pair in answer.headers.raw if pair[0].lower() != b"set-cookie"]
        return httpx2.Response(answer.status, headers=received, stream=body)


class Contained(httpx2.AsyncBaseTransport):
    """What the SDK's client is given: it makes an answer of every failure.

    Args:
        carriage: the way out.
        auth: gets and shows tokens, with requests of its own on the same way.
    """

    def __init__(self, carriage: GuardedCarriage, auth: httpx2.Auth | None) -> None:
        self._carriage = carriage
        self._inner = httpx2.AsyncClient(transport=carriage, auth=auth, trust_env=False) if auth else None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; the answer is one of this class where that fails."""
        try:
            if self._inner is None:
                return await self._carriage.handle_async_request(request)
            answer = await self._inner.send(request, stream=True, follow_redirects=False)
        except MoothallError as error:
            return _uncarried(error)
        except (
            OAuthFlowError,
            httpx2.HTTPError,
            httpx2.StreamError,
            ValueError,
        ) as error:  # pydantic's is a ValueError
            refused = Unauthenticated("no token for the MCP server", told=Told("mcp.remote_token"))
            refused.__cause__ = error
            return _uncarried(refused)
        body = answer.content if answer.is_stream_consumed else _Passed(answer)
        if isinstance(body, bytes):
            return httpx2.Response(answer.status_code, headers=_unframed(answer), content=body)
        return httpx2.Response(answer.status_code, headers=_unframed(answer), stream=body)

    async def aclose(self) -> None:
        """Let go of the inner client; connections belong to the guarded one."""
        if self._inner is not None:
            await self._inner.aclose()


class _Body(httpx2.AsyncByteStream):
    """The bytes of an answer; what breaks them off is kept for the call."""

    def __init__(self, answer: Incoming, opened: AsyncExitStack, exchange: Exchange | None) -> None:
        self._answer = answer
        self._opened = opened
        self._exchange = exchange
        self._flood = _Flood() if _kind(answer) == _EVENTS else None
        self._most = _STREAM if self._flood is not None else MOST_ANSWERED

    async def __aiter__(self) -> AsyncIterator[bytes]:
        arrived, chunks = 0, aiter(self._answer.chunks())
        until = self._exchange.deadline if self._exchange else None
        try:
            while True:
                async with asyncio.timeout_at(until):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return
                arrived += len(chunk)
                if arrived > self._most:
                    raise _too_long()
                if self._flood is not None:
                    async with asyncio.timeout_at(until):
                        await self._flood.dam(chunk)
                yield chunk
        except (MoothallError, TimeoutError) as error:
            failure = error if isinstance(error, MoothallError) else silence()
            _log.debug("an MCP server's answer broke off: %s", failure)
            if self._exchange is not None:
                self._exchange.failure = failure
            raise httpx2.StreamError(type(failure).__name__) from error

    async def aclose(self) -> None:
        """Give the connection back."""
        await self._opened.aclose()


class _Flood:
    """Counts the events of an answer, and lets no server keep this process busy with them."""

    def __init__(self) -> None:
        self._begun = asyncio.get_running_loop().time()
        self._events = 0
        self._before = b""

    async def dam(self, chunk: bytes) -> None:
        """Wait as long as there are more events than we take in that time.

        Raises:
            UpstreamInvalid: there are too many of them.
        """
        seen = self._before + chunk
        self._events += sum(seen.count(end) for end in _ENDS)
        self._before = seen[-1:]
        if self._events > _MOST_EVENTS:
            raise _too_long()
        taken = asyncio.get_running_loop().time() - self._begun
        ahead = (self._events - _AT_ONCE) / _EVENTS_A_SECOND - taken
        await asyncio.sleep(max(0.0, ahead))


class _Passed(httpx2.AsyncByteStream):
    """The body of an answer that went through the inner client."""

    def __init__(self, answer: httpx2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._answer.aiter_raw():
            yield chunk

    async def aclose(self) -> None:
        await self._answer.aclose()


def _uncarried(error: MoothallError) -> httpx2.Response:
    exchange = current()
    if exchange is not None:
        exchange.failure = error
    status = httpx2.codes.GATEWAY_TIMEOUT if isinstance(error, CallTimeout) else httpx2.codes.BAD_GATEWAY
    return httpx2.Response(status, headers={"content-type": "application/json"}, content=_FAILED)


def _kind(answer: Incoming) -> str:
    kind: str = answer.headers.get("content-type", "")
    return kind.partition(";")[0].strip().lower()


def _announced(answer: Incoming) -> int:
    length = answer.headers.get("content-length", "")
    return int(length) if length.isdecimal() else 0


def _too_long() -> UpstreamInvalid:
    return UpstreamInvalid("the answer is too long", told=Told("egress.long"))


def _unframed(answer: httpx2.Response) -> list[tuple[bytes, bytes]]:
    return [pair for pair in answer.headers.raw if pair[0].lower() not in {b"content-length", b"content-encoding"}]


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
