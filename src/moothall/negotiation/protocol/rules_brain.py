"""The judgement of a side without a model: by the schemas of need, capability and proposal, and the words around them.

A requester proposes what its need describes, and accepts what its own fields can be mapped to and from. A provider
accepts what one of its capabilities can be mapped to, else proposes what would be; a proposal that it made before it
does not make again. Whatever nothing speaks for is rejected, with a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from moothall.canonical import canonical
from moothall.codegen.schemas.mapping import Unmapped, map_fields
from moothall.errors import InvalidInput, MoreInformation, NegotiationRejected, Told
from moothall.messages import Lang, text
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.brain import Cases, Diagnosis, Situation
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.needs import JsonObject, Need
from moothall.negotiation.protocol.results import NegotiationResult, NegotiationStatus
from moothall.negotiation.protocol.rules_offer import counter, lacking, listed
from moothall.negotiation.protocol.structured import (
    Offered,
    arguments_of,
    capabilities_in,
    draft,
    need_schemas,
    ranked,
    served_by,
    serving,
    yields,
)
from moothall.negotiation.protocol.wire.cases import MOST_CASES, AgreedCase, cases_in
from moothall.negotiation.protocol.wording import comparable, content

_ACCEPTED: Final = NegotiationStatus.ACCEPTED
_ENOUGH: Final = 0.25
"""The share of a requirement's words that a capability told in words has to have."""
_MOST_SENTENCES: Final = 5
_TWO_TURNS: Final = 2
"""Messages that a proposal and its acceptance take."""


class RulesBrain:
    """See the module; fills `brain.Brain`."""

    def __init__(self, lang: Lang = "en") -> None:
        self._lang: Lang = lang

    @property
    def source(self) -> Literal["rules", "llm"]:
        """Rules."""
        return "rules"

    async def propose(self, need: Need) -> str:
        """The document that a need describes.

        Raises:
            MoreInformation: it does not describe its input or output so that fields can be read from it.
            NegotiationRejected: its schemas make no document.
        """
        given, wanted = need_schemas(need)
        for schema, why in ((given, "rules_input"), (wanted, "rules_output")):
            if schema is None:
                raise MoreInformation("the need is not clear enough", told=Told(f"agreeing.{why}"))
        try:
            return draft(need, given or {}, wanted or {}).text
        except InvalidInput as error:
            raise NegotiationRejected("the need makes no protocol", told=Told("agreeing.rules_need")) from error

    async def evaluate(self, situation: Situation) -> NegotiationResult:
        """What to answer to a proposal."""
        try:
            proposal = documents.read(situation.proposal)
        except InvalidInput:
            return self._rejected("rules_unreadable")
        if situation.role == "requester":
            return self._as_requester(proposal, situation.need)
        return self._as_provider(proposal, situation)

    async def propose_cases(self, document: str, need: Need | None) -> tuple[JsonObject, ...]:
        """The examples of document and need, as test cases."""
        read = documents.read(document)
        examples = [*read.examples, *(need.examples if need else ())]
        return _distinct([{"request": e.request, "expected": _with_code(e.response)} for e in examples], read)

    async def judge_cases(self, document: str, cases: Sequence[JsonObject], capability: str) -> Cases:
        """Test cases that fit the agreed schemas are accepted; the provider adds its own examples to them, once."""
        read = documents.read(document)
        fitting = [case for case in cases if _fits(case, read)]
        if len(fitting) != len(cases):
            reason = text("agreeing.rules_cases_misfit", self._lang, count=len(cases) - len(fitting))
            return Cases("rejected", reason=reason)
        offered = served_by(read, capabilities_in(capability))
        own = [{"request": e.request, "expected": _with_code(e.response)} for e in offered.examples] if offered else []
        known = {canonical(case["request"]) for case in cases}
        new = [case for case in _distinct(own, read, len(cases)) if canonical(case["request"]) not in known]
        new = new[: MOST_CASES - len(cases)]
        if not new:
            return Cases("accepted", tuple(cases))
        summary = text("agreeing.rules_cases_added", self._lang, count=len(new))
        return Cases("negotiating", (*cases, *new), summary)

    async def diagnose(self, document: str, source: str, description: str) -> Diagnosis:  # noqa: ARG002 - of the port
        """An error counts that is told by a request with the response that it should have got, as it was agreed."""
        try:
            told = cases_in(description)
        except InvalidInput:
            told = ()
        if not told:
            return Diagnosis(confirmed=False, reason=text("agreeing.rules_not_checked", self._lang))
        if not all(_fits(case, documents.read(document)) for case in told):
            return Diagnosis(confirmed=False, reason=text("agreeing.rules_not_agreed", self._lang))
        return Diagnosis(confirmed=True, reason=text("agreeing.rules_confirmed", self._lang))

    async def answer(self, document: str, message: str, capability: str) -> str:
        """The sentences of what was agreed, and of what this side says of itself, that speak of the same."""
        wanted = content(message)
        said = [line.strip("> -|\t") for line in f"{document}\n{_told(capability)}".splitlines()]
        lines = [line for line in dict.fromkeys(said) if line and not line.startswith(("#", "`", "{", "}", "["))]
        best = sorted(lines, key=lambda line: -len(wanted & content(line)))[:_MOST_SENTENCES]
        found = [line for line in lines if line in best and wanted & content(line)]
        return "\n".join(found) or text("agreeing.rules_no_answer", self._lang)

    def _as_requester(self, proposal: ProtocolDocument, need: Need | None) -> NegotiationResult:
        given, wanted = need_schemas(need) if need else (None, None)
        if given is None or wanted is None:
            return self._rejected("rules_input" if given is None else "rules_output")
        asked = map_fields(arguments_of(given, proposal.request), proposal.request)
        if isinstance(asked, Unmapped):
            return self._rejected("rules_lacking", fields=listed(asked.missing))
        if not yields(proposal, wanted):
            unwanted = map_fields(proposal.response, wanted)
            missing = unwanted.missing if isinstance(unwanted, Unmapped) else tuple(wanted.get("properties", ()))
            return self._rejected("rules_unwanted", fields=listed(missing))
        return NegotiationResult(_ACCEPTED, proposal.text)

    def _as_provider(self, proposal: ProtocolDocument, situation: Situation) -> NegotiationResult:
        offered = capabilities_in(situation.capability)
        if not offered:
            return self._by_words(proposal, situation.capability)
        likely = ranked(proposal.requirements, offered)
        served = serving(proposal, likely)
        if served is not None:
            kept = situation.rounds_left < _TWO_TURNS or not lacking(proposal, served.output)
            accepted = NegotiationResult(_ACCEPTED, proposal.text)
            return accepted if kept else self._countered(proposal, served, situation) or accepted
        if not likely or not likely[0].overlap:  # anything else would be a guess
            return self._rejected("rules_nothing")
        return self._countered(proposal, likely[0].offered, situation) or self._rejected("rules_same")

    def _countered(
        self, proposal: ProtocolDocument, offered: Offered, situation: Situation
    ) -> NegotiationResult | None:
        """What this side would agree to; None where it said that before."""
        try:
            own = counter(proposal, offered, self._lang)
        except InvalidInput:
            return None
        before = {entry.candidate_protocols for entry in situation.history if entry.own}
        if own.text in before | {proposal.text}:
            return None
        return NegotiationResult(NegotiationStatus.NEGOTIATING, own.text, own.summary)

    def _by_words(self, proposal: ProtocolDocument, capability: str) -> NegotiationResult:
        """A capability that is told in words has no schemas to compare: the words have to be about the same."""
        if not capability.strip():
            return self._rejected("rules_unknown")
        wanted = content(proposal.requirements)
        shared = wanted & content(capability)
        if not shared or (comparable(proposal.requirements, capability) and len(shared) < _ENOUGH * len(wanted)):
            return self._rejected("rules_nothing")
        return NegotiationResult(_ACCEPTED, proposal.text)

    def _rejected(self, why: str, **values: object) -> NegotiationResult:
        reason = text(f"agreeing.{why}", self._lang, **values)
        return NegotiationResult(NegotiationStatus.REJECTED, reason=reason)


def _with_code(response: JsonObject) -> JsonObject:
    return {"code": documents.GOOD, **response}


def _fits(case: JsonObject, document: ProtocolDocument) -> bool:
    try:
        read = AgreedCase.model_validate(case)
    except ValueError:
        return False
    return not document.request_problems(read.request) and not document.response_problems(read.expected)


def _distinct(found: Sequence[JsonObject], document: ProtocolDocument, before: int = 0) -> tuple[JsonObject, ...]:
    """Test cases that fit, each request once, with names by their number."""
    requests: set[bytes] = set()
    cases: list[JsonObject] = []
    for each in found:
        named = {"name": f"example {before + len(cases) + 1}", **each}
        if canonical(each["request"]) not in requests and _fits(named, document):
            requests.add(canonical(each["request"]))
            cases.append(named)
    return tuple(cases[:MOST_CASES])


def _told(capability: str) -> str:
    offered = capabilities_in(capability)
    return "\n".join(each.description for each in offered) if offered else capability
