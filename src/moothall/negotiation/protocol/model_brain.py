"""The judgement of a side by a language model: strict JSON, mended once, then refused (rows META-NEG-03, 04).

The model sees what others wrote as fenced data only. Its answer chooses among what is allowed; it names no text that is
accepted: that is the one which was judged. Documents are written here, from the parts that it gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from moothall.errors import DecisionRefused, InvalidInput, MoreInformation, Told
from moothall.llm.base import BaseLLM
from moothall.llm.reading import object_in
from moothall.messages import Lang, text
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.brain import Cases, Diagnosis, Situation
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.model_answers import (
    Answered,
    CasesJudged,
    CasesProposed,
    Diagnosed,
    Evaluated,
    Proposed,
    document_of,
)
from moothall.negotiation.protocol.needs import JsonObject, Need
from moothall.negotiation.protocol.prompts import Kind, system_prompt, user_prompt
from moothall.negotiation.protocol.results import NegotiationResult, NegotiationStatus

_SHOWN_HISTORY: Final = 6
_MOST_PROBLEMS: Final = 5
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]+")

ShapeT = TypeVar("ShapeT", bound=BaseModel)
OutT = TypeVar("OutT")


class ModelBrain:
    """See the module; fills `brain.Brain`."""

    def __init__(self, llm: BaseLLM, lang: Lang = "en") -> None:
        self._llm = llm
        self._lang: Lang = lang

    @property
    def source(self) -> Literal["rules", "llm"]:
        """A model."""
        return "llm"

    async def propose(self, need: Need) -> str:
        """A first proposal.

        Raises:
            MoreInformation: the model says that the need is not clear enough; `details` has what is ``missing``.
            DecisionRefused: it gave no document that can be read, twice.
            ModelUnavailable, ModelTimeout, BudgetSpent: it gave nothing.
        """

        def made(answer: Proposed) -> tuple[str, str]:
            return (
                ("", answer.missing)
                if answer.missing
                else (document_of(answer.protocol, answer.candidate_protocols), "")
            )

        document, missing = await self._asked("propose", _shown(need), Proposed, made)
        if missing:
            told = Told("agreeing.model_missing")
            raise MoreInformation("the need is not clear enough", told=told, details={"missing": missing})
        return document

    async def evaluate(self, situation: Situation) -> NegotiationResult:
        """What to answer to a proposal; an answer that is of no use twice is a rejection.

        Raises:
            ModelUnavailable, ModelTimeout, BudgetSpent: the model gave nothing.
        """
        proposal, problem = _read(situation.proposal)
        parts = {
            "role": situation.role,
            **_shown(situation.need),
            "capability": situation.capability,
            "proposal": situation.proposal,
            "summary": situation.summary,
            "problem": problem,
            "rounds_left": situation.rounds_left,
            "history": [
                {"round": entry.round, "own": entry.own, "summary": entry.modification_summary}
                for entry in situation.history[-_SHOWN_HISTORY:]
            ],
        }

        def made(answer: Evaluated) -> NegotiationResult:
            if answer.status == "accepted":
                if proposal is None:
                    raise InvalidInput("a proposal that cannot be read is not accepted")
                return NegotiationResult(NegotiationStatus.ACCEPTED, situation.proposal)
            if answer.status == "rejected":
                return NegotiationResult(NegotiationStatus.REJECTED, reason=answer.reason)
            own = document_of(answer.protocol, answer.candidate_protocols, proposal)
            return NegotiationResult(NegotiationStatus.NEGOTIATING, own, answer.modification_summary)

        try:
            return await self._asked("evaluate", parts, Evaluated, made)
        except DecisionRefused:
            return NegotiationResult(NegotiationStatus.REJECTED, reason=text("agreeing.model_useless", self._lang))

    async def propose_cases(self, document: str, need: Need | None) -> tuple[JsonObject, ...]:
        """Test cases that fit the agreed schemas; none where the model has no others."""
        agreed = documents.read(document)
        parts = {"protocol": document, **_shown(need)}
        try:
            return await self._asked("cases", parts, CasesProposed, lambda answer: _checked(answer, agreed))
        except DecisionRefused:
            return ()

    async def judge_cases(self, document: str, cases: Sequence[JsonObject], capability: str) -> Cases:
        """What to answer to test cases; an answer that is of no use twice is a rejection."""
        agreed = documents.read(document)
        parts = {"protocol": document, "cases": list(cases), "capability": capability}

        def made(answer: CasesJudged) -> Cases:
            if answer.status == "accepted":
                return Cases("accepted", tuple(cases))
            if answer.status == "rejected":
                return Cases("rejected", reason=answer.reason)
            return Cases("negotiating", _checked(answer, agreed), answer.modification_summary)

        try:
            return await self._asked("judge_cases", parts, CasesJudged, made)
        except DecisionRefused:
            return Cases("rejected", reason=text("agreeing.model_useless", self._lang))

    async def diagnose(self, document: str, source: str, description: str) -> Diagnosis:
        """Whether an error is one of this side's; where the model says nothing of use it is none."""
        parts = {"protocol": document, "code": source, "description": description}
        try:
            return await self._asked(
                "diagnose", parts, Diagnosed, lambda answer: Diagnosis(answer.confirmed, answer.reason)
            )
        except DecisionRefused:
            return Diagnosis(confirmed=False, reason=text("agreeing.model_useless", self._lang))

    async def answer(self, document: str, message: str, capability: str) -> str:
        """An answer in words.

        Raises:
            DecisionRefused: none that can be used, twice.
            ModelUnavailable, ModelTimeout, BudgetSpent: the model gave nothing.
        """
        parts = {"protocol": document, "capability": capability, "question": message}
        return await self._asked("answer", parts, Answered, lambda answer: answer.answer)

    async def _asked(
        self, kind: Kind, parts: Mapping[str, object], shape: type[ShapeT], made: Callable[[ShapeT], OutT]
    ) -> OutT:
        """What is made of the model's answer; it is asked once more where nothing can be."""
        system = system_prompt(kind, self._lang)
        try:
            return _taken(await self._llm.async_generate_response(system, user_prompt(parts, self._lang)), shape, made)
        except _Unfit as error:
            again = user_prompt(parts, self._lang, refused=str(error))
        try:
            return _taken(await self._llm.async_generate_response(system, again), shape, made)
        except _Unfit as error:
            raise DecisionRefused("the language model's answer is of no use", why=str(error)) from error


class _Unfit(Exception):
    """Why an answer is of no use, in words for the model."""


def _taken(answer: str, shape: type[ShapeT], made: Callable[[ShapeT], OutT]) -> OutT:
    try:
        return made(shape.model_validate(object_in(answer)))
    except DecisionRefused as error:
        raise _Unfit(error.message) from error
    except ValidationError as error:
        raise _Unfit(_problems(error)) from error
    except InvalidInput as error:
        raise _Unfit(text(error.told.why, "en", **error.told.values) if error.told else error.message) from error


def _problems(error: ValidationError) -> str:
    """The first problems, each with its place, as plain text."""
    found = error.errors(include_url=False, include_context=False, include_input=False)[:_MOST_PROBLEMS]
    said = "; ".join(f"{'.'.join(str(part) for part in each['loc'][:3]) or 'answer'}: {each['msg']}" for each in found)
    return _UNPRINTABLE.sub("?", said)


def _read(proposal: str) -> tuple[ProtocolDocument | None, str]:
    try:
        return documents.read(proposal), ""
    except InvalidInput as error:
        return None, text(error.told.why, "en", **error.told.values) if error.told else error.message


def _shown(need: Need | None) -> dict[str, object]:
    if need is None:
        return {}
    return {
        "need": need.requirement,
        "input": need.input_schema or need.input_description,
        "output": need.output_schema or need.output_description,
        "examples": [example.model_dump(mode="json") for example in need.examples],
    }


def _checked(answer: CasesProposed, agreed: ProtocolDocument) -> tuple[JsonObject, ...]:
    for case in answer.cases:
        if agreed.request_problems(case.request) or agreed.response_problems(case.expected):
            raise InvalidInput("a test case does not fit the agreed schemas")
    if len({case.name for case in answer.cases}) != len(answer.cases):
        raise InvalidInput("two test cases have the same name")
    return tuple(case.model_dump(mode="json") for case in answer.cases)
