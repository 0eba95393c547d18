"""What an agent's model says for it, cut down to what the agent can stand by."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.negotiation.demand.extract.sentence import extract
from moothall.negotiation.demand.model import stated
from moothall.negotiation.demand.model.claims import Claims
from moothall.negotiation.demand.model.stated import MOST_CLAUSES
from moothall.negotiation.demand.models import Term
from tests.negotiation.demand.rules.worlds import LEXICA, TODAY

CLAIMS = Claims(
    own=frozenset({"venue"}),
    asked=frozenset({"venue", "photography", "剑道教练"}),
    terms=(Term(tag="场地", concept="venue", price=1800, capacity=80, dates=(date(2027, 1, 8),)),),
    prices=frozenset({1800.0}),
    today=TODAY,
    lexica=LEXICA,
)


@pytest.mark.parametrize(
    ("said", "true"),
    [
        ("提供可容纳50人的场地，报价1,800元。", "提供可容纳50人的场地，报价1,800元。"),
        ("提供可容纳50人的场地，含投影和音响，报价1,800元。", "提供可容纳50人的场地，报价1,800元。"),
        ("提供场地、摄影和茶歇，只收500元", "提供场地。"),
        ("我可以在1月8日提供场地，也可以在1月9日。", "我可以在1月8日提供场地。"),
        ("场地能坐500人。场地靠近地铁。", "场地靠近地铁。"),
        ("提供场地。我也是剑道教练。", "提供场地。"),
        ("我会摄影。", ""),
        ("I offer a venue for 50 people and photography for free.", "I offer a venue for 50 people."),
        ("A venue with chairs, 1,800 yuan. Photography too.", "A venue with chairs, 1,800 yuan."),
        ("Our hall seats 80. We also handle photography, lights and more.", "Our hall seats 80."),
        ("提供场地，只要八百", "提供场地。"),
        ("提供场地，报价一千八百", "提供场地，报价一千八百"),
        ("提供场地，只收五百元，靠近地铁。", "提供场地，靠近地铁。"),
        ("I offer a venue. I only charge 800.", "I offer a venue."),
        ("A venue, and I ask for eight hundred.", "A venue."),
        ("A venue, and I ask for 1,800.", "A venue, and I ask for 1,800."),
        ("", ""),
        ("，。", "，。"),
    ],
)
def test_only_what_the_agent_can_stand_by_is_left(said: str, true: str) -> None:
    assert CLAIMS.true_to(said) == true


@pytest.mark.parametrize(
    ("condition", "may"),
    [
        ("晚上九点前结束", True),
        ("需要有人负责摄影", True),
        ("请先付清1,800元", True),
        ("请先付款 99999 元", False),
        ("定金五百元", False),
        ("摄影由我提供", False),
        ("I also bring photography", False),
        ("改在1月9日", False),
        ("至少来500人", False),
    ],
)
def test_a_condition_names_no_sum_day_or_promise_beyond_the_card(condition: str, may: bool) -> None:
    assert CLAIMS.may_ask(condition) is may


def test_only_clauses_with_a_figure_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def reading(words: str, *rest: Any) -> Any:
        read.append(words)
        return extract(words, *rest)

    monkeypatch.setattr(stated, "extract", reading)
    plain = "光线充足，靠近地铁，随时可看，" * 53
    assert CLAIMS.true_to(plain) == plain
    assert read == []
    CLAIMS.true_to("可以坐50位，" * 133)
    assert len(read) <= MOST_CLAUSES + 1
    assert "500" not in CLAIMS.true_to("可以坐50位，" * 30 + "报价1,800元，只收500元")


@given(
    st.lists(st.sampled_from(["提供场地", "摄影", "，", "。", "and", " ", "500元", "1,800元", "venue", "photo", ", "]))
)
def test_what_is_left_holds_altogether(pieces: list[str]) -> None:
    left = CLAIMS.true_to("".join(pieces))
    assert not {mention.concept.id for mention in LEXICA.vocabulary.find(left)} - {"venue"}
