"""Words of a text, as the text index holds them: Chinese cut by a dictionary, Latin folded.

What the dictionary does not know comes as single characters in a row; these give pairs of neighbours, so that such a
word is found however its surroundings were cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib import import_module
from types import ModuleType
from typing import Final

from moothall.directory.lexicon import fold

_RUN: Final = re.compile(r"[a-z0-9]+(?:[+#]+(?![a-z0-9]))?|[^\W\da-z_]+")
_HAN: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_PAIR: Final = 2
_LONGEST: Final = 40
"""Letters of a word that count."""

STOPS: Final = frozenset(
    (
        "a an the and or of for to in on at by with from is are be can could would will do does me my i we you "
        "your our us it its this that who which what where how some any someone somebody anyone anybody something "
        "need needs want wants looking look find finding get please help helps near there provide provides "
        "providing offer offers offering service services s have has as about into if so but not no "
        "我 我们 你 您 的 了 是 在 有 和 与 或 及 也 都 要 想 找 能 会 可以 需要 帮 帮忙 帮我 请 请问 谁 哪 哪里 "
        "哪些 什么 怎么 一个 一位 一些 个 位 名 家 人 可 给 把 被 让 做 提供 服务 这 那 这个 那个 吗 呢 啊 吧 很 "
        "到 去 对 为 以 于 等 从 中 上 下 里 并 还 就 来 某 各 该 每 一 不 没 没有 不要 想要 寻找 求 附近 有没有 "
        "能够 谁能 谁会"
    ).split()
)
"""Words that say nothing about what is looked for."""


def words(text: str) -> list[str]:
    """The words of a text in its order, pairs of characters after the words that they are of."""
    found: list[str] = []
    for match in _RUN.finditer(fold(text)):
        run = match.group()
        if _HAN.search(run):
            found.extend(_cut(run))
        else:
            found.append(run[:_LONGEST])
    return found


def telling(found: Iterable[str]) -> list[str]:
    """Of words, those that say something, each once."""
    return list(dict.fromkeys(word for word in found if word not in STOPS))


@cache
def _dictionary() -> ModuleType:
    """Loaded for the first Chinese text: it takes a tenth of a second, and most commands read none."""
    return import_module("rjieba")


@lru_cache(maxsize=16_384)
def _cut(run: str) -> tuple[str, ...]:
    found: list[str] = []
    loose = ""
    rjieba = _dictionary()
    for word in rjieba.cut(run, False):  # noqa: FBT003 - without guesses, which depend on what stands around
        if len(word) >= _PAIR and rjieba.has_word(word):
            found.extend(_pairs(loose))
            loose = ""
            found.append(word)
            found.extend(part for part in rjieba.cut_for_search(word, False) if part != word and len(part) >= _PAIR)  # noqa: FBT003
        elif word in STOPS:
            found.extend(_pairs(loose))
            loose = ""
            found.append(word)
        else:
            loose += word
    found.extend(_pairs(loose))
    return tuple(found)


def _pairs(loose: str) -> Iterable[str]:
    """Pairs of neighbours in characters that are no words; a single one stands for itself."""
    if len(loose) == 1:
        yield loose
    for start in range(len(loose) - 1):
        yield loose[start : start + _PAIR]
