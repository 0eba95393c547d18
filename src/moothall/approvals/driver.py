"""Drives approvals: opens step after step, counts decisions, minds the time, and has the approved call made once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from moothall.approvals import machine, notices
from moothall.approvals.asking import Ask, Execute, Failure
from moothall.approvals.kept import (
    ASK,
    ASKED,
    CANCELLED,
    DECIDED,
    ESCALATED,
    EXECUTE,
    EXECUTED,
    EXECUTING,
    EXPIRED,
    FAILED,
    OPENED,
    PLANNED,
    REFUSED,
    ask_of,
    vote_of,
    without_arguments,
    workflow_of,
)
from moothall.approvals.machine import Workflow
from moothall.approvals.news import Bells
from moothall.approvals.rules import Rules
from moothall.audit.record import AuditRecord, Recorder
from moothall.clock import parse_rfc3339, rfc3339
from moothall.errors import CallTimeout, Conflict, Overloaded, PermissionDeniedError, RateLimited, Unavailable
from moothall.events.model import CONSUMED, Draft, Event, JsonObject, OutboxDraft, Posting
from moothall.events.run import Run
from moothall.telemetry import logger

_log = logger("approvals")

DECIDE: Final = "decide"
CANCEL: Final = "cancel"
"""The kinds of postings that a run takes."""

NODE: Final = "node"
"""Who ended what failed of itself."""

MOST_OUTCOME: Final = 200 * 1024
"""Characters of a sealed outcome; a longer one is not kept."""

_BUSY: Final = (Unavailable, Overloaded, RateLimited, CallTimeout)
"""Raised by `Execute` where nothing was done, for reasons of the moment, or as this node has no such capability."""

_SOON: Final = timedelta(seconds=5)
_LATER: Final = timedelta(seconds=30)
"""The shortest and the longest pause before it is tried again, here or by whichever process takes the run then."""

_TRIES: Final = timedelta(days=1)
"""How long an approved call is tried at the least: the process that has the capability may have to be started first."""


class ApprovalDriver:
    """Drives runs of the kind `KIND`.

    Args:
        execute: makes an approved call.
        recorder: writes down what was asked, decided and done, before it holds.
        bells: told of every commit.
        rules: an approved call is not made where they ask for other steps by then; None: nobody changes them.
    """

    def __init__(self, execute: Execute, recorder: Recorder, bells: Bells, rules: Rules | None = None) -> None:
        self._rules = rules
        self._execute = execute
        self._recorder = recorder
        self._bells = bells

    async def drive(self, run: Run) -> None:
        """Go on from wherever the log ends."""
        try:
            while (flow := workflow_of(run.history)).status == "pending":
                await self._go_on(_Case(run, flow, self._recorder))
                self._bells.ring(run.id)
            case = _Case(run, flow, self._recorder)
            if flow.to_be_made:
                await self._make(case)
            await case.close()
        finally:
            self._bells.ring(run.id)

    async def abandon(self, run: Run, error: BaseException) -> None:
        """End a run whose driver fails again and again; the log of the node has the error.

        What failed may be the audit trail itself: the record of this is handed in, not waited for.
        """
        _log.error("approval %s is given up after repeated failures: %s", run.id, type(error).__name__)
        flow = workflow_of(run.history)
        case, at = _Case(run, flow, self._recorder), rfc3339(run.clock.now())
        if flow.status == "pending":
            case.hand_in("cancelled", NODE)
            await run.emit(Draft("abandoned", CANCELLED, {"by": NODE, "reason": "", "at": at}))
        elif flow.to_be_made:
            case.hand_in("failed", NODE)
            why: Failure = "unknown" if flow.executing else "not_made"
            await run.emit(Draft("failed", FAILED, {"why": why, "at": at}))
        await case.close()
        self._bells.ring(run.id)

    async def _go_on(self, case: _Case) -> None:
        run, flow = case.run, case.flow
        now, due = run.clock.now(), flow.due
        if run.recorded(opening(flow.current_step)) is None and now < flow.expires:
            await case.open()
            return
        posting = await run.receive(min(now, due))
        if posting is not None:
            await case.take(posting)
        elif now < due:
            await run.park(due)
        elif due < flow.expires:
            await case.escalate()
        else:
            await case.expire()

    async def _make(self, case: _Case) -> None:
        """Have the approved call made; its beginning is on record before, its outcome after.

        Where it cannot be made now, or not by this node, nothing of it was done: the run is put down for whoever takes
        it next, and given up only when the time is over in which somebody might have.
        """
        run = case.run
        machine.execute(case.flow)
        if not self._demanded(case):
            await case.give_up("unknown" if case.flow.executing else "outdated")
            return
        await run.emit(Draft("executing", EXECUTING, {"at": rfc3339(run.clock.now())}))

        async def made() -> str:
            outcome = await self._execute(run.id, case.ask)
            if len(outcome) > MOST_OUTCOME:
                _log.warning("the outcome of approval %s is too long to be kept: %d characters", run.id, len(outcome))
                outcome = ""
            await case.record("executed", case.ask.principal.id)
            return outcome

        try:
            await run.step(EXECUTE, made, type=EXECUTED)
        except _BUSY as error:
            while (late := await run.receive(run.clock.now())) is not None:
                await case.take(late)  # a run with news does not rest
            if not self._demanded(case):
                await case.give_up("outdated")
                return
            now, approved = run.clock.now(), case.approved
            if now < max(case.flow.expires, approved + _TRIES):
                _log.info("approval %s: the call is made later: %s", run.id, error.code)
                await run.park(now + min(max((now - approved) / 20, _SOON), _LATER), aside=True)
            _log.error("approval %s: the call could not be made: %s", run.id, error.code)
            await case.give_up("not_made")

    def _demanded(self, case: _Case) -> bool:
        capability, steps = case.ask.target.rpartition("@")[0], case.run.record.meta.get("steps", "")
        return self._rules is None or self._rules.still_demand(capability, case.ask, steps)


def opening(step: int) -> str:
    """The key of the event that says that the approvers of a step were told."""
    return f"opened.{step}"


class _Case:
    """A run and what it has come to: every change is written into the audit trail, then into the log."""

    def __init__(self, run: Run, flow: Workflow, recorder: Recorder) -> None:
        self.run = run
        self.flow = flow
        self._recorder = recorder

    @property
    def ask(self) -> Ask:
        """The call."""
        return ask_of(self._first(ASKED))

    @property
    def approved(self) -> datetime:
        """When the last one agreed who had to."""
        decided = [event for event in self.run.history if event.type == DECIDED]
        return parse_rfc3339(decided[-1].payload["at"])

    async def give_up(self, why: Failure) -> None:
        """The approved call is not made any more, whatever was done of it."""
        await self.record("failed", NODE)
        told: JsonObject = {"why": why, "at": rfc3339(self.run.clock.now())}
        await self.run.emit(Draft("failed", FAILED, told))

    async def close(self) -> None:
        """End the run; the arguments of the call are not kept any longer."""
        await self.run.blank(ASK, without_arguments(self.ask))
        await self.run.emit(close=True)

    async def open(self) -> None:
        """The turn of the next step has come: tell its approvers."""
        place, step = self.flow.current_step, self.flow.steps[self.flow.current_step]
        if place == 0:
            await self.record("asked", self.flow.requester)
        told = {"step": place, "approvers": list(step.approvers), "at": rfc3339(self.run.clock.now())}
        await self.run.emit(Draft(opening(place), OPENED, told), outbox=self._notice("opened", step.approvers))

    async def escalate(self) -> None:
        """The step has waited long enough: others may decide, too."""
        now, place = self.run.clock.now(), self.flow.current_step
        step = machine.escalate(self.flow, now).steps[place]
        await self.record("escalated", NODE)
        told = {"step": place, "approvers": list(step.added), "at": rfc3339(now)}
        await self.run.emit(Draft(f"escalated.{place}", ESCALATED, told), outbox=self._notice("escalated", step.added))

    async def expire(self) -> None:
        """The time is over."""
        now = self.run.clock.now()
        machine.expire(self.flow, now)
        await self.record("expired", NODE)
        await self.run.emit(Draft("expired", EXPIRED, {"at": rfc3339(now)}))

    async def take(self, posting: Posting) -> None:
        """A decision or a cancellation came; what does not hold any more is kept as refused, for whoever sent it."""
        said, at = posting.payload, rfc3339(posting.received_at)
        try:
            kind, told = self._judged(posting.kind, said, at)
        except (Conflict, PermissionDeniedError) as error:
            await self._consume(posting, REFUSED, {"code": error.code, "message": error.message})
            return
        if kind == DECIDED:
            await self.record("decided", said["actor"], said)
        else:
            await self.record("cancelled", said["actor"], said)
        await self._consume(posting, kind, told)

    def _judged(self, kind: str, said: JsonObject, at: str) -> tuple[str, JsonObject]:
        if kind == CANCEL:
            machine.cancel(self.flow, said["actor"], said["reason"])
            return CANCELLED, {"by": said["actor"], "reason": said["reason"], "at": at}
        if kind != DECIDE or said["step"] != self.flow.current_step:
            raise Conflict("this step is not the one whose turn it is")
        machine.decide(self.flow, vote_of(said, at))
        return DECIDED, {**said, "at": at}

    async def record(self, action: str, actor: str, said: JsonObject | None = None) -> None:
        """Write into the audit trail what is about to be done; raises StorageError where that is impossible."""
        await self._recorder.settle(self._record(action, actor, said))

    def hand_in(self, action: str, actor: str) -> None:
        """The same without waiting for it; where it cannot even be handed in, the log of the node is all there is."""
        try:
            self._recorder.put(self._record(action, actor, None))
        except Unavailable as error:
            _log.error("approval %s: %s is not on record: %s", self.run.id, action, error)

    def _record(self, action: str, actor: str, said: JsonObject | None) -> AuditRecord:
        ask = self.ask
        source = said or {"door": ask.door, "request_id": ask.request_id}
        decision = {"decision": source["decision"]} if "decision" in source else {}
        return AuditRecord(
            kind="approval",
            action=action,
            actor=actor,
            subject=self.flow.requester,
            resource=self.run.id,
            policies=(ask.policy,) if ask.policy else (),
            door=source["door"],
            request_id=source["request_id"],
            digest=ask.digest,
            details={"target": ask.target, "step": self.flow.current_step, **decision},
        )

    async def _consume(self, posting: Posting, kind: str, told: JsonObject) -> None:
        await self.run.emit(Draft(f"{CONSUMED}{posting.key}", kind, told))

    def _notice(self, asked: str, approvers: tuple[str, ...]) -> tuple[OutboxDraft, ...]:
        kept = self._first(PLANNED).payload["webhook"]
        turn = {
            "asked": asked,
            "step": self.flow.current_step,
            "approvers": list(approvers),
            "expires": int(self.flow.expires.timestamp()),
        }
        return notices.notice(self.run.id, self.ask, kept, turn)

    def _first(self, kind: str) -> Event:
        return next(event for event in self.run.history if event.type == kind)
