"""A budget beside dates, times, head counts and other numbers: in any order, with any separator, in both languages."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from moothall.negotiation.demand.extract.model import Extraction

DAY = date(2027, 1, 10)
ENGLISH = (
    ("venue in Beijing", "hall in Beijing"),
    ("2027-01-10", "10 Jan 2027", "Jan 10", "January 10th, 2027", "on 2027/01/10"),
    ("budget 3000", "budget of 3000 CNY", "Budget: 3k", "3000 budget", "3000 CNY budget"),
    ("for 40 people", "40 guests"),
)
CHINESE = (
    ("北京场地", "在北京找场地"),
    ("2027-01-10", "2027年1月10日", "1月10日", "2027.1.10"),
    ("预算3000元", "预算：3000", "总预算3千", "3000元预算", "预算 3000 元"),
    ("40人", "四十人"),
)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
@pytest.mark.parametrize("separator", [" ", ", ", "\n", "\r\n", "; ", "，", "\t"], ids=repr)
@pytest.mark.parametrize("parts", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_every_part_is_read_wherever_it_stands(
    read: Callable[..., Extraction], parts: tuple[tuple[str, ...], ...], separator: str, order: tuple[int, ...]
) -> None:
    for variant in range(5):
        words = [group[variant % len(group)] for group in parts]
        sentence = separator.join(words[number] for number in order)
        found = read(sentence)
        assert found.budget is not None, sentence
        assert found.budget.maximum == Decimal(3000), sentence
        assert found.window is not None, sentence
        assert (found.window.start, found.window.end) == (DAY, DAY), sentence
        assert found.heads is not None, sentence
        assert found.heads.value == 40, sentence


@pytest.mark.parametrize(
    ("sentence", "maximum"),
    [
        ("venue in Beijing 2027-01-10 budget 3000", 3000),
        ("北京场地 40人 2027-01-10 预算3000元", 3000),
        ("北京场地\n2027-01-10\n预算3000元", 3000),
        ("venue Beijing 10 Jan 2027 budget 5k", 5000),
        ("venue Beijing Jan 10 budget 5000", 5000),
        ("room 12 budget 3000 venue in Beijing", 3000),
        ("10 budget 3000", 3000),
        ("Jan 2027 budget 5000", 5000),
        ("19:30 预算3000", 3000),
        ("1/10 budget 5000", 5000),
        ("场地500元 预算3000", 3000),
        ("12预算 3000元", 3000),
        ("3000 budget for 3 photographers", 3000),
        ("3000 budget 20 chairs", 3000),
        ("3000 budget not 5000", 3000),
        ("3000元预算20把椅子", 3000),
        ("3000预算 20把椅子", 3000),
        ("3000 budget 10 Jan 2027", 3000),
        ("3000预算 2027-01-10", 3000),
        ("may 10k budget", 10000),
    ],
)
def test_a_number_before_the_budget_word_is_the_budget_only_where_none_follows(
    read: Callable[..., Extraction], sentence: str, maximum: int
) -> None:
    found = read(sentence).budget
    assert found is not None
    assert found.maximum == maximum


@pytest.mark.parametrize(
    "sentence", ["room 12 budget unknown", "2027-01-10 budget open", "10 Jan budget to be decided", "12\nbudget open"]
)
def test_a_room_or_a_day_is_no_budget(read: Callable[..., Extraction], sentence: str) -> None:
    assert read(sentence).budget is None
