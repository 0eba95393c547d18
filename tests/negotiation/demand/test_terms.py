"""An offer that promises more than its card comes after one that agrees with it, and is taken where there is no other."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from moothall.negotiation.demand.models import AgentResponse, Term
from tests.support.demand import Script, negotiate, of_type, profile, running

DEMAND = "我想在2027年3月1日到3月5日之间在北京办一场30人的聚会，需要场地提供"
DAYS = tuple(date(2027, 3, day) for day in range(1, 6))


def offer(price: float, dates: tuple[date, ...] | None = None) -> AgentResponse:
    term = Term(tag="场地提供", concept="venue", price=price, dates=dates)
    return AgentResponse(decision="participate", contribution="场地", terms=(term,))


async def venue_of(data: Path, answer: AgentResponse, *others: str) -> str:
    """Who gets the venue when ``bold``, whose card says 2000 and never on a weekday, answers with this."""
    bold = profile("bold", "场地提供", price=2000)
    terms = bold.capabilities.model_copy(
        update={"calendar": bold.capabilities.calendar.model_copy(update={"weekdays": (5, 6)})}
    )
    pool = [bold.model_copy(update={"capabilities": terms}), profile("planner", "活动策划", price=900)]
    pool += [profile(name, "场地提供", price=2100) for name in others]
    async with running(data, pool, {"bold": Script(answer)}) as node:
        events = await negotiate(node, DEMAND)
    plan = of_type(events, "proposal.distributed")[0]["proposal"]["assignments"]
    return str(next(item["agent_id"] for item in plan if item["concept"] == "venue"))


@pytest.mark.parametrize("answer", [offer(1000), offer(1900, DAYS)], ids=["half the price", "days that are taken"])
async def test_more_than_the_card_promises_comes_second(tmp_path: Path, answer: AgentResponse) -> None:
    assert await venue_of(tmp_path / "beside", answer, "sober") == "user_agent_sober"
    assert await venue_of(tmp_path / "alone", answer) == "user_agent_bold"


async def test_a_modest_discount_is_taken(tmp_path: Path) -> None:
    assert await venue_of(tmp_path, offer(1600), "sober") == "user_agent_bold"
