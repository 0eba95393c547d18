"""Which process gives an event to a handler, where several processes of one store host its agent (row GRP-09).

Who begins writes so into the topic of the group; others leave the handler to it until its time is over. So a handler
runs once, and again only where its process ended in the middle.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import aclosing
from datetime import timedelta
from typing import Final

from moothall.clock import parse_rfc3339, rfc3339
from moothall.errors import ChannelNotFound, Conflict
from moothall.events.log import EventLog
from moothall.events.model import Draft, Event, JsonObject
from moothall.events.topics import Topics
from moothall.groups.channel import payloads

CLAIMED: Final = "group.claimed"
"""Internal: no reader of the topic is shown it."""

_MARGIN: Final = 10.0
"""Seconds in which an answer is written, and that clocks of processes differ."""


class Claims:
    """The claims of one process; where one process has the store, it has every claim without asking."""

    def __init__(self, log: EventLog, topics: Topics) -> None:
        self._log, self._topics = log, topics
        self._me = secrets.token_hex(8)
        self._shared = log.store.writer is None

    async def take(self, topic: str, reply: str, seconds: float) -> bool:
        """Whether this process is to ask a handler, by the key of its answer; it has so many seconds for that.

        Raises:
            StorageError: the log cannot be written.
        """
        if not self._shared:
            return True
        key, now = f"c.{reply}", self._log.clock.now()
        until = rfc3339(now + timedelta(seconds=max(seconds, 0.0) + _MARGIN))
        try:
            await self._topics.append(topic, Draft(key, CLAIMED, {"by": self._me, "at": until}))
        except Conflict:  # all but the field `at` differs: it is another's
            kept = (await payloads(self._log, topic, [key])).get(key)
            return kept is None or parse_rfc3339(str(kept["at"])) <= now
        return True

    async def answered(self, event: Event, reply: str, seconds: float) -> JsonObject | None:
        """What another process was answered to an event, once it is there; None: not in these seconds."""
        try:
            async with (
                asyncio.timeout(max(seconds, 0.0)),
                aclosing(self._topics.follow(event.run, after=event.seq)) as events,
            ):
                async for found in events:
                    if found.key == reply:
                        return found.payload
        except (TimeoutError, ChannelNotFound):
            return None
        return None
