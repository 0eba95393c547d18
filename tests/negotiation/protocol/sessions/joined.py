"""Two sides in one process: carriers joined back to back, brains that say what they were told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Literal

from moothall.errors import CallTimeout, CodeRefused, SessionEnded
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.brain import Cases, Diagnosis, Situation
from moothall.negotiation.protocol.needs import Need
from moothall.negotiation.protocol.results import NegotiationResult, NegotiationStatus

REQUEST: dict[str, Any] = {
    "type": "object",
    "properties": {"user_id": {"type": "string", "minLength": 1, "maxLength": 20}},
    "required": ["user_id"],
    "additionalProperties": False,
}
RESPONSE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "code": {"type": "integer"},
        "schools": {"type": "array", "items": {"type": "string", "maxLength": 40}, "maxItems": 5},
    },
    "required": ["code", "schools"],
    "additionalProperties": False,
}
NEED = Need(
    requirement="Get the schools of a user",
    input_description="who it is about",
    output_description="where that person went to school",
)
"""In words that no rule can read: a model judges."""

PLAIN_NEED = Need(
    requirement="Get the schools of a user",
    input_schema=REQUEST,
    output_schema={
        "type": "object",
        "properties": {"schools": RESPONSE["properties"]["schools"]},
        "required": ["schools"],
        "additionalProperties": False,
    },
)


def protocol(requirements: str = "Get the schools of a user.") -> str:
    return documents.write(requirements=requirements, request=REQUEST, response=RESPONSE)


def case(name: str, user: str = "u1", *schools: str) -> dict[str, Any]:
    return {"name": name, "request": {"user_id": user}, "expected": {"code": 200, "schools": list(schools)}}


def accepted(situation: Situation) -> NegotiationResult:
    return NegotiationResult(NegotiationStatus.ACCEPTED, situation.proposal)


def rejected(reason: str) -> Callable[[Situation], NegotiationResult]:
    return lambda _: NegotiationResult(NegotiationStatus.REJECTED, reason=reason)


def countered(text: str, summary: str = "changed") -> Callable[[Situation], NegotiationResult]:
    return lambda _: NegotiationResult(NegotiationStatus.NEGOTIATING, text, summary)


class ScriptedBrain:
    """Judges as its script says, one entry after another; the last one stays."""

    def __init__(
        self,
        *verdicts: Callable[[Situation], NegotiationResult],
        opening: str = "",
        cases: Sequence[dict[str, Any]] = (),
        judged: Callable[[Sequence[dict[str, Any]]], Cases] = lambda cases: Cases("accepted"),
        error: Exception | None = None,
    ) -> None:
        self.verdicts, self.opening, self.cases, self.judged = list(verdicts), opening or protocol(), cases, judged
        self.situations: list[Situation] = []
        self.asked = 0
        self.error = error

    @property
    def source(self) -> Literal["rules", "llm"]:
        return "llm"

    async def propose(self, need: Need) -> str:
        self._count()
        return self.opening

    async def evaluate(self, situation: Situation) -> NegotiationResult:
        self._count()
        self.situations.append(situation)
        verdict = self.verdicts.pop(0) if len(self.verdicts) > 1 else self.verdicts[0]
        return verdict(situation)

    async def propose_cases(self, document: str, need: Need | None) -> tuple[dict[str, Any], ...]:
        self._count()
        return tuple(self.cases)

    async def judge_cases(self, document: str, cases: Sequence[dict[str, Any]], capability: str) -> Cases:
        self._count()
        return self.judged(cases)

    async def diagnose(self, document: str, source: str, description: str) -> Diagnosis:
        return Diagnosis(confirmed="bug" in description, reason="" if "bug" in description else "cannot be seen")

    async def answer(self, document: str, message: str, capability: str) -> str:
        return f"about: {message}"

    def _count(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error


class Wire:
    """One end of a pair of carriers."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self.sent: list[dict[str, Any]] = []
        self.incoming: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.other: Wire | None = None
        self.change: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda message: message

    @property
    def peer(self) -> str:
        return self._peer

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        changed = self.change(message)
        if self.other is not None and changed is not None:
            self.other.incoming.put_nowait(changed)

    async def receive(self, seconds: float) -> dict[str, Any]:
        try:
            async with asyncio.timeout(seconds):
                message = await self.incoming.get()
        except TimeoutError as error:
            raise CallTimeout("nothing came") from error
        if message is None:
            raise SessionEnded("left")
        return message


def wires() -> tuple[Wire, Wire]:
    requester, provider = Wire("did:example:provider"), Wire("did:example:requester")
    requester.other, provider.other = provider, requester
    return requester, provider


class FakeCoder:
    """Says that there is code, or that there is none."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.coded: list[tuple[str, tuple[dict[str, Any], ...]]] = []

    async def code(self, document: str, cases: Sequence[dict[str, Any]]) -> str:
        if self.fails:
            raise CodeRefused("it did not pass")
        self.coded.append((document, tuple(cases)))
        return f"sha256:{len(self.coded):064x}"
