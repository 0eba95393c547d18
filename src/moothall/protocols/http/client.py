"""Calling what is elsewhere over HTTP: capabilities of other nodes, and plain endpoints (source ``http``).

A node answers with its envelope, which is taken off; of any other service the answer is the value. What fails there
becomes the same error here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Container, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any, Final, NoReturn, Protocol

import httpx

from moothall.calls.ports import Outgoing
from moothall.calls.reply import Progress
from moothall.calls.target import Target
from moothall.capability.spec import JsonObject
from moothall.errors import (
    CallTimeout,
    MoothallError,
    PermissionDeniedError,
    Told,
    UpstreamError,
    UpstreamInvalid,
    ValidationError,
)
from moothall.identity.egress import Incoming
from moothall.identity.limited_body import Caps
from moothall.protocols.events import events
from moothall.protocols.failures import error_of_status, remote_error
from moothall.protocols.http.requests import Sent, request_of
from moothall.protocols.intake import MOST_ANSWERED, read_json

JSON: Final = "application/json"
EVENTS: Final = "text/event-stream"
DESCRIBED_SECONDS: Final = 30.0

_WHOLE: Final = 16 * 1024 * 1024
_STREAM: Final = 1024 * 1024 * 1024
_OURS: Final = frozenset({"item", "progress", "end"})
_GOOD: Final = range(200, 300)
_EMPTY: Final = frozenset({204, 205})


class Session(Protocol):
    """Makes requests that an agent signs; raises as `moothall.identity.egress.Egress.stream`."""

    def stream(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes = b"", caps: Caps
    ) -> AbstractAsyncContextManager[Incoming]:
        """Make a request; the answer's body can be read within the block."""
        ...


class HttpConnector:
    """Calls ``https://…`` and, where that is allowed, ``http://…``.

    Args:
        sessions: gives an agent's by its name.
        own: the authorities of this very node. A request of an agent there would come from the owner, so only who
            acts for the owner, and what the owner declared, may make one.
    """

    schemes: tuple[str, ...] = ("https", "http")

    def __init__(self, sessions: Callable[[str], Session], own: Container[str] = ()) -> None:
        self._sessions = sessions
        self._own = own

    async def call(self, outgoing: Outgoing) -> Any:  # noqa: ANN401 - JSON of any shape
        """Make the call and return its value, as JSON; of one that streams, the list of its values."""
        accept = JSON if outgoing.report is None else f"{EVENTS}, {JSON}"
        sent = self._request(outgoing, accept)
        async with _within(outgoing.timeout), self._answer(outgoing.agent, sent, outgoing.timeout, _WHOLE) as answer:
            if not _is(answer, EVENTS):
                return await _value(answer)
            found, items = Ended(), list[Any]()
            async with aclosing(_items(answer, outgoing, found)) as values:
                async for value in values:
                    items.append(value)
            return found.data if found.data is not None or not items else items

    async def stream(self, outgoing: Outgoing) -> AsyncIterator[Any]:
        """Make the call and yield its values; those of a list, where the far side does not stream."""
        sent = self._request(outgoing, f"{EVENTS}, {JSON}")
        async with self._answer(outgoing.agent, sent, outgoing.timeout, _STREAM) as answer:
            if _is(answer, EVENTS):
                async with aclosing(_items(answer, outgoing, Ended())) as values:
                    async for value in values:
                        yield value
                return
            value = await _value(answer)
        for each in value if isinstance(value, list) else [value]:
            yield each

    async def describe(self, target: Target, agent: str) -> JsonObject:
        """The JSON object at an address."""
        sent = Sent("GET", target.address, {"Accept": JSON})
        async with _within(DESCRIBED_SECONDS), self._answer(agent, sent, DESCRIBED_SECONDS, _WHOLE) as answer:
            value = await _value(answer)
        if not isinstance(value, dict):
            raise _unfit()
        return value

    def _request(self, outgoing: Outgoing, accept: str) -> Sent:
        """The request of a call.

        Raises:
            PermissionDeniedError: it goes to this node, and would come from somebody else than who makes it.
            MoothallError: as `request_of`.
        """
        sent, caller = request_of(outgoing, accept), outgoing.principal
        if caller is not None and not caller.owner and _authority(sent.url) in self._own:
            raise PermissionDeniedError("the address of this very node", told=Told("remote.own_address"))
        return sent

    def _answer(self, agent: str, sent: Sent, silence: float, most: int) -> AbstractAsyncContextManager[Incoming]:
        """The answer to a request; ``silence`` are the seconds that the far side may say nothing."""
        caps = Caps(most_bytes=most, head_seconds=silence, idle_seconds=silence)
        return self._sessions(agent).stream(
            sent.method, sent.url, headers=sent.headers, content=sent.content, caps=caps
        )


def _authority(url: str) -> str:
    """Host and port, as ``@authority`` has them; empty for what cannot be called anyway."""
    try:
        return httpx.URL(url).netloc.decode("ascii").lower()
    except httpx.InvalidURL:
        return ""


@asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except CallTimeout:
        raise
    except TimeoutError as error:
        raise CallTimeout("no answer in time", told=Told("egress.silent")) from error


class Ended:
    """How a stream ended: the value in its last envelope, if there was one."""

    data: Any = None


async def _items(answer: Incoming, outgoing: Outgoing, ended: Ended) -> AsyncGenerator[Any]:
    """The values of an event stream; progress goes to whoever wants it.

    Raises:
        UpstreamError: a stream of ours ended without its end.
    """
    ours = False
    async with aclosing(events(answer.chunks())) as arriving:
        async for event in arriving:
            value = await _read(event.data)
            if event.kind == "end":
                ended.data = unwrapped(value, answer.status, "")
                return
            ours = ours or event.kind in _OURS
            if event.kind == "progress":
                await _report(value, outgoing)
            else:
                yield value
    if ours:
        raise UpstreamError("the stream was cut off", told=Told("protocols.cut"))


async def _report(value: Any, outgoing: Outgoing) -> None:  # noqa: ANN401 - JSON of any shape
    if outgoing.report is None:
        return
    row = value if isinstance(value, dict) else {}
    done, total, message = row.get("done"), row.get("total"), row.get("message", "")
    if not isinstance(done, int | float) or not isinstance(total, int | float | None) or not isinstance(message, str):
        raise _unfit()
    await outgoing.report(Progress(float(done), None if total is None else float(total), message))


async def _value(answer: Incoming) -> Any:  # noqa: ANN401 - JSON of any shape
    """The value of a whole answer; raises what it says went wrong."""
    fetched = await answer.read()
    retry_after = fetched.headers.get("retry-after", "")
    if not fetched.body or fetched.status in _EMPTY:
        if fetched.status not in _GOOD:
            raise error_of_status(fetched.status, retry_after)
        return None
    if not _is(answer, JSON):
        if fetched.status not in _GOOD:
            raise error_of_status(fetched.status, retry_after)
        raise _unfit()
    try:
        value = await _read(fetched.body)
    except UpstreamInvalid:
        if fetched.status not in _GOOD:
            _refuse(fetched.status, retry_after)
        raise
    return unwrapped(value, fetched.status, retry_after)


def unwrapped(value: Any, status: int, retry_after: str) -> Any:  # noqa: ANN401 - JSON of any shape
    """The value in an envelope of ours, or the value itself where it is none.

    Raises:
        MoothallError: the envelope or the status says that the call failed.
    """
    enveloped = isinstance(value, dict) and isinstance(value.get("success"), bool) and "request_id" in value
    if enveloped and value["success"] and status in _GOOD:
        return value.get("data")
    if enveloped and not value["success"] and isinstance(value.get("error"), dict):
        error = value["error"]
        details = error["details"] if isinstance(error.get("details"), dict) else {}
        raise remote_error(error.get("code"), {"retry_after": retry_after, **details})
    if status not in _GOOD:
        _refuse(status, retry_after)
    return value


def _refuse(status: int, retry_after: str) -> NoReturn:
    error: MoothallError = error_of_status(status, retry_after)
    raise error


async def _read(body: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    try:
        return await read_json(body, MOST_ANSWERED)
    except ValidationError as error:
        raise _unfit() from error


def _is(answer: Incoming, kind: str) -> bool:
    declared: str = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return declared == kind or (kind == JSON and declared.endswith("+json"))


def _unfit() -> UpstreamInvalid:
    return UpstreamInvalid("the answer is not what was asked for", told=Told("protocols.no_answer"))
