"""Whatever a list of needs asks for is understood or told as not understood, and nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.quality.generate import DEVELOPMENT, scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from moothall.negotiation.demand.extract.model import Extraction

LOST = [
    (
        "A meetup in Shanghai for 60 people with a venue, a speaker and a telepathic dolphin tamer, budget 8000 yuan",
        ["telepathic dolphin tamer"],
    ),
    ("We need a venue, catering and fireworks in Beijing for 100 people.", ["fireworks"]),
    ("Looking for a photo booth and a photographer for a party in Shanghai.", ["photo booth"]),
    ("Need a sword swallower for a party in Chengdu, 30 people, budget 3000", ["sword swallower"]),
    ("venue, host, sound, lighting, unicorn rides, catering, security", ["unicorn rides"]),
    ("We need a host, a fire eater and a magician in Wuhan on 3 May 2027", ["fire eater"]),
    ("在北京办聚会，需要场地、会读心的海豚驯养师和保安，预算8000元", ["会读心的海豚驯养师"]),
    ("在上海办婚礼，需要场地、烟花、乐队和司仪", ["烟花"]),
    ("需要一位吞剑艺人和一位摄影师，成都，30人", ["吞剑艺人"]),
    ("在深圳办发布会，需要主持人和投影仪，以及停车位", ["停车位"]),
]
CLEAR = """\
We want to host a quiet, elegant dinner for 20 friends in Beijing next Friday, with a private chef and live music.
Looking for a photographer and a videographer for our wedding in Shanghai on 12 June 2027, relaxed and natural style.
A startup demo day in Shenzhen for 80 people with investors, founders and a bright venue near the metro.
I need a venue with a projector and parking for 50 people in Hangzhou in March 2027.
We need speakers on AI, climate and health for a conference in Beijing, 200 people, budget 50000.
Our company would like a team building day in Chengdu with games and lunch, about 30 people.
We need a bilingual host, a photographer and an interpreter on 3 April 2027 in Guangzhou.
A birthday party for my daughter, 15 children, with a clown, a cake and balloons in Nanjing.
A workshop on pottery in Xi'an, 12 people, I need a trainer who speaks English and Chinese, budget 3000.
We have a venue and snacks already; we need a DJ, lights and a bartender.
Two interpreters and catering for 100 guests, Beijing, 15 May 2027, preferably vegetarian food.
Please find us a modern, spacious venue, ideally downtown, available on weekends.
A hackathon in Shanghai in May: mentors, wifi, catering and a venue for 120 developers.
An online coding workshop on a weekend, with two teachers and an assistant
Need a logo and a website for my shop, remote is fine, budget 8000, deadline June.
We need cleaning, make-up and styling and stage building. Our budget is 8000 yuan.
在北京办一场安静、温馨的生日聚会，20人，需要蛋糕、气球和摄影师，预算5000元
下周六在上海办技术沙龙，50人左右，需要懂Python、Rust的讲师和茶歇
公司年会，200人，需要主持人、乐队、音响、灯光和舞台搭建，预算10万元以内，氛围热闹
想在杭州找一个交通方便、能容纳80人的场地，最好靠近地铁
需要两名会英语和日语的主持人，以及一位摄影师，地点成都
我们打算12月在深圳办新品发布会，需要场地、媒体、直播和嘉宾，主题是绿色和低碳
线上办一次分享会，需要一位AI领域的嘉宾，主持人我们自己有
需要茶歇、同传各一位，人数60人，时间3月15日，地点在广州
婚礼在南京，100位客人，要有花艺、摄影、化妆师，不需要司仪，预算3万
组织一次团建，30人，包括午餐、破冰游戏和大巴，周末进行
想办亲子活动，家长和孩子一共40人，需要老师、场地和点心
读书会，15人，需要茶艺和一个安静的空间，预算1000元，希望轻松一点
在成都办一场50人的户外婚礼，需要草坪场地、乐队、调酒师等，预算5万元
展会在广州，需要展台搭建、礼仪、翻译和物料印刷，时间和预算可以商量""".splitlines()


@pytest.mark.parametrize(("text", "unknown"), LOST)
def test_an_item_of_a_list_of_needs_that_means_nothing_known_is_kept_in_its_own_words(
    read: Callable[..., Extraction], text: str, unknown: list[str]
) -> None:
    found = read(text).unknown
    assert [item.text for item in found] == unknown
    assert all(text[item.start : item.end] == item.text for item in found)


@pytest.mark.parametrize("text", CLEAR)
def test_days_sums_moods_people_and_topics_are_no_items_that_were_not_understood(
    read: Callable[..., Extraction], text: str
) -> None:
    assert read(text).unknown == ()


def test_no_sentence_of_the_quality_campaign_has_an_item_that_was_not_understood(
    read: Callable[..., Extraction],
) -> None:
    texts = [scenario(DEVELOPMENT, index).demand.text for index in range(120)]
    assert [text for text in texts if read(text).unknown] == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (
            "A conference in Beijing, 60 people: venue, host, sound, lighting, catering, security",
            {"venue", "host_mc", "sound_equipment", "lighting", "catering", "crowd_safety"},
        ),
        ("We need a host, food and music", {"host_mc", "catering", "live_music"}),
        ("需要场地、音箱、饮料和服务员", {"venue", "sound_equipment", "catering"}),
    ],
)
def test_a_word_that_means_a_capability_only_as_an_item_is_read_where_it_is_one(
    read: Callable[..., Extraction], text: str, named: set[str]
) -> None:
    assert {item.concept for item in read(text).wanted if item.named} == named


@pytest.mark.parametrize("text", ["We want to host a meetup in Beijing", "That sounds good, a meetup in Beijing"])
def test_the_same_word_elsewhere_asks_for_nothing(read: Callable[..., Extraction], text: str) -> None:
    assert [item.concept for item in read(text).wanted if item.named] == []
