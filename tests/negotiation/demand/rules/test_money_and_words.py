"""Sharing a sum exactly, and saying things in two languages."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.messages import LANGS, catalogue
from moothall.negotiation.demand.prompts import PROMPTS
from moothall.negotiation.demand.rules.brain import rules_brain
from moothall.negotiation.demand.rules.money import distribute
from moothall.negotiation.demand.rules.phrasing import clean
from moothall.negotiation.demand.rules.pricing import Quote
from moothall.negotiation.demand.rules.respond import affordable
from tests.negotiation.demand.rules.worlds import LEXICA

PRICES = st.lists(st.integers(0, 100_000), min_size=1, max_size=8)


@given(PRICES, st.integers(0, 300_000), st.lists(st.floats(0, 1), min_size=8, max_size=8))
def test_prices_add_up_exactly_and_nobody_gets_more_than_wanted(
    wanted: list[int], total: int, shares: list[float]
) -> None:
    least = [int(price * share) for price, share in zip(wanted, shares, strict=False)]
    prices = distribute(wanted, least, total)
    if sum(wanted) <= total:
        assert prices == wanted
        return
    assert sum(prices) == total
    assert all(0 <= price <= want and price == int(price) for price, want in zip(prices, wanted, strict=True))
    if sum(least) <= total:
        assert all(price >= low for price, low in zip(prices, least, strict=True))


def test_a_sum_with_cents_is_spent_in_whole_units() -> None:
    assert distribute([100, 100], [0, 0], 99.9) == [50, 49]
    assert distribute([100.5, 3], [0, 0], None) == [100.5, 3]


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 12_000))
def test_a_quote_is_never_below_the_floor_nor_above_ask_and_budget(first: int, second: int, budget: int) -> None:
    floor, ask = sorted((first, second))
    price = affordable(ask, floor, budget)
    if price is None:
        assert floor > budget
        return
    assert floor <= price <= min(ask, budget)
    assert price in {ask, budget} or price > floor, "a step of the ladder never names the floor"


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_what_is_acceptable_falls_from_round_to_round_to_the_floor(first: int, second: int) -> None:
    floor, ask = sorted((first, second))
    steps = [Quote(ask, floor, "CNY").threshold(number, 3) for number in (1, 2, 3)]
    assert ask >= steps[0] >= steps[1] >= steps[2] == floor
    assert Quote(ask, floor, "CNY").threshold(1, 1) == floor


@pytest.mark.parametrize(
    ("amount", "currency", "zh", "en"),
    [
        (3200, "CNY", "3200元", "CNY 3,200"),
        (99.5, "USD", "99.50美元", "USD 99.50"),
        (12, "SEK", "12 SEK", "12 SEK"),
    ],
)
def test_sums_of_money(amount: float, currency: str, zh: str, en: str) -> None:
    assert (LEXICA.voice("zh").money(amount, currency), LEXICA.voice("en").money(amount, currency)) == (zh, en)


def test_days_and_lists() -> None:
    zh, en = LEXICA.voice("zh"), LEXICA.voice("en")
    assert (zh.day(date(2027, 3, 4)), en.day(date(2027, 3, 4))) == ("2027年3月4日", "4 March 2027")
    assert (zh.join(["甲", "乙", "丙"]), en.join(["a", "b", "c"])) == ("甲、乙、丙", "a, b and c")
    assert (en.join(["a"]), en.join([])) == ("a", "")


@given(st.text(max_size=400))
def test_foreign_text_is_one_short_line_without_control_characters(text: str) -> None:
    line = clean(text, 50)
    assert len(line) <= 50
    assert line.isprintable()


def test_chinese_texts_hold_no_english_words() -> None:
    for key, value in catalogue("demand", "zh").items():
        words = "".join(part.partition("}")[2] for part in ("}" + value).split("{"))
        assert not any(char.isascii() and char.isalpha() for char in words), key
    assert set(LANGS) == {"zh", "en"}


async def test_the_brain_has_a_rule_for_every_prompt() -> None:
    brain = rules_brain(LEXICA.vocabulary, LEXICA.gazetteer, LEXICA.activities)
    assert {prompt.kind for prompt in PROMPTS} == brain.kinds


@pytest.mark.parametrize("concept", ["venue", "coworking", "accommodation"])
def test_the_duty_of_a_place_does_not_say_provide_twice(concept: str) -> None:
    voice = LEXICA.voice("zh")
    assert "提供场地提供" not in voice.say("duty.place", tag=voice.label(concept), day="1月1日")
