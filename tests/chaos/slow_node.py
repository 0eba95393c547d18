"""The node that is killed: twenty speakers who answer after 50 to 200 ms; a third of them ask for more in round 1."""

from __future__ import annotations

import asyncio
import random

from moothall.directory.profiles import AgentProfile
from moothall.negotiation.demand.participants import OfferAnswer, Participant, ReviewAnswer
from moothall.negotiation.demand.plan_models import ProposalFeedback
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node

PARTIES = 20
DEMAND = "我想在北京办一场AI主题聚会，需要20位嘉宾"


class Slow:
    """A persona that takes its time, as people and remote agents do; the wait is the party's, not the engine's."""

    def __init__(self, persona: Participant, agent_id: str) -> None:
        self._persona = persona
        self._agent_id = agent_id

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        await self._think(key)
        return await self._persona.offer(invitation, key=key)

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        await self._think(key)
        if request.round > 1 or int(self._agent_id[-2:]) % 3:
            return ProposalFeedback(feedback_type="accept", reasoning="同意")
        mine = request.proposal.of(self._agent_id)[0]
        changes = {"price": mine.price + 10, "reason": "交通费"}
        return ProposalFeedback(feedback_type="negotiate", adjustment_request="加交通费", proposed_changes=changes)

    @staticmethod
    async def _think(key: str) -> None:
        await asyncio.sleep(random.Random(key).uniform(0.05, 0.2))


def _speaker(profile: AgentProfile) -> Participant:
    return Slow(node.persona(profile), profile.agent_id)


node = Node(participants=_speaker)
