"""A session over WebSocket: events out, calls in, both at any time (rows RTC-02, RTC-06, RTC-07).

A client may send ``call``, ``stream``, ``cancel`` (see `calling`), ``subscribe`` (what it hears from now on:
``topics``, ``types``, ``where``, ``from`` or ``resume``) and ``ping``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any, Final

from moothall.clock import Clock
from moothall.errors import InvalidInput, MoothallError, SessionEnded, Told
from moothall.messages import Lang, explain
from moothall.protocols.realtime.callers import FAILED
from moothall.protocols.realtime.calling import LONGEST_ID, Calls, shown
from moothall.protocols.realtime.connections import Connection
from moothall.protocols.realtime.feed import Batch
from moothall.protocols.realtime.link import UNPROVED, SocketLink, code_of
from moothall.protocols.realtime.presence import RealtimeCommunicationManager
from moothall.protocols.realtime.wanted import Wanted

_LONGEST_REASON: Final = 60
_LARGEST: Final = 2**53
_MOST_PUSHED: Final = 256 * 1024
"""Bytes that are sent at once without waiting."""
_PLAIN: Final = frozenset({"type", "id", "resume"})


class Session:
    """One session; it ends when either side has had enough."""

    def __init__(
        self,
        manager: RealtimeCommunicationManager,
        connection: Connection,
        link: SocketLink,
        clock: Clock,
        lang: Lang,
    ) -> None:
        self._manager, self._connection, self._link, self._lang = manager, connection, link, lang
        most = manager.limits.calls
        self._calls = Calls(manager.standing.gateway, connection, link, most, clock, lang)

    async def run(self) -> None:
        """Talk until the end, which is told with its reason."""
        code, reason = 1000, ""
        try:
            async with asyncio.TaskGroup() as group:
                self._connection.pump = group.create_task(self._ending(self._tell()))
                group.create_task(self._ending(self._listen()))
        except* _Over as over:
            error = over.exceptions[0]
            cause = error.cause if isinstance(error, _Over) else None
            if cause is not None:
                code = code_of(cause)
                reason = FAILED if code == UNPROVED else explain(cause, "en").message[:_LONGEST_REASON]
        finally:
            await self._calls.aclose()
        await self._link.close(code, reason)

    async def _ending(self, work: Any) -> None:  # noqa: ANN401 - a coroutine
        """Whichever of the two ends, ends the other."""
        try:
            await work
        except SessionEnded as error:
            raise _Over(None) from error
        except MoothallError as error:
            raise _Over(error) from error
        except asyncio.CancelledError:
            if self._connection.stuck:
                self._link.abort()
                raise _Over(None) from None
            raise

    async def _tell(self) -> None:
        connection, link = self._connection, self._link
        await link.send({"type": "ready", "identity": connection.identity, "resume": connection.token})
        connection.pushes(self._pushed)
        async with aclosing(connection.batches()) as batches:
            async for batch in batches:
                if batch is None:
                    await link.send({"type": "alive", "resume": connection.token})
                    continue
                connection.writing()
                await link.send_json(*frames(batch))
                connection.written()
                self._manager.delivered(connection, batch)

    def _pushed(self, batch: Batch) -> bool:
        """Send a batch at once, where that can be and it is not long."""
        found = frames(batch)
        if sum(map(len, found)) > _MOST_PUSHED or not self._link.push(*found):
            return False
        self._manager.delivered(self._connection, batch)
        return True

    async def _listen(self) -> None:
        while True:
            frame: Mapping[str, Any] = {}
            try:
                frame = await self._link.receive()
                await self._take(frame)
            except InvalidInput as error:
                if error.code == "PAYLOAD_TOO_LARGE":
                    raise
                await self._refuse(frame, error)
            except SessionEnded:
                raise
            except MoothallError as error:
                await self._refuse(frame, error)

    async def _take(self, frame: Mapping[str, Any]) -> None:
        match frame.get("type"):
            case "call" | "stream":
                self._calls.begin(frame)
            case "cancel":
                self._calls.cancel(frame)
            case "subscribe":
                await self._subscribe(frame)
            case "ping":
                await self._link.send({"type": "pong", "id": _named(frame)})
            case _:
                raise InvalidInput("no such frame", told=Told("realtime.frame_type"))

    async def _subscribe(self, frame: Mapping[str, Any]) -> None:
        after = frame.get("resume", "")
        if not isinstance(after, str):
            raise InvalidInput("no token to go on from", told=Told("realtime.token"))
        wanted = Wanted.of_json({name: value for name, value in frame.items() if name not in _PLAIN})
        await self._manager.turn(self._connection, wanted, after=after)
        await self._link.send({"type": "subscribed", "id": _named(frame), "resume": self._connection.token})

    async def _refuse(self, frame: Mapping[str, Any], error: MoothallError) -> None:
        await self._link.send({"type": "error", "id": _named(frame), "error": shown(error, self._lang)})


def _named(frame: Mapping[str, Any]) -> str | int | None:
    """The id of a frame, for the answer; none where it has none that every reader of JSON could take."""
    name = frame.get("id")
    fits = len(name) <= LONGEST_ID if isinstance(name, str) else isinstance(name, int) and abs(name) <= _LARGEST
    return name if fits else None


class _Over(Exception):
    """The session is over."""

    def __init__(self, cause: MoothallError | None) -> None:
        super().__init__()
        self.cause = cause


def frames(batch: Batch) -> list[bytes]:
    """The events of a batch, a frame for each."""
    before, after = batch.before, batch.after
    return [
        b'{"type":"event","resume":"%b%d%b","event":%b}' % (before, entry.seq + 1, after, entry.json)
        for entry in batch.entries
    ]
