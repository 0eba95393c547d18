"""What a call has to wait for once its arguments are known, because a policy says so: approval, quota, record."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from moothall.calls.approving import Approving
from moothall.calls.call import Call
from moothall.calls.deadline import within
from moothall.calls.outcome import Outcome
from moothall.calls.rationing import Quotas, ration
from moothall.calls.recording import Recording


class Governing:
    """The stage between the limit of a capability and its work; calls that nothing is asked of pass it by."""

    def __init__(
        self, approving: Approving, quotas: Quotas, recording: Recording, monotonic: Callable[[], float]
    ) -> None:
        self._workflow = approving.workflow
        self._approving = approving
        self._quotas = quotas
        self._recording = recording
        self._monotonic = monotonic

    def passes(self, call: Call) -> bool:
        """Whether nothing is asked of a call that is simply allowed."""
        decision, facts = call.decision, call.facts
        asked = decision.quota or decision.sensitive or call.execution or facts.approval or facts.lent
        return decision.effect == "allow" and not asked and self._workflow(call) is None

    async def enter(self, call: Call) -> Outcome | None:
        """Let a call in to its work, or give the outcome of this very call, which was approved and made before.

        What is to be made only once is counted where its work begins: the answer of an earlier call is free.

        Raises:
            ApprovalPending, PermissionDeniedError, Conflict: as `Approving.standing` and `Approving.outcome`.
            RateLimited: its caller has made as many calls today as it may.
            Unavailable: it must not happen unrecorded, and cannot be put on record.
            CallTimeout: all that took too long.
        """
        workflow, outcome = self._workflow(call), None
        standing = await within(self._approving.standing(call, workflow), call.deadline, self._monotonic)
        if standing is not None:
            outcome = await self._approving.outcome(standing, call.deadline)
        elif call.decision.quota and (call.execution or call.facts.idempotency_key is not None):
            call.counted = partial(ration, call, self._quotas)
        elif call.decision.quota:
            await within(ration(call, self._quotas), call.deadline, self._monotonic)
        if call.decision.sensitive or outcome is not None or call.execution:
            await within(self._recording.settle(call), call.deadline, self._monotonic)
        return outcome
