"""Numbers in both languages are read as people mean them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.negotiation.demand.extract.folding import rule
from moothall.negotiation.demand.extract.numerals import NUMBER, read_int, read_number

_DIGITS = "零一二三四五六七八九"


def in_chinese(number: int) -> str:
    """Write a whole number the full way: 10305 is 一万零三百零五."""
    if number == 0:
        return "零"
    for size, name in ((100_000_000, "亿"), (10_000, "万")):
        if number >= size:
            high, low = divmod(number, size)
            gap = "零" if 0 < low < size // 10 else ""
            return in_chinese(high) + name + gap + (in_chinese(low) if low else "")
    for size, name in ((1000, "千"), (100, "百"), (10, "十")):
        if number >= size:
            high, low = divmod(number, size)
            gap = "零" if 0 < low < size // 10 else ""
            return _DIGITS[high] + name + gap + (in_chinese(low) if low else "")
    return _DIGITS[number]


@given(st.integers(min_value=0, max_value=999_999_999_999))
def test_a_chinese_numeral_reads_back_as_its_number(number: int) -> None:
    assert read_int(in_chinese(number)) == number


@given(st.integers(min_value=0, max_value=999_999_999_999))
def test_grouped_digits_read_back_as_their_number(number: int) -> None:
    assert read_int(f"{number:,}") == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("一万二", 12_000),
        ("三百五", 350),
        ("三百零五", 305),
        ("十二", 12),
        ("两千", 2000),
        ("二〇二七", 2027),
        ("一亿五", 150_000_000),
        ("百", 100),
        ("2w", 20_000),
        ("20k", 20_000),
        ("5千", 5000),
        ("2万5", 25_000),
        ("3千5百", 3500),
        ("1.5万", 15_000),
        ("5,000", 5000),
        ("twenty-five", 25),
        ("a hundred", 100),
        ("two hundred and fifty", 250),
        ("half a dozen", 6),
        ("three dozen", 36),
        ("five thousand", 5000),
        ("two million", 2_000_000),
    ],
)
def test_colloquial_and_short_forms(text: str, number: int) -> None:
    match = rule(NUMBER).fullmatch(text)
    assert match is not None
    assert read_number(text) == number


@pytest.mark.parametrize("text", ["十百", "五六十七八", "万万万亿亿千百百", "several"])
def test_characters_that_make_no_number_are_none(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize(("text", "whole"), [("1.5", None), ("3", 3), ("1.5万", 15_000)])
def test_a_whole_number_is_asked_for(text: str, whole: int | None) -> None:
    assert read_int(text) == whole


def test_a_fraction_keeps_its_digits() -> None:
    assert read_number("5.25") == Decimal("5.25")
