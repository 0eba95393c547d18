"""What a caller may hear of changes, as things are when they happen, and not as they were when it began to listen."""

from __future__ import annotations

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
from moothall.identity.principal import Principal
from moothall.protocols.mcp.ground import DOOR, Ground
from moothall.protocols.mcp.resources import readable
from moothall.protocols.mcp.visits import visit_of

KINDS: Final[dict[type[ServerEvent], str]] = {
    ToolsListChanged: "tool",
    PromptsListChanged: "prompt",
    ResourcesListChanged: "resource",
}
"""Of which kind of capability a list is whose change an event tells."""

_MOST: Final = 1024
"""Subscriptions of one server."""

Lists = dict[str, list[Entry] | None]


class Hearing:
    """What one caller hears."""

    def __init__(self, ground: Ground, principal: Principal) -> None:
        self._ground = ground
        self._principal = principal
        self._known = self._lists()

    @property
    def over(self) -> bool:
        """Whether it is to hear nothing more: it was suspended."""
        return self._ground.suspended(self._principal.id)

    def hears(self, event: ServerEvent) -> bool:
        """Whether it is told of an event: of a resource that it may read, of a list that is another one for it.

        Of one that is over, every event is taken on: what should send it ends it.
        """
        if self.over:
            return True
        if isinstance(event, ResourceUpdated):
            return readable(self._ground, self._principal, event.uri)
        kind = KINDS[type(event)]
        before, after = self._known.get(kind), self._lists().get(kind)
        self._known = {**self._known, kind: after}  # of the other lists other events tell
        return after != before

    def _lists(self) -> Lists:
        found: dict[str, list[Entry]] = {}
        for entry in self._ground.gateway().visible(self._principal, DOOR):
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
        handler = ListenHandler(_Heard(self._ground.bus, Hearing(self._ground, visit_of(ctx).principal)))
        self._open.add(handler)
        try:
            return await handler(ctx, params)
        finally:
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
        def deliver(event: ServerEvent) -> None:
            if self._hearing.hears(event):
                listener(event)

        return self._bus.subscribe(deliver)
