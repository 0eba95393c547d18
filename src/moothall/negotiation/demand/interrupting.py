"""Decisions that a cancellation cuts short: a slow model must not keep a run alive that nobody wants any more."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from moothall.errors import StorageError
from moothall.events.model import Posting
from moothall.events.run import Run
from moothall.llm.decision import Decided, InT, OutT, Prompt
from moothall.negotiation.demand.barrier import CancelledByRequesterError
from moothall.negotiation.demand.deciding import Decider
from moothall.telemetry import logger

_log = logger("negotiation.demand")

CANCEL = "cancel"
"""The kind of posting by which a requester ends a run."""

AGAIN = timedelta(seconds=1)
"""How long the watch pauses after the inbox could not be read."""


class Interruptible:
    """Stands in front of a decider for one activation of a run; an async context manager.

    While a barrier collects answers it hears a cancellation by itself; here the inbox is only watched, never emptied.
    """

    def __init__(self, run: Run, decisions: Decider) -> None:
        self._run = run
        self._decisions = decisions
        self._watch: asyncio.Task[Posting] | None = None

    async def __aenter__(self) -> Self:
        self._watch = asyncio.create_task(self._spot(), name=f"{self._run.id}: cancelled?")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._watch.cancel()
            # What the watch raised (the run was parked, the lease is lost) reaches the driver by its own appends.
            await asyncio.gather(self._watch, return_exceptions=True)

    async def decide(self, prompt: Prompt[InT, OutT], data: InT) -> Decided[OutT]:
        """Answer one prompt.

        Raises:
            CancelledByRequesterError: the run was cancelled before or meanwhile.
        """
        return await self._before_cancel(asyncio.ensure_future(self._decisions.decide(prompt, data)))

    async def by_rules(self, prompt: Prompt[InT, OutT], data: InT) -> Decided[OutT]:
        """Answer one prompt without a model; raises as `decide` does."""
        return await self._before_cancel(asyncio.ensure_future(self._decisions.by_rules(prompt, data)))

    async def _spot(self) -> Posting:
        """The cancellation, once there is one; a read that fails is repeated, for nobody else may look for long."""
        while True:
            try:
                return await self._run.spot(CANCEL)
            except StorageError as error:
                if self._run.broken is not None:
                    raise
                _log.warning("%s: the inbox could not be read: %s", self._run.id, error.code)
            await self._run.clock.sleep_until(self._run.clock.now() + AGAIN)

    async def _before_cancel(self, asked: asyncio.Future[Decided[OutT]]) -> Decided[OutT]:
        try:
            either: set[asyncio.Future[Any]] = {asked}
            if self._watch is not None and not self._failed():
                either.add(self._watch)
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._cancelled():
                raise CancelledByRequesterError(CANCEL)
            return await asked
        finally:
            if not asked.done():
                asked.cancel()
                await asyncio.wait({asked})

    def _cancelled(self) -> bool:
        watch = self._watch
        return watch is not None and watch.done() and not self._failed()

    def _failed(self) -> bool:
        watch = self._watch
        return watch is not None and watch.done() and (watch.cancelled() or watch.exception() is not None)
