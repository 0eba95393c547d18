"""What was found elsewhere and may not be called as it is now: the owner refused it, or its description has changed.

Search and calls in words never lead there; this stops everybody who names the target as well, whether that is the code
of an agent, a model with a tool, a step of a plan, or the owner. A description that nobody ever looked at stops nobody:
there is nothing that it was changed from. What every node is made of is called by the code of this node, not by what
its description says, and stops only where it was refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final, Protocol

from moothall.calls.target import Target
from moothall.directory.finding.judging import BY_OWNER, CHANGED
from moothall.directory.listing import Listing
from moothall.errors import MoothallError, PermissionDeniedError, Told
from moothall.telemetry import logger

START: Final = -1
"""Before every change."""

_log = logger("finding")


class Stopped(Protocol):
    """Where what is stopped is remembered; `FindingStore` is one."""

    async def stopped(self, after: int) -> tuple[int, Mapping[str, str]]:
        """What was changed after a change: its number, and the targets with the reason why each is stopped.

        The reason is `BY_OWNER` or `CHANGED`, or empty where a target may be called. Raises StorageError.
        """
        ...


class Stops:
    """What is stopped, as this process knows it; the store is read when something has changed, not for each call.

    Args:
        store: where it is remembered.
        house: the operations that every node has.
        aliases: addresses under names of the node's own.
    """

    def __init__(
        self, store: Stopped, house: Callable[[], Container[str]], aliases: Mapping[tuple[str, str], str]
    ) -> None:
        self._store = store
        self._house = house
        self._aliases = aliases
        self._turn = asyncio.Lock()
        self._touched, self._read = 1, 0
        self._seq = START
        self._why: dict[Target, str] = {}

    @property
    def in_use(self) -> bool:
        """Whether anything was called elsewhere yet."""
        return self._seq != START

    def touch(self) -> None:
        """Say that something in this process has changed."""
        self._touched += 1

    async def look(self) -> None:
        """Take in what has changed, in this process or another.

        Raises:
            StorageError: it cannot be read.
        """
        async with self._turn:
            await self._look()

    async def check(self, target: Target) -> None:
        """Let a call pass, or not.

        Raises:
            PermissionDeniedError: it goes to what is stopped; the hint says how that is lifted.
            StorageError: it cannot be told now.
        """
        if self._read < self._touched:
            async with self._turn:
                if self._read < self._touched:  # else somebody who came before has looked
                    await self._look()
        if self._why and (why := self.why(target)):
            _log.warning("%s is not called: %s", target, why)
            key = "finding.stopped_refused" if why == BY_OWNER else "finding.stopped_changed"
            told = Told(key, {"target": str(target)}, hint="finding.stopped_hint")
            details = {"target": str(target), "why": why}
            raise PermissionDeniedError("the description was refused, or has changed", told=told, details=details)

    def stopped(self, listing: Listing) -> bool:
        """Whether a call by a listing would be, as far as this process knows."""
        return bool(self._why) and not listing.local and bool(self.why(Target.parse(listing.target)))

    def why(self, target: Target) -> str:
        """Why a target is stopped, as far as this process knows; empty: it is not. Who is refused is so in all."""
        named = self._aliases.get((target.scheme, target.address))
        meant = (target, replace(target, address=named)) if named else (target,)
        for each in meant:
            why = self._why.get(each, "")
            if why == BY_OWNER or (why == CHANGED and each.operation not in self._house()):
                return why
            if each.operation and self._why.get(replace(each, operation="")) == BY_OWNER:
                return BY_OWNER
        return ""

    async def _look(self) -> None:
        touched = self._touched
        seq, changed = await self._store.stopped(self._seq)
        for text, why in changed.items():
            with suppress(MoothallError):  # not every listing names something that is called
                target = Target.parse(text)
                self._why.pop(target, None)
                if why:
                    self._why[target] = why
        self._seq, self._read = seq, touched
