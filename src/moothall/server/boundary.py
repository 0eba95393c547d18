"""The outermost layer of the server: who may enter, as whom, with how much, and what happens when it breaks."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moothall.errors import BadDemand, InternalError, InvalidInput, MoothallError, PayloadTooLarge, Told
from moothall.messages import Lang
from moothall.negotiation.demand.submissions import SubmitLimit
from moothall.protocols.addressed import check_target
from moothall.protocols.house import Challenged
from moothall.protocols.intake import received
from moothall.server.access import ADMIN, API, Access, Headers, signed
from moothall.server.admission import Admission
from moothall.server.cors import Cors
from moothall.server.replies import client_language, error_response
from moothall.telemetry import logger

SUBMIT_PATH = f"{API}/demand/submit"
HEAD = "moothall.head"
"""Key of the ASGI scope of a request that wants the head of the answer only."""
MAX_BODY = 128 * 1024
"""Bytes of a request body: a demand of 10,000 characters fits even when each is written as two ``\\uXXXX`` escapes."""

DRAIN = 1024 * 1024
"""Bytes read and dropped beyond a limit, so that a client that sends a little too much reads its answer in peace."""
LOAD = ("PUT", f"{ADMIN}/agents")
MAX_LOAD = 8 * 1024 * 1024
"""Bytes of a registry that is loaded at once; nobody but an admin gets as far as sending them."""

_HEADERS = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
_RESOURCE_POLICY = b"cross-origin-resource-policy"
_log = logger("server")


class ClientGone(Exception):
    """The client left before its request was complete; control flow, never an answer."""


class Entered(NamedTuple):
    """A request that was let in: its scope with the caller in the state, and what replays its body."""

    scope: Scope
    receive: Receive


@dataclass(frozen=True, slots=True)
class Doorkeepers:
    """Who decides whether a request may enter, in this order; ``challenge`` says what a better proof must show."""

    admission: Admission
    cors: Cors
    access: Access
    limit: SubmitLimit
    challenge: Callable[[MoothallError], Challenged | None]


class Boundary:
    """Wraps the routes; every HTTP request enters and every answer leaves through it.

    A request that enters has its `Principal` in ``request.state.caller``, and in ``request_id`` what the log and the
    client know it by.
    """

    def __init__(self, app: ASGIApp, keepers: Doorkeepers, lang: Lang) -> None:
        self._app = app
        self._keepers = keepers
        self._lang = lang

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take an ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        cors = self._keepers.cors
        answer = _Answer(send, cors.headers(origin := cors.origin(headers)), shared=origin is not None)
        try:
            entered = await self._enter(scope, headers, receive, answer)
            if entered is not None:
                await self._app(_as_get(entered.scope), entered.receive, answer.send)
        except ClientGone:
            _log.debug("request %s: the client left", answer.request_id)
        except MoothallError as error:
            await self._refuse(error, answer, scope, receive)
        except Exception:  # noqa: BLE001 - the last place where a fault can be logged and answered
            _log.exception("request %s failed: %s %s", answer.request_id, scope["method"], scope["path"])
            await self._refuse(InternalError("the node failed"), answer, scope, receive)

    async def _refuse(self, error: MoothallError, answer: _Answer, scope: Scope, receive: Receive) -> None:
        """Answer with the error; who did not prove who it is is told what a signature must show."""
        if answer.started:
            return
        response = error_response(error, client_language(scope, self._lang), self._keepers.challenge(error))
        await response(scope, receive, answer.send)

    async def _enter(self, scope: Scope, headers: Headers, receive: Receive, answer: _Answer) -> Entered | None:
        """Check the request and take its body in; None when a pre-flight was answered."""
        keepers, method, path = self._keepers, scope["method"], scope["path"]
        declared = _declared_length(headers.get("content-length", ()))
        has_body = declared > 0 or bool(headers.get("transfer-encoding"))  # however spelt: the HTTP server reads it
        keepers.admission.check(method, headers, has_body=has_body)
        check_target(scope)
        if (allowed := keepers.cors.preflight(method, headers)) is not None:
            await answer.send({"type": "http.response.start", "status": 204, "headers": allowed})
            await answer.send({"type": "http.response.body", "body": b""})
            return None
        body: bytes | None = None
        if has_body and signed(headers):  # a signature may cover the body: who calls is known only with it
            body = await _body(path, MAX_BODY, receive, answer)
        caller = await keepers.access.admit(received(scope, body or b""), path, scope["query_string"], headers)
        if "\0" in path:
            raise InvalidInput("a NUL character in the address", told=Told("why.address_nul"))
        if (method, path) == ("POST", SUBMIT_PATH):
            keepers.limit.check(caller)
        scope = {**scope, "state": {**scope.get("state", {}), "caller": caller, "request_id": answer.request_id}}
        if has_body and body is None:
            body = await _body(path, MAX_LOAD if (method, path) == LOAD else MAX_BODY, receive, answer)
        return Entered(scope, receive if body is None else _replay(body, receive))


def _headers(scope: Scope) -> Headers:
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1").strip())
    return headers


def _as_get(scope: Scope) -> Scope:
    """Let HEAD take the way of GET; the HTTP server drops the body of the answer, `HEAD` stays known to streams."""
    return {**scope, "method": "GET", HEAD: True} if scope["method"] == "HEAD" else scope


def _declared_length(values: Sequence[str]) -> int:
    return int(values[0]) if values and values[0].isdecimal() else 0


def _too_large(path: str, limit: int) -> MoothallError:
    """A demand that does not fit is an over-long demand (row NEG-API-07), anything else a large payload."""
    kind = BadDemand if path == SUBMIT_PATH else PayloadTooLarge
    return kind(f"more than {limit} bytes", told=Told("why.body_long", {"most": limit}))


async def _body(path: str, limit: int, receive: Receive, answer: _Answer) -> bytes:
    """Take a body in, unless it is too large."""
    body, size = await _read(receive, limit)
    if size > limit:
        answer.last = size > limit + DRAIN
        raise _too_large(path, limit)
    return body


async def _read(receive: Receive, limit: int) -> tuple[bytes, int]:
    """Take a body in; also its size, of which nothing beyond `limit` is kept, and little more is waited for."""
    parts: list[bytes] = []
    size, more = 0, True
    while more and size <= limit + DRAIN:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part: bytes = message.get("body", b"")
        size += len(part)
        if size <= limit:
            parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts), size


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again


class _Answer:
    """Sends on, with our headers; knows whether anything was sent. After the ``last`` one the connection closes."""

    def __init__(self, send: Send, headers: Sequence[tuple[bytes, bytes]], *, shared: bool) -> None:
        self.request_id = secrets.token_hex(8)
        self._headers = [*_HEADERS, *headers, (_RESOURCE_POLICY, b"cross-origin" if shared else b"same-origin")]
        self.started = False
        self.last = False
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            own = [*self._headers, (b"x-request-id", self.request_id.encode())]
            own += [(b"connection", b"close")] * self.last
            message = {**message, "headers": [*message.get("headers", ()), *own]}
        await self._send(message)
