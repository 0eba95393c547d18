"""How much two texts speak of the same: by their content words, in Chinese and English. Pure; no model."""

from __future__ import annotations

import re
from typing import Final

from moothall.directory.concepts import load_vocabulary

_WORD: Final = re.compile(r"[A-Za-z][a-z]+|[A-Z]{2,}|[\u3400-\u9fff]+")
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_SHORTEST: Final = 3
_LONGEST: Final = 20_000
"""Characters of a text that are looked at."""

_EMPTY: Final = frozenset(
    """a an and any are agent api as at be been by call can capability could data do does fetch for from get gets give
    given gives has have how i id if in information input into is it its list local me method my need needs new node of
    on one or our output please protocol provide provides query request requests response return returns server service
    should some such system take takes tell that the their them then there these they this to type under use used user
    using value want wants was we what when where which who will with would you your""".split()
)
_EMPTY_HAN: Final = frozenset(
    """我们 需要 可以 提供 返回 查询 获取 一个 根据 信息 数据 接口 服务 请求 响应 用户 输入 输出 能够 支持 进行 以及
    通过 的信 户的 个用 取用 询用 回用""".split()
)
_ENDINGS: Final = ("ations", "ation", "ings", "ing", "ies", "ied", "ers", "ed", "es", "er", "or", "s", "e", "y")


def content(text: str) -> frozenset[str]:
    """The words of a text that say what it is about: stems, pairs of Chinese signs, and concepts that it names."""
    text = text[:_LONGEST]
    found: set[str] = {f"concept:{mention.concept.id}" for mention in load_vocabulary().find(text)}
    for match in _WORD.finditer(text):
        word = match[0]
        if _HAN.match(word):
            found |= {pair for pair in _pairs(word) if pair not in _EMPTY_HAN}
        elif (lower := word.lower()) not in _EMPTY and len(lower) >= _SHORTEST:
            found.add(_stem(lower))
    return frozenset(found)


def comparable(one: str, other: str) -> bool:
    """Whether the two are written in one language at all, so that having no word in common means something."""
    return bool(_HAN.search(one)) == bool(_HAN.search(other))


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST:
            return word.removesuffix(ending)
    return word


def _pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)]
