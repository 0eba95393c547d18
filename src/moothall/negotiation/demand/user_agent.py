"""A user's agent in a channel: reads its queue, lets its participant decide, answers (spec C §2.2)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from moothall.directory.profiles import AgentProfile
from moothall.errors import ModelTimeout, ModelUnavailable, UpstreamInvalid
from moothall.llm.decision import Decided, OutT
from moothall.negotiation.demand.deciding import origin
from moothall.negotiation.demand.models import AgentResponse, JsonObject
from moothall.negotiation.demand.participants import (
    LATER,
    AnswerUnknownError,
    Participant,
    ParticipantFactory,
    ParticipantUnreachableError,
)
from moothall.negotiation.demand.plan_models import ProposalFeedback
from moothall.negotiation.demand.post import Letter, Mailbox, PostOffice
from moothall.negotiation.demand.wire import (
    CHANNEL_ADMIN,
    DemandOffer,
    OfferResponse,
    ProposalFeedbackMessage,
    ProposalReview,
)
from moothall.telemetry import logger

_log = logger("negotiation.demand")

UNKNOWN = frozenset({ModelUnavailable.code, ModelTimeout.code, UpstreamInvalid.code})
"""Why an answer can be unknown: a model failed, or what came from elsewhere cannot be used."""


class UserAgent:
    """One invited agent: an actor with a queue of its own.

    It answers with what its :class:`Participant` decided; a participant that answers later, through the run's inbox,
    makes it send a note instead so that the channel knows that no local call is open. So does one whose answer cannot
    be known: its note says ``unknown`` and why, which is neither refusal nor consent.
    """

    def __init__(self, profile: AgentProfile, participants: ParticipantFactory, mailbox: Mailbox) -> None:
        self.profile = profile
        self.status = "active"
        self._participants = participants
        self._participant: Participant | None = None
        self._mailbox = mailbox

    def set_status(self, status: str) -> None:
        """Mark the agent for whoever looks at it: ``active``, or ``withdrawn`` once it said so."""
        self.status = status

    async def run(self) -> None:
        """Answer letters until cancelled."""
        while True:
            await self.handle(await self._mailbox.receive())

    async def handle(self, letter: Letter) -> None:
        """Answer one letter; only the channel admin is heard."""
        if letter.sender != CHANNEL_ADMIN:
            _log.warning("%s ignores a %s of %s", self.profile.agent_id, letter.body.get("type"), letter.sender)
            return
        key = str(letter.meta.get("key", ""))
        try:
            if letter.body["type"] == "demand_offer":
                later = await self._generate_response(DemandOffer.model_validate(letter.body), key)
            else:
                later = await self._evaluate_proposal(ProposalReview.model_validate(letter.body), key)
            if later:
                self._note("later", letter)
        except AnswerUnknownError as error:
            code = error.code if error.code in UNKNOWN else ModelUnavailable.code
            _log.warning("what %s would answer is unknown: %s", self.profile.agent_id, code)
            self._note("unknown", letter, code)
        except ParticipantUnreachableError as error:
            _log.warning("%s cannot be reached: %s", self.profile.agent_id, error)
            self._note("unreachable", letter)
        except Exception:  # noqa: BLE001 - foreign code: its failure is its own silence, the log has the trace
            _log.exception("%s broke while it answered a %s", self.profile.agent_id, letter.body["type"])
            self._note("unreachable", letter)

    async def _generate_response(self, invitation: DemandOffer, key: str) -> bool:
        """Answer an invitation; whether the answer comes later instead."""
        answer = await self._speaker().offer(invitation, key=key)
        if answer is LATER:
            return True
        response, meta = _opened(answer)
        message = OfferResponse(
            channel_id=invitation.channel_id,
            agent_id=self.profile.agent_id,
            display_name=self.profile.user_name,
            round=invitation.round,
            **_fields(response, AgentResponse),
        )
        self._mailbox.send(CHANNEL_ADMIN, message.model_dump(mode="json"), meta)
        return False

    async def _evaluate_proposal(self, request: ProposalReview, key: str) -> bool:
        """Answer a plan; whether the answer comes later instead."""
        answer = await self._speaker().review(request, key=key)
        if answer is LATER:
            return True
        feedback, meta = _opened(answer)
        if feedback.feedback_type == "withdraw":
            self.set_status("withdrawn")
        message = ProposalFeedbackMessage(
            channel_id=request.channel_id,
            agent_id=self.profile.agent_id,
            round=request.round,
            **_fields(feedback, ProposalFeedback),
        )
        self._mailbox.send(CHANNEL_ADMIN, message.model_dump(mode="json"), meta)
        return False

    def _speaker(self) -> Participant:
        """The participant, made when it is first needed, in this agent's own task: a failure is its own silence."""
        if self._participant is None:
            self._participant = self._participants(self.profile)
        return self._participant

    def _note(self, kind: str, letter: Letter, code: str = "") -> None:
        """Say something in place of an answer, and what it is about."""
        about = {"about": letter.body["type"], "round": int(letter.body["round"])}
        self._mailbox.send(CHANNEL_ADMIN, {"type": kind, "agent_id": self.profile.agent_id, **about, "code": code})


def _opened(answer: OutT | Decided[OutT]) -> tuple[OutT, JsonObject]:
    if isinstance(answer, Decided):
        return answer.value, origin(answer)
    return answer, {}


def _fields(answer: BaseModel, model: type[BaseModel]) -> dict[str, Any]:
    return {name: getattr(answer, name) for name in model.model_fields}


class UserAgentFactory:
    """Makes user agents from profiles (the specification's name, spec C §4.5.1)."""

    def __init__(self, participants: ParticipantFactory, office: PostOffice) -> None:
        self._participants = participants
        self._office = office

    def create(self, profile: AgentProfile) -> UserAgent:
        """An agent with its own queue and the participant that speaks for ``profile``."""
        return UserAgent(profile, self._participants, self._office.open(profile.agent_id))
