"""One HTTP request to the MCP server, and the sending of its answer: one JSON message, or server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from starlette.types import Receive, Scope, Send

from moothall.errors import MoothallError
from moothall.messages import Lang
from moothall.protocols.headers import NOT_KEPT, Headers, failure_headers, latin, status_of
from moothall.protocols.house import REQUEST_ID, HouseTerms
from moothall.protocols.mcp.failures import protocol_error
from moothall.protocols.mcp.wire import Id, failure

PAUSE: Final = 0.02
"""Seconds after which a request is worth a task that notices when its client leaves."""

JSON: Final = (b"content-type", b"application/json")
_EVENTS: Final = [(b"content-type", b"text/event-stream"), NOT_KEPT, (b"x-accel-buffering", b"no")]
_ALIVE: Final = b": \n\n"
_BLANK: Final = " \t"
"""What may stand around the value of a header and is no part of it (RFC 9110 §5.5)."""


class Exchange:
    """A request and its answer.

    Attributes:
        headers: lower-case names; of one that occurs several times, the last.
        request_id: the UUID that the log knows it by.
        call_id: the id of its JSON-RPC request, as soon as that is known.
        extra: headers that go with a good answer.
        gone: whether the client has left.
        cancelled: whether it asked for the work to end.
        events: whether the answer is events, and has begun.
        barred: whether the client is to be told nothing more; asked before each event and sign of life.
    """

    __slots__ = (
        "_ended",
        "_task",
        "_terms",
        "_timer",
        "_turn",
        "_watch",
        "barred",
        "call_id",
        "cancelled",
        "events",
        "extra",
        "gone",
        "headers",
        "receive",
        "request_id",
        "scope",
        "send",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, terms: HouseTerms) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self._terms = terms
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watch: asyncio.Task[None] | None = None
        self._turn: asyncio.Lock | None = None
        self._ended = False
        self.request_id: str = scope[REQUEST_ID]
        self.headers: Mapping[str, str] = {
            name.decode("latin-1"): value.decode("latin-1").strip(_BLANK) for name, value in scope["headers"]
        }
        self.call_id: Id | None = None
        self.extra: Headers = []
        self.gone = False
        self.cancelled = False
        self.events = False
        self.barred: Callable[[], bool] = _never

    @property
    def lang(self) -> Lang:
        """The language of the client, as far as it says."""
        wanted = self.headers.get("accept-language", "")
        return (self._terms.accepted(wanted) if wanted else None) or self._terms.lang

    @property
    def address(self) -> str:
        """The client's network address."""
        client = self.scope.get("client")
        return client[0] if client else ""

    @property
    def heartbeat(self) -> float:
        """Seconds after which an idle stream shows a sign of life."""
        return self._terms.heartbeat

    def attend(self) -> None:
        """From now on the task that runs is cancelled when the client leaves; its request must have been read."""
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(PAUSE, self._look)

    def leave(self) -> None:
        """Whatever the client does now no longer matters to the task."""
        self._task = None
        if self._timer is not None:
            self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()

    def cancel(self) -> None:
        """Do what the client asked for: end the work, and answer nothing."""
        if self._task is not None and not self.cancelled:
            self.cancelled = True
            self._task.cancel()

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a whole answer."""
        self._ended = True
        if body:
            headers = [JSON, (b"content-length", b"%d" % len(body)), *headers]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    async def event(self, frame: bytes) -> None:
        """Send an event; the first one begins the answer, and after its end there are none."""
        if self.barred():
            self.cancel()
            return
        async with self._sending():
            if not self._ended:
                await self._begin()
                await self.send({"type": "http.response.body", "body": frame, "more_body": True})

    async def finish(self, frame: bytes = b"") -> None:
        """Send the last event, and end."""
        async with self._sending():
            if not self._ended:
                await self._begin()
                self._ended = True
                await self.send({"type": "http.response.body", "body": frame})

    async def refuse(self, error: MoothallError) -> None:
        """Answer with an error that concerns the request as a whole."""
        lang = self.lang
        challenged = self._terms.challenge(error)
        headers = [*failure_headers(error, lang), NOT_KEPT]
        if challenged is not None:
            headers += latin(challenged.headers)
        refused = protocol_error(error, lang, None if challenged is None else challenged.mirror)
        await self.answer(status_of(error), headers, failure(self.call_id, refused.error))

    def _sending(self) -> asyncio.Lock:
        if self._turn is None:
            self._turn = asyncio.Lock()
        return self._turn

    async def _begin(self) -> None:
        if not self.events:
            self.events = True
            await self.send({"type": "http.response.start", "status": 200, "headers": [*_EVENTS, *self.extra]})

    def _look(self) -> None:
        self._watch = asyncio.ensure_future(self._until_gone())

    async def _until_gone(self) -> None:
        """Wait for the client to leave; meanwhile show it a sign of life whenever an answer of events is due."""
        leaving = asyncio.ensure_future(self._left())
        try:
            while not leaving.done():
                await asyncio.wait([leaving], timeout=self.heartbeat)
                if not leaving.done() and "text/event-stream" in self.headers.get("accept", ""):
                    await self.event(_ALIVE)
        finally:
            leaving.cancel()
        self.gone = True
        if self._task is not None:
            self._task.cancel()

    async def _left(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass


def _never() -> bool:
    return False
