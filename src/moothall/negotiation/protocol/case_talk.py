"""Agreeing on test cases: whole lists go to and fro until one side accepts the other's (row META-PROTO-14). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from moothall.errors import InvalidInput
from moothall.negotiation.protocol.brain import Cases
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.wire.cases import cases_digest, cases_in, cases_text
from moothall.negotiation.protocol.wire.messages import TestCasesNegotiation


@dataclass(frozen=True, slots=True)
class ToJudge:
    """A list of the other side that fits the agreed schemas; this side's answer is made by `CaseTalk.judged`."""

    cases: tuple[JsonObject, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A message to send."""

    message: TestCasesNegotiation


@dataclass(frozen=True, slots=True)
class Settled:
    """The other side accepted this side's list, or refused it; nothing is to be said."""

    agreed: bool
    reason: str = ""


@dataclass(slots=True)
class CaseTalk:
    """One side's part in it. A refusal by either side leaves both without cases, so that they always have the same.

    Attributes:
        document: the agreed protocol.
        most: lists that both sides together may propose.
        agreed: the cases that both sides accepted last.
    """

    document: ProtocolDocument
    most: int
    agreed: tuple[JsonObject, ...] = ()
    _mine: tuple[JsonObject, ...] | None = field(default=None, repr=False)
    _lists: int = 0

    @property
    def digest(self) -> str:
        """``sha256:…`` of the agreed cases."""
        return cases_digest(self.agreed)

    def offer(self, cases: Sequence[JsonObject], summary: str = "") -> TestCasesNegotiation:
        """The message that proposes a whole list.

        Raises:
            InvalidInput: they do not fit the agreed schemas, or cannot travel.
        """
        text = cases_text(cases)
        self._mine = cases_in(text)
        self._lists += 1
        if problem := self._misfit(self._mine):
            raise InvalidInput("the test cases do not fit the agreed schemas", why=problem)
        return TestCasesNegotiation(test_cases=text, status="negotiating", modification_summary=summary)

    def withdraw(self) -> None:
        """Forget a list that was not sent after all."""
        self._mine = None

    def heard(self, message: TestCasesNegotiation) -> ToJudge | Answer | Settled:
        """What a message of the other side asks for."""
        if message.status == "rejected":
            self._mine, self.agreed = None, ()
            return Settled(agreed=False, reason=message.reason)
        try:
            cases = cases_in(message.test_cases)
        except InvalidInput as error:
            return self._refusal(message, error.message)
        if message.status == "accepted":
            if self._mine is None or cases_digest(cases) != cases_digest(self._mine):
                return self._refusal(message, "these are not the test cases that were proposed")
            self.agreed, self._mine = self._mine, None
            return Settled(agreed=True)
        self._lists += 1
        if self._lists > self.most:
            return self._refusal(message, "there were too many lists of test cases")
        problem = self._misfit(cases)
        return self._refusal(message, problem) if problem else ToJudge(cases)

    def judged(self, theirs: Sequence[JsonObject], verdict: Cases) -> TestCasesNegotiation:
        """The answer to a list of the other side."""
        if verdict.status == "accepted":
            self.agreed, self._mine = tuple(theirs), None
            return TestCasesNegotiation(test_cases=cases_text(theirs), status="accepted")
        reason = verdict.reason[:2_000] or "the test cases are not accepted"
        if verdict.status == "negotiating" and self._lists < self.most:
            try:
                return self.offer(verdict.cases, verdict.summary[:2_000])
            except InvalidInput:
                reason = "the test cases are not accepted"
        self.agreed, self._mine = (), None
        return TestCasesNegotiation(test_cases=cases_text(theirs), status="rejected", reason=reason)

    def misfits(self, cases: Sequence[JsonObject]) -> tuple[JsonObject, ...]:
        """The cases that do not fit the agreed schemas."""
        return tuple(case for case in cases if self._misfit([case]))

    def _refusal(self, message: TestCasesNegotiation, reason: str) -> Answer:
        self.agreed, self._mine = (), None
        return Answer(TestCasesNegotiation(test_cases=message.test_cases, status="rejected", reason=reason))

    def _misfit(self, cases: Sequence[JsonObject]) -> str:
        for place, case in enumerate(cases, 1):
            if self.document.request_problems(case["request"]):
                return f"the request of test case {place} does not fit the agreed schema"
            if self.document.response_problems(case["expected"]):
                return f"the response of test case {place} does not fit the agreed schema"
        return ""
