"""Folding never moves a character."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moothall.negotiation.demand.extract.folding import fold, hide, span


@given(st.text())
def test_folded_text_is_as_long_as_the_original(text: str) -> None:
    assert len(fold(text)) == len(text)


def test_width_case_and_signs_become_one_spelling() -> None:
    assert fold("５０人 ￥３,０００ Ｋ AI\u3000Ⅳ") == "50人 ¥3,000 k ai ⅳ"


def test_a_full_width_comma_separates_thousands_only_where_nothing_else_is_meant() -> None:
    assert fold("预算5，300人") == "预算5，300人"
    assert fold("预算５０，０００") == "预算50,000"
    assert fold("￥１２，５００") == "¥12,500"


def test_a_span_leaves_white_space_out() -> None:
    found = span("  a b ", 0, 6)
    assert (found.start, found.end, found.text) == (2, 5, "a b")


def test_hiding_keeps_the_length() -> None:
    assert hide("abcdef", [(1, 3)]) == "a\x00\x00def"
