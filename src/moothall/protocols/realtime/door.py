"""The doors of real time: ``GET /realtime/stream`` and the WebSocket ``/realtime/socket`` (rows RTC-01, RTC-02)."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.types import Message, Receive, Send
from starlette.websockets import WebSocket

from moothall.calls.request_ids import fresh
from moothall.canonical import dumps
from moothall.errors import MethodNotAllowed, MoothallError, Told, Unauthenticated
from moothall.protocols.headers import NOT_KEPT, Headers, failure_headers, latin, status_of
from moothall.protocols.house import REQUEST_ID, HouseTerms, Scope
from moothall.protocols.realtime.calling import shown
from moothall.protocols.realtime.extension import AuthServerExtension

STREAM: Final = "/realtime/stream"
SOCKET: Final = "/realtime/socket"
_READ: Final = ("GET",)


class StreamDoor:
    """The door for server-sent events."""

    def __init__(self, extension: AuthServerExtension, terms: HouseTerms) -> None:
        self._extension, self._terms = extension, terms

    def claims(self, path: str) -> bool:
        """Whether an address is this door's."""
        return path == STREAM

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request whose path it claims."""
        request = Request(scope, receive)
        try:
            if scope["method"] not in _READ:
                told = Told("protocols.method", {"methods": ", ".join(_READ)})
                raise MethodNotAllowed("no such method here", told=told, details={"allowed": list(_READ)})
            await request.body()
            response = await self._extension.handle_sse_connection(request)
            await response(scope, receive, send)
        except MoothallError as error:
            await self._refuse(error, request, send)

    async def _refuse(self, error: MoothallError, request: Request, send: Send) -> None:
        lang = self._extension.lang_of(request)
        challenged = self._terms.challenge(error)
        row = shown(error, lang)
        if isinstance(error, Unauthenticated):
            row["message"] = row.pop("why") or row["message"]  # the words of row RTC-01
        envelope = {
            "success": False,
            "error": {name: value for name, value in row.items() if value} | {"type": type(error).__name__},
            "request_id": request.scope.get(REQUEST_ID) or fresh(),
            "status_code": status_of(error),
            **({"challenge": dict(challenged.mirror)} if challenged else {}),
        }
        body = dumps(envelope)
        headers: Headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), NOT_KEPT]
        headers += failure_headers(error, lang)
        if challenged is not None:
            headers += latin(challenged.headers)
        await send({"type": "http.response.start", "status": status_of(error), "headers": headers})
        await send({"type": "http.response.body", "body": body})


class SocketDoor:
    """The door for WebSockets."""

    def __init__(self, extension: AuthServerExtension) -> None:
        self._extension = extension

    def claims(self, path: str) -> bool:
        """Whether an address is this door's."""
        return path == SOCKET

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a WebSocket whose path it claims; its ``websocket.connect`` has been received."""
        await self._extension.handle_websocket_connection(WebSocket(scope, _Again(receive), send))


class _Again:
    """What a WebSocket receives, with its beginning."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._begun = False

    async def __call__(self) -> Message:
        if not self._begun:
            self._begun = True
            return {"type": "websocket.connect"}
        return await self._receive()
