"""What an agent asks for in a review is its last word: its offer stands changed in every later round."""

from __future__ import annotations

from pathlib import Path

from moothall.negotiation.demand.models import AgentResponse, Term
from tests.support.demand import WITHDRAW, Script, negotiate, of_type, profile, running, wish

DEMAND = "我想在2027年3月1日到3月5日之间在北京办一场30人的聚会，需要场地提供"


def bait(price: float) -> AgentResponse:
    """A venue, cheaper than its card says."""
    return AgentResponse(
        decision="participate", contribution="场地", terms=(Term(tag="场地提供", concept="venue", price=price),)
    )


async def test_a_price_taken_back_does_not_return_in_a_later_round(tmp_path: Path) -> None:
    """The bait is asked more than the others, is replaced, and stays replaced when the replacement leaves."""
    pool = [
        profile("bait", "场地提供", price=1100),
        profile("fair", "场地提供", price=1200),
        profile("steady", "场地提供", price=1500),
        profile("planner", "活动策划", price=900),
    ]
    scripts = {
        "bait": Script(bait(800), [wish(price=2000), WITHDRAW]),
        "fair": Script(None, [None, WITHDRAW]),
    }
    async with running(tmp_path, pool, scripts) as node:
        events = await negotiate(node, DEMAND)
    plans = [item["proposal"]["assignments"] for item in of_type(events, "proposal.distributed")]
    venues = [next(item["agent_id"] for item in plan if item["concept"] == "venue") for plan in plans]
    assert venues == [f"user_agent_{name}" for name in ("bait", "fair", "steady")]
    assert of_type(events, "proposal.finalized")
