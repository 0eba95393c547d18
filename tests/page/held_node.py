"""The node that is killed: its participants review a plan only when the file ``open`` lies in the data directory."""

from __future__ import annotations

import asyncio

from moothall.directory.profiles import AgentProfile
from moothall.negotiation.demand.participants import OfferAnswer, Participant, ReviewAnswer
from moothall.negotiation.demand.plan_models import ProposalFeedback
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node


class Held:
    """A persona that waits for the file, and once asks for more."""

    def __init__(self, persona: Participant, agent_id: str) -> None:
        self._persona = persona
        self._agent_id = agent_id

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        return await self._persona.offer(invitation, key=key)

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        while not (node.settings.data / "open").exists():  # noqa: ASYNC110 - another process opens it
            await asyncio.sleep(0.02)
        if request.round > 1 or not self._agent_id.endswith("venue"):
            return ProposalFeedback(feedback_type="accept", reasoning="同意")
        return ProposalFeedback(
            feedback_type="negotiate", adjustment_request="加价", proposed_changes={"price": 1100, "reason": "加价"}
        )


def _speaker(profile: AgentProfile) -> Participant:
    return Held(node.persona(profile), profile.agent_id)


node = Node(participants=_speaker)
