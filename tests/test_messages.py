"""Texts: every one in Chinese and in English, with the same values in both."""

from __future__ import annotations

from importlib.resources import files
from string import Formatter

import pytest

from moothall.error_table import ERRORS
from moothall.errors import AgentNotFound, BadDemand
from moothall.messages import LANGS, Lang, catalogue, detect_lang, explain, system_lang, text

ROOMS = sorted({path.name.split(".")[0] for path in files("moothall").joinpath("data", "texts").iterdir()})

CHINESE = {
    "E001": "需求格式错误",
    "E002": "需求 ID 不存在",
    "E003": "LLM 服务不可用",
    "E004": "LLM 调用超时",
    "E005": "无候选人匹配",
    "E006": "协商超时",
    "E007": "Channel 不存在",
    "E008": "Agent 不存在",
    "E009": "事件推送失败",
}


def _placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_the_same_things_in_both_languages(room: str) -> None:
    zh, en = catalogue(room, "zh"), catalogue(room, "en")
    assert zh.keys() == en.keys()
    for key in zh:
        assert _placeholders(zh[key]) == _placeholders(en[key]), key


@pytest.mark.parametrize("room", ROOMS)
def test_placeholders_are_plain_names(room: str) -> None:
    for lang in LANGS:
        for key, template in catalogue(room, lang).items():
            assert all(name.isidentifier() for name in _placeholders(template)), key


def test_every_error_is_told_in_both_languages() -> None:
    wanted = {f"{code}.{part}" for code in ERRORS for part in ("message", "hint")}
    for lang in LANGS:
        assert catalogue("errors", lang).keys() == wanted
        assert all(catalogue("errors", lang).values())


def test_the_chinese_texts_of_the_specification() -> None:
    assert {code: text(f"errors.{code}.message", "zh") for code in CHINESE} == CHINESE


def test_an_error_is_told_by_its_code_its_cause_and_its_way_out() -> None:
    told = explain(AgentNotFound("there is no agent anna", why="it was removed"), "zh")
    assert told == ("Agent 不存在", "there is no agent anna: it was removed", "用 moot agents list 查看已登记的 Agent")


def test_a_hint_given_where_an_error_was_raised_goes_first() -> None:
    assert explain(BadDemand("too long", hint="say it in 2000 characters"), "en").hint == "say it in 2000 characters"


@pytest.mark.parametrize("key", ["errors.E999.message", "errors", "nowhere.at.all", "", "../x.y"])
def test_an_unknown_key_is_a_key_error(key: str) -> None:
    with pytest.raises(KeyError):
        text(key, "en")


def test_values_are_filled_in_and_a_missing_one_is_a_key_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moothall.messages.catalogue", lambda _room, _lang: {"greeting": "hello {name}"})
    assert text("any.greeting", "en", name="{anna}") == "hello {anna}"
    with pytest.raises(KeyError, match="name"):
        text("any.greeting", "en")


def test_a_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        catalogue("errors", "en")["E001.message"] = "x"  # type: ignore[index]


@pytest.mark.parametrize(
    ("words", "lang"),
    [
        ("我想办一场聚会", "zh"),
        ("AI meetup 北京", "zh"),
        ("an AI meetup", "en"),
        ("", "en"),
        ("，。", "en"),
        ("𠮷", "zh"),
        ("Zürich", "en"),
    ],
)
def test_one_chinese_character_makes_a_text_chinese(words: str, lang: Lang) -> None:
    assert detect_lang(words) == lang


@pytest.mark.parametrize(
    ("env", "lang"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LC_ALL": "en_GB.UTF-8", "MOOTHALL_LANG": "zh"}, "zh"),
        ({"LC_ALL": "", "LANG": "zh_CN"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_language_of_the_system(env: dict[str, str], lang: Lang) -> None:
    assert system_lang(env) == lang
