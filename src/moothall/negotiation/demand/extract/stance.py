"""What a sentence says of each capability it names: wanted, refused (不需要茶歇, no catering) or the speaker's own."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from moothall.negotiation.demand.extract.folding import rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moothall.directory.concepts import Mention

_REFUSED_BEFORE = rule(
    r"(?:不需要|不用|不要|无需|无须|不必|不含|不包括|不包含|不找|不请|不想要|不设|别找|别请|不缺|不是[要想在]|没在|不打算|不想)(?:再|安排|准备|找|请"
    r"|任何|另外|额外|提供|租|订){0,2}[一个位名]{0,2}$"
    r"|\b(?:no|not|without|(?:don't|do not|doesn't|does not|won't|will not) (?:need|want|require)|no need (?:for|of)"
    r"|excluding|except(?: for)?"
    r"|not including|minus|skip|(?:not|aren't|isn't) (?:currently )?(?:looking for|searching for|seeking|hiring|after"
    r"|interested in|in need of|asking for))\s(?:(?:a|an|any|the|extra|additional|more)\s){0,2}$"
)
_HELD_BEFORE = rule(
    r"(?:已经?有了?|自带|自备|已经?[订定租]好?了?|我们?有|自己有|有自己的|已经?找到了?"
    r"|有现成的)[一个位名间家]{0,2}(?:自己的)?$"
    r"|\b(?:already (?:have|got|booked|found|arranged|hired)|(?:we|i) have(?: got)?|(?:we|i)'ve got|(?:we"
    r"|i) already have|bring(?:ing)? our own)\s"
    r"(?:(?:a|an|the|our|my|own)\s){0,2}$"
)
_OFFERED_BEFORE = rule(
    r"(?:我是|我们是|身为|本人是?|我会|我擅长)[一个位名家]{0,2}[\u4e00-\u9fff]{0,4}$|\b(?:i am|i'm|we are"
    r"|we're) an? (?:[a-z]{2,14} )?$"
)
_SETTLED_AFTER = rule(
    r"(?P<all>都|也|就|我们)?(?:不需要|不用|不要|无需|自备|自带|自理|已经?有了?|已经?[订定租]好?了?|有了|已解决"
    r"|免了)(?![太很多过超])"
    r"|\s(?:is|are|isn't|aren't)?\s?(?:not (?:needed|required|necessary)|needed not|already (?:booked|arranged"
    r"|sorted|found|there)|sorted|provided)\b"
)
_ONLY_BEFORE = rule(
    r"(?<!不)(?:只|仅仅?|光)(?:需要?|想?要|缺|找|用|想找|差)(?:有|找|请)?(?:[0-9]{1,3}|[一两二三四五六七八九十])?[个位名间台]?$"
    r"|(?<!not )\b(?:just|only|solely|nothing but)\s(?:(?:need|want|require|looking for|seeking)\s)?"
    r"(?:(?:a|an|the|one|two|some)\s)?$"
    r"|\b(?:need|want|require|looking for) (?:only|just|nothing but)\s(?:(?:a|an|the|one|two|some)\s)?$"
)
_ONLY_AFTER = rule(
    r"\sonly\b(?!\s(?:in|on|for|at|after|before|from|if|when|until|with|has|have)\b)|(?:而已|就行|就够|即可)"
)
_CHAIN = rule(r"(?:和|与|或者?|、|及|以及|跟|/)|\s?(?:or|nor|and|&)\s(?:any\s)?|\sor\san?\s")
_REACH = 40


class Stance(Enum):
    """How the speaker stands to a capability."""

    WANTED = "wanted"
    EXCLUDED = "excluded"
    OFFERED = "offered"


def stances(folded: str, mentions: Sequence[Mention]) -> list[Stance]:
    """Return one stance per mention; those joined to a refused one by a conjunction share its fate."""
    found: list[Stance] = []
    for index, mention in enumerate(mentions):
        floor = mentions[index - 1].end if index else 0
        stance = _before(folded, max(floor, mention.start - _REACH), mention.start)
        joined = index > 0 and _CHAIN.fullmatch(folded, floor, mention.start)
        if joined and found[-1] is not Stance.WANTED:
            stance = found[-1]
        found.append(stance)
    for index in range(len(mentions) - 1, -1, -1):
        if match := _SETTLED_AFTER.match(folded, mentions[index].end):
            found[index] = Stance.EXCLUDED
            if match["all"] in ("都", "也"):
                _spread_back(folded, mentions, found, index)
    return found


def only(folded: str, mention: Mention) -> bool:
    """Whether the speaker wants this and nothing more: 只要场地, venue only, just a photographer."""
    before = _ONLY_BEFORE.search(folded, max(0, mention.start - _REACH), mention.start)
    return bool(before or _ONLY_AFTER.match(folded, mention.end))


def _before(folded: str, start: int, end: int) -> Stance:
    if _REFUSED_BEFORE.search(folded, start, end) or _HELD_BEFORE.search(folded, start, end):
        return Stance.EXCLUDED
    return Stance.OFFERED if _OFFERED_BEFORE.search(folded, start, end) else Stance.WANTED


def _spread_back(folded: str, mentions: Sequence[Mention], found: list[Stance], index: int) -> None:
    """Exclude the earlier members of a list that ends in 都不需要."""
    while index > 0 and _CHAIN.fullmatch(folded, mentions[index - 1].end, mentions[index].start):
        index -= 1
        found[index] = Stance.EXCLUDED
