"""Prompt 6 by a model: every request has a true answer, and who asked for nothing keeps what was agreed."""

from __future__ import annotations

from typing import Any

import pytest

from moothall.negotiation.demand.models import Condition
from moothall.negotiation.demand.plan_models import Feedback
from tests.negotiation.demand.model.plans import (
    DAYS,
    GOOD,
    HALL,
    PAIR,
    VOICE,
    adjust,
    answered,
    assignment,
    offer,
    plan,
    refused,
    role,
    says,
    term,
)
from tests.negotiation.demand.model.voices import BRIEFS
from tests.negotiation.demand.rules.worlds import demand

LOFT = offer("loft", term("venue", 1500))
RAISED = [role("hall", "场地提供", price=2200), role("voice", "演讲嘉宾")]
TOLD = [{"agent_id": "user_agent_voice", "field": "price", "reason": "一视同仁"}]
YES = [{"agent_id": "user_agent_hall", "field": "price", "reason": "成本确实涨了"}]


def said(
    *, addressed: Any = (), declined: Any = (), changed: Any = (), number: object = 2, **changes: Any
) -> dict[str, Any]:
    summary = {
        "round": number,
        "changes_made": changed,
        "requests_addressed": addressed,
        "requests_declined": declined,
    }
    return {**GOOD, "adjustment_summary": summary, **changes}


@pytest.mark.requirement("NEG-PROMPT-6a")
async def test_a_price_that_is_granted_stands_in_the_plan_and_in_the_summary() -> None:
    data = adjust(says("hall", "negotiate", price=2200), says("voice"))
    after = await answered("adjust", data, said(addressed=YES, assignments=RAISED))
    assert [item.price for item in after.assignments] == [2200, 800]
    assert after.cost.total == 3000
    summary = after.adjustment_summary
    assert summary.round == 2
    (entry,) = summary.requests_addressed
    assert (entry["field"], entry["requested"], entry["result"], entry["reason"]) == (
        "price",
        2200,
        2200,
        "成本确实涨了",
    )
    assert [(item["agent_id"], item["field"], item["to"]) for item in summary.changes_made] == [
        ("user_agent_hall", "price", 2200)
    ]


@pytest.mark.requirement("NEG-PROMPT-6a")
async def test_a_request_that_is_declined_needs_a_reason_and_changes_nothing() -> None:
    data = adjust(says("hall", "negotiate", price=2200), says("voice"))
    no = [{"agent_id": "user_agent_hall", "field": "price", "reason": "预算不够"}]
    after = await answered("adjust", data, said(declined=no))
    assert [item.price for item in after.assignments] == [2000, 800]
    assert after.adjustment_summary.requests_declined[0]["reason"] == "预算不够"
    assert after.adjustment_summary.changes_made == ()
    worded = await answered("adjust", data, said(declined="user_agent_hall 的加价超出预算"))
    assert worded.adjustment_summary.requests_declined[0]["reason"] == "user_agent_hall 的加价超出预算"


@pytest.mark.requirement("NEG-PROMPT-6a")
@pytest.mark.parametrize(
    ("reply", "about"),
    [
        (said(), "not answered"),
        (said(declined=[{"agent_id": "user_agent_hall", "field": "price"}]), "not answered"),
        (said(addressed=YES), "called addressed, and the plan does not do it"),
        (said(addressed=YES, assignments=RAISED, number=3), "this is round 2"),
        (said(addressed=YES, assignments=[role("hall", "场地提供", price=2300), RAISED[1]]), "asks 2200"),
        (
            said(addressed=YES, assignments=[RAISED[0], role("voice", "演讲嘉宾", price=700)]),
            "the terms of user_agent_voice changed unsaid",
        ),
        (said(addressed=YES, assignments=RAISED[:1]), "the terms of user_agent_voice changed unsaid"),
        (said(addressed=YES, changed=TOLD, assignments=[RAISED[0], role("voice", "演讲嘉宾", price=900)]), "asks 800"),
        (said(addressed=YES, assignments=[]), "assigns nobody"),
    ],
)
async def test_what_is_not_true_or_not_said_is_refused(reply: dict[str, Any], about: str) -> None:
    await refused("adjust", adjust(says("hall", "negotiate", price=2200), says("voice")), reply, about)


@pytest.mark.requirement("NEG-PROMPT-6a")
async def test_a_change_to_somebody_who_accepted_has_to_be_announced() -> None:
    data = adjust(
        says("hall", "negotiate", price=2200), says("voice"), offers=(*PAIR, offer("echo", term("speaker", 700)))
    )
    roles = [RAISED[0], role("echo", "演讲嘉宾")]
    await refused("adjust", data, said(addressed=YES, assignments=roles), "changed unsaid")
    told = [{"agent_id": "user_agent_voice", "field": "role_removed", "reason": "换成更近的嘉宾"}]
    after = await answered("adjust", data, said(addressed=YES, changed=told, assignments=roles))
    changes = {(item["agent_id"], item["field"]): item["reason"] for item in after.adjustment_summary.changes_made}
    assert changes["user_agent_voice", "role_removed"] == "换成更近的嘉宾"
    assert ("user_agent_echo", "role_added") in changes


@pytest.mark.requirement("NEG-PROMPT-6a")
async def test_who_withdrew_is_not_in_the_plan_and_another_offer_takes_over() -> None:
    data = adjust(says("hall", "withdraw"), says("voice"), offers=(LOFT, VOICE), withdrawn=("user_agent_hall",))
    await refused("adjust", data, said(), "withdrew")
    after = await answered("adjust", data, said(assignments=[role("loft", "场地提供"), role("voice", "演讲嘉宾")]))
    assert [(item.agent_id, item.price) for item in after.assignments] == [
        ("user_agent_loft", 1500),
        ("user_agent_voice", 800),
    ]


@pytest.mark.requirement("NEG-PROMPT-6a")
async def test_a_day_moves_for_everybody_or_for_nobody() -> None:
    data = adjust(says("hall", "negotiate", date="2027-01-21"), says("voice"))
    yes = [{"agent_id": "user_agent_hall", "field": "date", "reason": "大家都有空"}]
    await refused("adjust", data, said(addressed=yes), "does not do it")
    after = await answered("adjust", data, said(addressed=yes, timeline={"start_date": "2027-01-21"}))
    assert after.timeline.start_date == "2027-01-21"
    assert {item["agent_id"] for item in after.adjustment_summary.changes_made} == {
        "user_agent_hall",
        "user_agent_voice",
    }


async def test_a_draft_without_a_day_keeps_the_day_of_the_plan() -> None:
    before = plan(assignment(HALL), assignment(VOICE), day=DAYS[1])
    data = adjust(says("hall", "negotiate", price=2200), says("voice"), current_proposal=before)
    after = await answered("adjust", data, said(addressed=YES, assignments=RAISED, timeline={}))
    assert after.timeline.start_date == "2027-01-21"
    assert [item["field"] for item in after.adjustment_summary.changes_made] == ["price"]


async def test_the_last_word_on_a_condition_is_a_reason_and_nothing_stays_open() -> None:
    ask = Condition(text="要有停车位")
    hall = offer("hall", term("venue", 2000, conditions=(ask,)))
    before = plan(assignment(hall), assignment(VOICE))
    data = adjust(
        says("hall", "negotiate", other="要有停车位"), says("voice"), offers=(hall, VOICE), current_proposal=before
    )
    met = role("hall", "场地提供", conditions=[{"condition": "要有停车位", "status": "met", "reason": "可停后院"}])
    yes = [{"agent_id": "user_agent_hall", "field": "other", "reason": "可停后院"}]
    after = await answered("adjust", data, said(addressed=yes, assignments=[met, role("voice", "演讲嘉宾")]))
    assert [item.status for item in after.assignments[0].conditions] == ["met"]
    await refused("adjust", data, said(addressed=yes), "does not do it")
    no = [{"agent_id": "user_agent_hall", "field": "other", "reason": "没有停车位"}]
    declined = await answered("adjust", data, said(declined=no))
    assert [item.status for item in declined.assignments[0].conditions] == ["declined"]


async def test_a_role_can_be_given_up_and_a_text_be_changed() -> None:
    both = offer("both", term("venue", 2000), term("speaker", 800))
    before = plan(
        assignment(both), assignment(both).model_copy(update={"concept": "speaker", "price": 800, "role": "嘉宾"})
    )
    data = adjust(
        says("both", "negotiate", drop_role="演讲嘉宾", responsibility="只管场地，不管茶水"),
        offers=(both, VOICE),
        current_proposal=before,
    )
    yes = [{"agent_id": "user_agent_both", "field": "", "reason": "可以"}]
    roles = [role("both", "场地提供", responsibility="只管场地，不管茶水"), role("voice", "演讲嘉宾")]
    after = await answered("adjust", data, said(addressed=yes, assignments=roles))
    results = {entry["field"]: entry["result"] for entry in after.adjustment_summary.requests_addressed}
    assert results == {"drop_role": True, "responsibility": "只管场地，不管茶水"}


async def test_the_budget_holds_in_every_round() -> None:
    data = adjust(says("hall", "negotiate", price=2200), says("voice"), demand=demand("venue", "speaker", budget=2900))
    await refused("adjust", data, said(addressed=YES, assignments=RAISED), "the budget is 2900")


@pytest.mark.requirement("NEG-PROMPT-6a")
@pytest.mark.parametrize("price", [0, 640, 799])
@pytest.mark.parametrize("speaks", [says("voice"), says("voice", "negotiate", date=DAYS[0].isoformat())])
async def test_nobody_is_paid_less_than_before_unless_it_asked_for_less(price: float, speaks: Feedback) -> None:
    data = adjust(says("hall", "negotiate", price=2200), speaks)
    roles = [RAISED[0], role("voice", "演讲嘉宾", price=price)]
    day = [{"agent_id": "user_agent_voice", "field": "date", "reason": "正是这一天"}]
    reply = said(addressed=[*YES, *day], changed=TOLD, assignments=roles)
    await refused("adjust", data, reply, "too little for user_agent_voice")


async def test_who_asks_for_less_is_paid_less() -> None:
    data = adjust(says("hall", "negotiate", price=1500), says("voice"))
    roles = [role("hall", "场地提供", price=1500), role("voice", "演讲嘉宾")]
    after = await answered("adjust", data, said(addressed=YES, assignments=roles))
    assert [item.price for item in after.assignments] == [1500, 800]
    lower = [role("hall", "场地提供", price=1499), role("voice", "演讲嘉宾")]
    await refused("adjust", data, said(declined=YES, assignments=lower), "too little for user_agent_hall")


async def test_silence_is_no_consent_to_another_role() -> None:
    voice = offer("voice", term("speaker", 800), term("photography", 300))
    data = adjust(
        says("hall", "negotiate", price=2200),
        says("voice"),
        offers=(HALL, voice),
        demand=demand("venue", "speaker", "photography"),
    )
    roles = [RAISED[0], role("voice", "摄影")]
    await refused("adjust", data, said(addressed=YES, changed=TOLD, assignments=roles), "another role")


@pytest.mark.requirement("NEG-PROMPT-6a")
@pytest.mark.parametrize(
    ("prices", "about"),
    [((2400, 2400), "asks 2400"), ((1900, 501), "asks 2400"), ((1900, 500), ""), ((1400, 1000), "")],
)
async def test_a_requested_price_is_for_all_roles_together(prices: tuple[float, float], about: str) -> None:
    both = offer("both", term("venue", 1000), term("speaker", 1000))
    part = assignment(both).model_copy(update={"concept": "speaker", "role": "演讲嘉宾"})
    data = adjust(says("both", "negotiate", price=2400), offers=(both,), current_proposal=plan(assignment(both), part))
    yes = [{"agent_id": "user_agent_both", "field": "price", "reason": "合理"}]
    roles = [role("both", tag, price=price) for tag, price in zip(("场地提供", "演讲嘉宾"), prices, strict=True)]
    reply = said(addressed=yes, assignments=roles)
    if about:
        await refused("adjust", data, reply, about)
    else:
        after = await answered("adjust", data, reply)
        assert after.cost.total == 2400
        assert after.adjustment_summary.requests_addressed[0]["result"] == 2400


@pytest.mark.requirement("NEG-PROMPT-6a")
async def test_what_a_plan_does_not_have_can_only_be_declined() -> None:
    data = adjust(says("hall", "negotiate", deposit="50% upfront"), says("voice"))
    entry = [{"agent_id": "user_agent_hall", "field": "deposit", "reason": "可以先付"}]
    reworded = [role("hall", "场地提供", responsibility="换个说法"), role("voice", "演讲嘉宾")]
    await refused("adjust", data, said(addressed=entry, assignments=reworded), "does not do it")
    after = await answered("adjust", data, said(declined=entry, assignments=reworded))
    assert [item["field"] for item in after.adjustment_summary.requests_declined] == ["deposit"]


@pytest.mark.requirement("NEG-PROMPT-6a")
async def test_a_price_granted_in_part_says_so_and_one_that_hardly_moves_is_not_granted() -> None:
    data = adjust(says("hall", "negotiate", price=2400), says("voice"))
    part = await answered(
        "adjust",
        data,
        said(addressed=YES, assignments=[role("hall", "场地提供", price=2300), role("voice", "演讲嘉宾")]),
    )
    (entry,) = part.adjustment_summary.requests_addressed
    assert (entry["requested"], entry["result"], entry["share"]) == (2400, 2300, 0.75)
    assert entry["reason"] == "价格有所提高，但没有达到所要求的数额: 成本确实涨了"
    bare = [role("hall", "场地提供", price=2000.01), role("voice", "演讲嘉宾")]
    await refused("adjust", data, said(addressed=YES, assignments=bare), "hardly more than before")


async def test_a_reason_that_states_another_sum_gives_way_to_the_rules_wording() -> None:
    data = adjust(says("hall", "negotiate", price=2200), says("voice"))
    for reason, kept in (("加了200元，到2200元", True), ("已加到九千元", False), ("改到2月3日", False)):
        yes = [{"agent_id": "user_agent_hall", "field": "price", "reason": reason}]
        after = await answered("adjust", data, said(addressed=yes, changed=yes, assignments=RAISED))
        summary = after.adjustment_summary
        for entry, ruled in (
            (summary.requests_addressed[0], "已按要求调整价格"),
            (summary.changes_made[0], "根据反馈重新分配费用"),
        ):
            assert entry["reason"] == (reason if kept else ruled)


def test_the_model_is_shown_each_request_that_it_must_answer() -> None:
    data = adjust(says("hall", "negotiate", price=2200, date=DAYS[1].isoformat()), says("voice"))
    shown: Any = BRIEFS["adjust"].data(data)
    assert [(item["agent_id"], item["field"]) for item in shown["requests"]] == [
        ("user_agent_hall", "price"),
        ("user_agent_hall", "date"),
    ]
    assert shown["current_proposal"]["assignments"][0]["tag"] == HALL.terms[0].tag
