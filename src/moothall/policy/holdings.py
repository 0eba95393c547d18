"""What somebody may do by a right of its own: what it can give away (row DEL-02)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from moothall.capability.entry import Entry
from moothall.policy.engine import PolicyEngine


class Holdings:
    """Asks the policies about capabilities of the node; others run between two questions.

    Args:
        entries: the capabilities as they are now.
    """

    def __init__(self, engine: PolicyEngine, entries: Callable[[], Iterable[Entry]]) -> None:
        self._engine, self._entries = engine, entries

    async def __call__(
        self, did: str, actions: frozenset[str], capabilities: frozenset[str] | None = None, /
    ) -> Mapping[str, frozenset[str]]:
        """For each of these actions the ids of the capabilities, of all or of these, that a DID may do it with now.

        Delegations to it do not count, nor does what would need an approval.

        Raises:
            StorageError: the store cannot say.
        """
        asked = [entry for entry in self._entries() if capabilities is None or entry.id in capabilities]
        whole = await self._engine.subject(self._engine.principal(did))
        own = replace(whole, chains=(), parties={}, made=None)
        held: dict[str, set[str]] = {action: set() for action in actions}
        for entry in asked:
            for action, found in held.items():
                if (await self._engine.check(own, action, entry)).allowed:
                    found.add(entry.id)
                await asyncio.sleep(0)  # anybody may ask, by a delegation that it signs; hundreds take a second
        return {action: frozenset(found) for action, found in held.items()}
