"""One decision: each policy is asked about each party once, whatever many ways lead to the same question. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from moothall.policy.case import Case
from moothall.policy.decision import AccessRequest
from moothall.policy.evaluation import Moment, Question, Step, Verdict
from moothall.policy.sources import Narrowing, NarrowingAgents
from moothall.telemetry import logger

_log = logger("policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question that was put to the policies, for explanations."""

    party: str
    step: Step
    approved: bool
    verdict: Verdict
    slice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the policies in Python say of one party.

    Attributes:
        refused: the one that refuses it; empty: none does.
        approvals: those that ask for an approval.
    """

    refused: str = ""
    approvals: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Hearing:
    """Asks about one call at one moment; `moothall.policy.order.Asks`.

    Args:
        request: the call; None: an agent or a log is asked about.
        trace: takes every question that was put to Cedar.
    """

    case: Case
    moment: Moment
    request: AccessRequest | None
    trace: list[Asked] | None
    concerned: Sequence[Narrowing] = field(init=False)
    _verdicts: dict[tuple[str, Step, int, bool, bool], Verdict] = field(default_factory=dict)
    _words: dict[str, Words] = field(default_factory=dict)

    def __post_init__(self) -> None:
        request, policies = self.request, self.case.world.policies.config.narrowing
        self.concerned = [one for one in policies if one.concerns(request.entry)] if request is not None else policies

    def ask(self, party: str, step: Step, depth: int, *, approved: bool, opened: bool = False) -> Verdict:
        """What Cedar says; see `moothall.policy.order.Asks`.

        What gives to read a log is refused like any capability, and allowed by what allows to read the log.

        Raises:
            ValueError: the question cannot be read.
        """
        key = (party, step, depth, approved, opened)
        found = self._verdicts.get(key)
        if found is None:
            found = self._put(self.case.question(party), key)
            log = self.case.called.log
            if log is not None and not found.forbidden:
                found = self._put(self.case.about_log(party, log), key)
            self._verdicts[key] = found
        return found

    def _put(self, question: Question, key: tuple[str, Step, int, bool, bool]) -> Verdict:
        party, step, depth, approved, opened = key
        binding = self.case.subject.principal.binding
        verdict = question.ask(step, depth, binding, self.moment, approved=approved, opened=opened)
        for error in verdict.errors:
            _log.error("a policy could not be evaluated: %s", error)
        if self.trace is not None:
            text = question.text
            self.trace.append(Asked(party=party, step=step, approved=approved, verdict=verdict, slice=text))
        return verdict

    def words(self, party: str) -> Words:
        """What the policies in Python say of a party; whatever they have no business to say is a refusal."""
        found = self._words.get(party)
        if found is None:
            found = self._words[party] = self._said(party)
        return found

    def _said(self, party: str) -> Words:
        approvals: list[str] = []
        for policy in self.concerned:
            said = self._narrow(policy, party)
            if said == "approve":
                approvals.append(policy.name)
            elif said != "":
                return Words(refused=policy.name, approvals=tuple(approvals))
        return Words(approvals=tuple(approvals))

    def _narrow(self, policy: Narrowing, party: str) -> str:
        case, request = self.case, self.request
        subject = case.standing_in(party)
        if request is not None:
            asked = AccessRequest(subject, request.entry, request.door, request.purpose)
            return policy.narrow(asked if subject is not request.subject else request, case.action)
        if isinstance(policy, NarrowingAgents) and case.called.is_agent:
            return policy.narrow_agent(subject, case.called.facts.id, case.action)
        return ""

    @property
    def volatile(self) -> bool:
        """Whether the same may be otherwise at the next call."""
        return self.case.volatile or any(policy.volatile for policy in self.concerned)

    def refuses(self, party: str) -> bool:
        """See `moothall.policy.order.Asks`."""
        return self.words(party).refused != ""

    def own(self, party: str) -> bool:
        """See `moothall.policy.order.Asks`."""
        return self.case.own(party)

    def late(self, names: Sequence[str]) -> bool:
        """See `moothall.policy.order.Asks`."""
        policies = self.case.world.policies.policies
        return all(policies[name].late for name in names)

    def hears_approval(self) -> bool:
        """See `moothall.policy.order.Asks`."""
        return self.case.hears_approval
