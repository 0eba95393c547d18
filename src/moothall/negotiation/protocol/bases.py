"""The two ends of an agreed protocol: requests go out and responses come back, matched by message id (META-GEN-03).

What travels is JSON with a ``messageId`` beside the fields that were agreed. A class for one protocol derives from
these and says what may pass; a plain one lets every JSON object through.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import string
from collections.abc import Awaitable, Callable
from typing import Any, Final

from moothall.canonical import dumps, strict_json
from moothall.errors import (
    CallTimeout,
    Conflict,
    InvalidInput,
    MoothallError,
    NodeUnreachable,
    SessionEnded,
    Told,
    ValidationError,
)
from moothall.negotiation.protocol.needs import JsonObject

Send = Callable[[bytes], Awaitable[None]]
Callback = Callable[[JsonObject], Awaitable[JsonObject]]

MESSAGE_ID: Final = "messageId"
REQUEST_TIMEOUT: Final = 30.0
"""Seconds that a request waits for its response."""

MOST_REQUESTS: Final = 100
"""Requests that one end answers at once."""

GOOD, BAD_REQUEST, FAILED, NOT_READY = 200, 400, 500, 503
"""The codes that this side sets itself; all others come from the protocol's own table."""

_FAULTY: Final[JsonObject] = {"code": FAILED, "message": "the request could not be answered"}
_MOST_LOGGED: Final = 20
"""Strange messages of one other side that are logged, so that it fills no log."""

_ALPHABET: Final = string.ascii_letters + string.digits
_ID: Final = re.compile(r"[\x21-\x7e]{1,128}")
_log = logging.getLogger(__name__)


def new_message_id() -> str:
    """16 random letters and digits (row META-WIRE-06)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(16))


class RequesterBase:
    """The requester's end.

    Args:
        timeout: seconds that a request waits for its response.
    """

    def __init__(self, *, timeout: float = REQUEST_TIMEOUT) -> None:
        self._timeout = timeout
        self._send: Send | None = None
        self._waiting: dict[str, asyncio.Future[JsonObject]] = {}
        self._strange = 0
        self._shut: MoothallError | None = None

    def set_send_callback(self, callback: Send) -> None:
        """Say how bytes reach the provider."""
        self._send = callback

    @property
    def in_flight(self) -> int:
        """Requests that wait for their response."""
        return len(self._waiting)

    def block(self) -> None:
        """Send nothing until `unblock`: the two sides have not both said that they are ready (row META-LIMIT-07)."""
        self._shut = Conflict("the protocol is not ready on both sides", told=Told("agreeing.not_ready"))

    def unblock(self) -> None:
        """Let requests through from now on."""
        self._shut = None

    def close(self, error: MoothallError | None = None) -> None:
        """End every request that waits, and refuse further ones, with this error."""
        self._shut = error or SessionEnded("the session is over")
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(self._shut)

    async def send_request(self, request: JsonObject) -> JsonObject:
        """Send a request in the agreed form; its response, also one whose code is not 200.

        Raises:
            ValidationError: the request does not have the agreed form, or cannot be written as JSON.
            Conflict: the two sides are not ready.
            SessionEnded: the session is over, or ends meanwhile.
            NodeUnreachable: the request cannot be handed over.
            CallTimeout: no response in time.
            UpstreamInvalid: the response does not have the agreed form.
        """
        self._check_open()
        self.check_request(request)
        message_id = new_message_id()
        future = asyncio.get_running_loop().create_future()
        self._waiting[message_id] = future
        try:
            async with asyncio.timeout(self._timeout):
                await self._hand_over({**request, MESSAGE_ID: message_id})
                response: JsonObject = await future
        except TimeoutError as error:
            raise CallTimeout("no response to a request of the agreed protocol") from error
        finally:
            self._waiting.pop(message_id, None)
            future.cancel()
        self.check_response(response)
        return response

    def handle_message(self, data: bytes) -> None:
        """Take what came from the provider; what answers no request that waits is logged and dropped."""
        try:
            message = strict_json(data)
        except InvalidInput:
            self._dropped("a response that is no JSON was dropped")
            return
        future = self._waiting.get(message.pop(MESSAGE_ID, None)) if _has_id(message) else None
        if future is None or future.done():
            self._dropped("a response to no request that waits was dropped")
            return
        future.set_result(message)

    def check_request(self, request: JsonObject) -> None:
        """Raise ValidationError for a request that was not agreed."""
        del request

    def check_response(self, response: JsonObject) -> None:
        """Raise UpstreamInvalid for a response that was not agreed."""
        del response

    def _dropped(self, what: str) -> None:
        self._strange += 1
        if self._strange <= _MOST_LOGGED:
            _log.warning(what)

    def _check_open(self) -> None:
        if self._shut is not None:
            raise self._shut
        if self._send is None:
            raise SessionEnded("there is no connection to send over")

    async def _hand_over(self, message: JsonObject) -> None:
        if self._send is None:
            raise SessionEnded("there is no connection to send over")
        try:
            data = dumps(message)
        except TypeError as error:
            raise ValidationError("the request cannot be written as JSON") from error
        try:
            await self._send(data)
        except OSError as error:
            raise NodeUnreachable("the request could not be sent") from error


class ProviderBase:
    """The provider's end: every request is answered once, whatever becomes of it."""

    def __init__(self) -> None:
        self._send: Send | None = None
        self._callback: Callback | None = None
        self._shut = False
        self._under_way = 0

    def set_send_callback(self, callback: Send) -> None:
        """Say how bytes reach the requester."""
        self._send = callback

    def set_protocol_callback(self, callback: Callback) -> None:
        """Say what answers requests: an async function from a request to a response with its ``code``."""
        self._callback = callback

    @property
    def has_callback(self) -> bool:
        """Whether there is something that answers requests."""
        return self._callback is not None

    def close(self) -> None:
        """Answer nothing any more."""
        self._shut = True

    async def handle_message(self, data: bytes) -> None:
        """Answer one request.

        Raises:
            NodeUnreachable: the response cannot be handed over.
        """
        try:
            request = strict_json(data)
        except InvalidInput:
            request = None
        if not _has_id(request):
            await self._hand_over(dumps({"code": BAD_REQUEST}))
            return
        message_id = request.pop(MESSAGE_ID)
        response = await self.respond(request)
        try:
            data = dumps({**response, MESSAGE_ID: message_id})
        except TypeError:
            _log.warning("a response of the code behind an agreed protocol cannot be written as JSON")
            data = dumps({**_FAULTY, MESSAGE_ID: message_id})
        await self._hand_over(data)

    async def respond(self, request: JsonObject) -> JsonObject:
        """The response to a request: the callback's if all is well, else an object with the ``code`` that says why."""
        if (problem := self.request_problem(request)) is not None:
            return {"code": BAD_REQUEST, "message": problem}
        if self._callback is None:
            return {"code": NOT_READY, "message": "nothing answers requests yet"}
        if self._under_way >= MOST_REQUESTS:
            return {"code": NOT_READY, "message": "too many requests are answered at once"}
        self._under_way += 1
        try:
            response = await self.answer(request)
        except Exception:  # noqa: BLE001 - whatever business code raises, the requester gets its answer
            _log.exception("the code behind an agreed protocol failed")
            return dict(_FAULTY)
        finally:
            self._under_way -= 1
        if not good_code(response) or self.response_problem(response) is not None:
            _log.warning("a response of the code behind an agreed protocol does not have the agreed form")
            return dict(_FAULTY)
        return response

    async def answer(self, request: JsonObject) -> JsonObject:
        """What the callback gives for a request that was checked."""
        if self._callback is None:
            raise SessionEnded("nothing answers requests")
        return await self._callback(request)

    def request_problem(self, request: JsonObject) -> str | None:
        """Why a request does not have the agreed form, in words that its sender may read."""
        del request
        return None

    def response_problem(self, response: JsonObject) -> str | None:
        """Why a response does not have the agreed form."""
        del response
        return None

    async def _hand_over(self, data: bytes) -> None:
        if self._shut or self._send is None:
            return
        try:
            await self._send(data)
        except OSError as error:
            raise NodeUnreachable("the response could not be sent") from error


def good_code(response: Any) -> bool:  # noqa: ANN401 - whatever a callback gave
    """Whether a value is an object with an integer ``code``."""
    code = response.get("code") if isinstance(response, dict) else None
    return isinstance(code, int) and not isinstance(code, bool)


def _has_id(message: Any) -> bool:  # noqa: ANN401 - whatever a stranger sent
    found = message.get(MESSAGE_ID) if isinstance(message, dict) else None
    return isinstance(found, str) and _ID.fullmatch(found) is not None
