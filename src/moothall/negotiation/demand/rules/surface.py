"""The demand in one phrase, and what its words say about purpose, taste and mood; nothing that they do not say."""

from __future__ import annotations

import re

from moothall.negotiation.demand.rules.phrasing import TEXT_CAP, clean

_CLAUSES = re.compile(r"[，,。；;！!？?\n]+(?![0-9]{3}(?![0-9]))")
_GREETING = re.compile(r"(?:你好|您好|大家好|请问|hi|hello|hey|dear all)\W*", re.IGNORECASE)
_SPEAKER = re.compile(r"(?:我们|我|咱们)(?:公司|团队)?(?=想|要|需|打算|计划|准备|希望|在|找)")
_REQUEST = re.compile(
    r"\s*(?:还|也|并|另外|同时|and\s+|also\s+|plus\s+)*\s*(?:"
    r"需要|需|想找|要找|寻找|找|求|要有|最好|预算|费用|人数|时间|地点|包括|包含|"
    r"(?:i|we)(?:'d| would)? (?:also )?(?:need|want|like)|need|looking for|budget|with a budget|including|please)",
    re.IGNORECASE,
)
_PURPOSE = (
    re.compile(r"(?:为了|目的是|是因为|因为|希望能?)([^，。；！？,;!?\n]{2,60})"),
    re.compile(r"\b(?:because|in order to|so that|to celebrate|hoping to)\s+([^,.;!?\n]{3,100})", re.IGNORECASE),
)
_TASTE = re.compile(
    r"(轻松|安静|正式|热闹|温馨|简单|低调|环保|高端|性价比|有创意|专业|互动|小而美|质量优先|节省)|"
    r"\b(relaxed|casual|quiet|formal|lively|cosy|cozy|simple|low-key|eco-friendly|sustainable|high-end|premium|creative|"
    r"affordable|professional|interactive|intimate)\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"(?:不要|不用|不必|不需要|别|不|\bnot|\bno|n't)\s*(?:太|那么|too)?\s*$", re.IGNORECASE)
_MOOD = re.compile(
    r"(着急|很急|尽快|期待|兴奋|担心|焦虑|紧张)|\b(urgent(?:ly)?|asap|excited|worried|nervous|looking forward)\b",
    re.IGNORECASE,
)


def surface(raw: str) -> str:
    """The sentence without greeting, speaker and the trailing clauses that only list what is asked for."""
    clauses = [words for part in _CLAUSES.split(raw[: 4 * TEXT_CAP]) if (words := clean(part))]
    while len(clauses) > 1 and _GREETING.fullmatch(clauses[0]):
        clauses.pop(0)
    if not clauses:
        return clean(raw) or "-"
    first = _SPEAKER.sub("", clauses[0], count=1) if _SPEAKER.match(clauses[0]) else clauses[0]
    rest = [part for part in clauses[1:] if not _REQUEST.match(part)]
    comma = "，" if any("\u4e00" <= char <= "\u9fff" for char in raw) else ", "
    return clean(comma.join([first, *rest]))


def motivation(raw: str) -> str:
    """The purpose the sentence states, in its own words."""
    return next((clean(found[1]) for pattern in _PURPOSE if (found := pattern.search(raw))), "")


def preferences(raw: str) -> tuple[str, ...]:
    """Words of taste that the sentence uses and does not negate."""
    wanted = [found[0] for found in _TASTE.finditer(raw) if not _NEGATED.search(raw[: found.start()])]
    return tuple(dict.fromkeys(word.lower() for word in wanted))


def mood(raw: str) -> str:
    """The first word of mood in the sentence."""
    found = _MOOD.search(raw)
    return found[0] if found else ""
