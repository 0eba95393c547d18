"""The words after `moot call TARGET` become the arguments."""

from __future__ import annotations

import io
from typing import Any

import pytest

from moothall.cli.arguments import arguments
from moothall.cli.invocation import Invocation
from moothall.errors import UsageError

CALL = Invocation("en", as_json=False, data=None)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], {}),
        (["a=1", "b=text", "c=true", 'd="1"', "e="], {"a": 1, "b": "text", "c": True, "d": "1", "e": ""}),
        (["a:=[1, 2]", '{"b": {"c": null}}'], {"a": [1, 2], "b": {"c": None}}),
        (["name=张三", "n=9007199254740993"], {"name": "张三", "n": 9007199254740993}),
        (["a=NaN", "b=1e999"], {"a": "NaN", "b": "1e999"}),
    ],
)
def test_words_are_json_where_they_are_json_and_text_elsewhere(words: list[str], found: dict[str, Any]) -> None:
    assert arguments(CALL, words) == found


def test_an_object_may_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"a": 1}'))
    assert arguments(CALL, ["-", "b=2"]) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    "words", [["a"], ["=1"], ["a=1", "a=2"], ["a:=NaN"], ["a:=1e999"], ["a:=x"], ["[1]"], ["{"], ['{"a": NaN}']]
)
def test_what_is_no_argument_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        arguments(CALL, words)
