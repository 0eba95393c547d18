"""A negotiation as it goes on: the pure machine's effects carried out over a carrier, a journal and a brain."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, cast

from moothall.canonical import dumps
from moothall.clock import Clock, parse_rfc3339, rfc3339
from moothall.errors import (
    BudgetSpent,
    CallTimeout,
    CodeRefused,
    DecisionRefused,
    InvalidInput,
    ModelTimeout,
    ModelUnavailable,
    NegotiationRejected,
    NodeUnreachable,
    PayloadTooLarge,
    ProtocolViolation,
    SandboxFault,
    SessionEnded,
    UpstreamError,
)
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.brain import Brain, Cases, Role, Situation
from moothall.negotiation.protocol.case_talk import Answer, CaseTalk, Settled, ToJudge
from moothall.negotiation.protocol.limits import MAX_MESSAGE_BYTES, Limits
from moothall.negotiation.protocol.machine import begin, step
from moothall.negotiation.protocol.moves import (
    Built,
    Evaluate,
    Event,
    GaveUp,
    Heard,
    Judged,
    Left,
    Malformed,
    Pass,
    Propose,
    Reuse,
    Send,
    State,
    TimedOut,
)
from moothall.negotiation.protocol.needs import JsonObject, Need
from moothall.negotiation.protocol.ports import Carrier, Journal
from moothall.negotiation.protocol.results import (
    NegotiationHistoryEntry,
    NegotiationResult,
    NegotiationStatus,
    protocol_hash,
)
from moothall.negotiation.protocol.wire import messages
from moothall.negotiation.protocol.wire.messages import Message, TestCasesNegotiation

MOST_SAID: Final = 8 * MAX_MESSAGE_BYTES
"""Bytes of one side's messages that belong to the record; who says more does not come to an end."""

_GONE: Final = (SessionEnded, UpstreamError, NodeUnreachable)
_NO_CODE: Final = (CodeRefused, SandboxFault)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """What a conversation is held with; see `conduct.Side`."""

    role: Role
    brain: Brain
    need: Need | None = None
    capability: Callable[[Need | None], Awaitable[str]] | None = None
    limits: Limits = field(default_factory=Limits)
    known: Callable[[str], Awaitable[bool]] | None = None
    opening: str = ""
    """A text that the requester proposes in place of one that its brain would write."""
    passes: Callable[[Sequence[JsonObject]], Awaitable[bool]] | None = None
    """Whether this side's code passes test cases that are proposed after it was reported; None: not looked at."""


class Conversation:
    """One negotiation, seen from one side; its phases are called one after another.

    Attributes:
        state: where it stands.
        history: every proposal of either side.
        messages: each side's messages with their sender, up to its word that its code is ready, as in `transcript`.
        cases: the agreed test cases.
    """

    def __init__(self, manner: Manner, carrier: Carrier, journal: Journal, clock: Clock) -> None:
        self.manner = manner
        self.state: State = begin(manner.role, manner.limits)
        self.history: list[NegotiationHistoryEntry] = []
        self.messages: list[tuple[Role, JsonObject]] = []
        self.cases: tuple[JsonObject, ...] = ()
        self._carrier, self._journal, self._clock = carrier, journal, clock
        self._counts: dict[str, int] = {}
        self._until: datetime | None = None
        self._code_until: datetime | None = None
        self._said: dict[Role, int] = {"requester": 0, "provider": 0}
        self._through: set[Role] = set()
        self._talk: CaseTalk | None = None

    @property
    def agreed(self) -> bool:
        """Whether both sides accepted a text, and nothing has gone wrong since."""
        return bool(self.state.agreed) and not self.state.over

    async def agree(self) -> None:
        """Propose or wait for a proposal, until both sides accepted one text or it failed."""
        await self._begin()
        if self.manner.role == "requester" and self.state.phase == "idle":
            await self._propose()
        while self.state.phase in {"idle", "proposing", "evaluating", "accepted"}:
            await self._hear(self.manner.limits.message_timeout, "message")

    async def reuse(self, text: str) -> None:
        """Begin with a text that both sides named in their hellos, in place of `agree`."""
        await self._begin()
        await self._feed(Reuse(text))

    async def settle_cases(self) -> None:
        """Propose test cases, where the brain has some, and talk until there is an agreed list or none."""
        proposed = await self.own_cases()
        if not proposed:
            return
        await self.offer_cases(proposed)
        while not self.state.over:
            heard = await self._hear(self.manner.limits.message_timeout, "", other=TestCasesNegotiation)
            if not isinstance(heard, TestCasesNegotiation) or await self.heard_cases(heard):
                return

    async def offer_cases(self, cases: Sequence[JsonObject], summary: str = "") -> None:
        """Propose a list of test cases.

        Raises:
            InvalidInput: they do not fit the agreed schemas.
            CodeRefused: this side's code, which was reported before, does not pass them.
        """
        talk = self._case_talk()
        message = talk.offer(cases, summary)
        if not await self._still_passes(cases):
            talk.withdraw()
            raise CodeRefused("the code that was reported does not pass these test cases")
        await self.say(message)

    async def answer_cases(self) -> None:
        """Answer the other side's test cases until it reports its code (or that it has none)."""
        lists = 0
        while self.agreed and self.state.peer_code is None:
            heard = await self.hear_of_code()
            if isinstance(heard, TestCasesNegotiation):
                lists += 1
                await self.heard_cases(heard)
                if lists <= self.manner.limits.max_rounds:
                    self._code_until = None  # the other side can begin only now

    async def built(self, *, generated: bool, reason: str = "") -> None:
        """Report this side's code."""
        await self._feed(Built(generated, reason))

    async def finish(self) -> None:
        """Wait until the other side reported its code, too."""
        while self.state.phase == "generating":
            await self.hear_of_code()

    async def hear_of_code(self) -> Message | None:
        """Take one message while the other side's code is waited for; its absence is the end.

        All such messages have to come within one time, so that small talk keeps nobody waiting for ever.
        """
        until = self._code_until
        if until is None:
            until = await self._now() + timedelta(seconds=self.manner.limits.code_generation_timeout)
            self._code_until = until
        return await self._hear((until - self._clock.now()).total_seconds(), "code generation")

    async def attempt(self, make: Callable[[], Awaitable[object]]) -> JsonObject:
        """What a brain or a writer of code gives, as ``{"value": …}``, or in a word why it gives none."""
        try:
            return {"value": await make()}
        except BudgetSpent:
            return {"gave_up": "budget", "reason": "budget"}
        except NegotiationRejected as error:
            return {"gave_up": "rejected", "reason": str(error)}
        except (ModelUnavailable, ModelTimeout, DecisionRefused) as error:
            return {"gave_up": "model", "reason": error.message}
        except _NO_CODE as error:
            return {"gave_up": "generation", "reason": error.message}
        except (InvalidInput, CallTimeout, UpstreamError) as error:
            return {"gave_up": "rejected", "reason": error.message}

    async def _begin(self) -> None:
        self._until = await self._now("began") + timedelta(seconds=self.manner.limits.negotiation_timeout)

    async def _now(self, key: str = "") -> datetime:
        """The time, as the journal has it."""

        async def now() -> object:
            return rfc3339(self._clock.now())

        return parse_rfc3339(cast("str", await self._journal.step(key or self._key("now"), now)))

    async def _propose(self) -> None:
        opening, need = self.manner.opening, self.manner.need

        async def write() -> object:
            if opening:
                return {"value": opening}
            if need is None:
                return {"gave_up": "rejected", "reason": "there is no need"}
            return await self._in_time(lambda: self.manner.brain.propose(need))

        written = cast("JsonObject", await self._journal.step("propose", write))
        problem = written.get("reason", "") or self._unreadable(written.get("value", ""))
        if problem:
            await self._feed(GaveUp(written.get("gave_up", "model"), problem))
        else:
            await self._feed(Propose(written["value"]))

    async def _feed(self, event: Event) -> list[Message]:
        """Let the machine go on, and do what it says; what is for others comes back."""
        passed: list[Message] = []
        events = [event]
        while events:
            self.state, effects = step(self.state, events.pop(0))
            for effect in effects:
                events += await self._done(effect, passed)
        return passed

    async def _done(self, effect: object, passed: list[Message]) -> list[Event]:
        if isinstance(effect, Send):
            return [] if await self._sent(effect.message) else [Left()]
        if isinstance(effect, Evaluate):
            return [await self._verdict(effect)]
        if isinstance(effect, Pass):
            passed.append(effect.message)
        return []

    async def say(self, message: Message) -> None:
        """Send what the machine has no part in."""
        if not await self._sent(message):
            await self._feed(Left())

    async def _sent(self, message: Message) -> bool:
        body = message.wire()
        self._record(self.manner.role, body)
        self._note(message, own=True)

        async def send() -> object:
            try:
                await self._carrier.send(body)
            except (*_GONE, CallTimeout):
                return False
            return True

        return bool(await self._journal.step(self._key("sent"), send))

    async def _hear(self, seconds: float, what: str, other: type[Message] | None = None) -> Message | None:
        """Take the next message; what the machine has no part in comes back.

        With ``other`` a message of that kind is waited for, and its absence ends nothing.
        """
        found = await self._taken(seconds)
        ended = found.get("ended")
        if ended == "timeout" and other is not None and self._time_left() > 0:
            return None
        if ended is not None:
            await self._feed(_ENDS[ended](found, what))
            return None
        return await self.take(found["message"])

    async def take(self, body: JsonObject) -> Message | None:
        """Take a message that came; what the machine has no part in comes back."""
        try:
            message = messages.read(body)
        except ProtocolViolation as error:
            details: Mapping[str, Any] = error.details
            await self._feed(Malformed(str(details.get("code", "bad_json")), str(details.get("action", ""))))
            return None
        self._record(_OTHER[self.manner.role], body)
        if self._said[_OTHER[self.manner.role]] > MOST_SAID:
            await self._feed(Malformed("too_long"))
            return None
        self._note(message, own=False)
        passed = await self._feed(Heard(message))
        return passed[0] if passed else None

    async def _taken(self, seconds: float) -> JsonObject:
        async def take() -> object:
            left = min(seconds, self._time_left())
            if left <= 0:
                return {"ended": "timeout"}
            try:
                return {"message": await self._carrier.receive(left)}
            except CallTimeout:
                return {"ended": "timeout"}
            except PayloadTooLarge:
                return {"ended": "violation", "code": "too_long"}
            except ProtocolViolation as error:
                said = error.details
                return {
                    "ended": "violation",
                    "code": str(said.get("code", "bad_json")),
                    "action": str(said.get("action", "")),
                }
            except _GONE:
                return {"ended": "left"}

        return cast("JsonObject", await self._journal.step(self._key("received"), take))

    def _time_left(self) -> float:
        """Seconds until both must have agreed; what comes after that has limits of its own."""
        if self._until is None or self.state.agreed:
            return float("inf")
        return (self._until - self._clock.now()).total_seconds()

    async def _verdict(self, asked: Evaluate) -> Event:
        async def judge() -> object:
            if self.manner.known is not None and await self.manner.known(protocol_hash(asked.text)):
                return {"value": {"status": "accepted"}}
            return await self._in_time(lambda: self._judgement(asked))

        said = cast("JsonObject", await self._journal.step(self._key("judge"), judge))
        if "value" not in said:
            return GaveUp(said["gave_up"], said["reason"])
        verdict = said["value"]
        status = NegotiationStatus(verdict["status"])
        text = verdict.get("text", "") if status is NegotiationStatus.NEGOTIATING else asked.text
        if status is not NegotiationStatus.REJECTED and (problem := self._unreadable(text)):
            status, verdict, text = NegotiationStatus.REJECTED, {"reason": problem}, asked.text
        return Judged(NegotiationResult(status, text, verdict.get("summary", ""), verdict.get("reason", "")))

    async def _judgement(self, asked: Evaluate) -> object:
        need = self.manner.need or _need_of(asked.text)
        found = await self.manner.brain.evaluate(
            Situation(
                role=self.manner.role,
                need=need,
                capability=await self.manner.capability(need) if self.manner.capability else "",
                proposal=asked.text,
                summary=asked.summary,
                history=tuple(self.history),
                rounds_left=asked.rounds_left,
            )
        )
        return {
            "status": found.status.value,
            "text": found.candidate_protocols,
            "summary": found.modification_summary,
            "reason": found.reason,
        }

    async def _in_time(self, make: Callable[[], Awaitable[object]]) -> JsonObject:
        """What a brain says, within the time of the whole negotiation."""
        left = self._time_left()
        try:
            async with asyncio.timeout(None if left == float("inf") else left):
                return await self.attempt(make)
        except TimeoutError:
            return {"gave_up": "timeout", "reason": "timeout"}

    def _unreadable(self, text: str) -> str:
        """Why a text cannot be agreed on, whoever wrote it."""
        if len(text.encode("utf-8", "surrogatepass")) > self.manner.limits.max_protocol_bytes:
            return "the protocol is too long"
        try:
            documents.read(text)
        except InvalidInput as error:
            return error.message
        return ""

    def _case_talk(self) -> CaseTalk:
        if self._talk is None:
            self._talk = CaseTalk(documents.read(self.state.agreed), self.manner.limits.max_rounds)
        return self._talk

    async def own_cases(self) -> tuple[JsonObject, ...]:
        """The cases of this side's brain that fit; a brain that has none is no reason to fail."""
        document, talk = self.state.agreed, self._case_talk()

        async def think() -> object:
            found = await self.attempt(lambda: self.manner.brain.propose_cases(document, self.manner.need))
            return list(found.get("value", ()))

        found = cast("list[JsonObject]", await self._journal.step("cases.propose", think))
        unfit = talk.misfits(found)
        return tuple(case for case in found if case not in unfit)

    async def heard_cases(self, message: TestCasesNegotiation) -> bool:
        """Answer a message about test cases; whether that settled it."""
        talk = self._case_talk()
        asked = talk.heard(message)
        if isinstance(asked, Settled):
            self.cases = talk.agreed
            return True
        if isinstance(asked, Answer):
            await self.say(asked.message)
            return True
        verdict = await self._judged_cases(asked)
        if verdict.status == "accepted" and not await self._still_passes(asked.cases):
            verdict = Cases("rejected", reason="the code that was reported does not pass them")
        answer = talk.judged(asked.cases, verdict)
        self.cases = talk.agreed
        await self.say(answer)
        return answer.status != "negotiating"

    async def _still_passes(self, cases: Sequence[JsonObject]) -> bool:
        return not self.state.own_code or self.manner.passes is None or await self.manner.passes(cases)

    async def _judged_cases(self, asked: ToJudge) -> Cases:
        document = self.state.agreed

        async def judge() -> object:
            async def ask() -> object:
                capability = self.manner.capability
                said = await capability(self.manner.need or _need_of(document)) if capability else ""
                found = await self.manner.brain.judge_cases(document, asked.cases, said)
                return [found.status, list(found.cases), found.summary, found.reason]

            return await self.attempt(ask)

        said = cast("JsonObject", await self._journal.step(self._key("cases.judge"), judge))
        if "value" not in said:
            return Cases("rejected", reason=said["reason"])
        status, cases, summary, reason = said["value"]
        return Cases(status, tuple(cases), summary, reason)

    def _key(self, what: str) -> str:
        self._counts[what] = self._counts.get(what, 0) + 1
        return f"{what}.{self._counts[what]}"

    def _record(self, role: Role, body: JsonObject) -> None:
        if role in self._through:
            return
        self._said[role] += len(dumps(body))
        self.messages.append((role, body))
        if body.get("action") == "codeGeneration":
            self._through.add(role)

    def _note(self, message: Message, *, own: bool) -> None:
        if isinstance(message, messages.ProtocolNegotiation) and message.status is NegotiationStatus.NEGOTIATING:
            self.history.append(
                NegotiationHistoryEntry(
                    message.sequence_id, message.candidate_protocols, message.modification_summary, own
                )
            )


_OTHER: Final[Mapping[Role, Role]] = {"requester": "provider", "provider": "requester"}
_ENDS: Final[Mapping[str, Callable[[JsonObject, str], Event]]] = {
    "timeout": lambda _, what: TimedOut(what),
    "violation": lambda found, _: Malformed(found["code"], found.get("action", "")),
    "left": lambda _, __: Left(),
}


def _need_of(text: str) -> Need | None:
    """What a proposal says that is needed."""
    try:
        read = documents.read(text)
    except InvalidInput:
        return None
    return Need(requirement=read.requirements[:16_384] or "?", input_schema=read.request, output_schema=read.response)
