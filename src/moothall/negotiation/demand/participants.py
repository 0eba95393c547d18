"""Who takes part: the port behind which a persona, a person or a remote agent stands (row NEG-ADR-01)."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, Protocol

from moothall.directory.profiles import AgentProfile
from moothall.llm.decision import Decided
from moothall.negotiation.demand.models import AgentResponse
from moothall.negotiation.demand.plan_models import ProposalFeedback
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview


class Later(Enum):
    """The type of :data:`LATER`."""

    LATER = "later"


LATER: Final = Later.LATER
"""A participant's way to say: my answer will come through the run's inbox, do not wait for this call."""


class ParticipantUnreachableError(Exception):
    """An adapter raises this when its party cannot be reached; the channel goes on without the answer."""


class AnswerUnknownError(Exception):
    """Raised where no answer can be used.

    The participant's model failed and its profile does not answer the question by itself, or what came from elsewhere
    does not fit. It is neither a refusal nor a consent: no offer, or silence (row NEG-FAIL-06). ``code`` is ``E003``,
    ``E004`` or ``UPSTREAM_INVALID``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


OfferAnswer = AgentResponse | Decided[AgentResponse] | Literal[Later.LATER]
ReviewAnswer = ProposalFeedback | Decided[ProposalFeedback] | Literal[Later.LATER]
"""An answer, an answer with its source, or :data:`LATER`."""


class Participant(Protocol):
    """One party of a negotiation.

    ``key`` is the same for every repetition of one request (``<run>/<key>``): a crash can repeat a call, so a party
    with side effects answers a repeated key with its first answer. An implementation may be slow; the channel's
    deadline ends the wait.

    Raises:
        ParticipantUnreachableError: the party cannot be reached.
        AnswerUnknownError: what it would answer cannot be known.
    """

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        """Answer an invitation."""
        ...

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        """Answer a plan."""
        ...


class ParticipantFactory(Protocol):
    """Makes the participant behind an agent's profile; called once per agent and activation of a run."""

    def __call__(self, profile: AgentProfile) -> Participant:
        """Return the party that speaks for ``profile``."""
        ...
