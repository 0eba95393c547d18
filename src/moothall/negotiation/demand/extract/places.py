"""Where it happens: a known city or district, online, or a place that the gazetteer does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moothall.negotiation.demand.extract.folding import mask, rule, span
from moothall.negotiation.demand.extract.model import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moothall.directory.concepts import Mention
    from moothall.directory.places import Gazetteer, PlaceMention

_ONLINE = rule(
    r"(?<!不)(?<!不要)(?<!不在)(?<!非)(?:线上|在线(?!路)|远程|云端|网上|腾讯会议)|(?<!not )(?<!no )\b(?:online"
    r"|remote(?:ly)?|virtual(?:ly)?|(?:on|over|via) zoom)\b(?! (?:control|shop|store|reality))"
)
_AT = rule(r"(?:在|到|去|于|来)\s?$|\b(?:in|at|to|near|around)\s$")
_NOT_AT = rule(r"(?:不在|不去|不到|除了|离开|从)\s?$|\b(?:not in|outside|except|from|leaving)\s$")
_TOGETHER = rule(r"\s?(?:和|与|或者?|或是|还是|、|及|以及|跟|/|,|，|\band\b|\bor\b|&)?\s?(?:也?在|\bin\s)?")
_IN = rule(r"[在于]\s?$|\b(?:in|at)\s$")
_FAR = (
    r"新疆|西藏|青海|甘肃|宁夏|内蒙古?|云南|贵州|海南岛?|广西|四川"
    r"|台湾|香港|澳门|日本|韩国|泰国|新加坡|美国|英国|法国|德国|巴黎|伦敦|纽约|东京"
)
_DOING = r"[举承]?办|举行|召开|开[展个一会]?|建|搞|做|组织|找|拍|聚|玩|旅|进行|租|订|搭|招|需要|成立|创办|盖|种|请"
_UNKNOWN_ZH = (
    rule(
        r"(?<![现存实正所内潜自好旨外])在(?P<name>[\u4e00-\u9fff]{1,8}?)(?:上面?|里面?|中|那边|当地"
        r"|附近)?(?:的[\u4e00-\u9fff]{1,6}?)?(?:市|县)?\s?"
        rf"(?:{_DOING}|[,，。;；!?]|$|\x00)"
    ),
    rule(rf"(?:去|到|在|赴|前往|飞)(?P<name>{_FAR})(?!料理|菜|餐|风|语)"),
    rule(r"(?:去|前往|到)(?P<name>[\u4e00-\u9fff]{2,8}?)(?:旅行|旅游|玩|出差|度假|拍|徒步|团建|自由行|看|办|参加)"),
)
_NO_PLACE_ZH = rule(
    r"^(?:[这那我你他她它咱某哪此一几两某线网读职校家岗座意]|公司|学校|酒店|附近|当地|本地|市中心|市区|室内|室外"
    r"|户外|海边|山[里上]|现场|周围|预算|期间|时间|场地|一起|同城|任何|其中|各|全|不"
    r"|前|后|上(?!海)|下|周|月(?!球)|年|国内|海外|大学|餐厅|咖啡|会议|办公|户外|草坪|园区|小区|村里|城里|工作|下班"
    r"|最近)"
)
_UNKNOWN_EN = rule(
    r"\b(?:in|at|near|on(?= (?:the )?(?:mars|moon|venus|jupiter|saturn)\b)"
    r"|to) (?:the )?(?P<name>[a-z][a-z'-]{2,19}(?: [a-z][a-z'-]{2,19}){0,2})"
)
_LANGUAGES = frozenset({"english", "chinese", "mandarin", "french", "german", "spanish", "japanese", "korean"})
_TOOLS = frozenset({"python", "java", "javascript", "rust", "react", "go", "kubernetes", "excel"})
_SMALL_WORDS = frozenset({"i", "we", "my", "our", "the", "please", "christmas", "easter"})
_NO_PLACE_EN = _LANGUAGES | _TOOLS | _SMALL_WORDS


def find_place(
    text: str, folded: str, rest: str, gazetteer: Gazetteer, concepts: Sequence[Mention]
) -> tuple[Place | None, tuple[str, ...]]:
    """Return the place and the codes of what is unclear about it (`place`, `place_ambiguous`, `unsupported_place`)."""
    online = _online(text, folded, concepts)
    known = [
        mention
        for mention in gazetteer.find(text)
        if not _NOT_AT.search(folded, max(0, mention.start - 10), mention.start)
    ]
    if known:
        place = _known(text, folded, known, online=online is not None)
        doubts = {"place_ambiguous": place.ambiguous, "place_several": place.others}
        return place, tuple(code for code, cities in doubts.items() if cities)
    if online is not None:
        return online, ()
    unknown = _unknown(text, rest, concepts)
    return unknown, (("unsupported_place",) if unknown else ("place",))


def _online(text: str, folded: str, concepts: Sequence[Mention]) -> Place | None:
    taken = mask(len(folded), ((each.start, each.end) for each in concepts if each.surface.isascii()))
    for match in _ONLINE.finditer(folded):
        if not taken[match.start()]:
            return Place(None, match[0], online=True, ambiguous=(), span=span(text, match.start(), match.end()))
    return None


def _known(text: str, folded: str, known: Sequence[PlaceMention], *, online: bool) -> Place:
    """Take the first certain place, preferably one after "in"; a district touching its city belongs to it."""

    def order(mention: PlaceMention) -> tuple[bool, bool, int]:
        led = _AT.search(folded, max(0, mention.start - 6), mention.start)
        return (mention.city_id is None, led is None, mention.start)

    chosen = min(known, key=order)
    start, end = chosen.start, chosen.end
    for other in known:
        if other.city_id == chosen.city_id and other.start == end and chosen.city_id is not None:
            end = other.end
    name = span(text, start, end)
    others = _others(folded, known, chosen)
    return Place(chosen.city_id, name.text, online, () if chosen.city_id else chosen.ambiguous, name, others)


def _others(folded: str, known: Sequence[PlaceMention], chosen: PlaceMention) -> tuple[str, ...]:
    """Return the cities listed together with the chosen one, or led by "in" as it is."""
    if chosen.city_id is None:
        return ()
    groups: list[list[PlaceMention]] = []
    for mention in known:
        if groups and _TOGETHER.fullmatch(folded, groups[-1][-1].end, mention.start):
            groups[-1].append(mention)
        else:
            groups.append([mention])
    listed = [
        mention
        for group in groups
        for mention in group
        if chosen in group or _IN.search(folded, max(0, mention.start - 6), mention.start)
    ]
    ids = dict.fromkeys(mention.city_id for mention in listed if mention.city_id is not None)
    return tuple(city for city in ids if city != chosen.city_id)


def _unknown(text: str, rest: str, concepts: Sequence[Mention]) -> Place | None:
    """Find a place that the sentence names although the gazetteer does not know it."""
    taken = mask(len(rest), ((each.start, each.end) for each in concepts))
    for pattern in _UNKNOWN_ZH:
        for match in pattern.finditer(rest):
            start, end = match.span("name")
            if not any(taken[start:end]) and not _NO_PLACE_ZH.match(match["name"]):
                return _named(text, start, end)
    for match in _UNKNOWN_EN.finditer(rest):
        start, end = match.start("name"), match.start("name")
        for word in match["name"].split(" "):
            following = rest.index(word, end)
            if (
                not text[following].isupper()
                or word in _NO_PLACE_EN
                or text[following : following + len(word)].isupper()
            ):
                break
            end = following + len(word)
        if end > start and not any(taken[start:end]):
            return _named(text, start, end)
    return None


def _named(text: str, start: int, end: int) -> Place:
    found = span(text, start, end)
    return Place(None, found.text, online=False, ambiguous=(), span=found)
