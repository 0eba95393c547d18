"""An agent that takes part in the negotiations of other nodes; it decides by its own code.

MOOTHALL_EGRESS_ALLOW=http://localhost moot serve examples/participant.py --port 8421 --data two
MOOTHALL_EGRESS_ALLOW=http://localhost moot serve                         the node that asks
moot participants add http://localhost:8421/api/v1/capabilities/hall      at that node, or: add DID
moot demand "我想在北京办一场50人的AI主题聚会，需要场地和嘉宾" --watch
"""

from moothall import DemandAgent, DemandInvitation, Node, OfferReply, PlanReview, ReviewReply

SUMMARY = "青社大厅位于北京，提供可容纳六十人的活动空间，配有投影、音响与无线网络，适合技术聚会与读书会。" * 5
PROFILE = {
    "agent_id": "user_agent_hall",
    "user_name": "青社大厅",
    "profile_summary": SUMMARY,
    "location": "北京",
    "tags": ["场地提供"],
}


class Hall(DemandAgent):
    async def offer(self, invitation: DemandInvitation) -> OfferReply:
        if (invitation.demand.constraints.attendees or 0) > 60:
            return OfferReply(decision="decline", decline_reason="最多容纳60人")
        return OfferReply(decision="participate", contribution="60人活动厅，含投影与音响", price=3000)

    async def review(self, request: PlanReview) -> ReviewReply:
        return ReviewReply(feedback_type="accept", reasoning=f"同意第{request.round}轮方案")


node = Node()
node.add(Hall("hall", PROFILE))
