"""What changes in the registry, told to whoever listens: that a list of tools, prompts or resources is another one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    PromptsListChanged,
    ResourcesListChanged,
    ServerEvent,
    ToolsListChanged,
)

from moothall.capability.entry import Entry
from moothall.capability.registry import Snapshot

OnChange = Callable[[Callable[[Snapshot], None]], Callable[[], None]]
"""`Registry.on_change`."""

_EVENTS: Final[dict[str, ServerEvent]] = {
    "tool": ToolsListChanged(),
    "prompt": PromptsListChanged(),
    "resource": ResourcesListChanged(),
}
METHODS: Final[dict[type[ServerEvent], str]] = {
    ToolsListChanged: "notifications/tools/list_changed",
    PromptsListChanged: "notifications/prompts/list_changed",
    ResourcesListChanged: "notifications/resources/list_changed",
}
"""The notifications of the handshake era that tell of a changed list."""


class Changes:
    """Publishes on a bus what changes in a registry; of many changes at once, one event for each list."""

    def __init__(self, bus: InMemorySubscriptionBus, on_change: OnChange) -> None:
        self._bus = bus
        self._on_change = on_change
        self._told: dict[str, list[Entry]] = {}
        self._latest = Snapshot()
        self._changed = asyncio.Event()
        self._end: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self, snapshot: Snapshot) -> None:
        """Look at every change from now on; ``snapshot`` is what there is."""
        self._told = _by_kind(snapshot)
        loop = asyncio.get_running_loop()
        self._end = self._on_change(lambda latest: _soon(loop, self._seen, latest))
        self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Look no more."""
        if self._end is not None:
            self._end()
            self._end = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    def _seen(self, latest: Snapshot) -> None:
        self._latest = latest
        self._changed.set()

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            lists = _by_kind(self._latest)
            before, self._told = self._told, lists
            for kind, event in _EVENTS.items():
                if lists.get(kind) != before.get(kind):
                    await self._bus.publish(event)


def _by_kind(snapshot: Snapshot) -> dict[str, list[Entry]]:
    """What can be called, in the lists that clients read; entries are compared by identity."""
    found: dict[str, list[Entry]] = {}
    for entry in snapshot.newest:
        if entry.state != "disabled":
            found.setdefault(entry.spec.kind, []).append(entry)
    return found


def _soon(loop: asyncio.AbstractEventLoop, seen: Callable[[Snapshot], None], latest: Snapshot) -> None:
    """Go on in the loop: the registry may have been changed in another thread."""
    loop.call_soon_threadsafe(seen, latest)
