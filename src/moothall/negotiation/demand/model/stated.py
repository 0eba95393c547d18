"""What a text states: sums, head counts, days and cities, however they are written.

A model that must not bring in a figure can write it in digits, in words (``五千元``, ``fifty people``) or as a day
(``下周五``); the grammars that read a demand read all of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING

from moothall.negotiation.demand.extract.folding import fold, rule
from moothall.negotiation.demand.extract.numerals import NUMBER, read_number
from moothall.negotiation.demand.extract.sentence import extract

if TYPE_CHECKING:
    from moothall.negotiation.demand.rules.phrasing import Lexica

JOINT = re.compile(
    r"([，,。；;！!？?、\n]+(?!\d{3}(?!\d))|\.\s+|\s+(?:and|plus|as well as)\s+"
    r"|以及|还有|并且|同时|和(?!谐|平|声))",
    re.IGNORECASE,
)
"""Where one clause ends and the next begins."""
MOST_CLAUSES = 24
"""Clauses of one text that are looked at one by one; what stands behind them is looked at as one."""
LEAST_BARE = 10
"""A figure without a unit is a sum from here on."""
_HINT = rule(
    r"[0-9零〇一二两三四五六七八九十百千万亿¥$€£今明后周末月号日旬免]|不要钱|不花钱|礼拜|星期"
    r"|\b(?:half|dozen|hundred|thousand|million|grand|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|[a-z]+teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|free|budget|today|tonight|tomorrow|next|week|month"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|christmas|easter)"
)
_BARE = rule(
    r"(?:只要|只收|只需|仅需|仅要|仅收|收费?|要价|报价|开价|总价|价格|费用|价位|合计|总共|一共|共计"
    r"|\b(?:only|just|charges?|charging|asks?|asking|costs?|priced?|pay|fee|total))"
    r"(?:\s|是|为|[:约]|at\b|of\b|for\b|is\b|about\b|only\b|just\b|我)*"
    rf"(?P<sum>{NUMBER})\s*(?:就行|就好|就够|就可以|即可|而已|左右|以内|整|or so|in all)*\s*"
    r"(?=$|[,，。.；;！!？?、)）])"
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a text states; ``spans`` are the days, first to last, an open end as the first or last day there is."""

    sums: frozenset[float] = frozenset()
    heads: frozenset[int] = frozenset()
    spans: frozenset[tuple[date, date]] = frozenset()
    cities: frozenset[str] = frozenset()

    def __or__(self, other: Facts) -> Facts:
        """What two texts state together."""
        return Facts(
            self.sums | other.sums, self.heads | other.heads, self.spans | other.spans, self.cities | other.cities
        )


def hinted(words: str) -> bool:
    """Whether there is any sign of a figure or a day, so that reading is worth its time."""
    return _HINT.search(fold(words)) is not None


def cities(words: str, lexica: Lexica) -> frozenset[str]:
    """The ids of the cities that a text names, or may mean."""
    found = lexica.gazetteer.find(words)
    return frozenset(city for each in found for city in ((each.city_id,) if each.city_id else each.ambiguous))


def facts(words: str, today: date, lexica: Lexica) -> Facts:
    """What a clause, or a text read as one, states."""
    places = cities(words, lexica)
    if not hinted(words):
        return Facts(cities=places)
    found = extract(words, today, lexica.vocabulary, lexica.gazetteer, lexica.activities)
    sums = {float(value) for value in (found.budget.minimum, found.budget.maximum) if value} if found.budget else set()
    if found.budget and not found.budget.maximum:
        sums.add(0.0)
    window = found.window
    spans = set() if window is None else {(window.start or date.min, window.end or window.start or date.max)}
    bare = _bare_sums(words)
    return Facts(
        sums=frozenset(sums | bare),
        heads=frozenset({found.heads.value} if found.heads and found.heads.value not in bare else ()),
        spans=frozenset(spans),
        cities=places,
    )


def all_facts(words: str, today: date, lexica: Lexica) -> Facts:
    """What a text states as a whole and in its clauses, each of which may state something of its own."""
    clauses: Iterable[str] = JOINT.split(words, maxsplit=MOST_CLAUSES)[::2]
    read = (facts(clause, today, lexica) for clause in dict.fromkeys((words, *clauses)))
    return reduce(Facts.__or__, read, Facts())


def _bare_sums(words: str) -> set[float]:
    """Figures without a currency that are what somebody asks: ``只要八百``, ``I only charge 800``."""
    found = (read_number(match["sum"]) for match in _BARE.finditer(fold(words)))
    return {float(value) for value in found if value is not None and value >= LEAST_BARE}
