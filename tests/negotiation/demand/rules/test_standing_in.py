"""Whom an open place could go to: offers that fit the plan as it is, and nobody else."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from moothall.negotiation.demand.plan_models import Assignment, Proposal
from moothall.negotiation.demand.rules.standing_in import Vacancies
from tests.negotiation.demand.rules.worlds import (
    LEXICA,
    TODAY,
    World,
    agent,
    demand,
    play,
    proposal,
)

NEEDS = demand("venue", "speaker", city="beijing", counts={"speaker": 2}, date_start=date(2027, 2, 1), budget=6000)
HALL = agent("hall", {"tag": "场地提供", "price": 3000})
FIRST = agent("first", {"tag": "演讲嘉宾", "price": 900})


def guest(name: str, price: float = 1000, **more: Any) -> Any:
    offer = {"tag": "演讲嘉宾", "price": price, **more.pop("offer", {})}
    return agent(name, offer, **more)


async def planned(needs: Any = NEEDS) -> Proposal:
    """The plan with a hall and one speaker of two, on a Friday."""
    played = await play(World(needs, [HALL, FIRST]), rounds=1)
    plan = proposal(played.plans[0], 1)
    return plan.model_copy(update={"timeline": plan.timeline.model_copy(update={"start_date": "2027-02-05"})})


async def chosen(*guests: Any, needs: Any = NEEDS, asked: tuple[str, ...] = ()) -> list[Assignment]:
    """What the guests would do in that plan."""
    offers = (await play(World(needs, [HALL, FIRST, *guests]), rounds=1)).offers
    return list(await Vacancies(needs, await planned(needs), offers, asked, TODAY, 0, LEXICA).stand_ins())


async def test_the_cheapest_offer_that_fits_takes_the_place_at_its_own_price() -> None:
    (found,) = await chosen(guest("dear", 1400), guest("cheap", 1100))
    assert (found.agent_id, found.price, found.quantity) == ("user_agent_cheap", 1100, 1)
    assert found.role == "演讲嘉宾"
    assert "2027年2月5日" in found.responsibility


async def test_who_is_in_the_plan_or_was_asked_already_is_passed_over() -> None:
    (found,) = await chosen(guest("dear", 1400), guest("cheap", 1100), asked=("user_agent_cheap",))
    assert found.agent_id == "user_agent_dear"
    assert await chosen() == []


@pytest.mark.parametrize(
    "unfit",
    [
        guest("busy", calendar={"weekdays": [0, 1, 2, 3]}),
        guest("dear", 2800),
        agent("cook", {"tag": "茶歇餐饮", "price": 500}),
        guest("foreign", offer={"currency": "USD"}),
    ],
    ids=["on another day", "beyond the money that is left", "another trade", "another currency"],
)
async def test_an_offer_that_does_not_fit_is_none(unfit: Any) -> None:
    assert await chosen(unfit) == []


async def test_what_is_left_of_the_budget_may_be_a_little_less_than_asked() -> None:
    (found,) = await chosen(guest("dear", 2500))
    assert found.price == 2100


async def test_a_team_that_is_bound_to_one_city_takes_nobody_from_another() -> None:
    anywhere = demand("venue", "speaker", counts={"speaker": 2}, date_start=date(2027, 2, 1))
    far, near = guest("far", 500, city="上海"), guest("near", 1500)
    (found,) = await chosen(far, near, needs=anywhere)
    assert found.agent_id == "user_agent_near"


async def test_what_a_stand_in_requires_counts_as_met_where_the_plan_has_it() -> None:
    needy = guest("needy", 950, offer={"conditions": [{"kind": "requires", "tag": "场地提供"}]})
    (found,) = await chosen(needy, guest("plain", 1000))
    assert found.agent_id == "user_agent_needy"
    assert [(item.kind, item.status) for item in found.conditions] == [("requires", "met")]
