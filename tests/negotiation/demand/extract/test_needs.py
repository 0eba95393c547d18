"""Which capabilities are asked for, how many of each, and which are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from moothall.negotiation.demand.extract.model import Extraction


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("需要场地和嘉宾", {"venue": 1, "speaker": 1}),
        ("需要3位嘉宾和茶歇", {"speaker": 3, "catering": 1}),
        ("婚礼摄影师两名", {"wedding_photography": 2}),
        ("同声传译2人、茶歇、音响", {"interpretation": 2, "catering": 1, "sound_equipment": 1}),
        ("两名摄影师，一位主持人", {"photography": 2, "host_mc": 1}),
        ("3位AI领域的嘉宾和2名摄影师", {"speaker": 3, "photography": 2}),
        ("2名中文嘉宾和1名英文嘉宾", {"speaker": 3}),
        ("需要嘉宾，3位嘉宾最好", {"speaker": 3}),
        ("志愿者20名", {"volunteers": 20}),
        ("嘉宾x3", {"speaker": 3}),
        ("30位客人的餐饮", {"catering": 1}),
        ("能容纳50人的会议室", {"venue": 1}),
        ("找人帮忙翻译合同", {"translation": 1}),
        ("我是摄影师，想找化妆师", {"makeup": 1}),
        ("没有场地，需要找", {"venue": 1}),
        ("I need a photographer and a venue", {"photography": 1, "venue": 1}),
        ("Two interpreters", {"interpretation": 2}),
        ("three experienced speakers", {"speaker": 3}),
        ("2 x photographers", {"photography": 2}),
        ("3 speakers, 2 photographers and catering", {"speaker": 3, "photography": 2, "catering": 1}),
        ("a 50-person meeting room", {"venue": 1}),
        ("2 hours of photography", {"photography": 1}),
        ("I'm a photographer looking for a venue", {"venue": 1}),
        ("a photographer, 3 days", {"photography": 1}),
    ],
)
def test_named_capabilities_and_their_numbers(
    read: Callable[..., Extraction], text: str, named: dict[str, int]
) -> None:
    extraction = read(text)
    assert {wanted.concept: wanted.count for wanted in extraction.wanted if wanted.named} == named
    for wanted in extraction.wanted:
        assert wanted.span is None or text[wanted.span.start : wanted.span.end] == wanted.span.text == wanted.label


@pytest.mark.parametrize(
    ("text", "named", "excluded"),
    [
        ("不需要茶歇，要两名摄影师", ["photography"], ["catering"]),
        ("不要茶歇和音响，只要场地", ["venue"], ["catering", "sound_equipment"]),
        ("场地和音响都不需要，只找3位嘉宾", ["speaker"], ["venue", "sound_equipment"]),
        ("已有场地，需要主持人", ["host_mc"], ["venue"]),
        ("茶歇自理，需要场地", ["venue"], ["catering"]),
        ("场地不要太大", ["venue"], []),
        ("无需摄影师", [], ["photography"]),
        ("No catering, just a venue", ["venue"], ["catering"]),
        ("without catering or photographer, a venue", ["venue"], ["catering", "photography"]),
        ("We already have a venue, need two speakers", ["speaker"], ["venue"]),
        ("I don't need a photographer but a venue", ["venue"], ["photography"]),
        ("no need for catering; a host and a venue are enough", ["host_mc", "venue"], ["catering"]),
        ("catering is not needed, a venue is", ["venue"], ["catering"]),
        ("not only a venue but also catering", ["venue", "catering"], []),
        ("I am NOT looking for a venue", [], ["venue"]),
        ("I don't need a venue", [], ["venue"]),
        ("we are not looking for speakers", [], ["speaker"]),
        ("We aren't looking for a photographer, just a venue", ["venue"], ["photography"]),
        ("不打算找摄影师，需要场地", ["venue"], ["photography"]),
    ],
)
def test_what_is_refused_or_already_there_is_not_wanted(
    read: Callable[..., Extraction], text: str, named: list[str], excluded: list[str]
) -> None:
    extraction = read(text)
    assert [wanted.concept for wanted in extraction.wanted if wanted.named] == named
    assert list(extraction.excluded) == excluded


def test_an_undertaking_implies_capabilities_without_a_span(read: Callable[..., Extraction]) -> None:
    extraction = read("想办一场年会")
    assert extraction.activities == ("annual_party",)
    assert [(wanted.concept, wanted.named, wanted.span) for wanted in extraction.wanted] == [
        ("event_planning", False, None)
    ]


def test_a_refused_capability_is_not_implied_either(read: Callable[..., Extraction]) -> None:
    extraction = read("想办一场年会，不需要活动策划")
    assert extraction.wanted == ()
    assert extraction.excluded == ("event_planning",)


def test_a_profession_named_after_an_undertaking_is_not_the_undertaking(read: Callable[..., Extraction]) -> None:
    assert read("Looking for a wedding photographer").activities == ()


@pytest.mark.parametrize(
    ("text", "theme"),
    [
        ("办一场AI主题聚会", "AI"),
        ("以环保为主题的市集", "环保"),
        ("办一场沙龙，主题是低碳生活", "低碳生活"),
        ("关于区块链的讲座", "区块链"),
        ("办一场大模型沙龙", "大模型"),
        ("an AI-themed meetup", "AI"),
        ("an AI meetup", "AI"),
        ("a conference themed around clean energy", "clean energy"),
        ("a workshop about pottery in Suzhou", "pottery"),
        ("a party on March 3", None),
        ("需要场地和嘉宾", None),
    ],
)
def test_the_theme_is_kept_as_written(read: Callable[..., Extraction], text: str, theme: str | None) -> None:
    assert read(text).theme == theme


@pytest.mark.parametrize(
    "text",
    [
        "办聚会，只要场地和投影",
        "办聚会只需要场地",
        "办聚会仅需场地",
        "办聚会，场地就行",
        "Meetup in Beijing, venue only",
        "only a venue for a meetup",
        "I only need a venue for my meetup",
        "just a photographer for a wedding",
    ],
)
def test_only_leaves_nothing_implied(read: Callable[..., Extraction], text: str) -> None:
    wanted = read(text).wanted
    assert wanted
    assert all(each.named for each in wanted)


@pytest.mark.parametrize("text", ["办聚会，不只要场地，还要嘉宾", "a meetup, not just a venue but also catering"])
def test_not_only_leaves_the_undertaking_as_it_is(read: Callable[..., Extraction], text: str) -> None:
    assert "event_planning" in {each.concept for each in read(text).wanted if not each.named}
