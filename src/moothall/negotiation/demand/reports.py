"""Delivering what runs tell each other: a sub-negotiation its result, a parent that it has ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from moothall.errors import DemandNotFound, InternalError
from moothall.events.log import EventLog
from moothall.events.model import OutboxRow
from moothall.telemetry import logger

_log = logger("negotiation.demand")
SCHEME = "run:"


def deliver_reports(log: EventLog) -> Callable[[OutboxRow], Awaitable[None]]:
    """A delivery for the outbox that puts rows addressed to ``run:<id>`` into that run's inbox, once each."""

    async def deliver(row: OutboxRow) -> None:
        if not row.target.startswith(SCHEME):
            message = f"nothing here delivers to {row.target.partition(':')[0]}"
            raise InternalError(message)
        receiver = row.target.removeprefix(SCHEME)
        try:
            await log.post(receiver, f"sub.{row.run}", row.payload["kind"], row.run, row.payload["payload"])
        except DemandNotFound:
            _log.info("run %s has news for %s, which has ended", row.run, receiver)

    return deliver
