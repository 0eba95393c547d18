"""Telling clients of their tasks by HTTP POST (A2A 1.0 §4.3): through the guarded client only, in the background.

Each address gets the events in their order, one at a time. What cannot be delivered is tried again a few times; what
came meanwhile beyond a short queue is then told as the whole task. A receiver that refuses is not asked again for that
event. A delivery that was under way when the node stopped is lost; the task itself is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from moothall.capability.spec import JsonObject
from moothall.clock import Clock
from moothall.errors import InvalidInput, MoothallError, UpstreamError
from moothall.identity.egress import Egress
from moothall.identity.limited_body import Caps
from moothall.protocols.a2a.failures import InvalidParams
from moothall.protocols.a2a.watching import Watcher
from moothall.protocols.a2a.writing import written
from moothall.telemetry import logger

MEDIA_TYPE: Final = "application/a2a+json"

_log = logger("a2a")
_SECONDS: Final = 10.0
_CAPS: Final = Caps(most_bytes=64 * 1024, head_seconds=_SECONDS, idle_seconds=_SECONDS, for_strangers=True)
_PAUSES: Final = (1.0, 4.0, 16.0)
"""Seconds between attempts."""

_AT_ONCE: Final = 16
"""Requests of all tasks that may be under way."""

_PASSING: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class Pusher:
    """Sends what watchers of tasks hear to the addresses of their clients."""

    def __init__(self, egress: Egress, clock: Clock) -> None:
        self._egress = egress
        self._clock = clock
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._sending: set[asyncio.Task[None]] = set()

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

    def follow(
        self, watcher: Watcher, config: JsonObject, is_kept: Callable[[], bool], left: Callable[[JsonObject], None]
    ) -> None:
        """Send what a watcher hears until the end, or until the configuration is no longer kept; then say so."""
        task = asyncio.create_task(self._follow(watcher, config, is_kept), name="moothall-a2a-push")
        self._sending.add(task)

        def done(ended: asyncio.Task[None]) -> None:
            self._sending.discard(ended)
            left(config)

        task.add_done_callback(done)

    async def idle(self) -> None:
        """Wait until everything is sent or given up."""
        while self._sending:
            await asyncio.wait(set(self._sending))

    async def aclose(self) -> None:
        """Stop sending."""
        for task in self._sending:
            task.cancel()
        await self.idle()

    async def _follow(self, watcher: Watcher, config: JsonObject, is_kept: Callable[[], bool]) -> None:
        try:
            while (event := await watcher.get()) is not None and is_kept():
                await self._deliver(event, config, is_kept)
        except MoothallError as error:  # the task could not be written, or its address is refused now
            _log.warning("a push of task %s ends: %s", config["taskId"], type(error).__name__)
        finally:
            watcher.close()

    async def _deliver(self, event: JsonObject, config: JsonObject, is_kept: Callable[[], bool]) -> None:
        """Send one event, again after a pause where that may help.

        Raises:
            InvalidInput: the address is refused.
        """
        body, headers = written(event), _headers(config)
        for pause in (*_PAUSES, None):
            status = await self._sent(config["url"], headers, body)
            if status < HTTPStatus.BAD_REQUEST and status >= HTTPStatus.OK:
                return
            passing = status == 0 or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING
            if not passing or pause is None:
                _log.info("a push of task %s was not taken: status %d", config["taskId"], status)
                return
            await self._clock.sleep_until(self._clock.now() + timedelta(seconds=pause))
            if not is_kept():
                return

    async def _sent(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """Send it once; the status of the answer, 0 for none."""
        try:
            opening = self._egress.stream("POST", url, headers=headers, content=body, caps=_CAPS)
            async with self._gate, asyncio.timeout(_SECONDS), opening as answer:
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
