"""Reading approvals out of the event log, for those whom they concern."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final, Literal

from moothall.approvals.asking import Ask, Standing, Status
from moothall.approvals.kept import ANSWERS, ASKED, BRIEF, KIND, TOLD, ask_of, standing_of, workflow_of
from moothall.approvals.machine import Workflow
from moothall.approvals.onlooker import Onlooker
from moothall.approvals.parties import NoParties, Parties
from moothall.approvals.views import ApprovalPage, ApprovalSummary, summary
from moothall.clock import parse_rfc3339, rfc3339
from moothall.errors import Forbidden, InvalidInput, ServiceNotFoundError, Told
from moothall.events.log import EventLog
from moothall.events.model import Event, RunRecord
from moothall.identity.principal import Principal

Whose = Literal["", "mine", "waiting", "all"]
"""Which approvals: that one asked for; that wait for one's decision; all of the node; empty: all that one may see."""

MAX_PAGE: Final = 100
MAX_SCANNED: Final = 1_000
"""Runs that are looked at for one page: who is seldom asked gets a short one, and its cursor goes on from there."""

BATCH: Final = 100
"""Runs that are read at once, whatever the caller's limit is."""

_ID: Final = re.compile(r"ap-[0-9a-f]{16}")
_CURSOR: Final = re.compile(r"([0-9TZ:.-]{20,30})~(ap-[0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class Case:
    """A workflow with its run; ``events`` of the types that were asked for."""

    record: RunRecord
    flow: Workflow
    events: tuple[Event, ...]

    @property
    def ask(self) -> Ask:
        """The call."""
        return ask_of(next(event for event in self.events if event.type == ASKED))


class ApprovalReader:
    """Projects runs; nothing is kept that could grow old."""

    def __init__(self, log: EventLog, parties: Parties | None = None) -> None:
        self._log = log
        self._parties = parties or NoParties()

    async def standing(self, workflow: str) -> Standing | None:
        """How far a workflow is; None where there is none of that id."""
        case = await self._case(workflow, TOLD)
        return None if case is None else standing_of(case.record, case.flow)

    async def seen(self, principal: Principal, workflow: str) -> Case:
        """A workflow that a principal may see: its requester, the operator, and who was asked to decide.

        Raises:
            ServiceNotFoundError: there is none of that id, or none for this principal.
        """
        case = await self._case(workflow, (ASKED, *TOLD))
        if case is None or not (await self.onlooker(principal, [case.flow])).concerned(case.flow):
            raise missing()
        return case

    async def onlooker(self, principal: Principal, flows: Iterable[Workflow]) -> Onlooker:
        """Who looks at these workflows."""
        return await Onlooker.of(principal, flows, self._parties)

    async def page(
        self, principal: Principal, whose: Whose, status: Status | Literal[""], limit: int, cursor: str
    ) -> ApprovalPage:
        """The newest approvals that a principal may see, from where the cursor says.

        Raises:
            Forbidden: only the operator sees all.
            InvalidInput: the cursor is none of this node's.
        """
        if whose == "all" and not principal.operator:
            raise Forbidden("only the operator of the node sees all approvals", told=Told("approvals.not_all"))
        only_open = whose == "waiting" or status == "pending"
        before, found, scanned = _decoded(cursor), list[ApprovalSummary](), 0
        while scanned < MAX_SCANNED:
            runs = await self._log.runs(
                kind=KIND,
                status="open" if only_open else None,
                subject=principal.id if whose == "mine" else None,
                limit=BATCH,
                before=before,
            )
            flows = await self._flows(runs)
            who = await self.onlooker(principal, flows.values())
            for run in runs:
                scanned, before = scanned + 1, (run.created_at, run.id)
                if (flow := flows.get(run.id)) is not None and _fits(flow, who, whose, status):
                    found.append(summary(run, flow, names=who.knows(flow)))
                if len(found) == limit:
                    return ApprovalPage(approvals=found, next_cursor=_encoded(before))
            if len(runs) < BATCH:
                return ApprovalPage(approvals=found)
        return ApprovalPage(approvals=found, next_cursor=_encoded(before) if before else None)

    async def taken(self, workflow: str, key: str) -> Event | None:
        """What became of a posting, by the key of its event; None as long as nothing did."""
        events = await self._log.select([workflow], ANSWERS)
        return next((event for event in events if event.key == key), None)

    async def _case(self, workflow: str, types: Sequence[str]) -> Case | None:
        record = await self._log.get(workflow) if _ID.fullmatch(workflow) else None
        if record is None or record.kind != KIND or record.erased_at is not None:
            return None
        events = await self._log.select([workflow], types)
        return Case(record, workflow_of(events), tuple(events))

    async def _flows(self, runs: Sequence[RunRecord]) -> dict[str, Workflow]:
        rows = await self._log.select([run.id for run in runs], BRIEF)
        return {name: workflow_of(events) for name, events in groupby(rows, key=lambda event: event.run)}


def missing() -> ServiceNotFoundError:
    """The answer where there is no such approval, or none for the caller."""
    return ServiceNotFoundError("no approval of that id", told=Told("approvals.missing", hint="approvals.missing_hint"))


def _fits(flow: Workflow, who: Onlooker, whose: Whose, status: Status | Literal[""]) -> bool:
    if (status and flow.status != status) or not who.concerned(flow):
        return False
    if whose == "mine":
        return flow.requester == who.principal.id
    return whose != "waiting" or who.waited_for(flow)


def _encoded(place: tuple[datetime, str]) -> str:
    return f"{rfc3339(place[0])}~{place[1]}"


def _decoded(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    if (match := _CURSOR.fullmatch(cursor)) is None:
        raise _no_cursor()
    try:
        return parse_rfc3339(match[1]), match[2]
    except ValueError as error:
        raise _no_cursor() from error


def _no_cursor() -> InvalidInput:
    return InvalidInput("cursor: not one of this node's", told=Told("why.cursor"))
