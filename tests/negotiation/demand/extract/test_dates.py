"""Date windows as said on Saturday, 21 November 2026."""

from __future__ import annotations

from datetime import date

import pytest

from moothall.negotiation.demand.extract.dates.duration import find_duration
from moothall.negotiation.demand.extract.dates.window import find_window
from moothall.negotiation.demand.extract.folding import fold
from moothall.negotiation.demand.extract.model import DateWindow

TODAY = date(2026, 11, 21)


def window(text: str, today: date = TODAY) -> DateWindow | None:
    return find_window(text, fold(text), today).window


CHINESE = [
    ("今天", "2026-11-21", "2026-11-21"),
    ("明天下午", "2026-11-22", "2026-11-22"),
    ("后天晚上8点到10点", "2026-11-23", "2026-11-23"),
    ("大后天", "2026-11-24", "2026-11-24"),
    ("今晚", "2026-11-21", "2026-11-21"),
    ("本周六", "2026-11-21", "2026-11-21"),
    ("本周三", "2026-11-25", "2026-11-25"),
    ("这周末", "2026-11-21", "2026-11-22"),
    ("周末", "2026-11-21", "2026-11-22"),
    ("下周末", "2026-11-28", "2026-11-29"),
    ("下周六", "2026-11-28", "2026-11-28"),
    ("下下周三", "2026-12-02", "2026-12-02"),
    ("下星期一到周三", "2026-11-23", "2026-11-25"),
    ("周五至周日", "2026-11-27", "2026-11-29"),
    ("下周", "2026-11-23", "2026-11-29"),
    ("本月", "2026-11-21", "2026-11-30"),
    ("下个月", "2026-12-01", "2026-12-31"),
    ("下下个月", "2027-01-01", "2027-01-31"),
    ("下个月初", "2026-12-01", "2026-12-10"),
    ("下月中旬", "2026-12-11", "2026-12-20"),
    ("下个月底", "2026-12-21", "2026-12-31"),
    ("月底", "2026-11-21", "2026-11-30"),
    ("月初", "2026-12-01", "2026-12-10"),
    ("年底", "2026-12-01", "2026-12-31"),
    ("明年初", "2027-01-01", "2027-01-31"),
    ("明年", "2027-01-01", "2027-12-31"),
    ("明年3月", "2027-03-01", "2027-03-31"),
    ("3月14日", "2027-03-14", "2027-03-14"),
    ("3月14号", "2027-03-14", "2027-03-14"),
    ("12月5日", "2026-12-05", "2026-12-05"),
    ("2027年3月14日", "2027-03-14", "2027-03-14"),
    ("二〇二七年三月十四日", "2027-03-14", "2027-03-14"),
    ("２０２７年３月１４日", "2027-03-14", "2027-03-14"),
    ("2027/3/14", "2027-03-14", "2027-03-14"),
    ("十二月二十日", "2026-12-20", "2026-12-20"),
    ("14号", "2026-12-14", "2026-12-14"),
    ("下个月8号", "2026-12-08", "2026-12-08"),
    ("2月29日", "2028-02-29", "2028-02-29"),
    ("6月3日到6月5日", "2027-06-03", "2027-06-05"),
    ("从6月3日到5日", "2027-06-03", "2027-06-05"),
    ("6月3-5日", "2027-06-03", "2027-06-05"),
    ("12月30日到1月2日", "2026-12-30", "2027-01-02"),
    ("2027年3月14日至16日", "2027-03-14", "2027-03-16"),
    ("国庆期间", "2027-10-01", "2027-10-07"),
    ("元旦", "2027-01-01", "2027-01-01"),
    ("春节", "2027-02-06", "2027-02-12"),
    ("2030年春节", "2030-02-03", "2030-02-09"),
    ("除夕", "2027-02-05", "2027-02-05"),
    ("中秋", "2027-09-15", "2027-09-15"),
    ("端午节", "2027-06-09", "2027-06-09"),
    ("五一假期", "2027-05-01", "2027-05-05"),
    ("圣诞节", "2026-12-25", "2026-12-25"),
    ("圣诞节前后", "2026-12-22", "2026-12-28"),
    ("圣诞节前", None, "2026-12-24"),
    ("国庆后", "2027-10-08", None),
    ("春季", "2027-03-01", "2027-05-31"),
    ("明年夏天", "2027-06-01", "2027-08-31"),
    ("暑假", "2027-07-01", "2027-08-31"),
    ("Q2", "2027-04-01", "2027-06-30"),
    ("第二季度", "2027-04-01", "2027-06-30"),
    ("下个季度", "2027-01-01", "2027-03-31"),
    ("下半年", "2026-11-21", "2026-12-31"),
    ("明年上半年", "2027-01-01", "2027-06-30"),
    ("未来两周", "2026-11-21", "2026-12-05"),
    ("两周内", "2026-11-21", "2026-12-05"),
    ("三天内", "2026-11-21", "2026-11-24"),
    ("3天后", "2026-11-24", "2026-11-24"),
    ("两个星期后", "2026-12-05", "2026-12-05"),
    ("3月3日之前", None, "2027-03-03"),
    ("最晚3月3日", None, "2027-03-03"),
    ("3月3日以后", "2027-03-03", None),
    ("12月前", None, "2026-11-30"),
    ("十一月底之前", None, "2026-11-30"),
    ("从下周一起", "2026-11-23", None),
    ("明年3月第一个周末", "2027-03-06", "2027-03-07"),
    ("12月第二个周六", "2026-12-12", "2026-12-12"),
    ("12月5日左右", "2026-12-02", "2026-12-08"),
]
ENGLISH = [
    ("today", "2026-11-21", "2026-11-21"),
    ("tomorrow at 6pm", "2026-11-22", "2026-11-22"),
    ("the day after tomorrow", "2026-11-23", "2026-11-23"),
    ("tonight", "2026-11-21", "2026-11-21"),
    ("next Saturday afternoon", "2026-11-28", "2026-11-28"),
    ("this Friday", "2026-11-27", "2026-11-27"),
    ("on Monday", "2026-11-23", "2026-11-23"),
    ("on Fri", "2026-11-27", "2026-11-27"),
    ("this weekend", "2026-11-21", "2026-11-22"),
    ("next weekend", "2026-11-28", "2026-11-29"),
    ("next week", "2026-11-23", "2026-11-29"),
    ("the week after next", "2026-11-30", "2026-12-06"),
    ("next month", "2026-12-01", "2026-12-31"),
    ("this month", "2026-11-21", "2026-11-30"),
    ("early January", "2027-01-01", "2027-01-10"),
    ("mid-January", "2027-01-11", "2027-01-20"),
    ("late January 2028", "2028-01-21", "2028-01-31"),
    ("end of the month", "2026-11-21", "2026-11-30"),
    ("by end of month", None, "2026-11-30"),
    ("at the end of next month", "2026-12-21", "2026-12-31"),
    ("by Friday", None, "2026-11-27"),
    ("before March 3", None, "2027-03-02"),
    ("after March 3", "2027-03-04", None),
    ("starting March 3", "2027-03-03", None),
    ("before December", None, "2026-11-30"),
    ("on March 14, 2027", "2027-03-14", "2027-03-14"),
    ("14 March 2027", "2027-03-14", "2027-03-14"),
    ("the 14th of March", "2027-03-14", "2027-03-14"),
    ("Mar 14", "2027-03-14", "2027-03-14"),
    ("Sept. 3rd", "2027-09-03", "2027-09-03"),
    ("2027-03-14", "2027-03-14", "2027-03-14"),
    ("on the 14th", "2026-12-14", "2026-12-14"),
    ("from June 3 to June 5", "2027-06-03", "2027-06-05"),
    ("from June 3 to June 5, 2028", "2028-06-03", "2028-06-05"),
    ("June 3-5", "2027-06-03", "2027-06-05"),
    ("3-5 June 2027", "2027-06-03", "2027-06-05"),
    ("between Dec 10 and Dec 12", "2026-12-10", "2026-12-12"),
    ("Dec 30 to Jan 2", "2026-12-30", "2027-01-02"),
    ("Monday to Wednesday", "2026-11-23", "2026-11-25"),
    ("in two weeks", "2026-12-05", "2026-12-05"),
    ("in 3 days", "2026-11-24", "2026-11-24"),
    ("a week from today", "2026-11-28", "2026-11-28"),
    ("within 10 days", "2026-11-21", "2026-12-01"),
    ("in the next two weeks", "2026-11-21", "2026-12-05"),
    ("over the next month", "2026-11-21", "2026-12-21"),
    ("next year", "2027-01-01", "2027-12-31"),
    ("in 2028", "2028-01-01", "2028-12-31"),
    ("Q3 2027", "2027-07-01", "2027-09-30"),
    ("first quarter of 2027", "2027-01-01", "2027-03-31"),
    ("next quarter", "2027-01-01", "2027-03-31"),
    ("H1 2027", "2027-01-01", "2027-06-30"),
    ("Christmas", "2026-12-25", "2026-12-25"),
    ("around Christmas", "2026-12-22", "2026-12-28"),
    ("Christmas Eve", "2026-12-24", "2026-12-24"),
    ("New Year's Eve", "2026-12-31", "2026-12-31"),
    ("New Year", "2027-01-01", "2027-01-01"),
    ("Chinese New Year", "2027-02-06", "2027-02-12"),
    ("Mid-Autumn Festival", "2027-09-15", "2027-09-15"),
    ("Thanksgiving", "2026-11-26", "2026-11-26"),
    ("this summer", "2027-06-01", "2027-08-31"),
    ("spring 2027", "2027-03-01", "2027-05-31"),
    ("in March", "2027-03-01", "2027-03-31"),
    ("in May", "2027-05-01", "2027-05-31"),
    ("Feb 2027", "2027-02-01", "2027-02-28"),
    ("before the end of March", None, "2027-03-31"),
    ("end of year", "2026-12-01", "2026-12-31"),
    ("the first weekend of March", "2027-03-06", "2027-03-07"),
    ("last Friday of January", "2027-01-29", "2027-01-29"),
    ("the second Saturday in December", "2026-12-12", "2026-12-12"),
]


@pytest.mark.parametrize(("text", "first", "last"), CHINESE + ENGLISH)
def test_a_window_is_read(text: str, first: str | None, last: str | None) -> None:
    found = window(text)
    assert found is not None
    assert found.start == (first and date.fromisoformat(first))
    assert found.end == (last and date.fromisoformat(last))
    assert text[found.span.start : found.span.end] == found.span.text


@pytest.mark.parametrize(
    ("text", "recurring", "first"),
    [
        ("每周三晚上", "weekly:3", "2026-11-25"),
        ("每周一、三、五", "weekly:1,3,5", "2026-11-23"),
        ("每个周末", "weekly:6,7", "2026-11-21"),
        ("每天", "daily", "2026-11-21"),
        ("每月15号", "monthly:15", "2026-12-15"),
        ("一周一次", "weekly", "2026-11-21"),
        ("从12月1日起每周三", "weekly:3", "2026-12-01"),
        ("every Tuesday evening", "weekly:2", "2026-11-24"),
        ("every Tuesday and Thursday", "weekly:2,4", "2026-11-24"),
        ("on Fridays", "weekly:5", "2026-11-27"),
        ("weekly on Fridays", "weekly:5", "2026-11-27"),
        ("工作日晚上", "weekly:1,2,3,4,5", "2026-11-23"),
        ("每周两次", "weekly", "2026-11-21"),
        ("twice a week", "weekly", "2026-11-21"),
        ("every weekday", "weekly:1,2,3,4,5", "2026-11-23"),
        ("on weekends", "weekly:6,7", "2026-11-21"),
        ("once a month", "monthly", "2026-11-21"),
        ("daily", "daily", "2026-11-21"),
    ],
)
def test_a_recurrence_begins_with_its_next_occurrence_and_stays_open(text: str, recurring: str, first: str) -> None:
    found = window(text)
    assert found is not None
    assert (found.recurring, found.start, found.end) == (recurring, date.fromisoformat(first), None)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("明天上午", "morning"),
        ("明天下午3点", "afternoon"),
        ("3月14日晚", "evening"),
        ("周六19点", "evening"),
        ("tomorrow morning", "morning"),
        ("Friday at 3 pm", "afternoon"),
        ("Friday 18:30", "evening"),
        ("tonight", "evening"),
        ("Friday 9 a.m.", "morning"),
        ("明天", None),
    ],
)
def test_the_part_of_the_day_is_kept(text: str, part: str | None) -> None:
    found = window(text)
    assert found is not None
    assert found.part == part


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2027-02-30", "invalid_date"),
        ("2027年2月30日", "invalid_date"),
        ("2月30日", "invalid_date"),
        ("2027-13-01", "invalid_date"),
        ("February 30", "invalid_date"),
        ("6月5-3日", "invalid_date"),
        ("6月5-31日", "invalid_date"),
        ("June 5-31", "invalid_date"),
        ("45号", "invalid_date"),
        ("13月", "invalid_date"),
        ("2020年3月底", "past_date"),
        ("本月初", "past_date"),
        ("2027年2月第五个周一", "invalid_date"),
        ("2027年2月第五个周末", "invalid_date"),
        ("13月第一个周一", "invalid_date"),
        ("2045年春节", "invalid_date"),
        ("2020-01-01", "past_date"),
        ("2020年3月", "past_date"),
        ("2020年国庆", "past_date"),
        ("March 2020", "past_date"),
        ("昨天", "past_date"),
        ("yesterday", "past_date"),
        ("3 days ago", "past_date"),
        ("Feb 29 2027", "invalid_date"),
        ("12/03/2027", "date_ambiguous"),
        ("12/03/2020", "past_date"),
        ("31/02/2027", "invalid_date"),
    ],
)
def test_a_day_that_cannot_be_is_refused_and_not_moved(text: str, code: str) -> None:
    found = find_window(text, fold(text), TODAY)
    assert found.window is None
    assert found.refused == (code,)


@pytest.mark.parametrize("approximate", ["月底", "in two weeks", "early March", "圣诞节前后", "spring 2027"])
def test_loose_words_are_marked_approximate(approximate: str) -> None:
    found = window(approximate)
    assert found is not None
    assert found.approximate


@pytest.mark.parametrize(
    "text",
    [
        "3号线附近",
        "一块去",
        "we may need help",
        "march together",
        "三个月大的孩子",
        "网站开发",
        "3个嘉宾",
        "一周两次课",
        "Spring Boot developer",
        "24/7 support",
    ],
)
def test_other_words_are_no_date(text: str) -> None:
    found = window(text)
    assert found is None or found.recurring is not None


@pytest.mark.parametrize(
    ("today", "text", "first", "last"),
    [
        (date(2026, 12, 31), "下个月", "2027-01-01", "2027-01-31"),
        (date(2026, 11, 22), "周末", "2026-11-22", "2026-11-22"),
        (date(2026, 11, 22), "下周六", "2026-11-28", "2026-11-28"),
        (date(2027, 1, 10), "winter", None, None),
        (date(2027, 1, 10), "in the winter", "2027-01-10", "2027-02-28"),
        (date(2027, 2, 8), "春节", "2027-02-08", "2027-02-12"),
        (date(2027, 3, 14), "3月14日", "2027-03-14", "2027-03-14"),
        (date(2027, 3, 15), "3月14日", "2028-03-14", "2028-03-14"),
        (date(2027, 3, 15), "March", None, None),
        (date(2027, 3, 15), "in March", "2027-03-15", "2027-03-31"),
        (date(2027, 3, 25), "月初", "2027-04-01", "2027-04-10"),
        (date(2027, 3, 25), "early March", "2028-03-01", "2028-03-10"),
        (date(2028, 2, 29), "明年2月", "2029-02-01", "2029-02-28"),
        (date(2026, 11, 23), "today or tomorrow", "2026-11-23", "2026-11-23"),
    ],
)
def test_days_are_counted_from_the_day_of_asking(today: date, text: str, first: str | None, last: str | None) -> None:
    found = window(text, today)
    if first is None:
        assert found is None
    else:
        assert found is not None
        assert (found.start, found.end) == (date.fromisoformat(first), last and date.fromisoformat(last))


def test_a_finer_date_counts_before_a_year() -> None:
    found = window("明年我们想办一次年会，最好3月14日")
    assert found is not None
    assert found.start == date(2027, 3, 14)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("玩5天", 5),
        ("为期三天的培训", 3),
        ("两天一夜", 2),
        ("a 3-day conference", 3),
        ("for two weeks", 14),
        ("for a week", 7),
        ("半天", None),
        ("5天内", None),
    ],
)
def test_a_length_is_no_date(text: str, days: int | None) -> None:
    assert find_duration(find_window(text, fold(text), TODAY).rest)[0] == days


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("25/03/2027", date(2027, 3, 25)),
        ("03/25/2027", date(2027, 3, 25)),
        ("3/3/2027", date(2027, 3, 3)),
        ("25-03-2027", date(2027, 3, 25)),
    ],
)
def test_a_slashed_date_is_read_when_only_one_reading_exists(text: str, day: date) -> None:
    found = window(text)
    assert found is not None
    assert (found.start, found.end) == (day, day)


def test_yesterday_beside_a_coming_day_is_only_a_story() -> None:
    text = "昨天想到的，12月5日办聚会"
    found = find_window(text, fold(text), TODAY)
    assert found.window is not None
    assert found.refused == ()


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("3月5日或者3月12日", ["3月12日"]),
        ("March 5 or March 12", ["March 12"]),
        ("March 5 and March 12", ["March 12"]),
        ("12月5日、12月12日和12月19日", ["12月12日", "12月19日"]),
        ("between March 5 and March 12", []),
        ("12月5日到12月12日", []),
        ("12月5日（周六）", []),
    ],
)
def test_the_first_of_several_dates_stands_and_the_others_are_told(text: str, others: list[str]) -> None:
    found = window(text)
    assert found is not None
    assert [each.text for each in found.others] == others
