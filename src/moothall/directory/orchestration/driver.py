"""Carries a plan out as a durable run: each step once, by its key, whatever process dies on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from pydantic_core import PydanticSerializationError, to_jsonable_python

from moothall.approvals.news import Bells
from moothall.calls.ports import CallFacts, Gateway
from moothall.calls.reply import Reply
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.canonical import dumps
from moothall.clock import rfc3339
from moothall.directory.intent.discovering import NETWORK, door_to
from moothall.directory.listing import Listing
from moothall.directory.orchestration.executing import Outcome, Report, carry_out, failure, no_json
from moothall.directory.orchestration.kept import (
    CANCEL,
    CANCELLED,
    CONFIRM,
    CONFIRMED,
    ENDED,
    STEP,
    WAITS,
    Work,
    ending,
    outcomes_of,
    step_key,
    waits_of,
    work_of,
)
from moothall.directory.orchestration.plan import Step
from moothall.errors import ApprovalPending, Forbidden, MoothallError, PayloadTooLarge, Told
from moothall.events.model import CONSUMED, Draft, Posting
from moothall.events.run import Run
from moothall.identity.principal import Principal
from moothall.telemetry import logger

PATIENCE: Final = timedelta(days=1)
"""How long a plan waits to be confirmed, and a step to be approved."""

_SOON: Final = timedelta(seconds=1)
_LATER: Final = timedelta(seconds=30)
"""The shortest and the longest pause before it is looked again whether a step was approved."""

_MOST: Final = 200 * 1024
"""Characters of a value that is kept."""

_log = logger("orchestration")

Renewed = Callable[[Principal], Principal | None]
"""Who asked for a plan, as it would be verified now; None: nobody would be let in as this one."""


class OrchestrationDriver:
    """Drives runs of the kind `KIND`.

    A step that changes something is called under a key: a process that goes on after another one died has the answer of
    that call, and a plan that is called off lets such a step end. One that changes nothing is cancelled at once, and
    made again after a crash.

    Args:
        gateway: the call path.
        renewed: finds the rights that a requester has by now.
        bells: told of every commit.
    """

    def __init__(self, gateway: Callable[[], Gateway], renewed: Renewed, bells: Bells) -> None:
        self._gateway = gateway
        self._renewed = renewed
        self._bells = bells

    async def drive(self, run: Run) -> None:
        """Go on from wherever the log ends."""
        work = work_of(run.record, run.history)
        try:
            if work.asks and run.recorded(CONFIRM) is None and not await self._confirmed(run, work):
                return
            begun: set[str] = set()
            doing = asyncio.create_task(self._carried_out(run, work, begun), name=f"plan {run.id}")
            called_off = asyncio.create_task(run.spot(CANCEL), name=f"cancel {run.id}")
            try:
                await asyncio.wait((doing, called_off), return_when=asyncio.FIRST_COMPLETED)
                if doing.done():
                    doing.result()
                    return
                posting, unknown = called_off.result(), sorted(begun)
            finally:
                for task in (doing, called_off):
                    task.cancel()
                with suppress(Exception):
                    await asyncio.gather(doing, called_off, return_exceptions=True)
            await self._called_off(run, posting, unknown)
        finally:
            self._bells.ring(run.id)

    async def abandon(self, run: Run, error: BaseException) -> None:
        """End a run whose driver fails again and again; the log of the node has the error."""
        _log.error("plan %s is given up after repeated failures: %s", run.id, type(error).__name__)
        await run.emit(Draft("ended", ENDED, {"status": "failed", "at": rfc3339(run.clock.now())}), close=True)
        self._bells.ring(run.id)

    async def _confirmed(self, run: Run, work: Work) -> bool:
        """Wait until the plan is confirmed; False where it ended before."""
        until = run.record.created_at + PATIENCE
        while True:
            posting = await run.receive(run.clock.now())
            if posting is None:
                if run.clock.now() >= until:
                    await self._end(run, {"status": "expired"})
                    return False
                await run.park(until)
            if posting.kind == CANCEL:
                await self._called_off(run, posting)
                return False
            agreed = posting.payload.get("digest") == work.plan.digest
            told = {"by": posting.sender, "at": rfc3339(posting.received_at)}
            draft = Draft(f"{CONSUMED}{posting.key}", "orchestration.heard", told)
            if agreed:
                await run.emit(draft, Draft(CONFIRM, CONFIRMED, told))
                self._bells.ring(run.id)
                return True
            await run.emit(draft)

    async def _called_off(self, run: Run, posting: Posting, begun: Sequence[str] = ()) -> None:
        """End a plan; ``begun``: the steps that may have had their effect all the same."""
        told = {"by": posting.sender, "at": rfc3339(posting.received_at)}
        await run.emit(Draft(f"{CONSUMED}{posting.key}", CANCELLED, told))
        await self._end(run, {"status": "cancelled", "begun": list(begun)})

    async def _carried_out(self, run: Run, work: Work, begun: set[str]) -> None:
        """Do what is not done, and end the run; or put it down while something waits for an approval.

        The steps that change something are in ``begun`` while they are under way.
        """
        principal = self._renewed(work.principal)

        async def do(step: Step, arguments: Mapping[str, Any]) -> Outcome:
            async def once() -> dict[str, Any]:
                return (await self._made(run, work, principal, step, arguments)).told

            if not step.read_only:
                begun.add(step.id)
            try:
                value = await run.step(step_key(step.id), once, type=STEP)
            finally:
                begun.discard(step.id)
            self._bells.ring(run.id)
            return Outcome.read(value)

        try:
            outcomes = await carry_out(work.plan, do, outcomes_of(run.history))
        except _Waits:
            await self._rest(run)
            return
        await self._end(run, ending(Report(work.plan, outcomes)))

    async def _rest(self, run: Run) -> None:
        now = run.clock.now()
        while (posting := await run.receive(now)) is not None:  # a run with news does not rest
            if posting.kind == CANCEL:
                await self._called_off(run, posting)
                return
            await run.emit(Draft(f"{CONSUMED}{posting.key}", "orchestration.heard", {"by": posting.sender}))
        await run.park(now + min(max((now - run.record.created_at) / 20, _SOON), _LATER))

    async def _made(
        self, run: Run, work: Work, principal: Principal | None, step: Step, arguments: Mapping[str, Any]
    ) -> Outcome:
        if principal is None:
            told = Told("intent.plan_nobody")
            return failure(Forbidden("nobody would be let in as the requester by now", told=told))
        approval = waits_of(run.history).get(step.id, "")
        try:
            reply = await self._called(run, work, principal, step, arguments, approval)
            if not approval and (asked := _approval(reply)):
                await run.emit(Draft(f"waits.{step.id}", WAITS, {"step": step.id, "approval": asked}))
                self._bells.ring(run.id)
        except MoothallError as error:
            if run.broken is not None:
                raise
            return failure(error)
        if _approval(reply) and run.clock.now() < run.record.created_at + PATIENCE:
            raise _Waits
        if reply.error is not None:
            return failure(reply.error)
        return _kept(reply.data)

    async def _called(
        self, run: Run, work: Work, principal: Principal, step: Step, arguments: Mapping[str, Any], approval: str
    ) -> Reply[Any]:
        """Make the call of a step; with an approval, what the approved call gave is its value."""
        target, gateway = Target.parse(step.target), self._gateway()
        here = target.scheme == "local"
        if not here and not (principal.owner or principal.holds((NETWORK,))):
            raise Forbidden("the caller may not call elsewhere through this node", told=Told("calls.denied"))
        place = Listing(target=step.target, name=step.id)
        facts = CallFacts(
            door=door_to(principal, place, gateway.snapshot) if here else "local",
            principal=principal,
            request_id=fresh(),
            hops=work.hops + 1,
            idempotency_key=None if step.read_only else f"{run.id}/{step.id}",
            inside=True,
            approval=approval,
        )
        return await gateway.call(target, arguments, facts)

    async def _end(self, run: Run, payload: dict[str, Any]) -> None:
        await run.emit(Draft("ended", ENDED, {**payload, "at": rfc3339(run.clock.now())}), close=True)


class _Waits(Exception):
    """A step waits for an approval; those beside it have ended."""


def _approval(reply: Reply[Any]) -> str:
    """The approval that a call waits for here; empty where it waits for none."""
    error = reply.error
    return error.approval_id if isinstance(error, ApprovalPending) and "remote" not in error.details else ""


def _kept(value: object) -> Outcome:
    """The value as it is kept."""
    try:
        plain = to_jsonable_python(value)
        size = len(dumps(plain))
    except (PydanticSerializationError, ValueError, TypeError):
        return no_json()
    if size > _MOST:
        return failure(PayloadTooLarge("the value is too large to be kept", told=Told("intent.too_large")))
    return Outcome("done", plain)
