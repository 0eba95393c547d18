"""Whole demands, Chinese and English: every constraint of a sentence at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from moothall.negotiation.demand.extract.model import Extraction


@dataclass(frozen=True)
class Expected:
    """What one sentence says. `dates` is "first/last", with a dot for an open side; `money` is "low-high currency per"."""

    text: str
    dates: str | None = None
    money: str | None = None
    heads: int | None = None
    place: str | None = None
    named: str = ""
    implied: str = ""
    excluded: str = ""


def seen(extraction: Extraction) -> Expected:
    window, money, place = extraction.window, extraction.budget, extraction.place
    low = f"{money.minimum}-" if money and money.minimum is not None else ""
    return Expected(
        text="",
        dates=None if window is None else f"{window.start or '.'}/{window.end or '.'}",
        money=None if money is None else f"{low}{money.maximum} {money.currency} {money.per}",
        heads=extraction.heads.value if extraction.heads else None,
        place=None if place is None else place.city or ("online" if place.online else f"?{place.name}"),
        named=" ".join(f"{each.concept}:{each.count}" for each in extraction.wanted if each.named),
        implied=" ".join(each.concept for each in extraction.wanted if not each.named),
        excluded=" ".join(extraction.excluded),
    )


# fmt: off
CHINESE = [
    Expected("我想在北京办一场AI主题聚会，需要场地和嘉宾", None, None, None, "beijing", "venue:1 speaker:1", "event_planning"),
    Expected("下个月在上海办一场50人的技术沙龙，预算5000元，需要3位嘉宾和茶歇", "2026-12-01/2026-12-31", "5000 CNY total", 50, "shanghai", "speaker:3 catering:1", "event_planning"),
    Expected("上海，50人，预算5000，需要3个嘉宾和茶歇", None, "5000 CNY total", 50, "shanghai", "speaker:3 catering:1"),
    Expected("想找人一起搞点事情"),
    Expected("在火星上建基地", place="?火星"),
    Expected("下周六下午在上海找一个能容纳50人的会议室，预算5000元以内", "2026-11-28/2026-11-28", "5000 CNY total", 50, "shanghai", "venue:1"),
    Expected("2026年12月15日深圳，婚礼摄影师两名，预算一万二", "2026-12-15/2026-12-15", "12000 CNY total", None, "shenzhen", "wedding_photography:2"),
    Expected("下个月初杭州亲子活动，大概三十来人，需要主持人和摄影，人均200元", "2026-12-01/2026-12-10", "200 CNY person", 30, "hangzhou", "host_mc:1 photography:1", "children_party"),
    Expected("后天晚上8点到10点线上分享，找懂大模型的讲师", "2026-11-23/2026-11-23", None, None, "online", "training:1"),
    Expected("十一月底之前完成一个小程序，预算3万到5万", "./2026-11-30", "30000-50000 CNY total", None, None, "mini_program:1"),
    Expected("成都，明年3月，百人规模技术大会，总预算20万元，需要同声传译2人、茶歇、音响", "2027-03-01/2027-03-31", "200000 CNY total", 100, "chengdu", "interpretation:2 catering:1 sound_equipment:1", "event_planning"),
    Expected("每周三晚上找瑜伽教练，朝阳区，15人左右", "2026-11-25/.", None, 15, "?朝阳区", "yoga:1"),
    Expected("找人帮忙翻译合同，5千字，三天内交付，不超过800元", "2026-11-21/2026-11-24", "800 CNY total", None, None, "translation:1"),
    Expected("国庆期间在西安找导游，4大2小，玩5天", "2027-10-01/2027-10-07", None, 6, "xian", "tour_guide:1"),
    Expected("圣诞节前后办公司年会，200人，预算约15万", "2026-12-22/2026-12-28", "150000 CNY total", 200, None, "", "event_planning"),
    Expected("12月12日广州，40人生日派对，预算8千，要蛋糕、魔术师和摄影，不需要场地", "2026-12-12/2026-12-12", "8000 CNY total", 40, "guangzhou", "baking:1 magic_show:1 photography:1", "event_planning", "venue"),
    Expected("明年五一在青岛办草坪婚礼，120位来宾，总预算15万，找两位主持人、乐队和花艺，酒水自备", "2027-05-01/2027-05-05", "150000 CNY total", 120, "qingdao", "outdoor_site:1 host_mc:2 live_music:1 floristry:1", "wedding_planning", "bartending"),
    Expected("从12月1日到12月3日在南京做企业培训，每天3000元，20名学员，需要讲师一位", "2026-12-01/2026-12-03", "3000 CNY day", 20, "nanjing", "training:1"),
    Expected("年底前要做一个报名网站和一套海报，费用2w以内，远程也行", "./2026-12-31", "20000 CNY total", None, "online", "web_dev:1 graphic_design:1"),
    Expected("武汉，下周五到周日黑客松，80人，已有场地，需要5位导师、安保和茶歇", "2026-11-27/2026-11-29", None, 80, "wuhan", "mentoring:5 crowd_safety:1 catering:1", "event_planning", "venue"),
    Expected("２０２７年１月８日在重庆开新品发布会，３００人，预算￥５０，０００", "2027-01-08/2027-01-08", "50000 CNY total", 300, "chongqing", "", "event_planning"),
    Expected("周末去苏州徒步，10个人，人均不超过150，找领队", "2026-11-21/2026-11-22", "150 CNY person", 10, "suzhou", "outdoor_guide:1"),
]
ENGLISH = [
    Expected("I need a photographer and a venue in Shenzhen on 2027-03-14 for 80 people, budget 20000 CNY", "2027-03-14/2027-03-14", "20000 CNY total", 80, "shenzhen", "photography:1 venue:1"),
    Expected("Need a venue in Beijing for 30 people next Saturday afternoon, budget under $2,000", "2026-11-28/2026-11-28", "2000 USD total", 30, "beijing", "venue:1"),
    Expected("Looking for a wedding photographer in Shanghai on December 20, 2026, max 8000 RMB", "2026-12-20/2026-12-20", "8000 CNY total", None, "shanghai", "wedding_photography:1"),
    Expected("Two interpreters for a 3-day AI conference in Shenzhen, mid January, budget 20k USD", "2027-01-11/2027-01-20", "20000 USD total", None, "shenzhen", "interpretation:2", "event_planning"),
    Expected("Catering for about a hundred guests tomorrow at 6pm in Hangzhou", "2026-11-22/2026-11-22", None, 100, "hangzhou", "catering:1"),
    Expected("Piano teacher every Tuesday evening, within 5km of Pudong, 300 yuan per lesson", "2026-11-24/.", "300 CNY session", None, "shanghai", "music_teaching:1"),
    Expected("Host a hackathon with 3 judges and 5 mentors, Feb 2027, EUR 10,000", "2027-02-01/2027-02-28", "10000 EUR total", None, None, "mentoring:8", "event_planning"),
    Expected("I want to organise an AI meetup, no idea about the date yet", implied="event_planning"),
    Expected("Build a base on Mars", place="?Mars"),
    Expected("Let's do something fun together"),
    Expected("A data analyst to work remotely within two weeks, $40 per hour", "2026-11-21/2026-12-05", "40 USD hour", None, "online", "data_analysis:1"),
    Expected("Wedding in Chengdu from June 3 to June 5, 120 guests, no DJ, two photographers and a florist, up to ¥150,000", "2027-06-03/2027-06-05", "150000 CNY total", 120, "chengdu", "photography:2 floristry:1", "wedding_planning", "dj"),
    Expected("We already have a venue in Nanjing; need three speakers and a projector for a workshop on Dec 5, 40 participants, budget around 6k", "2026-12-05/2026-12-05", "6000 CNY total", 40, "nanjing", "speaker:3 screen_equipment:1", "event_planning", "venue"),
    Expected("Website and logo by the end of next month, between 3000 and 5000 USD", "./2026-12-31", "3000-5000 USD total", None, None, "web_dev:1 brand_design:1"),
    Expected("Yoga class online every Monday and Wednesday morning for 12 people, 80 RMB each", "2026-11-23/.", "80 CNY person", 12, "online", "yoga:1"),
    Expected("Team building for 25 colleagues near Suzhou this weekend, 300 yuan a head, without catering", "2026-11-21/2026-11-22", "300 CNY person", 25, "suzhou", "team_building:1", "", "catering"),
    Expected("A concert in Guangzhou around Christmas, capacity of 500, sound system and lighting needed", "2026-12-22/2026-12-28", None, 500, "guangzhou", "sound_equipment:1 lighting:1", "live_music"),
    Expected("Meetup in New York next month for 20 people", "2026-12-01/2026-12-31", None, 20, "?New York", "", "event_planning"),
    Expected("Dinner for 12 in Chaoyang on New Year's Eve with a private chef", "2026-12-31/2026-12-31", None, 12, "?Chaoyang", "catering:1 private_chef:1"),
    Expected("Q2 2027 trade show in Xi'an, 2 interpreters, 10 volunteers, budget not over 200k", "2027-04-01/2027-06-30", "200000 CNY total", None, "xian", "interpretation:2 volunteers:10", "exhibition_design"),
]
# fmt: on


@pytest.mark.parametrize("expected", CHINESE + ENGLISH, ids=lambda each: each.text)
def test_every_constraint_of_a_demand_is_read(read: Callable[..., Extraction], expected: Expected) -> None:
    found = seen(read(expected.text))
    assert found == Expected("", *[getattr(expected, name) for name in list(Expected.__dataclass_fields__)[1:]])


@pytest.mark.parametrize(
    ("text", "unclear"),
    [
        ("我想在北京办一场AI主题聚会，需要场地和嘉宾", ("date", "budget", "headcount")),
        ("下个月在上海办一场50人的技术沙龙，预算5000元，需要3位嘉宾和茶歇", ()),
        ("想找人一起搞点事情", ("date", "budget", "headcount", "needs", "place")),
        ("在火星上建基地", ("date", "budget", "headcount", "needs", "unsupported_place")),
        ("2027-02-30在北京办聚会", ("budget", "headcount", "invalid_date")),
        ("I need a photographer and a venue in Shenzhen on 2027-03-14 for 80 people, budget 20000 CNY", ()),
        ("", ("date", "budget", "headcount", "needs", "place")),
    ],
)
def test_what_is_absent_is_listed(read: Callable[..., Extraction], text: str, unclear: tuple[str, ...]) -> None:
    assert read(text).unclear == unclear


def test_the_sample_demand_keeps_its_words(read: Callable[..., Extraction]) -> None:
    extraction = read("我想在北京办一场AI主题聚会，需要场地和嘉宾")
    assert (extraction.lang, extraction.theme, extraction.activities) == ("zh", "AI", ("meetup",))
    assert [wanted.label for wanted in extraction.wanted] == ["场地", "嘉宾", "活动策划"]


@pytest.mark.parametrize(
    ("today", "first", "last"),
    [
        (date(2026, 11, 21), date(2026, 12, 1), date(2026, 12, 31)),
        (date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 31)),
        (date(2027, 1, 31), date(2027, 2, 1), date(2027, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 1), date(2028, 2, 29)),
    ],
)
def test_the_window_follows_the_day_of_asking(
    read: Callable[..., Extraction], today: date, first: date, last: date
) -> None:
    window = read("下个月在上海办一场50人的技术沙龙，预算5000元，需要3位嘉宾和茶歇", today).window
    assert window is not None
    assert (window.start, window.end, window.span.text) == (first, last, "下个月")


def test_an_explicit_date_that_is_over_is_not_moved(read: Callable[..., Extraction]) -> None:
    extraction = read("I need a venue in Shenzhen on 2027-03-14", date(2027, 3, 15))
    assert extraction.window is None
    assert "past_date" in extraction.unclear
    assert "date" not in extraction.unclear


def test_a_three_day_conference_keeps_its_length(read: Callable[..., Extraction]) -> None:
    assert read("Two interpreters for a 3-day AI conference in Shenzhen").duration_days == 3
