"""WebSockets in the server: which door they are for, and what is checked before they get there.

What any page in a browser could open is refused: a browser sends ``Origin`` with every WebSocket, agents do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.types import Receive, Scope, Send

from moothall.calls.request_ids import fresh
from moothall.clock import Clock
from moothall.errors import InternalError, InvalidInput, MoothallError, ServiceNotFoundError, Told
from moothall.messages import Lang
from moothall.protocols.addressed import check_path
from moothall.protocols.headers import NOT_KEPT, failure_headers, status_of
from moothall.protocols.house import REQUEST_ID
from moothall.protocols.http.wire import body_headers, failure
from moothall.server.admission import Admission
from moothall.server.doors import Door
from moothall.server.language import accepted
from moothall.telemetry import logger

_AS_POST: Final = "POST"
"""A connection that goes on for long is judged as what changes something: no page elsewhere may open one."""

_log = logger("server")


class Sockets:
    """The doors for WebSockets behind their boundary."""

    def __init__(self, doors: Sequence[Door], admission: Admission, clock: Clock, lang: Lang) -> None:
        self._doors, self._admission, self._clock, self._lang = tuple(doors), admission, clock, lang

    async def enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a connection in, or refuse it with the answer of a request."""
        if (await receive())["type"] != "websocket.connect":
            return
        scope[REQUEST_ID] = fresh()
        outgoing = _Once(send)
        try:
            door = self._admitted(scope)
            await door(scope, receive, outgoing.send)
        except MoothallError as error:
            await self._refuse(error, scope, outgoing)
        except Exception:  # noqa: BLE001 - the last place where a fault can be logged and answered
            _log.exception("connection %s failed: %s", scope[REQUEST_ID], scope["path"])
            await self._refuse(InternalError("the node failed", told=Told("protocols.failed")), scope, outgoing)

    def _admitted(self, scope: Scope) -> Door:
        every: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            every.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1").strip())
        if "\0" in scope["path"]:
            raise InvalidInput("a NUL character in the address", told=Told("why.address_nul"))
        check_path(scope)
        self._admission.check(_AS_POST, every, has_body=False)
        found = next((door for door in self._doors if door.claims(scope["path"])), None)
        if found is None:
            raise ServiceNotFoundError("no connection is taken here", told=Told("agreeing.frames_off"))
        return found

    async def _refuse(self, error: MoothallError, scope: Scope, outgoing: _Once) -> None:
        if outgoing.begun:
            return
        lang = accepted(dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")) or self._lang
        body = failure(error, scope[REQUEST_ID], self._clock.now(), lang)
        headers = [*body_headers(body), NOT_KEPT, *failure_headers(error, lang)]
        status = status_of(error)
        await outgoing.send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        await outgoing.send({"type": "websocket.http.response.body", "body": body})


class _Once:
    """Sends on; knows whether anything was answered."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def send(self, message: Scope) -> None:
        self.begun = True
        await self._send(message)
