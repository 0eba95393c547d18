"""A node in which one agent is spoken for by your own code; all others decide from their profiles.

moot serve examples/remote_participant.py
moot demand "我想在北京办一场AI主题聚会，需要场地和嘉宾" --watch
"""

from moothall import Node
from moothall.directory.profiles import AgentProfile
from moothall.negotiation.demand.models import AgentResponse
from moothall.negotiation.demand.participants import Participant
from moothall.negotiation.demand.plan_models import ProposalFeedback
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview

MOST_PEOPLE = 60


class Hall:
    """Speaks for one venue. Replace the bodies by a call to your own system; ``key`` marks a repeated call."""

    async def offer(self, invitation: DemandOffer, *, key: str) -> AgentResponse:
        """Answer an invitation."""
        people = invitation.demand.constraints.attendees or 0
        if people > MOST_PEOPLE:
            return AgentResponse(decision="decline", decline_reason=f"最多容纳{MOST_PEOPLE}人")
        return AgentResponse(
            decision="participate", contribution=f"可提供{MOST_PEOPLE}人活动空间", reasoning=f"请求 {key}"
        )

    async def review(self, request: ProposalReview, *, key: str) -> ProposalFeedback:
        """Answer a plan."""
        return ProposalFeedback(feedback_type="accept", reasoning=f"同意第 {request.round} 轮方案（{key}）")


def participant(profile: AgentProfile) -> Participant:
    """Who speaks for an agent."""
    return Hall() if profile.agent_id == "user_agent_qingshe_space" else node.persona(profile)


node = Node(participants=participant)
