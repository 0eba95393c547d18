"""Selection: 10 to 20 of the relevant, every requirement served by its best, nobody added to fill up."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

import pytest

from moothall.directory.profiles import Calendar
from moothall.directory.query import Query, Wanted
from moothall.directory.retrieval import rank
from moothall.directory.selection import ENOUGH, PLENTY, choose

if TYPE_CHECKING:
    from moothall.directory.profiles import AgentProfile
    from moothall.directory.query import Ranked
    from tests.directory.conftest import MakeAgent, MakePool

BOTH = Query((Wanted("venue"), Wanted("speaker")), city="北京")


def several(make_agent: MakeAgent, tag: str, count: int, prefix: str, **offer: object) -> list[AgentProfile]:
    return [make_agent(f"{prefix}{number}", tag, **offer) for number in range(count)]


def ids(ranked: tuple[Ranked, ...]) -> list[str]:
    return [one.agent_id for one in ranked]


def served(ranked: tuple[Ranked, ...]) -> Counter[str]:
    return Counter(match.wanted.concept for one in ranked for match in one.matched)


@pytest.mark.requirement("NEG-ARCH-17")
@pytest.mark.parametrize(("venues", "speakers"), [(20, 0), (0, 20), (10, 10), (1, 19), (60, 60), (7, 30)])
def test_of_twenty_or_more_relevant_ten_to_twenty_are_invited(
    make_agent: MakeAgent, make_pool: MakePool, venues: int, speakers: int
) -> None:
    pool = make_pool(*several(make_agent, "场地提供", venues, "v"), *several(make_agent, "演讲嘉宾", speakers, "s"))
    ranked = rank(pool, BOTH)
    assert len(ranked) == venues + speakers
    assert 10 <= len(choose(ranked).invited) <= 20


@pytest.mark.requirement("NEG-ARCH-17")
def test_four_relevant_are_four_invited(make_agent: MakeAgent, make_pool: MakePool) -> None:
    pool = make_pool(*several(make_agent, "场地提供", 4, "v"), *several(make_agent, "瑜伽教学", 30, "y"))
    selection = choose(rank(pool, BOTH))
    assert (len(selection.invited), len(selection.reserve)) == (4, 0)


def test_a_scarce_requirement_is_not_crowded_out(make_agent: MakeAgent, make_pool: MakePool) -> None:
    pool = make_pool(*several(make_agent, "场地提供", 100, "v"), *several(make_agent, "演讲嘉宾", 3, "s", capacity=10))
    selection = choose(rank(pool, Query((Wanted("venue"), Wanted("speaker", 40)), city="北京", attendees=50)))
    assert served(selection.invited)["speaker"] == 3
    assert served(selection.invited)["venue"] >= PLENTY


def test_more_providers_wanted_are_more_invited(make_agent: MakeAgent, make_pool: MakePool) -> None:
    pool = make_pool(*several(make_agent, "场地提供", 40, "v"), *several(make_agent, "演讲嘉宾", 40, "s"))
    invited = choose(rank(pool, Query((Wanted("venue"), Wanted("speaker", count=3)), city="北京"))).invited
    assert served(invited)["speaker"] > 2 * served(invited)["venue"] > 0


def test_each_requirement_gets_its_best(make_agent: MakeAgent, make_pool: MakePool) -> None:
    pool = make_pool(
        *several(make_agent, "场地提供", 30, "plain", price=5000),
        *several(make_agent, "场地提供", 3, "cheap", price=100),
    )
    invited = choose(rank(pool, Query((Wanted("venue"),), budget=6000))).invited
    assert ids(invited)[:3] == ids(tuple(rank(pool, Query((Wanted("venue"),), budget=6000))))[:3]
    assert {f"user_agent_cheap{number}" for number in range(3)} <= set(ids(invited))


def test_invited_and_reserve_together_are_everybody_ranked(make_agent: MakeAgent, make_pool: MakePool) -> None:
    venues = [make_agent(f"v{number}", "场地提供", price=100 + number) for number in range(50)]
    speakers = [make_agent(f"s{number}", "演讲嘉宾", price=100 + number) for number in range(9)]
    ranked = rank(make_pool(*venues, *speakers), BOTH)
    selection = choose(ranked, most=12)
    order = {one.agent_id: place for place, one in enumerate(ranked)}
    assert len(selection.invited) == 12
    assert set(ids(selection.invited)) | set(ids(selection.reserve)) == set(order)
    assert not set(ids(selection.invited)) & set(ids(selection.reserve))
    assert [order[one] for one in ids(selection.invited)] == sorted(order[one] for one in ids(selection.invited))


def test_related_agents_come_where_the_right_ones_are_few(make_agent: MakeAgent, make_pool: MakePool) -> None:
    related = several(make_agent, "共享办公", 8, "near")
    few = choose(rank(make_pool(*several(make_agent, "场地提供", 1, "v"), *related), BOTH), most=5).invited
    assert sum("near" in one for one in ids(few)) >= ENOUGH - 1
    enough = choose(rank(make_pool(*several(make_agent, "场地提供", 12, "v"), *related), BOTH)).invited
    assert not any("near" in one for one in ids(enough)[:PLENTY])


def test_agents_that_cannot_come_are_asked_only_where_nobody_else_serves(
    make_agent: MakeAgent, make_pool: MakePool
) -> None:
    away = [make_agent(f"away{number}", "场地提供", fields={"location": "上海"}) for number in range(9)]
    alone = choose(rank(make_pool(*away), BOTH))
    assert (len(alone.invited), len(alone.reserve)) == (ENOUGH, 9 - ENOUGH)
    beside = choose(rank(make_pool(*away, make_agent("here", "场地提供")), BOTH))
    assert ids(beside.invited) == ["user_agent_here"]


def test_a_duplicate_keeps_the_order_of_the_others(make_agent: MakeAgent, make_pool: MakePool) -> None:
    venues = [make_agent(f"v{number}", "场地提供", price=100 + number) for number in range(5)]
    twin = make_agent("twin", "场地提供", price=102)
    before = ids(choose(rank(make_pool(*venues), Query((Wanted("venue"),), budget=500))).invited)
    after = ids(choose(rank(make_pool(*venues, twin), Query((Wanted("venue"),), budget=500))).invited)
    assert [one for one in after if one != "user_agent_twin"] == before


def test_nobody_ranked_is_nobody_invited() -> None:
    assert choose([]).invited == ()


def dated(make_agent: MakeAgent, name: str, tag: str, price: float, *busy: str) -> AgentProfile:
    """An agent that is busy on these days of the window."""
    made = make_agent(name, tag, price=price)
    terms = made.capabilities.model_copy(update={"calendar": Calendar(blackout=busy)})
    return made.model_copy(update={"capabilities": terms})


def test_those_are_invited_of_whom_a_team_can_be_made_on_one_day(make_agent: MakeAgent, make_pool: MakePool) -> None:
    """Thirty cheap venues are free when no speaker is; the two dear ones that a team needs get their seats."""
    first, second = "2027-03-01", "2027-03-02"
    pool = [dated(make_agent, f"cheap{number}", "场地提供", 100 + number, second) for number in range(30)]
    pool += [dated(make_agent, f"dear{number}", "场地提供", 900 + number, first) for number in range(2)]
    pool += [dated(make_agent, f"speaker{number}", "演讲嘉宾", 500 + number, first) for number in range(4)]
    window = Query(
        (Wanted("venue"), Wanted("speaker")), city="北京", date_start=date(2027, 3, 1), date_end=date(2027, 3, 2)
    )
    invited = set(ids(choose(rank(make_pool(*pool), window), most=8).invited))
    assert {"user_agent_dear0", "user_agent_dear1", "user_agent_speaker0", "user_agent_speaker1"} <= invited


def test_one_agent_under_many_names_takes_nobodys_seat(make_agent: MakeAgent, make_pool: MakePool) -> None:
    honest = [make_agent(f"v{number}", "场地提供", price=200 + number) for number in range(6)]
    many = [make_agent(f"same{number}", "场地提供", price=100) for number in range(30)]
    one = ids(choose(rank(make_pool(*honest, many[0]), Query((Wanted("venue"),))), most=6).invited)
    crowd = ids(choose(rank(make_pool(*honest, *many), Query((Wanted("venue"),))), most=6).invited)
    assert [name for name in crowd if "same" not in name] == [name for name in one if "same" not in name]


def test_where_only_agents_elsewhere_have_the_capability_they_are_asked_beside_the_related(
    make_agent: MakeAgent, make_pool: MakePool
) -> None:
    near = several(make_agent, "活动策划", 4, "near")
    far = make_agent("far", "婚礼策划", fields={"location": "广州"})
    pool = make_pool(*near, far)
    invited = ids(choose(rank(pool, Query((Wanted("婚礼策划"),), city="北京"))).invited)
    assert far.agent_id in invited
    able = make_agent("able", "婚礼策划")
    selection = choose(rank(make_pool(*near, far, able), Query((Wanted("婚礼策划"),), city="北京")))
    assert able.agent_id in ids(selection.invited)
    assert far.agent_id in ids(selection.reserve)
