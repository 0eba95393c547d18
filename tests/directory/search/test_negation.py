"""What a text says is not done does not count; what only sounds so does."""

from __future__ import annotations

from itertools import pairwise

import pytest

from moothall.directory.places import load_gazetteer
from moothall.directory.search.asking import understand
from moothall.directory.search.negation import affirmed, denied
from moothall.directory.search.words_known import load_search_vocabulary


def named(text: str) -> list[str]:
    return [mention.concept.id for mention in load_search_vocabulary().find(affirmed(text))]


@pytest.mark.parametrize(
    "text",
    [
        "我们不提供摄影服务。",
        "摄影除外",
        "摄影业务不做",
        "暂不接摄影，敬请谅解",
        "没有摄影",
        "恕不承接摄影、录像和翻译",
        "不会摄影",
        "除摄影以外都可以商量",
        "不再提供摄影",
        "无法提供摄影",
        "谢绝摄影",
        "本店从不做摄影。",
        "We do not do photography.",
        "We don't offer photography, video or interpreting.",
        "We don’t do photography",
        "no photography",
        "Without photography.",
        "Photography is not included.",
        "Photography not offered.",
        "Everything except photography",
        "I can't do photography",
        "We never do photography, sorry.",
        "We no longer offer photography.",
        "Unable to provide photography",
    ],
)
def test_what_is_denied_names_nothing(text: str) -> None:
    assert named(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "我们提供摄影。",
        "不仅提供摄影",
        "非常专业的摄影",
        "无论婚礼还是年会，都可以摄影",
        "没有问题，摄影随时可约",
        "除了录像，还提供摄影",
        "不错的摄影",
        "不限时间的摄影",
        "We do photography.",
        "Not only flowers but photography",
        "No problem: photography on any day",
        "Do not hesitate to book photography",
        "photography without limits",
        "特别擅长摄影",
    ],
)
def test_what_only_sounds_so_is_not_denied(text: str) -> None:
    assert "photography" in named(text)


@pytest.mark.parametrize("text", ["删除订单", "清除缓存，移除成员", "拆除舞台", "除湿机出租", "扣除费用"])
def test_what_is_taken_away_is_done_all_the_same(text: str) -> None:
    assert affirmed(text) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("我们不做摄影，做翻译", ["translation"]),
        ("不提供摄影，但提供翻译", ["translation"]),
        ("翻译公司。摄影除外。", ["translation"]),
        ("We do not do photography, but we do translation.", ["translation"]),
        ("Translation. No photography.", ["translation"]),
        ("We do not do photography. We do translation.", ["translation"]),
        ("We never do photography, we do translation", ["translation"]),
        ("Translation without photography, in Paris", ["translation"]),
    ],
)
def test_a_denial_ends_where_its_clause_ends(text: str, wanted: list[str]) -> None:
    assert named(text) == wanted


def test_passages_do_not_overlap() -> None:
    text = "不提供摄影，也不做翻译。We never do catering; no photography."
    spans = denied(text)
    assert spans == sorted(spans)
    assert all(first[1] < second[0] for first, second in pairwise(spans))


@pytest.mark.parametrize(
    ("query", "wanted", "without"),
    [
        ("找场地，不要摄影", ("venue",), ("photography",)),
        ("不含餐饮的场地", ("venue",), ("catering",)),
        ("a venue without photography", ("venue",), ("photography",)),
        ("photographer, no video editing", ("photography",), ("video_editing",)),
        ("摄影 and catering", ("photography", "catering"), ()),
        ("需要摄影师和 caterer", ("photography", "catering"), ()),
    ],
)
def test_a_query_says_what_it_wants_and_what_not(query: str, wanted: tuple[str, ...], without: tuple[str, ...]) -> None:
    asked = understand(query, load_search_vocabulary(), load_gazetteer())
    assert (asked.wanted, asked.without) == (wanted, without)
    assert asked.loose == ()
    assert asked.refused == ()


def test_a_query_has_a_place_and_words_that_are_no_concept() -> None:
    asked = understand("在北京找会箍桶的摄影师，不要榫卯", load_search_vocabulary(), load_gazetteer())
    assert (asked.wanted, asked.place, asked.loose, asked.refused) == (
        ("photography",),
        "beijing",
        ("箍桶",),
        ("榫卯",),
    )


@pytest.mark.parametrize("piece", ["不要", "without ", "x, not y, ", "不提供摄影。", "摄影不做 ", "is not a ", "，"])
def test_a_text_that_denies_in_every_word_is_read_in_one_go(piece: str) -> None:
    """Looking at the whole text for each of these would take minutes."""
    spans = denied(piece * 20_000)
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    assert bool(spans) == (piece != "，")
