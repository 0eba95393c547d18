"""Known places, shared district names, online, and places beyond the gazetteer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from moothall.negotiation.demand.extract.model import Extraction


@pytest.mark.parametrize(
    ("text", "city", "name"),
    [
        ("在北京办聚会", "beijing", "北京"),
        ("北京市海淀区办聚会", "beijing", "北京市海淀区"),
        ("海淀区，500块", "beijing", "海淀区"),
        ("浦东办年会", "shanghai", "浦东"),
        ("北京朝阳区", "beijing", "北京朝阳区"),
        ("不在上海，在杭州办", "hangzhou", "杭州"),
        ("从北京出发去成都旅行", "chengdu", "成都"),
        ("a venue in Shenzhen", "shenzhen", "Shenzhen"),
        ("SHENZHEN venue", "shenzhen", "SHENZHEN"),
        ("within 5km of Pudong", "shanghai", "Pudong"),
        ("not in Shanghai but in Suzhou", "suzhou", "Suzhou"),
    ],
)
def test_a_known_place_is_its_city(read: Callable[..., Extraction], text: str, city: str, name: str) -> None:
    place = read(text).place
    assert place is not None
    assert (place.city, place.name, place.ambiguous) == (city, name, ())
    assert text[place.span.start : place.span.end] == name


@pytest.mark.parametrize("text", ["朝阳区，15人左右", "dinner in Chaoyang"])
def test_a_district_of_several_cities_is_asked_about(read: Callable[..., Extraction], text: str) -> None:
    extraction = read(text)
    assert extraction.place is not None
    assert extraction.place.city is None
    assert "beijing" in extraction.place.ambiguous
    assert len(extraction.place.ambiguous) > 1
    assert "place_ambiguous" in extraction.unclear


@pytest.mark.parametrize(
    "text", ["线上分享会", "远程翻译", "an online workshop", "tutoring, remotely", "a talk over Zoom"]
)
def test_online_needs_no_city(read: Callable[..., Extraction], text: str) -> None:
    extraction = read(text)
    assert extraction.place is not None
    assert extraction.place.online
    assert not {"place", "unsupported_place"} & set(extraction.unclear)


def test_a_city_may_be_online_too(read: Callable[..., Extraction]) -> None:
    place = read("在上海办沙龙，同时线上直播").place
    assert place is not None
    assert (place.city, place.online) == ("shanghai", True)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("在火星上建基地", "火星"),
        ("在纽约办一场聚会", "纽约"),
        ("在冰岛拍婚纱照", "冰岛"),
        ("去巴厘岛旅行", "巴厘岛"),
        ("明年在月球上开派对", "月球"),
        ("Build a base on Mars", "Mars"),
        ("a base on the Moon", "Moon"),
        ("Meetup in New York for 20 people", "New York"),
        ("a workshop in Lisbon", "Lisbon"),
        ("想去新疆找摄影师", "新疆"),
        ("需要场地，在新疆", "新疆"),
        ("need a photographer in Paris", "Paris"),
    ],
)
def test_a_place_beyond_the_gazetteer_is_named_and_marked(
    read: Callable[..., Extraction], text: str, name: str
) -> None:
    extraction = read(text)
    assert extraction.place is not None
    assert (extraction.place.city, extraction.place.name) == (None, name)
    assert "unsupported_place" in extraction.unclear


@pytest.mark.parametrize(
    "text",
    [
        "在公司办年会",
        "现在找人聊聊",
        "在下个月办聚会",
        "在读博士找兼职",
        "在预算内做",
        "a talk in English",
        "a speaker experienced in Python",
        "an event in March",
        "join us in AI research",
        "在场地里拍照",
        "不在线上办",
    ],
)
def test_other_words_are_no_place(read: Callable[..., Extraction], text: str) -> None:
    extraction = read(text)
    assert extraction.place is None
    assert "place" in extraction.unclear


@pytest.mark.parametrize(
    ("text", "city", "others"),
    [
        ("在北京和上海各办一场聚会", "beijing", ("shanghai",)),
        ("A meetup in Beijing or Shanghai", "beijing", ("shanghai",)),
        ("在北京办一场，在上海办一场", "beijing", ("shanghai",)),
        ("北京、上海、杭州三地聚会", "beijing", ("shanghai", "hangzhou")),
        ("从北京到上海办聚会", "shanghai", ()),
        ("北京和上海的嘉宾，在杭州办聚会", "hangzhou", ()),
        ("在北京海淀办聚会", "beijing", ()),
    ],
)
def test_the_first_of_several_cities_stands_and_the_others_are_told(
    read: Callable[..., Extraction], text: str, city: str, others: tuple[str, ...]
) -> None:
    extraction = read(text)
    assert extraction.place is not None
    assert (extraction.place.city, extraction.place.others) == (city, others)
    assert ("place_several" in extraction.unclear) == bool(others)
