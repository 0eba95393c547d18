"""Any text is read without an error, in linear work, and every span is what the sentence says."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moothall.negotiation.demand.extract.model import Span
from moothall.negotiation.demand.extract.sentence import LONGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from moothall.negotiation.demand.extract.model import Extraction

PIECES_ZH = (
    "在北京 上海 朝阳区 火星上 办一场 AI主题聚会 沙龙 需要 场地 嘉宾 3位 两名 摄影师 不需要 茶歇 预算 5000元 一万二 人均200 到 3万 以内 左右 50人 三十来人 4大2小 下周六"
    " 下个月初 2027年3月14日 2027-02-30 12月 国庆 圣诞节前后 之前 每周三 晚上 8点 三天内 玩5天 ， 。 、 和 1 2 万 年 月 日"
).split()
PIECES_EN = [
    " in Shenzhen", " on 2027-03-14", " next Saturday", " by Friday", " from June 3", " to June 5", " budget", " $50-80", " per hour", " 20k USD",
    " for 80 people", " three speakers", " no catering", " and", " a venue", " every Tuesday", " in two weeks", " 9999-12-31", " 99999", " online", " on Mars",
]  # fmt: skip
SENTENCES = st.lists(st.sampled_from(PIECES_ZH + PIECES_EN), max_size=14).map("".join)
REFUSALS = {
    "date": {"invalid_date", "past_date", "date_ambiguous"},
    "budget": {"budget_implausible"},
    "headcount": {"headcount_implausible"},
}
RELAXED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)


def spans(extraction: Extraction) -> Iterator[Span]:
    for field in fields(extraction):
        value = getattr(extraction, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            found = getattr(part, "span", None)
            if isinstance(found, Span):
                yield found


@RELAXED
@given(text=st.one_of(st.text(max_size=200), SENTENCES), today=st.dates())
def test_any_text_on_any_day_is_read_and_its_spans_are_exact(
    read: Callable[..., Extraction], text: str, today: date
) -> None:
    extraction = read(text, today)
    for span in spans(extraction):
        assert text[span.start : span.end] == span.text != ""
    concepts = [wanted.concept for wanted in extraction.wanted]
    assert len(concepts) == len(set(concepts))
    assert not set(concepts) & set(extraction.excluded)
    for code, value in {"date": extraction.window, "budget": extraction.budget, "headcount": extraction.heads}.items():
        unusable = REFUSALS[code] & set(extraction.unclear)
        assert (code in extraction.unclear) == (value is None and not unusable)


@RELAXED
@given(text=SENTENCES, today=st.dates())
def test_a_window_never_ends_before_it_begins_or_before_today(
    read: Callable[..., Extraction], text: str, today: date
) -> None:
    window = read(text, today).window
    if window is not None:
        assert window.start is not None or window.end is not None
        assert window.start is None or window.end is None or window.start <= window.end
        assert window.end is None or window.end >= today


@pytest.mark.parametrize("today", [date.min, date(1, 3, 1), date(9998, 12, 31), date.max])
@pytest.mark.parametrize("text", ["第二季度", "下半年", "春季", "冬天", "暑假", "后年第四季度", "后年夏天", "明年寒假", "国庆", "春节", "9999年12月", "0000年1月", "00年春节", "12月第一个周末",
     "next summer", "in the winter", "next quarter", "H2 9999", "Q4 9999", "first weekend of March 9999", "next year", "in 999999 years", "every Monday", "Dec 31 to Jan 1"])  # fmt: skip
def test_the_ends_of_the_calendar_are_no_error(read: Callable[..., Extraction], text: str, today: date) -> None:
    window = read(text, today).window
    assert window is None or window.span.text in text


@RELAXED
@given(text=SENTENCES)
def test_reading_twice_gives_the_same(read: Callable[..., Extraction], text: str) -> None:
    assert read(text) == read(text)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece",
    [
        "1", "1,", "1.", "一", "万", "十百千万", "预算", "预算大概约", "budget of about ", "人", "1人", "1 人", "月", "1月", "12月3", "下", "下周", "周一", "到", "1到", "年",
        "2027年", "2027-", "2027-01-", "every monday, ", "mondays and ", "in ", "in New ", "the end of ", "在", "在火", "主题", "以", "关于", "twenty ", "hundred ",
        "a hundred and ", "for 1", "不需要", "no ", "没", "场地和", "嘉宾", "speaker ", "3位", "$", "$1 to ", "-", " ", "\x00", "，", "每周一、", "1大1小", "AI", "next ",
        "june 3 to ", "1人均", "每", "半", "个", "a ", "北京", "chinese new year's ", "８",
    ],
)  # fmt: skip
def test_ten_thousand_repeated_characters_are_read(read: Callable[..., Extraction], piece: str) -> None:
    text = (piece * LONGEST)[:LONGEST]
    extraction = read(text)
    for span in spans(extraction):
        assert text[span.start : span.end] == span.text


def test_only_the_first_part_of_a_longer_text_is_read(read: Callable[..., Extraction]) -> None:
    extraction = read("。" * LONGEST + "在北京办聚会")
    assert extraction.place is None
    assert "too_long" in extraction.unclear
