"""One decision, whole: facts, questions, order, narrowing, and how long it may be kept. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from math import inf

from moothall.policy.case import Case
from moothall.policy.decision import FAILED, AccessRequest, PermissionResult
from moothall.policy.evaluation import Moment
from moothall.policy.hearing import Asked, Hearing
from moothall.policy.order import Settled, settle
from moothall.policy.result import Standing, denied, granted
from moothall.telemetry import logger

_log = logger("policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A decision.

    Attributes:
        kept: whether the same may be said again without asking anew.
        since, until: Unix seconds in which it holds, where a delegation or collaboration begins or ends.
    """

    result: PermissionResult
    kept: bool = False
    since: float = -inf
    until: float = inf


@dataclass(slots=True, kw_only=True)
class Judgement(Case):
    """Decides about one subject and one resource; what was prepared for it is used again while it is kept."""

    def decide(
        self,
        now: datetime,
        at: float,
        *,
        purpose: str = "",
        request: AccessRequest | None = None,
        trace: list[Asked] | None = None,
    ) -> Judged:
        """Decide; what cannot be decided is denied.

        Args:
            now: for policies that ask what time it is.
            purpose: what the caller says that the call is for.
            at: Unix seconds that never go back, for what begins and ends.
            request: what policies in Python are asked with; None: an agent or a log is asked about.
            trace: takes every question that was asked.
        """
        try:
            moment = Moment(now=now, purpose=purpose, zone=self.world.zone)
            self.turn_to(at)
            return self._judged(Hearing(case=self, moment=moment, request=request, trace=trace))
        except Exception:  # noqa: BLE001 - whatever goes wrong in a decision, it must not become a right (row POL-03)
            _log.exception("a decision about %s failed; it is a denial", self.called.capability or self.called.uid[1])
            return Judged(result=denied(self.world.policies, (), (FAILED,)))

    def _judged(self, hearing: Hearing) -> Judged:
        settled = settle(hearing, self.subject.principal.id, self.chains)
        verdict = settled.finding.verdict
        if settled.allowed:
            result = self._granted(hearing, settled)
        else:
            result = denied(self.world.policies, verdict.policies, verdict.errors)
        kept = not hearing.volatile and not verdict.errors
        return Judged(result=result, kept=kept, since=self.window[0], until=self.window[1])

    def _granted(self, hearing: Hearing, settled: Settled) -> PermissionResult:
        """What was found, and what the policies in Python leave of it."""
        me, chain = self.subject.principal.id, settled.finding.chain
        names = (me, *chain.parties[:-1]) if chain is not None else (me,)
        standing = [Standing(self.party(name), self.question(name).relation) for name in names]
        result = granted(self.world.policies, settled, standing, self.action, self.called)
        if refused := hearing.words(me).refused:  # of others a delegation was not found then
            return PermissionResult("deny", f"refused by {refused}", refused, (refused,), result.revision)
        asking = [policy for name in names for policy in hearing.words(name).approvals]
        if not asking:
            return result
        policies = tuple(sorted({*result.policies, *asking}))
        reason = f"{asking[-1]} asks for an approval"
        return replace(result, effect="approve", reason=reason, policy=asking[-1], policies=policies, sensitive=True)
