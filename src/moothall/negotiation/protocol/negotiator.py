"""One side's negotiator: what it knows of a negotiation, and its judgement (rows META-NEG-01 to 05).

It asks nobody when it is made. What a provider is able to do comes from a callback; without a model the deterministic
engine judges.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from moothall.canonical import dumps
from moothall.errors import InvalidInput, ProtocolViolation, Told, UpstreamError
from moothall.llm.base import BaseLLM
from moothall.messages import Lang, text
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.brain import Brain, Role, Situation
from moothall.negotiation.protocol.layered_brain import LayeredBrain
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.model_brain import ModelBrain
from moothall.negotiation.protocol.moves import FIRST_ID
from moothall.negotiation.protocol.needs import LONGEST_TEXT, Need
from moothall.negotiation.protocol.results import NegotiationHistoryEntry, NegotiationResult, NegotiationStatus
from moothall.negotiation.protocol.rules_brain import RulesBrain
from moothall.telemetry import logger

CapabilityInfo = Callable[[str, str, str], Awaitable[str]]
"""Requirement, input and output description: what the provider is able to do, in words or JSON."""

_log = logger("negotiation")

_MOST_INFO: Final = 65_536
"""Characters of what a provider says of itself."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was asked of the callback, and what it said."""

    need: Need
    capability: str


class ProtocolNegotiator:
    """See the module.

    Args:
        llm: the language model; None: the deterministic engine judges.
        get_capability_info_callback: see `CapabilityInfo`; None: nothing is known.
        limits: of this side.
        now: the time of day, for the history.
        lang: of what is written for people.
        brain: the judgement; None: by ``llm``.
    """

    def __init__(
        self,
        llm: BaseLLM | None = None,
        get_capability_info_callback: CapabilityInfo | None = None,
        *,
        limits: Limits | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        lang: Lang = "en",
        brain: Brain | None = None,
    ) -> None:
        self._callback = get_capability_info_callback
        self._limits = limits or Limits()
        self._now = now
        self._lang: Lang = lang
        self._brain = brain or brain_for(llm, lang)
        self._history: tuple[NegotiationHistoryEntry, ...] = ()
        self._role: Role = "provider"
        self._need: Need | None = None
        self._seen: _Seen | None = None
        self._round: int | None = None

    @property
    def brain(self) -> Brain:
        """Who judges."""
        return self._brain

    @property
    def history(self) -> tuple[NegotiationHistoryEntry, ...]:
        """The proposals of both sides, in order."""
        return self._history

    @property
    def round(self) -> int:
        """The number of the last message that this side knows of; 0 before the first."""
        return self._round or 0

    async def get_capability_info(self, requirement: str, input_description: str, output_description: str) -> str:
        """What the provider is able to do; where nobody can be asked, that there is no information.

        Raises:
            UpstreamError: the callback failed, took longer than a message may take, or gave no text; why is in the log.
        """
        if self._callback is None:
            return text("agreeing.no_capability", self._lang)
        try:
            async with asyncio.timeout(self._limits.message_timeout):
                info = await self._callback(requirement, input_description, output_description)
        except Exception as error:  # whatever the user's code raises is one thing to the negotiation
            _log.exception("the callback that tells what this side is able to do failed")
            raise _no_capability() from error
        if not isinstance(info, str):
            raise _no_capability()
        return info[:_MOST_INFO]

    async def generate_initial_protocol(
        self, requirement: str, input_description: str = "", output_description: str = ""
    ) -> tuple[str, NegotiationStatus, int]:
        """The first proposal of a requester, its status, and its number.

        Raises:
            InvalidInput: a text is too long, or there is no requirement.
            NegotiationRejected: as `propose`.
        """
        need = need_of(requirement, input_description, output_description)
        return await self.propose(need), NegotiationStatus.NEGOTIATING, FIRST_ID

    async def propose(self, need: Need) -> str:
        """The first proposal for a need; it begins the negotiation.

        Raises:
            NegotiationRejected: the need is not clear enough.
            ModelUnavailable, ModelTimeout, DecisionRefused, BudgetSpent: the model gave none.
        """
        proposal = await self._brain.propose(need)
        self._role, self._need = "requester", need
        self._history = ()
        self._round = FIRST_ID
        self._remember(FIRST_ID, proposal, "", own=True)
        return proposal

    async def evaluate_protocol_proposal(
        self,
        negotiation_status: NegotiationStatus | str,
        counterparty_round: int,
        candidate_protocols: str,
        modification_summary: str = "",
    ) -> tuple[NegotiationResult, int]:
        """What to answer to the other side's message, and the number of the answer.

        An acceptance is answered by one where it is of this side's last proposal. What ends the negotiation is given
        back as it is.

        Raises:
            ProtocolViolation: the number is not the next one, the status is none, or something else was accepted.
            ModelUnavailable, ModelTimeout, BudgetSpent: the model gave no answer.
        """
        status = _status(negotiation_status)
        if status in {NegotiationStatus.REJECTED, NegotiationStatus.TIMEOUT}:
            return NegotiationResult(status, candidate_protocols, modification_summary), counterparty_round
        expected = self.round + 1
        if counterparty_round != expected and not (self._round is None and counterparty_round == 0):
            values = {"expected": expected, "found": counterparty_round}
            raise ProtocolViolation("the round is not the expected one", told=Told("agreeing.round_other", values))
        if status is NegotiationStatus.ACCEPTED:
            if not self._history or not self._history[-1].own or self._own != candidate_protocols:
                raise ProtocolViolation("something else was accepted", told=Told("agreeing.other_accepted"))
            result = NegotiationResult(NegotiationStatus.ACCEPTED, candidate_protocols)
        else:
            left = max(0, self._limits.max_rounds - len(self._history) - 1)
            result = await self.judge(candidate_protocols, modification_summary, left, counterparty_round)
        self._round = counterparty_round + 1
        return result, self._round

    async def judge(
        self, proposal: str, summary: str = "", rounds_left: int = 1, number: int | None = None
    ) -> NegotiationResult:
        """What to answer to a proposal of the other side: to accept that very text, to reject, or an own proposal.

        Raises:
            ModelUnavailable, ModelTimeout, BudgetSpent: the model gave no answer.
            UpstreamError: it could not be found out what this side is able to do.
        """
        known = self._history
        number = number if number is not None else self.round + 1
        self._remember(number, proposal, summary, own=False)
        try:
            capability = await self._capability_for(proposal) if self._role == "provider" else ""
            situation = Situation(
                role=self._role,
                need=self._need if self._role == "requester" else (self._seen.need if self._seen else None),
                capability=capability,
                proposal=proposal,
                summary=summary,
                history=self._history,
                rounds_left=rounds_left,
            )
            result = self._checked(await self._brain.evaluate(situation), proposal)
        except BaseException:
            self._history = known  # it may be judged again
            raise
        self._round = number + 1
        if result.status is NegotiationStatus.NEGOTIATING:
            self._remember(self._round, result.candidate_protocols, result.modification_summary, own=True)
        return result

    @property
    def _own(self) -> str:
        return next((entry.candidate_protocols for entry in reversed(self._history) if entry.own), "")

    async def _capability_for(self, proposal: str) -> str:
        """What this side is able to do of what a proposal requires; asked anew where it requires something else."""
        if self._callback is None:
            return ""
        need = _need_in(proposal)
        if self._seen is None or self._seen.need != need:
            info = await self.get_capability_info(need.requirement, need.given, need.wanted)
            self._seen = _Seen(need, info)
        return self._seen.capability

    def _checked(self, result: NegotiationResult, proposal: str) -> NegotiationResult:
        """A judgement that holds: what is accepted or proposed is a document that can be read."""
        if result.status is NegotiationStatus.ACCEPTED:
            result = replace(result, candidate_protocols=proposal)
        if result.status in {NegotiationStatus.ACCEPTED, NegotiationStatus.NEGOTIATING}:
            try:
                documents.read(result.candidate_protocols, self._limits.max_protocol_bytes)
            except InvalidInput:
                reason = text("agreeing.rules_unreadable", self._lang)
                return NegotiationResult(NegotiationStatus.REJECTED, reason=reason)
        return result

    def _remember(self, number: int, proposal: str, summary: str, *, own: bool) -> None:
        entry = NegotiationHistoryEntry(number, proposal, summary, own=own, at=self._now())
        self._history = (*self._history, entry)


def brain_for(llm: BaseLLM | None, lang: Lang = "en") -> Brain:
    """The judgement with a model, or without one."""
    rules = RulesBrain(lang)
    return rules if llm is None else LayeredBrain(rules, ModelBrain(llm, lang))


def need_of(requirement: str, input_description: str = "", output_description: str = "") -> Need:
    """The need that three texts describe.

    Raises:
        InvalidInput: a text is too long, or there is no requirement.
    """
    if not requirement.strip() or max(map(len, (requirement, input_description, output_description))) > LONGEST_TEXT:
        raise InvalidInput("a need has a requirement, and texts of bounded length", told=Told("agreeing.need_text"))
    return Need(requirement=requirement, input_description=input_description, output_description=output_description)


def _need_in(proposal: str) -> Need:
    """What a proposal says is needed; of one that cannot be read, its beginning."""
    try:
        read = documents.read(proposal)
    except InvalidInput:
        return Need(requirement=proposal.strip()[:LONGEST_TEXT] or "-")
    given, wanted = (dumps(schema).decode()[:LONGEST_TEXT] for schema in (read.request, read.response))
    return Need(
        requirement=read.requirements[:LONGEST_TEXT],
        input_description=given,
        output_description=wanted,
        input_schema=read.request,
        output_schema=read.response,
    )


def _status(said: NegotiationStatus | str) -> NegotiationStatus:
    try:
        return NegotiationStatus(said)
    except ValueError as error:
        raise ProtocolViolation("the status is none", told=Told("agreeing.bad_field", {"field": "status"})) from error


def _no_capability() -> UpstreamError:
    return UpstreamError("the capability is not known", told=Told("agreeing.capability_failed"))
