"""The front desk of plans: taken in, shown, confirmed, looked at, called off; each for whoever asked for it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from moothall.approvals.news import Bells
from moothall.calls.ports import Gateway
from moothall.clock import Clock, rfc3339
from moothall.directory.orchestration.kept import (
    CANCEL,
    CONFIRM,
    ENDED,
    KIND,
    SHORT,
    WAITS,
    Work,
    first_event,
    in_short,
    meta_of,
    told,
    work_of,
)
from moothall.directory.orchestration.plan import wanted_of, wrong
from moothall.directory.orchestration.planner import Planner
from moothall.errors import Conflict, DemandNotFound, Overloaded, ServiceNotFoundError, Told
from moothall.events.log import EventLog
from moothall.events.model import Event, JsonObject, RunRecord
from moothall.identity.principal import Principal

Begin = Literal["read_only", "ask"]
"""When a plan begins by itself: where it changes nothing; never."""

MOST_OPEN: Final = 100
"""Plans of one caller that are open at once."""

LONGEST_WAIT: Final = 60.0
"""Seconds that somebody may wait for the end."""

_OVER: Final = frozenset({"completed", "partial", "failed", "cancelled", "expired"})
_MOVING: Final = frozenset({"running", "waiting"})
_PENDING: Final = frozenset({"proposed"})
_UNENDED: Final = _MOVING | _PENDING
_TAKEN: Final = 10.0
"""Seconds for which whoever confirms or cancels waits until that was taken in."""


class Orchestrations:
    """Takes in plans and tells of them.

    Args:
        planner: makes them.
        log: where they are kept.
        gateway: the call path.
        clock: of the node.
        bells: ring when something was committed to one.
    """

    def __init__(
        self, planner: Planner, log: EventLog, gateway: Callable[[], Gateway], clock: Clock, bells: Bells
    ) -> None:
        self._planner = planner
        self._log = log
        self._gateway = gateway
        self._clock = clock
        self._bells = bells

    async def submit(
        self,
        principal: Principal,
        request: str = "",
        steps: Sequence[Mapping[str, Any]] | None = None,
        run: Begin = "read_only",
        hops: int = 0,
    ) -> JsonObject:
        """Plan, and show the plan; one that changes something waits for `confirm` before anything of it is done.

        Args:
            principal: for whom.
            request: what is wanted, in words.
            steps: the steps themselves, in place of words; see `plan.Wanted`.
            run: whether it begins by itself where it changes nothing.
            hops: of the call that asks for it.

        Raises:
            Ambiguous, ServiceNotFoundError, Forbidden, ValidationError: a step cannot be told; nothing is kept.
            Overloaded: the caller has too many open ones.
        """
        if bool(request.strip()) == bool(steps):
            raise wrong("request / steps")
        if await self._log.count_open(KIND, subject=principal.id, most=MOST_OPEN) >= MOST_OPEN:
            raise Overloaded("too many plans of this caller are open", told=Told("intent.plan", {"problem": MOST_OPEN}))
        if steps:
            plan = await self._planner.settle(wanted_of(list(steps)), principal, self._gateway(), request)
        else:
            plan = await self._planner.plan(request.strip(), principal, self._gateway())
        work = Work(plan, principal, asks=run != "read_only" or not plan.read_only, hops=hops)
        name = f"or-{secrets.token_hex(8)}"
        draft = first_event(work, rfc3339(self._clock.now()))
        await self._log.create(name, KIND, [draft], meta=meta_of(work), subject=principal.id)
        return await self.status(principal, name)

    async def confirm(self, principal: Principal, name: str, digest: str) -> JsonObject:
        """Agree to a plan as it was shown, by its digest, and have it carried out.

        Raises:
            ServiceNotFoundError: there is none of this id, or it is somebody else's.
            Conflict: it is another plan than that, or under way already.
        """
        shown = await self.status(principal, name)
        if shown["digest"] != digest:
            raise Conflict("the plan is another one", told=Told("intent.plan_other"))
        if shown["status"] != "proposed":
            raise Conflict("the plan is under way or over", told=Told("intent.plan_over"))
        await self._post(name, CONFIRM, principal, {"digest": digest})
        return await self._shown(await self._own(principal, name), _TAKEN, _PENDING)

    async def cancel(self, principal: Principal, name: str) -> JsonObject:
        """Call a plan off: nothing of it is begun any more, what is under way is cancelled.

        Raises:
            ServiceNotFoundError: as `confirm`.
            Conflict: it is over.
        """
        if (await self.status(principal, name))["status"] in _OVER:
            raise Conflict("the plan is over", told=Told("intent.plan_over"))
        await self._post(name, CANCEL, principal, {})
        return await self._shown(await self._own(principal, name), _TAKEN, _UNENDED)

    async def status(self, principal: Principal, name: str, wait: float = 0.0) -> JsonObject:
        """How far a plan is, step by step; with ``wait``, once it is over or has to be confirmed, or so long after.

        Raises:
            ServiceNotFoundError: as `confirm`.
        """
        return await self._shown(await self._own(principal, name), wait, _MOVING)

    async def mine(self, principal: Principal, limit: int = 20) -> list[JsonObject]:
        """The plans of a caller, the newest first."""
        records = await self._log.runs(kind=KIND, subject=principal.id, limit=limit)
        short: dict[str, list[Event]] = {record.id: [] for record in records}
        for event in await self._log.select(list(short), SHORT):  # without the values, which may be large
            short[event.run].append(event)
        for name, events in short.items():
            types = {event.type for event in events}
            if WAITS in types and ENDED not in types:  # whether it still waits, its steps say
                short[name] = await self._log.load(name)
        return [in_short(record, short[record.id]) for record in records]

    async def _shown(self, record: RunRecord, wait: float, while_it_is: frozenset[str]) -> JsonObject:
        """How far a plan is, once it is in none of these states any more, or so many seconds after."""
        until = self._clock.monotonic() + min(max(wait, 0.0), LONGEST_WAIT)
        with self._bells.watch(record.id) as watch:
            events = await self._log.load(record.id)
            work = work_of(record, events)
            while True:
                shown = told(record.id, work, events)
                if shown["status"] not in while_it_is or self._clock.monotonic() >= until:
                    return shown
                fresh: list[Event] = []
                while not fresh and self._clock.monotonic() < until:
                    await watch.news()
                    fresh = await self._log.load(record.id, after=events[-1].seq)  # values of steps may be large
                events += fresh

    async def _own(self, principal: Principal, name: str) -> RunRecord:
        record = await self._log.get(name)
        if record is None or record.kind != KIND or record.erased_at is not None:
            raise _unknown()
        if record.subject != principal.id and not principal.operator:
            raise _unknown()
        return record

    async def _post(self, name: str, kind: str, principal: Principal, payload: JsonObject) -> None:
        try:
            await self._log.post(name, kind, kind, principal.id, payload)
        except DemandNotFound:
            raise Conflict("the plan is over", told=Told("intent.plan_over")) from None


def _unknown() -> ServiceNotFoundError:
    return ServiceNotFoundError("there is no such plan", told=Told("intent.plan_unknown"))
