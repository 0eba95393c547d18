"""Agents of another node take part over each protocol; what they answer is a stranger's claim (row NEG-ADR-01)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from moothall import DemandAgent, DemandInvitation, Node, OfferReply, PlanReview, ReviewReply
from moothall.directory.profiles import AgentProfile
from moothall.errors import InvalidInput
from tests.doors.house import served
from tests.support.demand import negotiate, of_type, profile

DEMAND = "我想在北京办一场50人的AI主题聚会，预算20000元，需要场地、嘉宾、策划和摄影"
WAYS = ("did", "a2a", "mcp", "https")


class Open(DemandAgent):
    """By its profile, for whoever asks: a client of MCP here proves nothing."""

    capability_defaults: ClassVar[Mapping[str, Any]] = {"access": "public"}
    asked: list[Any]

    def __init__(self, name: str, of: AgentProfile) -> None:
        super().__init__(name, of)
        self.asked = []

    async def offer(self, invitation: DemandInvitation) -> OfferReply:
        self.asked.append(invitation)
        return await super().offer(invitation)

    async def review(self, request: PlanReview) -> ReviewReply:
        self.asked.append(request)
        return await super().review(request)


class Picky(Open):
    """Cannot do anything with an invitation."""

    async def offer(self, invitation: DemandInvitation) -> OfferReply:
        self.asked.append(invitation)
        raise InvalidInput("not like this")


AGENTS = {
    "did": profile("venue", "场地提供", price=3000),
    "a2a": profile("speaker", "演讲嘉宾", price=2000),
    "mcp": profile("planner", "活动策划", price=1500),
    "https": profile("camera", "摄影", price=1000),
}


def target(far: Node, way: str) -> str:
    identity = far.host.office.agent(way)
    assert identity is not None
    return {
        "did": identity.did.text,
        "a2a": f"a2a:{far.url}/agents/{way}",
        "mcp": f"mcp:far.{way}",
        "https": f"{far.url}/api/v1/capabilities/{way}",
    }[way]


async def test_agents_of_another_node_negotiate_over_each_of_four_protocols(tmp_path: Path) -> None:
    far_agents = {way: Open(way, of) for way, of in AGENTS.items()}
    picky = Picky("picky", profile("picky", "摄影", price=900))
    async with served(tmp_path / "far", *far_agents.values(), picky) as far:
        mcp = {"far": {"url": f"{far.url}/mcp"}}
        async with served(tmp_path / "near", mcp=mcp) as near:
            await near.call("local:participants.add", target=f"{far.url}/api/v1/capabilities/picky")
            guests = {way: await near.call("local:participants.add", target=target(far, way)) for way in WAYS}
            events = await negotiate(near, DEMAND)
    offers = {each["agent_id"]: each for each in of_type(events, "offer.submitted")}
    assert offers.keys() == {guest.agent_id for guest in guests.values()}
    assert len(picky.asked) == 1  # it was asked under a key, and is not asked again without one
    (final,) = of_type(events, "proposal.finalized")
    plan = final["final_proposal"]
    assert {item["agent_id"] for item in plan["assignments"]} == offers.keys()
