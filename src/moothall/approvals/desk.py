"""The front desk of approvals: what the call path, the doors and the capabilities ask of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Final, Literal

from moothall.approvals import machine
from moothall.approvals.asking import Ask, Ruling, Standing, Status, digest_of
from moothall.approvals.asks import Asks, Limits
from moothall.approvals.deciders import approver_of, person_of
from moothall.approvals.driver import CANCEL, DECIDE
from moothall.approvals.kept import REFUSED, standing_of
from moothall.approvals.machine import Vote
from moothall.approvals.news import Bells, Watch
from moothall.approvals.parties import NoParties, Parties
from moothall.approvals.reader import ApprovalReader, Case, Whose, missing
from moothall.approvals.rules import Rules
from moothall.approvals.views import ApprovalPage, ApprovalView, view
from moothall.capability.spec import JsonObject
from moothall.errors import Conflict, DemandNotFound, InvalidInput, Told
from moothall.events.log import EventLog
from moothall.events.model import CONSUMED, Event
from moothall.identity.principal import Principal

MOST_REASON: Final = 2_000
"""Characters of a reason."""

PATIENCE: Final = 10.0
"""Seconds that somebody who decided is kept waiting until it counts; what was accepted is not lost after that."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a decision came from, for the audit trail."""

    door: str = ""
    request_id: str = ""


_NOWHERE: Final = Place()


class ApprovalDesk:
    """Takes asks, decisions and cancellations, and tells how far things are; fills the port `Approvals`.

    Args:
        log: where workflows are runs.
        rules: of the operator.
        bells: the driver's.
        parties: knows people and groups.
        limits: how much may be open.
        patience: seconds.
    """

    def __init__(
        self,
        log: EventLog,
        rules: Rules,
        bells: Bells,
        *,
        parties: Parties | None = None,
        limits: Limits | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.rules = rules
        self._log = log
        self._bells = bells
        self._parties = parties or NoParties()
        self._patience = patience
        self._reader = ApprovalReader(log, self._parties)
        self._asks = Asks(log, rules, self._parties, limits or Limits())

    @property
    def ruling(self) -> Ruling:
        """See `Approvals.ruling`."""
        return self.rules.ruling

    async def ask(self, ask: Ask) -> Standing:
        """See `Approvals.ask`."""
        return await self._asks.ask(ask)

    async def start_approval_workflow(
        self, requester: Principal, target: str, action: str, arguments: JsonObject | None = None
    ) -> Standing:
        """Ask for the approval of a call, which the node makes once it has it (row SEC-05); raises as `ask`."""
        given = arguments or {}
        digest = digest_of(requester.id, target, given)
        return await self.ask(Ask(principal=requester, target=target, action=action, arguments=given, digest=digest))

    async def standing(self, workflow: str) -> Standing | None:
        """See `Approvals.standing`."""
        return await self._reader.standing(workflow)

    async def ended(self, workflow: str, until: float) -> Standing:
        """See `Approvals.ended`."""
        if await self._reader.standing(workflow) is None:
            raise missing()
        seconds = until - self._log.clock.monotonic()
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                async for _ in self._log.follow(workflow):
                    continue
        except (TimeoutError, DemandNotFound):
            pass  # it waits still, or was erased meanwhile
        standing = await self._reader.standing(workflow)
        if standing is None:
            raise missing()
        return standing

    async def decide(
        self, principal: Principal, workflow: str, decision: str, reason: str = "", place: Place = _NOWHERE
    ) -> Standing:
        """Say yes or no in the name of an approver; it counts when this returns, unless that says that it does not yet.

        Raises:
            InvalidInput: the decision is neither ``approved`` nor ``rejected``, or the reason is too long.
            ServiceNotFoundError: there is no such workflow, or none that the principal may know of.
            PermissionDeniedError: ``Invalid approver``: it is not asked (now).
            Conflict: the workflow has ended, or the approver has decided in this step.
        """
        word = machine.decision_of(decision)
        _check(reason)
        case = await self._reader.seen(principal, workflow)
        step = case.flow.current
        approver, person = approver_of(principal), ""
        if step is not None and approver in step.deciders:
            person = await person_of(case.ask, step, principal, self._parties)
        now = self._log.clock.now()
        machine.decide(case.flow, Vote(approver=approver, decision=word, reason=reason, decided_at=now, person=person))
        said = {
            "step": case.flow.current_step,
            "approver": approver,
            "person": person,
            "decision": word,
            "reason": reason,
        }
        return await self._post(case, f"{DECIDE}.{case.flow.current_step}.{approver}", DECIDE, principal, said, place)

    async def cancel(self, principal: Principal, workflow: str, reason: str = "", place: Place = _NOWHERE) -> Standing:
        """End a workflow that nobody needs any more; again and again does no harm.

        Raises:
            ServiceNotFoundError: there is no such workflow, or none that the principal may know of.
            PermissionDeniedError: it is neither the requester nor the operator.
            Conflict: it has ended otherwise.
        """
        _check(reason)
        case = await self._reader.seen(principal, workflow)
        if principal.id != case.flow.requester and not principal.operator:
            raise machine.invalid_approver()
        if case.flow.status == "cancelled":
            return standing_of(case.record, case.flow)
        machine.cancel(case.flow, principal.id, reason)
        return await self._post(case, CANCEL, CANCEL, principal, {"reason": reason}, place)

    async def show(self, principal: Principal, workflow: str) -> ApprovalView:
        """A workflow, whole, with the call that it is for.

        Raises:
            ServiceNotFoundError: there is no such workflow, or none that the principal may know of.
        """
        case = await self._reader.seen(principal, workflow)
        who = await self._reader.onlooker(principal, [case.flow])
        return view(case.record, case.flow, case.ask, names=who.knows(case.flow))

    async def page(
        self,
        principal: Principal,
        *,
        whose: Whose = "",
        status: Status | Literal[""] = "",
        limit: int = 50,
        cursor: str = "",
    ) -> ApprovalPage:
        """The newest approvals that a principal may see; see `ApprovalReader.page`."""
        return await self._reader.page(principal, whose, status, limit, cursor)

    async def _post(
        self, case: Case, key: str, kind: str, principal: Principal, said: JsonObject, place: Place
    ) -> Standing:
        run = case.record.id
        body = {**said, "actor": principal.id, "door": place.door, "request_id": place.request_id}
        with self._bells.watch(run) as watch:
            try:
                fresh = await self._log.post(run, key, kind, principal.id, body)
            except DemandNotFound as error:
                raise Conflict("the approval has ended", told=Told("approvals.over")) from error
            if not fresh and kind == DECIDE:
                raise Conflict("this approver has decided already", told=Told("approvals.decided"))
            try:
                async with asyncio.timeout(self._patience):
                    event = await self._consumed(run, f"{CONSUMED}{key}", watch)
            except TimeoutError:
                return replace(standing_of(case.record, case.flow), counted=False)
        if event.type == REFUSED:
            raise Conflict(event.payload["message"], told=Told("approvals.over"))
        standing = await self._reader.standing(run)
        if standing is None:
            raise missing()
        return standing

    async def _consumed(self, run: str, key: str, watch: Watch) -> Event:
        """What became of a posting; raises Conflict where its run ended without it."""
        while True:
            record = await self._log.get(run)
            if (event := await self._reader.taken(run, key)) is not None:
                return event
            if record is None or record.status == "closed":
                raise Conflict("the approval has ended", told=Told("approvals.over"))
            await watch.news()


def _check(reason: str) -> None:
    if len(reason) > MOST_REASON:
        raise InvalidInput("the reason is too long", told=Told("approvals.reason", {"most": MOST_REASON}))
