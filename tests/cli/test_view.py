"""The view of a negotiation is a pure reduction of its events."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pytest

from moothall.cli.render.view import View
from tests.cli.recorded import AGREED, FAILED, PLAN, START, event


def seen(events: list[dict[str, Any]]) -> View:
    return reduce(View.apply, events, View())


def test_an_empty_view_runs_and_knows_nothing() -> None:
    assert (View().result, View().offers, View().ended) == ("running", 0, False)


def test_the_middle_of_a_negotiation_shows_round_offers_answers_and_deadline() -> None:
    view = seen(START)
    assert (view.demand_id, view.demand) == ("d-0000cafe", "在北京办一场聚会")
    assert (view.phase, view.round, view.max_rounds) == ("negotiating", 1, 3)
    assert (view.offers, view.invited) == (3, 3)
    assert (view.tally.accept, view.tally.negotiate, view.tally.default) == (1, 1, 1)
    assert view.deadline == "2026-11-21T10:02:00.000Z"
    assert view.plan == PLAN
    assert view.uncertainties == ("没有说明日期",)


def test_an_agent_is_shown_with_what_it_said_last() -> None:
    agents = seen(START).agents
    assert (agents["user_agent_hall"].state, agents["user_agent_hall"].silent) == ("accept", True)
    assert (agents["user_agent_mei"].state, agents["user_agent_mei"].words) == ("negotiate", "later")
    assert (agents["user_agent_hu"].state, agents["user_agent_hu"].words) == ("decline", "没空")


def test_a_new_plan_starts_a_new_count() -> None:
    view = seen([*START, event(14, "proposal.distributed", proposal=PLAN, round=2)])
    assert (view.tally.accept, view.tally.negotiate, view.round) == (0, 0, 2)


def test_a_plan_with_open_ends_is_partial_and_says_what_is_open() -> None:
    view = seen(AGREED)
    assert (view.result, view.phase, view.round) == ("partial", "finalized", 2)
    assert view.unconfirmed == ("user_agent_hall",)
    assert [gap["gap_type"] for gap in view.gaps] == ["摄影"]
    assert [(subnet.gap, subnet.outcome) for subnet in view.subnets] == [("摄影", "failed")]
    assert view.deadline == ""


def test_a_failure_keeps_the_last_plan_and_the_advice() -> None:
    view = seen(FAILED)
    assert (view.result, view.reason, view.code) == ("failed", "核心角色退出", "E005")
    assert view.plan == PLAN
    assert view.suggestions == ("换一天",)
    assert view.agents["user_agent_hall"].state == "withdraw"
    assert view.agents["user_agent_old"].state == "invited"
    assert view.invited == 4


def test_full_agreement_is_full() -> None:
    assert seen([event(0, "proposal.finalized", final_proposal=PLAN, consensus="full")]).result == "full"


def test_the_view_of_a_prefix_does_not_depend_on_what_follows() -> None:
    before = seen(START)
    seen(AGREED)
    assert before == seen(START)


def test_unknown_events_and_missing_keys_do_no_harm() -> None:
    view = seen([event(0, "something.new", any="thing")])
    assert (view.seen, view.result) == (1, "running")
    for row in AGREED + FAILED:
        bare = {**row, "payload": {}}
        assert View().apply(bare).seen == 1


@pytest.mark.parametrize("count", range(len(AGREED) + 1))
def test_every_event_is_counted(count: int) -> None:
    assert seen(AGREED[:count]).seen == count


def test_a_degraded_answer_is_remembered() -> None:
    assert seen([event(0, "demand.understood", degraded=True), event(1, "channel.created")]).degraded
