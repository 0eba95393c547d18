"""Who connects is asked for a proof first; then a stream or a session begins (spec B §5.1, rows RTC-01, RTC-02)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Final

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketState

from moothall.clock import Clock
from moothall.errors import InvalidInput, MoothallError, Overloaded, SessionEnded, Told
from moothall.identity.principal import Principal
from moothall.identity.request import HttpRequest
from moothall.messages import Lang, explain
from moothall.protocols.addressed import target_of
from moothall.protocols.headers import Headers
from moothall.protocols.realtime.callers import FAILED, AuthResult, Caller, failed, is_refusal, proved, proved_by_frame
from moothall.protocols.realtime.link import UNPROVED, SocketLink, code_of
from moothall.protocols.realtime.presence import RealtimeCommunicationManager
from moothall.protocols.realtime.session import Session
from moothall.protocols.realtime.stream import Stream
from moothall.protocols.realtime.wanted import Wanted

LAST: Final = "last_event_id"
"""Parameter of the query that stands for the header ``Last-Event-ID``."""

_SECRETS: Final = frozenset({"token", "access_token", "authorization", "key", "api_key"})
_LONGEST_REASON: Final = 60


class AuthServerExtension:
    """Takes connections for real time.

    Args:
        manager: keeps them.
        clock: dates what is said.
        accepted: reads ``Accept-Language``.
        lang: of those who ask for none.
        welcome: headers for who was let in, such as an access token.
        address: the URL that a signed first frame is for.
    """

    def __init__(
        self,
        manager: RealtimeCommunicationManager,
        clock: Clock,
        *,
        accepted: Callable[[str], Lang | None] = lambda _: None,
        lang: Lang = "en",
        welcome: Callable[[Principal], Headers] = lambda _: [],
        address: str = "",
    ) -> None:
        self._manager, self._clock = manager, clock
        self._accepted, self._lang, self._welcome, self._address = accepted, lang, welcome, address
        self._unproved: Counter[str] = Counter()

    async def verify_request(self, request: HTTPConnection) -> AuthResult:
        """Who sent a request, by what it proves; a proof in the address is none."""
        try:
            caller = await proved(self._manager.standing, _http(request))
        except MoothallError as error:
            return AuthResult(success=False, error=error)
        return AuthResult(success=True, caller_did=caller.identity, caller=caller)

    async def handle_sse_connection(self, request: Request) -> Response:
        """The stream of whoever sent a request.

        Raises:
            Unauthenticated: "Authentication failed".
            PermissionDeniedError: the identity is suspended.
            InvalidInput: it asks for something that there is not, or bears a secret in its address.
        """
        pairs = _query(request)
        found = await self.verify_request(request)
        if found.caller is None:
            raise found.error or failed()
        after = request.headers.get("last-event-id") or dict(pairs).get(LAST, "")
        wanted = Wanted.of_query([pair for pair in pairs if pair[0] != LAST])
        return await self.create_sse_stream(
            found.caller_did,
            caller=found.caller,
            wanted=wanted,
            after=after,
            lang=self.lang_of(request),
            headers=self._welcome(found.caller.principal),
        )

    async def create_sse_stream(
        self,
        caller_did: str,
        *,
        caller: Caller | None = None,
        wanted: Wanted | None = None,
        after: str = "",
        lang: Lang | None = None,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> Response:
        """The stream of a DID that was proved."""
        caller = caller or _of(caller_did)
        return Stream(self._manager, caller, wanted or Wanted(), after, lang=lang or self._lang, headers=headers)

    async def handle_websocket_connection(self, websocket: WebSocket) -> None:
        """Take a WebSocket: accepted in any case, and closed with 4001 where nothing proves whose it is."""
        found = await self.verify_websocket_auth(websocket)
        if found.caller is not None:
            await self.create_websocket_session(websocket, found.caller_did, caller=found.caller)
            return
        error = found.error or failed()
        if isinstance(error, SessionEnded):
            return
        code = UNPROVED if is_refusal(error) else code_of(error)
        reason = FAILED if code == UNPROVED else explain(error, "en").message[:_LONGEST_REASON]
        await self._link(websocket).close(code, reason)

    async def verify_websocket_auth(self, websocket: WebSocket) -> AuthResult:
        """Who opened a WebSocket, which is accepted by it: by its upgrade, or else by the first frame.

        That is ``{"type": "auth", "token": …}``, or ``{"type": "auth", "auth": …, "payload": …}``.
        """
        request = _http(websocket)
        try:
            _query(websocket)
            caller = await self._by_upgrade(request)
            if websocket.application_state is WebSocketState.CONNECTING:
                await websocket.accept()
            if caller is None:
                caller = await self._by_frame(websocket, request)
        except MoothallError as error:
            if websocket.application_state is WebSocketState.CONNECTING:
                await websocket.accept()
            return AuthResult(success=False, error=error)
        return AuthResult(success=True, caller_did=caller.identity, caller=caller)

    async def create_websocket_session(
        self, websocket: WebSocket, caller_did: str, *, caller: Caller | None = None
    ) -> None:
        """Talk with a DID that was proved, until either side has had enough."""
        link = self._link(websocket)
        after = websocket.headers.get("last-event-id") or dict(_query(websocket)).get(LAST, "")
        try:
            wanted = Wanted.of_query([pair for pair in _query(websocket) if pair[0] != LAST])
            async with self._manager.connected("websocket", caller or _of(caller_did), wanted, after=after) as found:
                await Session(self._manager, found, link, self._clock, self.lang_of(websocket)).run()
        except MoothallError as error:
            await link.close(code_of(error), explain(error, "en").message[:_LONGEST_REASON])

    def lang_of(self, request: HTTPConnection) -> Lang:
        """The language that a client asks for."""
        return self._accepted(request.headers.get("accept-language", "")) or self._lang

    async def _by_upgrade(self, request: HttpRequest) -> Caller | None:
        """Who proved it with the upgrade; None where that proves nothing, neither well nor badly."""
        shows = {b"authorization", b"signature", b"signature-input", b"x-admin-key"}
        if not any(name in shows for name, _ in request.headers):
            return None
        return await proved(self._manager.standing, request)

    async def _by_frame(self, websocket: WebSocket, request: HttpRequest) -> Caller:
        limits, place = self._manager.limits, neighbourhood(request.address)
        if self._unproved.total() >= limits.unproved or self._unproved[place] >= limits.unproved_per_address:
            raise Overloaded("too many connections are open", told=Told("realtime.full"))
        self._unproved[place] += 1
        try:
            async with asyncio.timeout(limits.proof_seconds):
                frame = await self._link(websocket).receive()
        except (TimeoutError, InvalidInput) as error:
            raise failed() from error
        finally:
            self._unproved[place] -= 1
            if not self._unproved[place]:
                del self._unproved[place]
        if frame.get("type") != "auth":
            raise failed()
        return await proved_by_frame(self._manager.standing, frame, self._address, request)

    def _link(self, websocket: WebSocket) -> SocketLink:
        limits = self._manager.limits
        return SocketLink(websocket, limits.message_bytes, limits.writing_seconds)


def neighbourhood(address: str) -> str:
    """Whom an address is counted with: of IPv6 everybody in its network of 64 bits, of which one has plenty."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv4Address) or found.ipv4_mapped is not None:
        return address
    return str(ip_network(f"{found}/64", strict=False))


def _of(did: str) -> Caller:
    """A DID that somebody else proved."""
    return Caller(did, Principal(id=did, kind="did", binding="token"))


def _http(request: HTTPConnection) -> HttpRequest:
    scope = request.scope
    client = scope.get("client")
    target = target_of(scope).decode("latin-1")
    return HttpRequest(scope.get("method", "GET"), target, scope["headers"], b"", client[0] if client else "")


def _query(request: HTTPConnection) -> list[tuple[str, str]]:
    """What the address asks for.

    Raises:
        InvalidInput: it bears a secret, which every proxy and log on the way would keep.
    """
    pairs = request.query_params.multi_items()
    if any(name.lower() in _SECRETS for name, _ in pairs):
        raise InvalidInput("no secret belongs into an address", told=Told("realtime.secret"))
    return pairs
