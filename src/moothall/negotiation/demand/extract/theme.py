"""What the undertaking is about: AI主题聚会, 以环保为主题, an AI meetup, a workshop about pottery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moothall.negotiation.demand.extract.folding import rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moothall.directory.activities import ActivityMention

_WORD = r"[^,，。;；、!?\s\x00]"
_PHRASE = r"[a-z0-9+#'-]{1,24}"
_STOP = r"(?!(?:in|at|on|for|with|next|this|and|from|by|to|the|a|an|our|of|we|i|budget|need)\b)"
_EXPLICIT = (
    rule(rf"以(?P<theme>{_WORD}{{1,20}}?)为(?:主题|核心|话题)"),
    rule(r"主题(?:是|为|:)\s?[《“\"「'‘]?(?P<theme>[^,，。;；、!?\s\x00》”\"」'’]{1,20})"),
    rule(r"(?P<theme>[^,，。;；、!?\s\x00场个次期的办搞做开届本]{1,12})主题"),
    rule(rf"关于(?P<theme>{_WORD}{{1,16}}?)的"),
    rule(
        r"\b(?P<theme>(?:(?!an?\b|the\b|organi[sz]e\b|host\b|hold\b"
        r"|plan\b)[a-z0-9+#]{2,20}\s)?[a-z0-9+#]{2,20})[-\s]themed?\b(?!\s(?:of|is|around|on)\b)"
    ),
    rule(rf"\bthemed?\s(?:around|on|of|is|:)\s(?:the\s)?(?P<theme>{_STOP}{_PHRASE}(?:\s{_STOP}{_PHRASE}){{0,3}})"),
)
_ABOUT = rule(rf"\s(?:about|on|around|focused on)\s(?:the\s)?(?P<theme>{_STOP}{_PHRASE}(?:\s{_STOP}{_PHRASE}){{0,3}})")
_TOPIC = rule(
    r"(?P<theme>人工智能|aigc|大模型|机器学习|区块链|元宇宙|云原生|技术|科技|开源|产品|设计|读书|电影|音乐|摄影|环保"
    r"|女性|金融|教育|医疗|健康|投资|数据|低碳|游戏|机器人|创业"
    r"|\b(?:ai|tech|blockchain|web3|crypto|open[\s-]source|startup|design|product|data|fintech|climate"
    r"|sustainability|gaming|robotics|python|rust"
    r"|javascript|machine learning|art|music|film|science|health))(?:的|\s|行业|领域|技术)?$"
)


@dataclass(frozen=True, slots=True)
class Theme:
    """The theme as written and where it stands."""

    text: str
    start: int
    end: int


def find_theme(text: str, rest: str, activities: Sequence[ActivityMention]) -> Theme | None:
    """Return what is called a theme, else what an undertaking is said to be about, else a known topic before it."""
    for pattern in _EXPLICIT:
        if match := pattern.search(rest):
            return _theme(text, match.start("theme"), match.end("theme"))
    for activity in activities:
        if match := _ABOUT.match(rest, activity.end):
            return _theme(text, match.start("theme"), match.end("theme"))
    for activity in activities:
        if match := _TOPIC.search(rest, max(0, activity.start - 24), activity.start):
            return _theme(text, match.start("theme"), match.end("theme"))
    return None


def _theme(text: str, start: int, end: int) -> Theme:
    return Theme(text[start:end], start, end)
