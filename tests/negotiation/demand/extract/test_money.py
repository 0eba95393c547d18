"""Budgets: amounts, currencies, ranges, limits and units."""

from __future__ import annotations

from decimal import Decimal

import pytest

from moothall.negotiation.demand.extract.folding import fold
from moothall.negotiation.demand.extract.money import find_money

CASES = [
    # Chinese
    ("预算5000元", None, 5000, "CNY", "total", False),
    ("预算5千", None, 5000, "CNY", "total", False),
    ("预算2w以内", None, 20000, "CNY", "total", False),
    ("预算一万二", None, 12000, "CNY", "total", False),
    ("总预算20万元", None, 200000, "CNY", "total", False),
    ("预算3万到5万", 30000, 50000, "CNY", "total", False),
    ("预算3到5万", 30000, 50000, "CNY", "total", False),
    ("预算三到五千元", 3000, 5000, "CNY", "total", False),
    ("预算5000-8000元", 5000, 8000, "CNY", "total", False),
    ("预算约15万", None, 150000, "CNY", "total", True),
    ("预算大概在3000左右", None, 3000, "CNY", "total", True),
    ("费用不超过800元", None, 800, "CNY", "total", False),
    ("一共两千块钱", None, 2000, "CNY", "total", False),
    ("人均200元", None, 200, "CNY", "person", False),
    ("每人预算200", None, 200, "CNY", "person", False),
    ("150元/人", None, 150, "CNY", "person", False),
    ("预算每人一百五", None, 150, "CNY", "person", False),
    ("每小时300元", None, 300, "CNY", "hour", False),
    ("300元每节课", None, 300, "CNY", "session", False),
    ("摄影师每天2000元", None, 2000, "CNY", "day", False),
    ("预算：￥３０００", None, 3000, "CNY", "total", False),
    ("预算500美元", None, 500, "USD", "total", False),
    ("预算1千欧元", None, 1000, "EUR", "total", False),
    ("2w以内的预算", None, 20000, "CNY", "total", False),
    ("出价5000港币", None, 5000, "HKD", "total", False),
    ("5000人民币", None, 5000, "CNY", "total", False),
    ("总预算2万，人均200元", None, 20000, "CNY", "total", False),
    ("预算上限8千", None, 8000, "CNY", "total", False),
    ("预算有3000块", None, 3000, "CNY", "total", False),
    ("一节课200到300", 200, 300, "CNY", "session", False),
    ("每人50", None, 50, "CNY", "person", False),
    ("费用AA，每人60左右", None, 60, "CNY", "person", True),
    ("200/小时", None, 200, "CNY", "hour", False),
    # English
    ("150/hour, Haidian", None, 150, "CNY", "hour", False),
    ("budget 20000 CNY", None, 20000, "CNY", "total", False),
    ("budget under $2,000", None, 2000, "USD", "total", False),
    ("max 8000 RMB", None, 8000, "CNY", "total", False),
    ("budget 20k USD", None, 20000, "USD", "total", False),
    ("$50-80 per hour", 50, 80, "USD", "hour", False),
    ("$50 to $80 an hour", 50, 80, "USD", "hour", False),
    ("300 yuan per lesson", None, 300, "CNY", "session", False),
    ("EUR 10,000", None, 10000, "EUR", "total", False),
    ("€1.5k budget", None, 1500, "EUR", "total", False),
    ("budget of about five thousand dollars", None, 5000, "USD", "total", True),
    ("USD 500/day", None, 500, "USD", "day", False),
    ("$30 each", None, 30, "USD", "person", False),
    ("200 RMB per person", None, 200, "CNY", "person", False),
    ("we can spend up to 6000", None, 6000, "CNY", "total", False),
    ("budget: 5000", None, 5000, "CNY", "total", False),
    ("a 5000 budget", None, 5000, "CNY", "total", False),
    ("between $500 and $800", 500, 800, "USD", "total", False),
    ("our budget is around 3k euros", None, 3000, "EUR", "total", True),
    ("£250 a head", None, 250, "GBP", "person", False),
    ("US$100", None, 100, "USD", "total", False),
    ("two million yen", None, 2000000, "JPY", "total", False),
    ("2000 dollars max", None, 2000, "USD", "total", False),
    ("1000 yuan or so", None, 1000, "CNY", "total", True),
]


@pytest.mark.parametrize(("text", "low", "high", "currency", "per", "rough"), CASES)
def test_a_budget_is_read(text: str, low: int | None, high: int, currency: str, per: str, rough: bool) -> None:
    money = find_money(text, fold(text)).money
    assert money is not None
    assert (money.minimum, money.maximum) == (None if low is None else Decimal(low), Decimal(high))
    assert (money.currency, money.per, money.approximate) == (currency, per, rough)
    assert text[money.span.start : money.span.end] == money.span.text


@pytest.mark.parametrize(
    "text",
    [
        "预算有限，需要3个嘉宾",
        "我们一块去玩",
        "预算2027年3月确定",
        "50人的场地",
        "元旦聚会",
        "预算不限",
        "找5位嘉宾",
        "三天内交付",
        "每人2个",
        "每节45分钟",
        "每场50人",
        "24/7 support",
        "no budget yet",
        "budget to be decided in 3 weeks",
        "80 people on 2027-03-14",
        "within 5km of Pudong",
        "又不要钱太多的场地",
        "免费入场的展览",
        "门票免费",
        "no budget limit",
        "预算不是5000",
    ],
)
def test_other_numbers_are_no_budget(text: str) -> None:
    assert find_money(text, fold(text)).money is None


@pytest.mark.parametrize(
    "text",
    [
        "budget 0",
        "budget 0 yuan",
        "预算0元",
        "预算为零",
        "不要钱的场地",
        "免费的场地",
        "a venue for free",
        "no budget for fees",
        "free of charge",
        "零预算",
    ],
)
def test_nothing_to_spend_is_a_budget_of_nothing(text: str) -> None:
    found = find_money(text, fold(text))
    assert found.money is not None
    assert (found.money.maximum, found.money.per, found.implausible) == (0, "total", False)
    assert text[found.money.span.start : found.money.span.end] == found.money.span.text


def test_an_amount_counts_more_than_the_word_free() -> None:
    text = "免费的场地，预算5000元"
    money = find_money(text, fold(text)).money
    assert money is not None
    assert money.maximum == 5000


@pytest.mark.parametrize(
    "text",
    [
        "Budget is not 5000 but 8000 CNY",
        "budget: not $5000, but $8000",
        "预算不是5000而是8000",
        "预算不是5000元，而是8000元",
        "预算是8000而不是5000",
        "budget 8000 rather than 5000",
    ],
)
def test_a_denied_amount_gives_way_to_the_other(text: str) -> None:
    money = find_money(text, fold(text)).money
    assert money is not None
    assert (money.minimum, money.maximum) == (None, 8000)


@pytest.mark.parametrize(
    "text",
    [
        "budget -300",
        "预算-300元",
        "预算负三百元",
        "budget 1e308",
        "预算999999999999999元",
        "预算两千亿元",
        "budget 2000000000 CNY",
    ],
)
def test_a_figure_nobody_can_mean_is_not_taken(text: str) -> None:
    found = find_money(text, fold(text))
    assert (found.money, found.implausible) == (None, True)


@pytest.mark.parametrize(
    ("text", "maximum"), [("Budget - 300 CNY", 300), ("预算——3000元", 3000), ("3000-5000元", 5000)]
)
def test_a_dash_is_no_minus(text: str, maximum: int) -> None:
    found = find_money(text, fold(text))
    assert found.money is not None
    assert (found.money.maximum, found.implausible) == (maximum, False)
