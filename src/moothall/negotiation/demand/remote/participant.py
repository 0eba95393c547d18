"""The participant behind an agent elsewhere: asks it over whatever protocol its target names (row NEG-ADR-01).

Where it is asked is read anew for each question, so that one which was removed hears no more of a negotiation that is
under way. Each question has the key of the run: a repetition after a crash gets the first answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from moothall.directory.concepts import Vocabulary
from moothall.directory.profiles import AgentProfile
from moothall.directory.registry import REMOTE
from moothall.errors import MoothallError, StorageError, UpstreamInvalid
from moothall.negotiation.demand.admission import RefusedAnswerError
from moothall.negotiation.demand.models import AgentResponse, DemandUnderstanding
from moothall.negotiation.demand.participants import (
    AnswerUnknownError,
    Participant,
    ParticipantFactory,
    ParticipantUnreachableError,
)
from moothall.negotiation.demand.plan_models import ProposalFeedback
from moothall.negotiation.demand.questions import RespondInput, ReviewInput
from moothall.negotiation.demand.remote.messages import asked_of, shown_to
from moothall.negotiation.demand.remote.places import Place
from moothall.negotiation.demand.remote.reading import read_offer, read_review
from moothall.negotiation.demand.remote.store import Places
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.telemetry import logger

INVITATION: Final = "invitation"
REQUEST: Final = "request"
"""The one argument of each capability."""

_log = logger("negotiation.demand")


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent: to which target, with which arguments, under which key, and how long an answer is waited for."""

    target: str
    params: Mapping[str, Any]
    key: str
    seconds: float


Ask = Callable[[Question], Awaitable[Any]]
"""Makes a call in the name of the node's own agent; raises MoothallError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What all participants elsewhere share.

    Attributes:
        places: where each is asked.
        ask: makes the calls.
        today: the date of this node.
        vocabulary: the concepts by which capabilities are compared.
        offer_seconds, review_seconds: how long answers are waited for at most.
    """

    places: Places
    ask: Ask
    today: Callable[[], date]
    vocabulary: Vocabulary
    offer_seconds: float
    review_seconds: float

    def speaker(self, profile: AgentProfile, otherwise: ParticipantFactory) -> Participant:
        """Who speaks for a profile: the agent elsewhere that it is of, else whoever ``otherwise`` names."""
        return RemoteParticipant(profile, self) if profile.agent_id.startswith(REMOTE) else otherwise(profile)


class RemoteParticipant:
    """Speaks for one profile by asking the agent that it is of."""

    def __init__(self, profile: AgentProfile, asking: Asking) -> None:
        self._profile = profile
        self._asking = asking

    async def offer(self, invitation: DemandOffer, *, key: str) -> AgentResponse:
        """Ask for an offer.

        Raises:
            ParticipantUnreachableError: it does not answer, or takes part no more.
            AnswerUnknownError: what it answers does not fit.
        """
        place = await self._place()
        asked = asked_of(invitation)
        body = {INVITATION: asked.model_dump(mode="json")}
        value = await self._answer(Question(place.offer, body, key, self._asking.offer_seconds))
        data = RespondInput(
            agent_profile=self._profile,
            demand=asked.demand,
            filter_reason=asked.filter_reason,
            today=self._asking.today(),
        )
        try:
            return read_offer(value, data, self._asking.vocabulary)
        except RefusedAnswerError as error:
            raise self._unknown(error.reason) from error

    async def review(self, request: ProposalReview, *, key: str) -> ProposalFeedback:
        """Ask what it says to a plan.

        Raises:
            ParticipantUnreachableError, AnswerUnknownError: as `offer`.
        """
        place = await self._place()
        shown = shown_to(self._profile.agent_id, request)
        body = {REQUEST: shown.model_dump(mode="json")}
        value = await self._answer(Question(place.review, body, key, self._asking.review_seconds))
        mine = shown.your_assignments
        data = ReviewInput(
            agent_profile=self._profile,
            proposal=request.proposal,
            my_assignment=mine[0] if mine else None,
            my_assignments=mine,
            demand=shown.demand or DemandUnderstanding(surface_demand=request.proposal.objective),
            round=request.round,
            max_rounds=request.max_rounds,
        )
        try:
            return read_review(value, data)
        except RefusedAnswerError as error:
            raise self._unknown(error.reason) from error

    async def _place(self) -> Place:
        bound = await self._asking.places.find(self._profile.agent_id)
        if bound is None:
            raise ParticipantUnreachableError("it takes part no more")
        return bound.place

    async def _answer(self, question: Question) -> Any:  # noqa: ANN401 - JSON of any shape
        try:
            return await self._asking.ask(question)
        except UpstreamInvalid as error:
            raise self._unknown(error.code) from error
        except StorageError:
            raise
        except MoothallError as error:
            raise ParticipantUnreachableError(error.code) from error

    def _unknown(self, reason: str) -> AnswerUnknownError:
        _log.warning("what %s answers cannot be used: %s", self._profile.agent_id, reason)
        return AnswerUnknownError(UpstreamInvalid.code)
