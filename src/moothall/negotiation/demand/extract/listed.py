"""Items of an enumerated list of needs: those a single word names, and those that nothing in the vocabulary means.

"with a venue, a host and a dolphin tamer", 需要场地、主持人和海豚驯养师: what is asked for is understood, or it is told
as not understood. Whatever may as well be a day, a sum, a mood or the end of another phrase is no item.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moothall.directory.concepts import Mention, Vocabulary
from moothall.negotiation.demand.extract.folding import BLANK, mask, rule, span
from moothall.negotiation.demand.extract.listed_words import BY_MANNER, NO_ITEM_EN, NO_ITEM_ZH, QUALITY_EN
from moothall.negotiation.demand.extract.stance import Stance, stances

if TYPE_CHECKING:
    from moothall.negotiation.demand.extract.mentions import Mentions
    from moothall.negotiation.demand.extract.model import Span

MOST = 5
"""Items of one sentence that are told as not understood."""
_LONGEST_ZH, _WORDS_EN, _SURE = 14, 5, 2
_JOINED = r"\s?、\s?|\s?&\s?|,?\s(?:and|plus|as well as)\s"
_JOINED_ZH = (
    r"[,，]?(?:以及|还有)|(?<![普涉危顾来])和(?![谐平牛弦声解]|服(?!务))|(?<!参)与(?![会众])"
    r"|(?<![普涉遍危顾来以])及(?![时格早])"
)
_BREAK = rule(rf"(?P<joined>{_JOINED}|{_JOINED_ZH})|(?P<comma>,|，)|(?P<colon>:|：)|[.](?=\s|$)|[。;；!?！？\n()（）]")
_CUE = rule(
    r"(?:还|也|另外?|都)*(?:需要|要有|想要|要找|想找|寻找|缺|包括|包含|配备|需)(?:有|找|请|安排|准备)?"
    r"|\b(?:(?P<weak>with|including|includes?)|needs?|needed|require[sd]?|looking for|seeking|wants?)\b"
    r"\s?(?:also\s|both\s)?"
)
_COUNT = rule(
    r"\s*(?:(?P<own>an?|some|one|two|three|four|five|[0-9]{1,2}|several)\s|(?:the|our|any)\s"
    r"|(?P<zh>(?:[0-9]{1,3}|[一两二三四五六七八九十几]+)\s?[个位名台辆间套支组份只头]))?\s*"
)
_MORE = rule(
    r"\s(?:for|in|on|at|from|by|who|that|which|to|about|during)\s.*|\s*(?:等等?|之类的?|就行|即可|各一[个位名])\s*$"
)
_OPENS = rule(r"\s(?:on|about|for|from|with|who|that|which|like|such as|covering|to)\b")
_LATIN = re.compile(r"[a-z][a-z'-]*(?: [a-z0-9][a-z0-9'-]*)*")
_CHINESE = re.compile(r"[\u4e00-\u9fffa-z0-9 ]*[\u4e00-\u9fff][\u4e00-\u9fffa-z0-9]*")


@dataclass(frozen=True, slots=True)
class Listed:
    """Further capabilities, named by words that mean them only as an item; and items without any meaning."""

    concepts: tuple[Mention, ...]
    unknown: tuple[Span, ...]


@dataclass(slots=True)
class _Item:
    """One part of a list. ``concept``: the first wanted capability in it; ``closed``: it cannot be an item at all."""

    start: int
    end: int
    joined: bool
    counted: bool = False
    cue: str = ""
    concept: Mention | None = None
    closed: bool = False


def find_listed(text: str, rest: str, mentions: Mentions, taken: Sequence[Span], vocabulary: Vocabulary) -> Listed:
    """Look at every list of the sentence; ``taken`` is what place and theme were read from."""
    reader = _Reader(text, rest, mentions, mask(len(rest), ((each.start, each.end) for each in taken)), vocabulary)
    found: list[Mention] = []
    unknown: list[Span] = []
    for items in reader.lists():
        found += reader.name(items)
        unknown += [span(text, item.start, item.end) for item in items if reader.missed(items, item)]
    return Listed(tuple(found), tuple({each.text: each for each in unknown}.values())[:MOST])


class _Reader:
    def __init__(self, text: str, rest: str, mentions: Mentions, taken: bytearray, vocabulary: Vocabulary) -> None:
        self._text, self._rest, self._mentions, self._taken = text, rest, mentions, taken
        self._vocabulary = vocabulary
        self._stances = stances(rest, mentions.concepts)

    def lists(self) -> Iterator[list[_Item]]:
        """The lists, each a run of items that nothing closes; an "and" is the last link of an English list."""
        run: list[_Item] = []
        ended = False
        for item in self._items():
            breaks = item.closed or item.cue or (ended and not item.concept and not item.joined)
            if breaks:
                yield run
                run, ended = [], False
            if not item.closed:
                run.append(item)
                latin = self._rest[item.start : item.end].isascii()
                ended = (item.joined and latin) or (ended and not item.concept)
        yield run

    def name(self, items: Sequence[_Item]) -> Iterator[Mention]:
        """Read items that are a word which means a capability where it stands alone."""
        known = sum(item.concept is not None for item in items)
        strong = bool(items and items[0].cue)
        for item in items:
            words = BY_MANNER.sub("", self._rest[item.start : item.end])
            concept = None if item.concept else self._vocabulary.normalise(words)
            if concept and (strong or known):
                surface = self._text[item.start : item.end]
                item.concept = Mention(self._vocabulary.concept(concept), item.start, item.end, surface)
                yield item.concept

    def missed(self, items: Sequence[_Item], item: _Item) -> bool:
        """Whether an item certainly asks for something that was not understood."""
        if item.concept or not self._is_name(item):
            return False
        at = items.index(item)
        before, after = items[:at], items[at + 1 :]
        if self._describes(item, after) or self._belongs_to(item, before):
            return False
        asked = items[0].cue == "strong"
        known = sum(other.concept is not None for other in items)
        if asked and item.counted and (known or len(items) == 1 or all(other.counted for other in items)):
            return True
        linked = item.joined or bool(after and after[0].joined)
        between = any(other.concept for other in before) and any(other.concept for other in after)
        return bool(known) and (linked or between or item.counted or (known > _SURE and bool(items[0].cue)))

    def _items(self) -> Iterator[_Item]:
        start, joined = 0, False
        inside = mask(len(self._rest), ((each.start + 1, each.end) for each in self._mentions.concepts))
        links = [each for each in _BREAK.finditer(self._rest) if not inside[each.start()]]
        for link in (*links, None):
            end = link.start() if link else len(self._rest)
            yield self._item(start, end, joined=joined)
            if link is None:
                return
            start, joined = link.end(), bool(link["joined"])
            if not (link["joined"] or link["comma"] or link["colon"]):
                yield _Item(start, start, joined=False, closed=True)

    def _item(self, start: int, end: int, *, joined: bool) -> _Item:
        """Cut the words that lead to a list and those that go on about an item."""
        item = _Item(start, end, joined)
        named = [
            (mention, stance)
            for mention, stance in zip(self._mentions.concepts, self._stances, strict=True)
            if start <= mention.start and mention.end <= end
        ]
        first = named[0][0].start if named else end
        cue = next((each for each in _CUE.finditer(self._rest, start, end) if each.start() <= first), None)
        if cue and not (named and named[0][0].start < cue.end()):
            item.start, item.cue = cue.end(), "weak" if cue["weak"] else "strong"
        if count := _COUNT.match(self._rest, item.start, end):
            item.start, item.counted = count.end(), bool(count["own"] or count["zh"])
        if named:
            item.closed = any(stance is not Stance.WANTED for _, stance in named)
            item.concept = named[0][0]
            return item
        if more := _MORE.search(self._rest, item.start, end):
            item.end = more.start()
        while item.end > item.start and self._rest[item.end - 1] == " ":
            item.end -= 1
        item.closed = not self._may_be_item(item)
        return item

    def _may_be_item(self, item: _Item) -> bool:
        words = self._rest[item.start : item.end]
        doing = any(each.start < item.end and item.start < each.end for each in self._mentions.activities)
        return bool(words.strip()) and BLANK not in words and not doing and not any(self._taken[item.start : item.end])

    def _is_name(self, item: _Item) -> bool:
        """Whether the words can be the name of something, as far as words tell."""
        words = self._rest[item.start : item.end]
        if _LATIN.fullmatch(words):
            parts = words.split(" ")
            return len(parts) <= _WORDS_EN and NO_ITEM_EN.isdisjoint(parts) and not QUALITY_EN.search(words)
        if not _CHINESE.fullmatch(words):
            return False
        return len(words) <= _LONGEST_ZH and len(words) > 1 and not NO_ITEM_ZH.search(words)

    def _describes(self, item: _Item, after: Sequence[_Item]) -> bool:
        """Whether it is only the first of several words for the next item: a quiet, bright venue, 安静、明亮的场地."""
        following = after[0] if after else None
        if following is None or following.counted:
            return False
        if following.concept:
            return following.concept.start > following.start
        words = self._rest[following.start : following.end]
        return not self._is_name(following) or (item.counted and words.isascii())

    def _belongs_to(self, item: _Item, before: Sequence[_Item]) -> bool:
        """Whether it goes on about an earlier item: speakers on climate, health and energy."""
        if item.counted:
            return False
        named = next((other for other in reversed(before) if other.concept), None)
        tail = self._rest[named.concept.end : named.end] if named and named.concept else ""
        return bool(_OPENS.match(tail)) or "等" in tail
