"""Who attends is counted; who performs is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from moothall.negotiation.demand.extract.model import Extraction


@pytest.mark.parametrize(
    ("text", "value", "rough"),
    [
        ("50人的沙龙", 50, False),
        ("三十来人", 30, True),
        ("百来人", 100, True),
        ("百人规模", 100, True),
        ("大概80人", 80, True),
        ("15人左右", 15, True),
        ("十几个人", 15, True),
        ("七八个人", 8, True),
        ("五六十人", 60, True),
        ("30到50人", 50, True),
        ("30-50人", 50, True),
        ("4大2小", 6, False),
        ("两大一小", 3, False),
        ("120位来宾", 120, False),
        ("20个小朋友", 20, False),
        ("一家五口", 5, False),
        ("能容纳50人的会议室", 50, False),
        ("会议室50人", 50, False),
        ("人数大概40", 40, False),
        ("５０人", 50, False),
        ("2千人的音乐节", 2000, False),
        ("20人家庭聚会", 20, False),
        ("30人工作坊", 30, False),
        ("100名大学生", 100, False),
        ("a workshop for 25 engineers", 25, False),
        ("80 people", 80, False),
        ("about 30 people", 30, True),
        ("80 guests", 80, False),
        ("for a hundred", 100, True),
        ("Catering for about a hundred guests", 100, True),
        ("30-50 attendees", 50, True),
        ("30 to 50 participants", 50, True),
        ("twenty-five colleagues", 25, False),
        ("a 50-person meeting room", 50, False),
        ("a party of six", 6, False),
        ("capacity of 120", 120, False),
        ("2 adults and 3 children", 5, False),
        ("a dinner for 12 in Chengdu", 12, False),
        ("200+ people", 200, False),
        ("over 300 visitors", 300, True),
    ],
)
def test_an_audience_is_counted(read: Callable[..., Extraction], text: str, value: int, rough: bool) -> None:
    heads = read(text).heads
    assert heads is not None
    assert (heads.value, heads.approximate) == (value, rough)
    assert text[heads.span.start : heads.span.end] == heads.span.text


@pytest.mark.parametrize(
    "text",
    [
        "3位嘉宾",
        "同声传译2人",
        "两名摄影师",
        "人均200元",
        "5000人民币",
        "找3个人帮忙搬家",
        "每组4人",
        "找人一起搞点事情",
        "人工智能",
        "three speakers",
        "looking for 2 people to help",
        "2 interpreters",
        "3 judges and 5 mentors",
        "budget 5000",
        "for 3 days",
        "within 10 days",
        "hundreds of people",
    ],
)
def test_performers_money_and_days_are_no_audience(read: Callable[..., Extraction], text: str) -> None:
    extraction = read(text)
    assert extraction.heads is None
    assert "headcount" in extraction.unclear


@pytest.mark.parametrize(
    "text",
    ["-5 people", "a party for -5 people", "负五人聚会", "0 people", "0人聚会", "100000000人的聚会", "1e308 people"],
)
def test_a_figure_nobody_can_mean_is_not_taken(read: Callable[..., Extraction], text: str) -> None:
    extraction = read(text)
    assert extraction.heads is None
    assert "headcount_implausible" in extraction.unclear
    assert "headcount" not in extraction.unclear


@pytest.mark.parametrize(
    ("text", "value"), [("两三百人的大会", 300), ("三五十人", 50), ("50到80人的聚会", 80), ("50-80 people", 80)]
)
def test_a_range_of_people_is_its_upper_end(read: Callable[..., Extraction], text: str, value: int) -> None:
    extraction = read(text)
    assert extraction.heads is not None
    assert (extraction.heads.value, extraction.heads.approximate) == (value, True)
    assert not {"headcount", "headcount_implausible"} & set(extraction.unclear)


def test_guests_who_speak_are_no_audience(read: Callable[[str], Extraction]) -> None:
    found = read("A forum for 60 people in Shanghai, we need 2 guest speakers and a buffet")
    assert found.heads
    assert found.heads.value == 60
    assert {item.concept: item.count for item in found.wanted}["speaker"] == 2
