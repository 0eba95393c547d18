"""How many people attend: 50人, 三十来人, 4大2小, about 30 people, a party of six; performers are not counted here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moothall.negotiation.demand.extract.folding import hide, rule, span
from moothall.negotiation.demand.extract.model import Headcount
from moothall.negotiation.demand.extract.numerals import CHINESE, DIGITS, ENGLISH, HUGE, NUMBER, negative, read_int

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    from moothall.directory.concepts import Mention

_GUESTS_ZH = (
    r"[大中小]?学生|研究生|来宾|客人|宾客|观众|听众|学员|孩子|小孩|小朋友|儿童|员工|同事|同学|朋友|参会者|参与者|与会者|参会人员"
    r"|参加者|选手|会员|粉丝|玩家|家长|成人|大人"
    r"|伙伴|老人|校友|读者|用户"
)
_PERSON_ZH = r"人(?!民|均|工(?!作)|才|像|物|事|力|体(?!验)|格|份|制|间|脸|士|机|家(?!庭)|际|性|类|员|一[组队桌]|/)"
_GUESTS_EN = (
    r"people|persons?|guests?|attendees|participants|pax|folks|students|pupils|kids|children|adults|employees"
    r"|colleagues|visitors"
    r"|friends|members|players|coworkers|co-workers|alumni|seats|staff members|users|readers|delegates|listeners"
    r"|spectators"
)
_ADJECTIVE = r"(?:(?!for\b|and\b|with\b|to\b|or\b|of\b|the\b|speak|judge|mentor)[a-z-]{3,14}\s)?"
_ROUGH_BEFORE = rule(
    r"(?:大概|大约|大致|差不多|约|近|上|接近|预计|估计|about|around|approximately|approx\.?|roughly|nearly|almost"
    r"|some|~|circa|over|more than|超过)\s?$"
)
_ROUGH_AFTER = rule(r"\s?(?:左右|上下|规模|以上|or so|\+|-ish)")
_CROWDS = (
    "engineers|developers|designers|teachers|teenagers|women|men|couples|managers|executives|investors|founders|parents"
)
_HEADS = (
    rule(rf"(?P<adults>{DIGITS}|{CHINESE})\s?个?大(?:人)?\s?(?P<children>{DIGITS}|{CHINESE})\s?个?小(?:孩子?)?"),
    rule(
        rf"(?P<adults>{DIGITS}|{ENGLISH})\sadults?\s?(?:and|,|\+|&|plus)\s?(?P<children>{DIGITS}"
        rf"|{ENGLISH})\s(?:children|kids|child)\b"
    ),
    rule(
        rf"(?:(?P<low>{NUMBER})\s?(?:到|至|-|~)\s?)?(?P<count>{NUMBER})(?P<fuzz>来|多|余"
        rf"|几)?\s?(?:[个名位]?(?:{_GUESTS_ZH})|[个名位]?{_PERSON_ZH}|[个名位]?人(?=/场)"
        r"|口(?:之家|人)?(?![味红罩语]))"
    ),
    rule(
        rf"(?:(?P<low>{DIGITS}|{ENGLISH})(?:\sto\s|(?<=[0-9])\s?[-~]\s?))?(?P<count>{DIGITS}(?:k(?![a-z]))?"
        rf"|{ENGLISH})\+?(?:\s|-){_ADJECTIVE}(?:{_GUESTS_EN})\b"
    ),
    rule(
        rf"\b(?:seats|seating|fits|capacity(?:\s(?:of|for|is))?:?|party of|group of|audience of|crowd of|headcount:?"
        rf"|(?:attendance|turnout)(?: of)?)\s(?:about |around |up to )?(?P<count>{DIGITS}|{ENGLISH})"
    ),
    rule(
        rf"\bfor (?P<rough>about |around |up to |some |roughly )?(?P<count>{DIGITS}|{ENGLISH})(?=\s?(?:[.,;!?，。)]|$"
        rf"|\x00|(?:in|at|on|next|this|tomorrow|near|{_CROWDS})\b))"
    ),
    rule(
        rf"(?:人数|规模|参会人数|人次)(?:大概|大约|约|在|是|为|:|：|\s){{0,3}}(?P<count>{NUMBER})(?!\s?[万元千块年月])"
    ),
)
_PAIR = rule(
    r"(?<![一二两三四五六七八九十百千万0-9])(?P<pair>[一二两三四五六七八九][二三四五六七八九])(?P<ten>[十百千万])?(?:来"
    r"|多)?[个名位]?人(?![民均工才])"
)
_HUGE = rule(rf"{HUGE}\s?(?:[个名位]?(?:{_GUESTS_ZH}|{_PERSON_ZH})|(?:{_GUESTS_EN})\b)")
_EACH = rule(r"(?:每|每个?)(?:组|队|桌|班|场|间|辆|车)\s?$")
_HIRING = rule(r"(?:找|请|招|缺|雇|聘|来|要)\s?$|\b(?:need|find|hire|want|seeking|looking for|recruit)\s$")
_FEW = 9
_GROUND = frozenset({"place", "food"})
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class HeadsFound:
    """The head count and the sentence without any; `implausible`: the only one given is below 1 or too large."""

    heads: Headcount | None
    implausible: bool
    rest: str


def find_heads(text: str, rest: str, concepts: Sequence[Mention]) -> HeadsFound:
    """Return the first head count and the sentence without any; numbers that count performers stay in it."""
    implausible = bool(_HUGE.search(rest))
    roles = {mention.end for mention in concepts if mention.concept.category not in _GROUND}
    found: list[Headcount] = []
    for pattern in (_PAIR, *_HEADS):
        consumed: list[tuple[int, int]] = []
        for match in pattern.finditer(rest):
            value, rough = _value(match)
            if value is None or _counts_performers(rest, match, value, roles) or _names_a_role(match, concepts):
                continue
            if negative(text, match.start()) or not 1 <= value <= _LARGEST:
                implausible = True
                consumed.append(match.span())
                continue
            lead = rest[max(0, match.start() - 16) : match.start()]
            tail = _ROUGH_AFTER.match(rest, match.end())
            end = tail.end() if tail else match.end()
            rough = rough or bool(tail) or bool(_ROUGH_BEFORE.search(lead))
            found.append(Headcount(value, rough, span(text, match.start(), end)))
            consumed.append((match.start(), end))
        rest = hide(rest, consumed)
    first = min(found, key=lambda heads: heads.span.start, default=None)
    return HeadsFound(first, implausible and first is None, rest)


def _value(match: re.Match[str]) -> tuple[int | None, bool]:
    """Return the number and whether it is only about right."""
    groups = match.groupdict()
    if groups.get("pair"):
        return read_int(groups["pair"][1] + (groups["ten"] or "")), True
    if groups.get("adults"):
        adults, children = read_int(groups["adults"]), read_int(groups["children"])
        return (None, False) if adults is None or children is None else (adults + children, False)
    value = read_int(groups["count"])
    if value is not None and groups.get("fuzz") == "几":
        value += 5
    bare_unit = groups["count"] in ("百", "千", "万", "a hundred", "a thousand", "a dozen")
    return value, bool(groups.get("low") or groups.get("fuzz") or bare_unit or groups.get("rough"))


def _names_a_role(match: re.Match[str], concepts: Sequence[Mention]) -> bool:
    """Whether the word for the audience is part of a longer one for a capability (2 guest speakers)."""
    return any(match.start() < mention.start < match.end() < mention.end for mention in concepts)


def _counts_performers(rest: str, match: re.Match[str], value: int, roles: set[int]) -> bool:
    """Tell a number of helpers (同声传译2人, 找3个人帮忙, 每组4人) from the size of the audience."""
    lead = rest[max(0, match.start() - 16) : match.start()]
    if _EACH.search(lead):
        return True
    if value > _FEW:
        return False
    after_role = match.start() - (len(lead) - len(lead.rstrip(" :"))) in roles
    hired = bool(_HIRING.search(lead)) and rest[match.end() : match.end() + 1] != "的"
    return after_role or hired
