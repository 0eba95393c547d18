"""Demands put into words: templates in two languages, any of a capability's words, one need left unsaid."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date

from benchmarks.quality.catalogue import BY_CONCEPT, Undertaking, city_name
from benchmarks.quality.world import Lang, Need

OPENINGS = {
    "zh": ("我们想", "你好，我们打算", "公司准备", "大家好！我想"),
    "en": ("We want to", "Hello, we are planning to", "Our company would like to", "I would like to"),
}
COUNTED = {
    "speaker": ("位", "guest speakers"),
    "interpretation": ("位", "interpreters"),
    "crowd_safety": ("名", "security guards"),
    "event_staff": ("名", "ushers"),
}
"""For capabilities wanted more than once: the Chinese measure word, and the English plural."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a sentence has to tell."""

    lang: Lang
    undertaking: Undertaking
    city: str
    start: date
    end: date
    attendees: int
    budget: int | None
    needs: tuple[Need, ...]
    excluded: tuple[str, ...]


def sentence(facts: Facts, draw: random.Random) -> str:
    """A demand as somebody might write it; what is implied is not in it."""
    return _chinese(facts, draw) if facts.lang == "zh" else _english(facts, draw)


def _word(concept: str, lang: Lang, draw: random.Random) -> str:
    return draw.choice(BY_CONCEPT[concept].words(lang))


def _chinese(facts: Facts, draw: random.Random) -> str:
    start, end = facts.start, facts.end
    window = f"{start.year}年{start.month}月{start.day}日到{end.month}月{end.day}日之间"
    if end.year != start.year:
        window = f"{start.year}年{start.month}月{start.day}日到{end.year}年{end.month}月{end.day}日之间"
    named = []
    for need in facts.needs:
        if need.named:
            word = _word(need.concept, "zh", draw)
            named.append(f"{need.count}{COUNTED[need.concept][0]}{word}" if need.count > 1 else word)
    draw.shuffle(named)
    budget = "" if facts.budget is None else draw.choice(("，预算{}元", "，总预算不超过{}元")).format(facts.budget)
    refused = "".join(f"，不需要{_word(concept, 'zh', draw)}" for concept in facts.excluded)
    listed = draw.choice(("需要", "还需要", "要有")) + "、".join(named)
    where = draw.choice(("在{}", "在{}市")).format(facts.city)
    opening = draw.choice(OPENINGS["zh"])
    return f"{opening}{window}{where}办一场{facts.attendees}人的{facts.undertaking.zh}，{listed}{budget}{refused}。"


def _english(facts: Facts, draw: random.Random) -> str:
    start, end = facts.start, facts.end
    window = f"between {start.day} {start:%B} {start.year} and {end.day} {end:%B} {end.year}"
    named = []
    for need in facts.needs:
        if need.named:
            word = _word(need.concept, "en", draw)
            named.append(f"{need.count} {COUNTED[need.concept][1]}" if need.count > 1 else word)
    draw.shuffle(named)
    listed = ", ".join(named[:-1]) + f" and {named[-1]}" if len(named) > 1 else named[0]
    phrase = draw.choice((" Our budget is {} yuan.", " Budget: {} CNY in total."))
    budget = "" if facts.budget is None else phrase.format(facts.budget)
    refused = "".join(f" No {_word(concept, 'en', draw)}, please." for concept in facts.excluded)
    article = "an" if facts.undertaking.en[0] in "aeiou" else "a"
    what = f"hold {article} {facts.undertaking.en} for {facts.attendees} people"
    opening = draw.choice(OPENINGS["en"])
    return f"{opening} {what} in {city_name(facts.city, 'en')} {window}. We need {listed}.{budget}{refused}"
