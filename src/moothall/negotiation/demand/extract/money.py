"""The budget of a demand: amounts with a currency, or bare amounts after a budget word; ranges, limits and units."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from moothall.negotiation.demand.extract.folding import rule, span
from moothall.negotiation.demand.extract.model import Money, Per
from moothall.negotiation.demand.extract.numerals import HUGE, NUMBER, negative, read_number
from moothall.negotiation.demand.extract.plain_dates import hide_dates

HOUSE_CURRENCY = "CNY"
"""Assumed for a bare amount after a budget word; the sentence is then still exact about the figure."""

_CURRENCY = {
    "CNY": "元人民币 块人民币 人民币 块钱 元钱 元 块 rmb cny yuan ¥ cn¥",
    "USD": "美元 美金 美刀 刀 us$ usd $ dollars dollar bucks",
    "EUR": "欧元 eur euros euro €",
    "GBP": "英镑 gbp pounds pound £",
    "HKD": "港币 港元 hk$ hkd",
    "JPY": "日元 日币 jpy yen",
    "SGD": "新加坡元 新币 sgd s$",
}
_CODE = {word: code for code, words in _CURRENCY.items() for word in words.split()}
_BEFORE = r"(?:(?:us|hk|s|cn)\$|cn¥|[¥$€£]|(?<![a-z])(?:rmb|cny|usd|eur|gbp|hkd|sgd|jpy)|人民币|美元|欧元)"
_AFTER = (
    r"(?:元?人民币|块人民币|块钱|元钱|元(?![旦宵素件月])|块(?![地儿砖板场])|美元|美金|美刀|刀(?![具剑工])|欧元|英镑"
    r"|港[币元]|日[元币]|新加坡元|新币"
    r"|(?:rmb|cny|yuan|usd|dollars?|bucks|eur|euros?|gbp|pounds?|hkd|sgd|jpy|yen)(?![a-z])|[¥$€£])"
)
_WORD = (
    r"(?:预算|经费|费用|报酬|价格|价位|价钱|出价|budget(?:ed|s)?|spend(?:ing)?|cost(?:s|ing)?|price[ds]?|pay(?:ing)?"
    r"|fee|人均)"
)
_CORRECTED = (
    rf"(?:不是|并非|not|isn't)[ \t]?{_BEFORE}?[ \t]?{NUMBER}[ \t]?{_AFTER}?[,，]?[ \t]?"
    r"(?:而是|but(?: rather)?|it'?s|it is)"
)
_FILLER = (
    rf"(?:{_CORRECTED}|"
    r"大概|大约|大致|差不多|约|在|是|为|有|共|总共|一共|总计|合计|控制|不要?超过|不高于|不能超过|最多|最高|至多"
    r"|至少|不低于|上限|顶多|每人|人均"
    r"|每位|每小时|每节|每次|每天|每场|[:=~()]|[ \t]|of|is|at|to|are|around|about|roughly|approximately|approx\.?|up"
    r"|under|below|within|less|more"
    r"|than|maximum|max\.?|at most|limit(?:ed)?|no|not|over|exceed|range|between|from|a|total|cap(?:ped)?|per|person"
    r"|hour|head|we|can|have|our|my|for"
    r"|each|somewhere|only|just|would|be|should|upper|i|ideally)"
)
_COUNTED = (
    r"(?![ \t]?(?:年|月|日|号|点|天|周|人(?!民币)|位|名|个|场(?!地)|次|小时|分钟|[-/.][0-9]|%|:[0-9]|(?:people|guests?"
    r"|persons?|pax|attendees|participants"
    r"|days?|weeks?|months?|hours?|minutes|am|pm|speakers?|st|nd|rd|th)(?![a-z])))"
)
_AMOUNT = rule(
    rf"(?P<pre>{_BEFORE})?[ \t]?(?P<a>{NUMBER})(?P<mid>[ \t]?{_AFTER})?"
    rf"(?:[ \t]?(?:到|至|-|~|and|to)[ \t]?(?P<pre2>{_BEFORE})?[ \t]?(?P<b>{NUMBER}))?"
    rf"[ \t]?(?P<post>{_AFTER})?{_COUNTED}"
)
_KEYED = rule(rf"{_WORD}{_FILLER}{{0,8}}$")
_KEYED_AFTER = rule(r"[ \t]?(?:(?:以内|以下|左右|上下)?的?(?:总?预算|经费)|(?:total )?budget\b)")
_LABEL = rule(r"(?:\b(?:room|hall|floor|building|gate|suite|no\.?|number)[ \t]?|#)$")
_NAMES = rule(rf"{_FILLER}{{0,8}}?[ \t]?{_AMOUNT.pattern}")
_THINGS = rule(r"[ \t]?[把张套台件份箱瓶杯辆间桌本束支只条盒]|(?<=[ \t])(?!this\b|plus\b|less\b|thanks\b)[a-z-]{3,}s\b")
_UNIT_BEFORE = rule(r"(?:每个?人|每位|一节|每[节次天场]|每个?小时|一小时|时薪|日薪)课?[ \t]?$")
_UNIT_AFTER = rule(r"[ \t]?/[ \t]?(?:人|位|个?小时|节|次|天|(?:h|hr|hour|person|head|lesson|session|class|day)\b)")
_LEAST_BARE = 10
_TOTAL = rule(r"总|一共|total|overall|altogether")
_PER_BEFORE: tuple[tuple[Per, re.Pattern[str]], ...] = (
    ("person", rule(r"人均|每个?人|每位|per (?:person|head)|each")),
    ("hour", rule(r"每个?小时|时薪|hourly|per hour")),
    ("session", rule(r"每[节次课场]|一节|per (?:lesson|session|class)")),
    ("day", rule(r"每天|日薪|daily|per day")),
)
_PER_AFTER: tuple[tuple[Per, re.Pattern[str]], ...] = (
    (
        "person",
        rule(
            r"[ \t]?(?:/[ \t]?(?:人|位|person|head|pp)|每个?[人位]|一[个人位]人?|per (?:person|head|guest|capita)"
            r"|a head|each|pp\b|/p\b)"
        ),
    ),
    ("hour", rule(r"[ \t]?(?:/[ \t]?(?:个?小时|时|h\b|hr\b|hour)|每个?小时|一个?小时|per hour|an hour|hourly|ph\b)")),
    (
        "session",
        rule(
            r"[ \t]?(?:/[ \t]?(?:节|次|课时|lesson|session|class)|[每一][节次]课?|(?:per|a) (?:lesson|session|class))"
        ),
    ),
    ("day", rule(r"[ \t]?(?:/[ \t]?(?:天|日|day)|每天|一天|per day|a day|daily)")),
)
_ROUGH_BEFORE = rule(
    r"(?:大概|大约|大致|差不多|约|around|about|roughly|approximately|approx\.?|~|somewhere)[ \t]?"
    r"(?:[a-z¥$€£]{0,6}[ \t]?)$"
)
_ROUGH_AFTER = rule(r"[ \t]?(?:左右|上下|出头|以上|起|or so|-ish|ish\b|plus\b|\+)")
_LIMIT_AFTER = rule(r"[ \t]?(?:以内|以下|之内|内(?![容部])|封顶|max(?:imum)?\b|at most|or less|tops)")
_BOUNDARY = rule(r"[,，](?![ \t]?(?:而是|but\b|it'?s\b))|[。;；!?、\r\n]")
_DENIED = rule(r"(?:不是|并非|\b(?:not|isn't|rather than|instead of))[ \t]?$")
_HUGE = rule(rf"(?P<pre>{_BEFORE})?[ \t]?{HUGE}[ \t]?(?P<post>{_AFTER})?")
_FREE = rule(
    r"(?<!又)不要钱|不花钱|(?<!门票)(?<!入场)(?<!报名)(?<!参加)(?<!参与)(?<![不非])免费"
    r"(?!停车|入场|门票|参加|参与|报名|开放|活动|聚会|wi-?fi|网络|试|体验)|零预算|[零0]经费|(?<![0-9.])0预算"
    r"|\bfor free\b(?! time)|\bfree of charge\b"
    r"|\b(?:no budget (?:for|at all)|zero[ -]budget|without (?:a|any) budget)\b"
    r"(?: (?:fees?|pay(?:ment)?)\b)?"
)
MOST = Decimal(1_000_000_000)
"""A larger figure is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class BudgetFound:
    """The budget; `implausible` tells that the only figures given are negative or beyond `MOST`."""

    money: Money | None
    implausible: bool


@dataclass(frozen=True, slots=True)
class _Found:
    money: Money
    rank: int
    plausible: bool


def find_money(text: str, folded: str) -> BudgetFound:
    """Return the budget: a total before a unit price, a keyed amount before a bare one, the first of equals.

    Without any amount, words such as "for free" are a budget of nothing. Digits of a date or time are no amount.
    """
    folded = hide_dates(folded)
    found = [hit for match in _AMOUNT.finditer(folded) if (hit := _read(text, folded, match)) is not None]
    best = max((hit for hit in found if hit.plausible), key=lambda hit: hit.rank, default=None)
    if best is not None:
        return BudgetFound(best.money, implausible=False)
    if found or any(_is_huge(folded, match) for match in _HUGE.finditer(folded)):
        return BudgetFound(None, implausible=True)
    free = _FREE.search(folded)
    nothing = Decimal(0)
    if free is None:
        return BudgetFound(None, implausible=False)
    money = Money(None, nothing, HOUSE_CURRENCY, "total", approximate=False, span=span(text, *free.span()))
    return BudgetFound(money, implausible=False)


def _is_huge(folded: str, match: re.Match[str]) -> bool:
    return bool(match["pre"] or match["post"] or _KEYED.search(_lead(folded, match.start())))


def _read(text: str, folded: str, match: re.Match[str]) -> _Found | None:
    lead = _lead(folded, match.start())
    if _DENIED.search(lead):
        return None
    minus = not match[0][0].isspace() and negative(text, match.start())
    lead = lead[:-1] if minus else lead
    keyed = _KEYED.search(lead)
    sign = _sign(match)
    named_after = _named_after(folded, lead, match)
    by_unit = _UNIT_BEFORE.search(lead) or _UNIT_AFTER.match(folded, match.end())
    if not (keyed or sign or named_after or by_unit) or _is_together(match):
        return None
    low, high = _figures(match)
    if high is None or (high < _LEAST_BARE and not (keyed or sign or named_after)):
        return None
    start = match.start() - minus - (len(lead) - keyed.start() if keyed else 0)
    start, end, per = _unit(folded, lead, start, match)
    rough = bool(_ROUGH_BEFORE.search(lead))
    if tail := _LIMIT_AFTER.match(folded, end):
        end = tail.end()
    elif tail := _ROUGH_AFTER.match(folded, end):
        rough, end = True, tail.end()
    currency = _CODE[sign.strip()] if sign else HOUSE_CURRENCY
    money = Money(low, high, currency, per, rough, span(text, start, end))
    end = max(end, named_after.end()) if named_after else end
    rank = 4 * bool(keyed or named_after) + 2 * bool(_TOTAL.search(lead)) + (per == "total")
    return _Found(money, rank, not minus and high <= MOST)


def _named_after(folded: str, lead: str, match: re.Match[str]) -> re.Match[str] | None:
    """Find the budget word right after an amount, unless it names the amount that follows it (12 budget 3000)."""
    word = _KEYED_AFTER.match(folded, match.end())
    if word is None or (_sign(match) is None and _LABEL.search(lead)):
        return None
    after = _NAMES.match(folded, word.end())
    if after is None or _DENIED.search(_lead(folded, after.start("a"))):
        return word
    low, high = _figures(match)[1], _figures(after)[1]
    if low is None or high is None or (high < _LEAST_BARE and _sign(after) is None):
        return word
    before = word.start() + (len(word[0]) - len(word[0].lstrip()))
    apart = not folded[before - 1].isspace() and after[0][0].isspace()
    if _sign(after) is None and (apart or (low > high and _THINGS.match(folded, after.end()))):
        return word
    return None


def _sign(match: re.Match[str]) -> str | None:
    return match["post"] or match["mid"] or match["pre"] or match["pre2"]


def _lead(folded: str, start: int) -> str:
    """Return the words just before an amount, within its phrase."""
    return _BOUNDARY.split(folded[max(0, start - 40) : start])[-1]


def _is_together(match: re.Match[str]) -> bool:
    """Tell 一块 (together, one piece) from an amount of one yuan."""
    return match["a"] in ("一", "几") and (match["mid"] or match["post"] or "").strip() == "块"


def _figures(match: re.Match[str]) -> tuple[Decimal | None, Decimal | None]:
    """Read the lower and upper figure; a scale written once counts for both (3到5万)."""
    first = read_number(match["a"])
    if match["b"] is None or first is None:
        return None, first
    second = read_number(match["b"])
    if second is None:
        return None, first
    scale = re.search(r"[千万亿kwm]+$", match["b"])
    if scale and first < second and re.fullmatch(r"[0-9.]+|[一二三四五六七八九十两]+", match["a"]):
        first = read_number(match["a"] + scale[0]) or first
    return (min(first, second), max(first, second))


def _unit(folded: str, lead: str, start: int, match: re.Match[str]) -> tuple[int, int, Per]:
    """Find what the amount is counted per, looking right after it and then before it in the same phrase."""
    for per, pattern in _PER_AFTER:
        if found := pattern.match(folded, match.end()):
            return start, found.end(), per
    for per, pattern in _PER_BEFORE:
        if found := pattern.search(lead[-14:]):
            offset = match.start() - min(len(lead), 14) + found.start()
            return min(start, offset), match.end(), per
    return start, match.end(), "total"
