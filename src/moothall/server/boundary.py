"""The outermost layer of the server: admission, owner, body limit, request id, and what happens when it breaks."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moothall.errors import BadDemand, InternalError, InvalidInput, MoothallError, PayloadTooLarge
from moothall.messages import Lang
from moothall.server.admission import Admission
from moothall.server.owner import ADMIN, OwnerOnly
from moothall.server.replies import client_language, error_response
from moothall.telemetry import logger

SUBMIT_PATH = "/api/v1/demand/submit"
HEAD = "moothall.head"
"""Key of the ASGI scope of a request that wants the head of the answer only."""
MAX_BODY = 128 * 1024
"""Bytes of a request body: a demand of 10,000 characters fits even when each is written as two ``\\uXXXX`` escapes."""

DRAIN = 1024 * 1024
"""Bytes read and dropped beyond a limit, so that a client that sends a little too much reads its answer in peace."""
LOAD = ("PUT", f"{ADMIN}/agents")
MAX_LOAD = 8 * 1024 * 1024
"""Bytes of a registry that is loaded at once; nobody but the owner gets as far as sending them."""

_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_log = logger("server")


class ClientGone(Exception):
    """The client left before its request was complete; control flow, never an answer."""


class Boundary:
    """Wraps the routes; every HTTP request enters and every answer leaves through it."""

    def __init__(self, app: ASGIApp, admission: Admission, owner: OwnerOnly, lang: Lang) -> None:
        self._app = app
        self._admission = admission
        self._owner = owner
        self._lang = lang

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take an ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            request = await self._enter(scope, receive, answer)
            await self._app(_as_get(scope), request, answer.send)
        except ClientGone:
            _log.debug("request %s: the client left", answer.request_id)
        except MoothallError as error:
            await self._refuse(error, answer, scope, receive)
        except Exception:  # noqa: BLE001 - the last place where a fault can be logged and answered
            _log.exception("request %s failed: %s %s", answer.request_id, scope["method"], scope["path"])
            await self._refuse(InternalError("the node failed"), answer, scope, receive)

    async def _refuse(self, error: MoothallError, answer: _Answer, scope: Scope, receive: Receive) -> None:
        if not answer.started:
            await error_response(error, client_language(scope, self._lang))(scope, receive, answer.send)

    async def _enter(self, scope: Scope, receive: Receive, answer: _Answer) -> Receive:
        """Check the request and take its body in; what is returned replays it."""
        headers: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in scope["headers"]:
            headers[name.decode("latin-1")].append(value.decode("latin-1").strip())
        declared = _declared_length(headers["content-length"])
        has_body = declared > 0 or bool(headers["transfer-encoding"])  # however spelt: the HTTP server reads it
        self._admission.check(scope["method"], headers, has_body=has_body)
        self._owner.check(scope["path"], headers)
        if "\0" in scope["path"]:
            raise InvalidInput("a NUL character in the address")
        if not has_body:
            return receive
        limit = MAX_LOAD if (scope["method"], scope["path"]) == LOAD else MAX_BODY
        body, size = await _read(receive, limit)
        if size > limit:
            answer.last = size > limit + DRAIN
            raise _too_large(scope["path"], limit)
        return _replay(body, receive)


def _as_get(scope: Scope) -> Scope:
    """Let HEAD take the way of GET; the HTTP server drops the body of the answer, `HEAD` stays known to streams."""
    return {**scope, "method": "GET", HEAD: True} if scope["method"] == "HEAD" else scope


def _declared_length(values: Sequence[str]) -> int:
    return int(values[0]) if values and values[0].isdecimal() else 0


def _too_large(path: str, limit: int) -> MoothallError:
    """A demand that does not fit is an over-long demand (row NEG-API-07), anything else a large payload."""
    told = f"more than {limit} bytes"
    return BadDemand(told) if path == SUBMIT_PATH else PayloadTooLarge(told)


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

    def __init__(self, send: Send) -> None:
        self.request_id = secrets.token_hex(8)
        self.started = False
        self.last = False
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            own = [*_HEADERS, (b"x-request-id", self.request_id.encode())]
            own += [(b"connection", b"close")] * self.last
            message = {**message, "headers": [*message.get("headers", ()), *own]}
        await self._send(message)
