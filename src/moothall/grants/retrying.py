"""Tokens that could not be proved yet, since a far host did not give its delegator's document: asked for again."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Final

from moothall.errors import InvalidInput, MoothallError
from moothall.grants.ports import Ground
from moothall.grants.proving import Proofs
from moothall.telemetry import logger

FIRST: Final = 1.0
"""Seconds until a document is asked for again; then twice as long each time."""
LONGEST_WAIT: Final = 600.0
TRIED: Final = 20
"""Times that it is asked for; after that, when somebody is looked up again."""
MOST_WAITING: Final = 1_000
"""Tokens that are asked for again at a time."""

_log = logger("grants")


class Retrying:
    """Proves in the background what could not be proved, and tells when somebody has a right by it."""

    def __init__(self, ground: Ground, proofs: Proofs) -> None:
        self._ground, self._proofs = ground, proofs
        self._holders: dict[str, set[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> Collection[str]:
        """The tokens that are asked for again."""
        return self._holders.keys()

    def later(self, holder: str, tokens: Iterable[str]) -> None:
        """Try these again, for this holder."""
        for token in tokens:
            waiting = self._holders.get(token)
            if waiting is not None:
                waiting.add(holder)
            elif len(self._holders) < MOST_WAITING:
                self._holders[token] = {holder}
                task = asyncio.create_task(self._try(token))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _try(self, token: str) -> None:
        try:
            for number in range(TRIED):
                wait = min(FIRST * 2**number, LONGEST_WAIT)
                await self._ground.clock.sleep_until(self._ground.clock.now() + timedelta(seconds=wait))
                if await self._settled(token):
                    return
        finally:
            self._holders.pop(token, None)

    async def _settled(self, token: str) -> bool:
        try:
            await self._proofs.prove(token)
            numbers = await self._ground.revisions.current()
        except InvalidInput:
            return True
        except MoothallError as error:
            _log.debug("a delegation cannot be proved still: %s", error)
            return False
        self._ground.on_change(frozenset(self._holders.get(token, ())), numbers.get("grants", 0))
        return True

    async def aclose(self) -> None:
        """Give up."""
        for task in (tasks := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
