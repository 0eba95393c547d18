"""What a caller may hear of changes, as things are when they happen, and not as they were when it began to listen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
)
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, SubscriptionsListenRequestParams, SubscriptionsListenResult

from moothall.capability.entry import Entry
from moothall.errors import MoothallError
from moothall.identity.principal import Principal
from moothall.protocols.mcp.ground import DOOR, Ground
from moothall.protocols.mcp.resources import readable
from moothall.protocols.mcp.visits import visit_of
from moothall.telemetry import logger

KINDS: Final[dict[type[ServerEvent], str]] = {
    ToolsListChanged: "tool",
    PromptsListChanged: "prompt",
    ResourcesListChanged: "resource",
}
"""Of which kind of capability a list is whose change an event tells."""

_MOST: Final = 1024
"""Subscriptions of one server."""

Lists = dict[str, list[Entry] | None]
Listener = Callable[[ServerEvent], None]
_log = logger("mcp")


class Hearing:
    """What one caller hears.

    What it may hear is looked up for each event, one after another; what happens several times meanwhile is one event.
    """

    def __init__(self, ground: Ground, principal: Principal) -> None:
        self._ground = ground
        self._principal = principal
        self._known: Lists = {}
        self._told: dict[tuple[type[ServerEvent], str], tuple[ServerEvent, Listener]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Look at what the lists are now.

        Raises:
            StorageError: the store cannot say.
        """
        self._known = await self._lists()

    def close(self) -> None:
        """Hear nothing more."""
        self._told.clear()
        if self._looking is not None:
            self._looking.cancel()

    @property
    def over(self) -> bool:
        """Whether it is to hear nothing more: it was suspended."""
        return self._ground.suspended(self._principal.id)

    def hear(self, event: ServerEvent, listener: Listener) -> None:
        """Tell the listener of an event: of a resource that it may read, of a list that is another one for it.

        Of one that is over, every event is taken on: what should send it ends it.
        """
        if self.over:
            listener(event)
            return
        self._told[type(event), event.uri if isinstance(event, ResourceUpdated) else ""] = event, listener
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while self._told:
            event, listener = self._told.pop(next(iter(self._told)))
            try:
                hears = await self._hears(event)
            except MoothallError as error:  # who may not be known to hear it does not
                _log.warning("whether a reader may hear of a change is not known: %s", error)
            else:
                if hears:
                    listener(event)

    async def _hears(self, event: ServerEvent) -> bool:
        if isinstance(event, ResourceUpdated):
            return await readable(self._ground, self._principal, event.uri)
        kind = KINDS[type(event)]
        before, after = self._known.get(kind), (await self._lists()).get(kind)
        self._known = {**self._known, kind: after}  # of the other lists other events tell
        return after != before

    async def _lists(self) -> Lists:
        found: dict[str, list[Entry]] = {}
        for entry in await self._ground.gateway().visible(self._principal, DOOR):
            found.setdefault(entry.spec.kind, []).append(entry)
        return dict(found)


class Listening:
    """Answers ``subscriptions/listen``: a stream of what its reader may hear."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._open: set[ListenHandler] = set()

    async def __call__(
        self, ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Tell one reader until it leaves, or the server stops.

        Raises:
            MCPError: there are too many.
        """
        if len(self._open) >= _MOST:
            raise MCPError(INTERNAL_ERROR, "Subscription limit reached")
        hearing = Hearing(self._ground, visit_of(ctx).principal)
        handler = ListenHandler(_Heard(self._ground.bus, hearing))
        self._open.add(handler)
        try:
            await hearing.begin()
            return await handler(ctx, params)
        finally:
            hearing.close()
            self._open.discard(handler)

    def close(self) -> None:
        """End every stream."""
        for handler in tuple(self._open):
            handler.close()


class _Heard:
    """A bus as one caller hears it."""

    def __init__(self, bus: InMemorySubscriptionBus, hearing: Hearing) -> None:
        self._hearing = hearing
        self._bus = bus

    def publish(self, event: ServerEvent) -> Coroutine[Any, Any, None]:
        return self._bus.publish(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        return self._bus.subscribe(lambda event: self._hearing.hear(event, listener))
