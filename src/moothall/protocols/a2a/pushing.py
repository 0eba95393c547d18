"""Telling clients of their tasks by HTTP POST (A2A 1.0 §4.3): through the guarded client only, in the background.

Each address gets the events in their order, one at a time. What cannot be delivered is tried again a few times, and is
then told as the whole task, like what came meanwhile beyond a short queue. A receiver that refuses is not asked again
for that event. A task that rests is told of for a minute more. What a node that stops cannot deliver in a few seconds
is lost; the task itself is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from moothall.capability.spec import JsonObject
from moothall.clock import Clock
from moothall.errors import InvalidInput, MoothallError, UpstreamError
from moothall.identity.egress import Egress
from moothall.identity.limited_body import Caps
from moothall.protocols.a2a.failures import InvalidParams
from moothall.protocols.a2a.turns import Turn, Turns
from moothall.protocols.a2a.watching import Watcher
from moothall.protocols.a2a.writing import written
from moothall.telemetry import logger

MEDIA_TYPE: Final = "application/a2a+json"

_log = logger("a2a")
_SECONDS: Final = 10.0
_CAPS: Final = Caps(most_bytes=64 * 1024, head_seconds=_SECONDS, idle_seconds=_SECONDS, for_strangers=True)
_ATTEMPTS: Final = 4
"""How often one event is sent in all."""

_AFTER: Final = 60.0
"""Seconds for which a task that has come to rest is still told of."""

_PARTING: Final = 3.0
"""Seconds that a node which stops has for telling so."""

_PASSING: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


@dataclass(frozen=True, slots=True)
class Target:
    """Where events of a task go.

    Attributes:
        config: the configuration.
        owner: whose task it is.
        is_kept: whether the configuration is still there.
    """

    config: JsonObject
    owner: str
    is_kept: Callable[[], Awaitable[bool]]


class _GivenUpError(Exception):
    """A receiver has had its time."""


@dataclass(slots=True)
class _Sending:
    """One sender at work; ``until``: when it gives up, known from the task's rest on."""

    watcher: Watcher
    target: Target
    turn: Turn
    until: float | None = None
    missed: bool = False


class Pusher:
    """Sends what watchers of tasks hear to the addresses of their clients."""

    def __init__(self, egress: Egress, clock: Clock) -> None:
        self._egress = egress
        self._clock = clock
        self._turns = Turns(clock)
        self._sending: set[asyncio.Task[None]] = set()
        self._resting: set[asyncio.Task[Any]] = set()
        self._closing = False

    async def check(self, config: JsonObject) -> None:
        """Judge a configuration before it is kept (row WIRE-NET-01).

        Raises:
            InvalidInput: a request to its address would be refused.
            InvalidParams: its name cannot be looked up, or its credentials cannot be sent.
        """
        _headers(config)
        try:
            await self._egress.examine(config["url"])
        except UpstreamError as error:
            raise InvalidParams("field", {"field": "url"}) from error

    def follow(self, watcher: Watcher, target: Target, left: Callable[[JsonObject], None]) -> asyncio.Task[None] | None:
        """Send what a watcher hears until the end, or until the configuration is no longer kept; then say so.

        Nothing is sent, and None given, when as much is under way as may be.
        """
        turn = self._turns.join(target.owner, target.config["url"])
        if turn is None:
            if self._turns.first_refused(target.owner):
                _log.warning("too many pushes are under way: those of task %s are dropped", target.config["taskId"])
            watcher.close()
            left(target.config)
            return None
        task = asyncio.create_task(self._follow(_Sending(watcher, target, turn)), name="moothall-a2a-push")
        self._sending.add(task)

        def done(ended: asyncio.Task[None]) -> None:
            self._sending.discard(ended)
            turn.leave()
            watcher.close()
            left(target.config)

        task.add_done_callback(done)
        return task

    async def idle(self) -> None:
        """Wait until everything is sent or given up."""
        while self._sending:
            await asyncio.wait(set(self._sending))

    async def aclose(self) -> None:
        """Send what waits, for a few seconds and to those who take it; then stop sending."""
        self._closing = True
        for task in self._resting:
            task.cancel()
        if self._sending:
            parting = self._clock.sleep_until(self._clock.now() + timedelta(seconds=_PARTING))
            waits = [asyncio.ensure_future(wait) for wait in (self.idle(), parting)]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        for task in self._sending:
            task.cancel()
        await self.idle()

    async def _follow(self, sending: _Sending) -> None:
        target, watcher = sending.target, sending.watcher
        try:
            while (event := await watcher.get()) is not None and await target.is_kept():
                if not await self._delivered(event, sending):
                    watcher.renew()
        except _GivenUpError:
            self._missed(sending, 0)
        except MoothallError as error:  # the task could not be written, or its address is refused now
            _log.warning("a push of task %s ends: %s", target.config["taskId"], type(error).__name__)

    async def _delivered(self, event: JsonObject, sending: _Sending) -> bool:
        """Send one event, again after a pause where that may help; False where the receiver could not be reached.

        Raises:
            InvalidInput: the address is refused.
            _GivenUpError: there is no time left.
        """
        target, turn = sending.target, sending.turn
        body, headers = written(event), _headers(target.config)
        attempts = status = 0
        while attempts < _ATTEMPTS:
            await self._rest(sending)
            async with turn.taken():
                self._check(sending)
                if turn.resting:  # its host has failed while this one waited
                    continue
                if not await target.is_kept():
                    return True
                status = await self._sent(target.config["url"], headers, body)
                passing = status == 0 or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING
                turn.went(well=not passing)
            if not passing:
                if not HTTPStatus.OK <= status < HTTPStatus.BAD_REQUEST:
                    self._missed(sending, status)
                return True
            attempts += 1
        self._missed(sending, status)
        return False

    async def _rest(self, sending: _Sending) -> None:
        """Leave its host alone for as long as that takes; a node that stops does not wait for it.

        Raises:
            _GivenUpError: there is no time left.
        """
        self._check(sending)
        task = asyncio.current_task()
        if not sending.turn.resting or task is None:
            return
        if self._closing:
            raise _GivenUpError
        self._resting.add(task)
        try:
            await sending.turn.rested()
        finally:
            self._resting.discard(task)
        self._check(sending)

    def _check(self, sending: _Sending) -> None:
        """Look whether there is time left.

        Raises:
            _GivenUpError: there is none.
        """
        now = self._clock.monotonic()
        if sending.until is None and sending.watcher.over:
            sending.until = now + _AFTER
        if sending.until is not None and now >= sending.until:
            raise _GivenUpError

    def _missed(self, sending: _Sending, status: int) -> None:
        """Say once of a sender that something was not delivered."""
        if not sending.missed:
            sending.missed = True
            _log.info("a push of task %s was not taken: status %d", sending.target.config["taskId"], status)

    async def _sent(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """Send it once; the status of the answer, 0 for none."""
        try:
            opening = self._egress.stream("POST", url, headers=headers, content=body, caps=_CAPS)
            async with asyncio.timeout(_SECONDS), opening as answer:
                return answer.status
        except InvalidInput:
            raise
        except (MoothallError, TimeoutError):
            return 0


def _headers(config: JsonObject) -> dict[str, str]:
    """The headers of its requests.

    Raises:
        InvalidParams: a value cannot stand in a header.
    """
    headers = {"content-type": MEDIA_TYPE}
    if token := config.get("token", ""):
        headers["x-a2a-notification-token"] = token
    authentication = config.get("authentication", {})
    if credentials := authentication.get("credentials", ""):
        headers["authorization"] = f"{authentication.get('scheme', '')} {credentials}"
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise InvalidParams("push_scheme")
    return headers
