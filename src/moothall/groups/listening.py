"""Messages that other processes of the same store took, for the handlers of this one (row GRP-09).

A process follows the topics of the groups that its handlers' agents are in. What stands there is given to every handler
that has not answered it yet; the key of the answer sees to it that two processes with one agent answer once. What was
said while no process had the agent is caught up with, as far back as `BACK`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from moothall.calls.request_ids import fresh
from moothall.errors import ChannelNotFound, MoothallError
from moothall.events.model import Event
from moothall.groups.channel import EVENT, MESSAGE, MOVES
from moothall.groups.links.passing import LINK
from moothall.groups.model import topic_of
from moothall.groups.said import Occasion
from moothall.groups.talk import Talk
from moothall.identity.principal import Principal
from moothall.telemetry import logger

T = TypeVar("T")

BACK: Final = 200
"""Events of a group that are looked at again when this process begins to listen."""
_LOOK: Final = 2.0
"""Seconds after which it is looked again in which groups its agents are: another process may have changed that."""
SECONDS: Final = 30.0
"""For the handlers of one event."""
_KINDS: Final = {MESSAGE: "message", **MOVES}
_AGAIN: Final = 10.0
"""Seconds after which it is looked again for a handler that another process asks."""
_TRIES: Final = 100
_MOST_LEFT: Final = 1_000
"""Events that are looked at again at one time; of more only when this process begins anew."""
_log = logger("groups")


@dataclass(frozen=True, slots=True)
class Errand:
    """What handlers are called by where no call of this process brought the event."""

    principal: Principal
    deadline: float
    hops: int
    request_id: str


class Listening:
    """Listens for the handlers of this process; ``callers``: a DID as the caller that it would be."""

    def __init__(self, talk: Talk, callers: Callable[[str], Principal], monotonic: Callable[[], float]) -> None:
        self._talk, self._callers, self._monotonic = talk, callers, monotonic
        self._following: dict[str, asyncio.Task[None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._left: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()

    def start(self) -> None:
        """Begin."""
        self._talk.groups.store.on_change(lambda _dids, _number: self._news.set())
        self._looking = asyncio.create_task(self._look(), name="moothall-groups")

    async def rest(self) -> None:
        """End."""
        tasks = [*self._following.values(), *self._left, *([self._looking] if self._looking is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._following.clear()
        self._looking = None

    async def _look(self) -> None:
        while True:
            self._news.clear()
            await _safely(self._choose())
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._news.wait()

    async def _choose(self) -> None:
        """Follow the groups that handlers of this process hear, and no other."""
        listeners = self._talk.handlers.listeners()
        each = await self._talk.groups.store.own_of_each(listeners) if listeners else {}
        wanted = frozenset[str]().union(*each.values())
        for group in self._following.keys() - wanted:
            self._following.pop(group).cancel()
        for group, task in list(self._following.items()):
            if task.done():  # it has no topic yet, or the store failed
                del self._following[group]
        for group in wanted - self._following.keys():
            self._following[group] = asyncio.create_task(_safely(self._follow(group)))

    async def _follow(self, group: str) -> None:
        topics, topic = self._talk.topics, topic_of(group)
        after = max(await topics.head(topic) - 1 - BACK, -1)
        with suppress(ChannelNotFound):  # nobody has said anything yet: it is looked at again
            async with aclosing(topics.follow(topic, after=after)) as events:
                async for event in events:
                    if not await _safely(self._heard(group, event)) and len(self._left) < _MOST_LEFT:
                        task = asyncio.create_task(self._later(group, event), name="moothall-groups")
                        self._left.add(task)
                        task.add_done_callback(self._left.discard)

    async def _later(self, group_id: str, event: Event) -> None:
        """Look again until whoever gives an event to a handler has its answer, or has ended in the middle."""
        for _ in range(_TRIES):
            await asyncio.sleep(_AGAIN)
            if await _safely(self._heard(group_id, event)):
                return

    async def _heard(self, group_id: str, event: Event) -> bool:
        """Whether every handler that an event is for has answered."""
        kind = str(event.payload.get("event_type", "")) if event.type == EVENT else _KINDS.get(event.type, "")
        sender = str(event.payload.get("sender", ""))
        seen = await self._talk.groups.store.seen(group_id, {sender}) if kind else None
        if seen is None:
            return True
        vouched = event.type in MOVES or event.key.startswith(LINK)
        if sender not in seen.members and not vouched:
            return True  # who was taken out meanwhile is heard no more, and nobody speaks for it
        hops = event.payload.get("hops", 0)
        errand = Errand(
            principal=self._callers(sender),
            deadline=self._monotonic() + SECONDS,
            hops=hops if isinstance(hops, int) else 0,
            request_id=fresh(),
        )
        return await self._talk.heard(errand, Occasion(seen.group, event, kind, vouched))


async def _safely(work: Coroutine[Any, Any, T]) -> T | None:
    try:
        return await work
    except MoothallError as error:
        _log.warning("an event of a group was not given to its handlers: %s", error)
        return None
