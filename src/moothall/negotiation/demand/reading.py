"""Reading demands and channels out of the event log: one query each, and nothing kept that could grow old."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import groupby

from moothall.clock import parse_rfc3339, rfc3339
from moothall.errors import InvalidInput, Told
from moothall.events.log import EventLog
from moothall.events.model import Event, RunRecord
from moothall.negotiation.demand.channel_log import LOG_TYPES, ChannelLog, channel_log
from moothall.negotiation.demand.channel_view import CHANNEL_TYPES, ChannelView, channel_view
from moothall.negotiation.demand.driver import KIND
from moothall.negotiation.demand.models import Model
from moothall.negotiation.demand.roster import ROSTER_TYPES, Seat, roster
from moothall.negotiation.demand.steps import STEP_TYPES, StepList, step_list
from moothall.negotiation.demand.view import (
    DEMAND_TYPES,
    HEAD_TYPES,
    DemandState,
    DemandSummary,
    DemandView,
    Status,
    demand_state,
    demand_summary,
    demand_view,
)

MAX_PAGE = 100
"""Demands of one page at the most."""

MAX_SCANNED = 1_000
"""Runs that are looked at for one page: a rare status may leave it short, its cursor goes on from there."""

_CURSOR = re.compile(r"([0-9TZ:.-]{20,30})~(d-[0-9a-f]{8})")


class DemandPage(Model):
    """Some demands, the newest first; ``next_cursor`` leads to older ones, null at the end.

    A page may be shorter than its limit although there are more.
    """

    demands: tuple[DemandSummary, ...]
    next_cursor: str | None = None


class DemandReader:
    """Projects the rows of runs; the record says whose run it is and must have been checked before."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def state(self, record: RunRecord) -> DemandState:
        """Where a demand stands."""
        return demand_state(record, await self._rows(record, HEAD_TYPES))

    async def demand(self, record: RunRecord) -> DemandView:
        """A demand, whole."""
        return demand_view(record, await self._rows(record, DEMAND_TYPES))

    async def steps(self, record: RunRecord) -> StepList:
        """The decisions of a demand, one by one."""
        return step_list(record, await self._rows(record, STEP_TYPES))

    async def channel(self, record: RunRecord) -> ChannelView:
        """A channel, whole."""
        return channel_view(record, await self._rows(record, CHANNEL_TYPES))

    async def roster(self, record: RunRecord) -> tuple[Seat, ...]:
        """Who was thought of, asked and chosen."""
        return roster(record, await self._rows(record, ROSTER_TYPES))

    async def channel_log(self, record: RunRecord) -> ChannelLog:
        """Every message and transition; for the node's owner."""
        return channel_log(await self._rows(record, LOG_TYPES))

    async def page(self, subject: str | None, status: Status | None, limit: int, cursor: str) -> DemandPage:
        """The newest demands of a requester (of all when None) in a status, from where ``cursor`` says.

        Raises:
            InvalidInput: the cursor is none of this node's, or the requester's name cannot be one.
        """
        if subject is not None and "\0" in subject:
            raise InvalidInput("user_id: a NUL character", told=Told("why.nul_user", hint="why.rule.user_id"))
        before, found, scanned = _decoded(cursor), list[DemandSummary](), 0
        while scanned < MAX_SCANNED:
            runs = await self._log.runs(
                kind=KIND,
                status=None if status is None else "open" if status == "processing" else "closed",
                subject=subject,
                top_level=True,
                limit=limit,
                before=before,
            )
            told = await self._summaries(runs)
            for run in runs:
                scanned, before = scanned + 1, (run.created_at, run.id)
                if status is None or told[run.id].status == status:
                    found.append(told[run.id])
                if len(found) == limit:
                    return DemandPage(demands=tuple(found), next_cursor=_encoded(before))
            if len(runs) < limit:
                return DemandPage(demands=tuple(found))
        return DemandPage(demands=tuple(found), next_cursor=_encoded(before))

    async def _summaries(self, runs: Sequence[RunRecord]) -> dict[str, DemandSummary]:
        rows = await self._log.select([run.id for run in runs], HEAD_TYPES)
        by_run = {name: list(events) for name, events in groupby(rows, key=lambda event: event.run)}
        return {run.id: demand_summary(run, by_run.get(run.id, [])) for run in runs}

    async def _rows(self, record: RunRecord, types: Collection[str]) -> list[Event]:
        return await self._log.select([record.id], types)


def _encoded(place: tuple[datetime, str] | None) -> str | None:
    if place is None:
        return None
    return base64.urlsafe_b64encode(f"{rfc3339(place[0])}~{place[1]}".encode()).decode().rstrip("=")


def _decoded(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    try:
        plain = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        match = _CURSOR.fullmatch(plain)
        if match is not None:
            return parse_rfc3339(match[1]), match[2]
    except (binascii.Error, ValueError, InvalidInput) as error:
        raise InvalidInput("cursor: not one of this node's", told=Told("why.cursor")) from error
    raise InvalidInput("cursor: not one of this node's", told=Told("why.cursor"))
