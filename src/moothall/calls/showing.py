"""What somebody is shown of the capabilities at a door: those that it may call, and no trace of any other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from moothall.calls.likeness import Likeness
from moothall.capability.entry import Entry
from moothall.capability.registry import Snapshot
from moothall.capability.spec import UNLISTED
from moothall.policy.decision import AccessRequest, PermissionResult, Subject

SLICE: Final = 0.005
"""Seconds for which a listing decides without a break: where much has to be decided anew, others go on meanwhile."""

_DECIDED: Final = 8
"""Similar names of which it is decided whether a caller may see them; of a thousand that would hold up everybody."""
_SIMILAR: Final = 3


class Showing:
    """Makes listings.

    Args:
        ask: the policy.
        exposed: whether a capability can be called at a door at all.
        monotonic: seconds.
    """

    def __init__(
        self,
        ask: Callable[[AccessRequest], PermissionResult],
        exposed: Callable[[Entry, str], bool],
        monotonic: Callable[[], float],
    ) -> None:
        self._ask = ask
        self._exposed = exposed
        self._monotonic = monotonic
        self._seen: Snapshot | None = None
        self._likeness: dict[str, Likeness] = {}

    async def visible(self, snapshot: Snapshot, subject: Subject, door: str) -> tuple[Entry, ...]:
        """The newest versions, by id, of what somebody may call at a door."""
        found, monotonic = [], self._monotonic
        until = monotonic() + SLICE
        for entry in self._shown(snapshot, door):
            if self._may(subject, entry, door):
                found.append(entry)
            if monotonic() >= until:
                await asyncio.sleep(0)
                until = monotonic() + SLICE
        return tuple(found)

    def similar(self, snapshot: Snapshot, name: str, subject: Subject, door: str) -> list[str]:
        """Ids that look like a name, of what somebody may call at a door: the likeliest are asked about, few in all."""
        if snapshot is not self._seen:
            self._likeness.clear()
            self._seen = snapshot
        likeness = self._likeness.get(door)
        if likeness is None:
            likeness = self._likeness[door] = Likeness.of(self._shown(snapshot, door))
        found: list[str] = []
        for entry in snapshot.similar(name, likeness.likeliest(name), _DECIDED):
            if self._may(subject, entry, door):
                found.append(entry.id)
            if len(found) == _SIMILAR:
                break
        return found

    def _shown(self, snapshot: Snapshot, door: str) -> list[Entry]:
        """What is not out of service and meant to be listed, whoever may call it."""
        return [
            entry
            for entry in snapshot.newest
            if entry.state != "disabled" and UNLISTED not in entry.spec.tags and self._exposed(entry, door)
        ]

    def _may(self, subject: Subject, entry: Entry, door: str) -> bool:
        return self._ask(AccessRequest(subject, entry, door)).effect != "deny"
