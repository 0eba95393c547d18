"""From the arguments to the reply: what happens to a call that was admitted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Final

from moothall.calls.audit import Audit, concealed, log_cause
from moothall.calls.call import LOCAL, Call, Onward, Stage, running
from moothall.calls.deadline import within
from moothall.calls.failures import FAILURES
from moothall.calls.governing import Governing
from moothall.calls.handing import given
from moothall.calls.hooks import failed
from moothall.calls.inner import outward
from moothall.calls.outcome import Outcome
from moothall.calls.plan import Plan, Ready
from moothall.calls.ports import CallFacts, Params
from moothall.calls.reply import Chunk, Metadata, Reply
from moothall.calls.request_ids import fresh
from moothall.calls.streaming import Channel
from moothall.calls.understanding import Understanding
from moothall.clock import Clock
from moothall.errors import MoothallError
from moothall.policy.redaction import redacted
from moothall.tracing import here

_NO_VERSION: Final = ""


class Performance:
    """Validates, makes the call, and answers; nothing but a cancellation is ever raised."""

    def __init__(
        self,
        onward: Onward,
        audit: Audit,
        governing: Governing,
        clock: Clock,
        understanding: Understanding | None = None,
    ) -> None:
        self._onward = onward
        self._understanding = understanding or Understanding()
        self._audit = audit
        self._governing = governing
        self._passes = governing.passes
        self._now = clock.now
        self._monotonic = clock.monotonic

    def run(self, ready: Ready, params: Params) -> Coroutine[Any, Any, Reply[Any]]:
        """Make the call and wait for its value."""
        return self._performed(self._begun(ready), ready, params, ready.plan.work)

    async def execute(self, ready: Ready, params: Params) -> tuple[Reply[Any], Call]:
        """Make a call that was approved, once, however often; its value is whole, and in the form of its door."""
        call = self._begun(ready)
        call.execution, call.redact = ready.execution, frozenset()
        return await self._performed(call, ready, params, ready.plan.keyed), call

    async def stream(self, ready: Ready, params: Params) -> AsyncIterator[Chunk]:
        """Make the call and yield what comes, then the reply; leaving early cancels the work."""
        call, channel = self._begun(ready), Channel()
        call.report, call.sink = channel.put, channel.item
        task = asyncio.create_task(self._performed(call, ready, params, ready.plan.pour or ready.plan.work))
        task.add_done_callback(lambda _: channel.close())
        try:
            while (chunk := await channel.get()) is not None:
                yield chunk
            yield task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task])

    def refused(self, facts: CallFacts, error: MoothallError) -> Reply[Any]:
        """The reply of a call that was not admitted."""
        metadata = Metadata(processing_time=0.0, api_version=_NO_VERSION)
        return Reply(request_id=facts.request_id, timestamp=self._now(), error=error, metadata=metadata)

    def told(self, outcome: Outcome) -> Reply[Any]:
        """The reply of a call that was made before, without those fields that its caller was not to be shown."""
        data = redacted(outcome.data, outcome.redact)
        return Reply(request_id=fresh(), timestamp=self._now(), data=data, error=outcome.error)

    async def _performed(self, call: Call, ready: Ready, params: Params, stage: Stage) -> Reply[Any]:
        plan, outer, trace = ready.plan, running.set(call), here.set(call)
        try:
            check = None if call.execution else plan.check  # it was counted when the approval was asked for
            if plan.entry.spec.ai_enhanced:
                if check is not None:  # a model costs more than what is limited
                    check(call)
                    check = None
                words = self._understanding.arguments(call, params)
                params = await within(words, call.deadline, self._monotonic)
            call.arguments = plan.entry.bind(params)
            if check is not None:
                check(call)
            outcome = None if self._passes(call) else await self._governing.enter(call)
            if outcome is not None:
                data = await given(call, plan.form, outcome)
            else:
                if call.facts.idempotency_key is not None and stage is plan.work:
                    stage = plan.keyed
                data = await within(stage(call), call.deadline, self._monotonic)
        except MoothallError as error:
            told = outward(error, call) if error.inner and call.facts.door != LOCAL else error
            log_cause(told, call.name, call.request_id)
            return await self._failed(call, plan, told)
        except asyncio.CancelledError as error:
            if _is_cancelled():
                self._audit.cancelled(call, self._monotonic() - call.started)
                raise
            return await self._failed(call, plan, concealed(error, call.name, call.request_id))
        except FAILURES as error:
            return await self._failed(call, plan, concealed(error, call.name, call.request_id))
        finally:
            running.reset(outer)
            here.reset(trace)
            call.release()
        return self._ended(call, data, None)

    def _begun(self, ready: Ready) -> Call:
        plan, facts = ready.plan, ready.facts
        call = Call(self._onward, plan.entry, plan.name, facts, ready.decision, ready.started, ready.deadline)
        call.remaining, call.ruling = ready.remaining, ready.ruling
        call.hurried = facts.timeout is not None and facts.timeout < plan.timeout
        if not call.request_id:
            call.request_id = fresh()
        call.within = here.get() if facts.trace is None else facts.trace
        return call

    async def _failed(self, call: Call, plan: Plan, error: MoothallError) -> Reply[Any]:
        if plan.on_error:
            error = await failed(call, error, plan.on_error)
        return self._ended(call, None, error)

    def _ended(self, call: Call, data: object, error: MoothallError | None) -> Reply[Any]:
        seconds = self._monotonic() - call.started
        self._audit.ended(call, error, seconds)
        return Reply(
            request_id=call.request_id,
            timestamp=self._now(),
            data=data,
            error=error,
            metadata=Metadata(
                processing_time=seconds,
                api_version=call.entry.spec.version,
                rate_limit_remaining=call.remaining,
                degraded=call.degraded,
                chosen=call.chosen,
            ),
            replayed=call.replayed,
        )


def _is_cancelled() -> bool:
    """Whether somebody wants this task to end; a capability may raise CancelledError although nobody does."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
