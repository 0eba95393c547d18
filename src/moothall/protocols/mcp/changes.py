"""What changes in the registry, told to whoever listens: that a list of tools, prompts or resources is another one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
)

from moothall.capability.entry import Entry
from moothall.capability.registry import Snapshot

OnChange = Callable[[Callable[[Snapshot], None]], Callable[[], None]]
"""`Registry.on_change`."""

OnUpdate = Callable[[Callable[[str], None]], Callable[[], None]]
"""`Registry.on_update`."""

_EVENTS: Final[dict[str, ServerEvent]] = {
    "tool": ToolsListChanged(),
    "prompt": PromptsListChanged(),
    "resource": ResourcesListChanged(),
}
METHODS: Final[dict[type[ServerEvent], str]] = {
    ToolsListChanged: "notifications/tools/list_changed",
    PromptsListChanged: "notifications/prompts/list_changed",
    ResourcesListChanged: "notifications/resources/list_changed",
    ResourceUpdated: "notifications/resources/updated",
}
"""The notifications of the handshake era."""


class Changes:
    """Publishes on a bus what changes in a registry; of many changes at once, one event for each list."""

    def __init__(self, bus: InMemorySubscriptionBus, on_change: OnChange, on_update: OnUpdate) -> None:
        self._bus = bus
        self._on_change = on_change
        self._on_update = on_update
        self._told: dict[str, list[Entry]] = {}
        self._latest = Snapshot()
        self._changed = asyncio.Event()
        self._updated: deque[str] = deque()
        self._ends: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, snapshot: Snapshot) -> None:
        """Look at every change from now on; ``snapshot`` is what there is. A second call does nothing."""
        if self._task is not None:
            return
        self._latest, self._told = snapshot, _by_kind(snapshot)
        self._loop = asyncio.get_running_loop()
        self._ends = [self._on_change(self._seen), self._on_update(self._update)]
        self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Look no more."""
        while self._ends:
            self._ends.pop()()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _seen(self, latest: Snapshot) -> None:
        self._latest = latest
        self._wake()

    def _update(self, uri: str) -> None:
        self._updated.append(uri)
        self._wake()

    def _wake(self) -> None:
        if self._loop is not None:  # the registry may be changed in another thread
            self._loop.call_soon_threadsafe(self._changed.set)

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            lists = _by_kind(self._latest)
            before, self._told = self._told, lists
            for kind, event in _EVENTS.items():
                if lists.get(kind) != before.get(kind):
                    await self._bus.publish(event)
            while self._updated:
                await self._bus.publish(ResourceUpdated(self._updated.popleft()))


def _by_kind(snapshot: Snapshot) -> dict[str, list[Entry]]:
    """What can be called, in the lists that clients read; entries are compared by identity."""
    found: dict[str, list[Entry]] = {}
    for entry in snapshot.newest:
        if entry.state != "disabled":
            found.setdefault(entry.spec.kind, []).append(entry)
    return found
