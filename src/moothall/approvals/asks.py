"""Beginning approvals: one workflow for a call, however often and from wherever it is asked for at the same time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Final
from weakref import WeakValueDictionary

from moothall.approvals import notices
from moothall.approvals.asking import DEFAULT_WORKFLOW, Ask, Standing
from moothall.approvals.deciders import steps_for
from moothall.approvals.kept import KIND, first_events, workflow_id
from moothall.approvals.machine import begin
from moothall.approvals.parties import Parties
from moothall.approvals.reader import ApprovalReader
from moothall.approvals.rules import Rules
from moothall.capability.spec import JsonObject
from moothall.errors import Overloaded, RateLimited, Told, Unauthenticated
from moothall.events.log import EventLog
from moothall.events.model import RunRecord
from moothall.identity.principal import Principal

RETRY_SECONDS: Final = 60
"""When a requester who has enough open may try again, as far as a node can know."""

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many workflows may be open, and begun.

    Attributes:
        each: open ones of one requester.
        hourly: that one requester may begin within an hour, whatever becomes of them.
        domain: open ones of all DIDs of one host, which costs nothing to give to as many agents as one likes.
        most: open ones of all.
        reserved: of those, for the operator, its users, and the agents of this node alone.
    """

    each: int = 100
    hourly: int = 300
    domain: int = 1_000
    most: int = 10_000
    reserved: int = 1_000


class Asks:
    """Finds the open workflow of a call, or begins one.

    The id of the n-th approval of a call follows from requester, digest and n, and a run's id is given once in a
    database: of many who ask at one moment, in any number of processes, one creates the run and the others find it.
    Several processes may exceed a limit by what they are creating at that moment.
    """

    def __init__(self, log: EventLog, rules: Rules, parties: Parties, limits: Limits) -> None:
        self._log = log
        self._rules = rules
        self._parties = parties
        self._limits = limits
        self._reader = ApprovalReader(log)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def ask(self, ask: Ask) -> Standing:
        """See `Approvals.ask`."""
        requester = ask.principal
        if not requester.verified and requester.kind != "local":
            raise Unauthenticated("who asks for an approval has to prove who it is")
        turn = self._turns.setdefault(requester.id, asyncio.Lock())
        async with turn:
            while True:
                number, newest = await self._newest(ask)
                if newest is not None and newest.status == "open" and self._same(ask, newest):
                    standing = await self._reader.standing(newest.id)
                    if standing is not None and standing.waits:
                        return standing  # of any other only its end is not written down yet
                name = workflow_id(requester.id, ask.digest, number + 1)
                if await self._create(ask, name) and (standing := await self._reader.standing(name)) is not None:
                    return standing
                # another process was first: find what it began

    def _same(self, ask: Ask, open_one: RunRecord) -> bool:
        """Whether it is for the call as it is made now: one of other rules, or by another right, is not joined."""
        return _told(ask, self._rules).items() <= open_one.meta.items()

    async def _create(self, ask: Ask, name: str) -> bool:
        await self._admit(ask.principal)
        title = ask.workflow or DEFAULT_WORKFLOW
        plan = self._rules.workflow(title)
        steps = await steps_for(ask, title, plan.steps, self._parties)
        now = self._log.clock.now()
        flow = begin(ask.principal.id, steps, now + timedelta(seconds=plan.expires))
        meta = {"digest": ask.digest, "target": ask.target, "action": ask.action, **_told(ask, self._rules)}
        drafts = first_events(ask, flow, notices.planned(title, plan), now)
        return await self._log.create(name, KIND, drafts, meta=meta, subject=ask.principal.id)

    async def _admit(self, requester: Principal) -> None:
        limits, name = self._limits, requester.id
        if await self._log.count_open(KIND, subject=name, most=limits.each) >= limits.each:
            raise _too_many("approvals.open.each", limits.each, RETRY_SECONDS)
        begun = await self._log.runs(kind=KIND, subject=name, limit=limits.hourly)
        if len(begun) >= limits.hourly and (wait := begun[-1].created_at + _HOUR - self._log.clock.now()) > timedelta():
            raise _too_many("approvals.open.hourly", limits.hourly, ceil(wait.total_seconds()))
        most = limits.most
        if not _known(requester):
            most -= limits.reserved
            host = _host(name)
            if host and await self._log.count_open(KIND, under=host, most=limits.domain) >= limits.domain:
                raise _too_many("approvals.open.domain", limits.domain, RETRY_SECONDS)
        if await self._log.count_open(KIND, most=most) >= most:
            raise Overloaded("too many approvals are open", told=Told("approvals.open.all"))

    async def _newest(self, ask: Ask) -> tuple[int, RunRecord | None]:
        """The number of the newest workflow of a call and its run; -1 and None where there was none yet.

        Ids are never given twice, so every number up to the newest is taken: it is found by doubling and halving.
        """
        low, high = -1, 0
        newest: RunRecord | None = None
        while (record := await self._taken(ask, high)) is not None:
            low, high, newest = high, 2 * high + 1, record
        while high - low > 1:
            middle = (low + high) // 2
            if (record := await self._taken(ask, middle)) is not None:
                low, newest = middle, record
            else:
                high = middle
        return low, newest

    async def _taken(self, ask: Ask, number: int) -> RunRecord | None:
        return await self._log.get(workflow_id(ask.principal.id, ask.digest, number))


def _told(ask: Ask, rules: Rules) -> JsonObject:
    """What tells apart the approvals of calls with one digest."""
    title = ask.workflow or DEFAULT_WORKFLOW
    steps = rules.workflow(title).steps_digest
    return {"workflow": title, "steps": steps, "lenders": list(ask.lenders), "inside": ask.inside}


def _known(requester: Principal) -> bool:
    return requester.operator or requester.owner or requester.kind == "user"


def _host(did: str) -> str:
    """What the DIDs of agents of one host begin with (``did:wba:HOST:``); empty for what has no host."""
    parts = did.split(":")
    return ":".join((*parts[:3], "")) if parts[0] == "did" and len(parts) > 3 else ""  # noqa: PLR2004


def _too_many(key: str, most: int, seconds: int) -> RateLimited:
    told = Told(key, {"most": most}, "approvals.open.each_hint")
    details = {"max": most, "retry_after": seconds}
    return RateLimited("too many approvals were asked for", told=told, details=details)
