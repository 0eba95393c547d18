"""Which of the capabilities that were found a request means: how well each fits, and whether one stands out. Pure.

Search says what is near; here it is looked at word by word, so that "fits best" is a number that can be compared: how
much of what the request asks for a description has, and how much of the description was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from moothall.directory.intent.schemas import shape
from moothall.directory.lexicon import fold
from moothall.directory.listing import Listing
from moothall.directory.search.words import telling, words
from moothall.directory.searching import Hit

FLOOR: Final = 0.3
"""What fits less than this is nothing that was asked for."""

MARGIN: Final = 0.1
"""How much better than the next one something has to fit, to be meant."""

LOCAL: Final = 11
"""The rank of what is of this node: above every trust that a node gives to others."""

_COVERED, _ASKED, _NEAR = 0.75, 0.15, 0.1
_STRANGER: Final = 0.1
"""What somebody has to fit better whom this node does not trust: a copy of a description is not worth the original."""
_GENERIC: Final = frozenset(
    "获取 查询 查看 查 处理 进行 执行 信息 数据 系统 功能 接口 调用 使用 fetch query show tell give call run make"
    " current data info information api tool function".split()
)
"""Words that most requests and most descriptions have."""
_SLIGHT: Final = 0.3
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PART: Final = re.compile(r"[._\-/]+")
_STEM: Final = 4
_SHOWN: Final = 400
_READ: Final = 8_000
"""Characters of all that somebody says of itself and its parameters that are looked at: they are remembered, too."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that was found, and how well it fits, from 0 to 1."""

    hit: Hit
    fit: float

    @property
    def listing(self) -> Listing:
        """What was found."""
        return self.hit.listing


@dataclass(frozen=True, slots=True)
class Group:
    """What does the same: equal providers of one operation, those first that this node trusts most.

    Attributes:
        fit: of the one that fits best.
        providers: at least one.
        equals: how many of them are trusted as much as the first; the others only stand in for these.
    """

    fit: float
    providers: tuple[Listing, ...]
    equals: int = 1

    @property
    def leader(self) -> Listing:
        """The one that stands for them."""
        return self.providers[0]


def rated(request: str, hits: Sequence[Hit]) -> list[Candidate]:
    """What was found, best first; ``request`` is without the arguments that it names."""
    asked = telling(words(request))
    best = max((hit.score for hit in hits), default=0.0) or 1.0
    candidates = [Candidate(hit, _fit(asked, request, hit, hit.score / best)) for hit in hits]
    return sorted(candidates, key=lambda candidate: (-candidate.fit, candidate.listing.target))


def grouped(candidates: Iterable[Candidate]) -> list[Group]:
    """Equal providers together, in the order of the best of each group."""
    found: dict[object, list[Candidate]] = {}
    for candidate in candidates:
        found.setdefault(_likeness(candidate.listing), []).append(candidate)
    for tool in [key for key, members in found.items() if members[0].listing.way == "mcp"]:
        if same := next((key for key in found if _is_tool_of(found[tool][0].listing, found[key][0].listing)), None):
            found[same] += found.pop(tool)
    groups = [_group(members) for members in found.values()]
    return sorted(groups, key=lambda group: (-group.fit, group.leader.target))


def standing_out(groups: Sequence[Group]) -> Group | None:
    """The one that is meant; None where several could be."""
    if not groups or groups[0].fit < FLOOR:
        return None
    if len(groups) > 1 and groups[0].fit - groups[1].fit < MARGIN:
        return None
    return groups[0]


def near(groups: Sequence[Group]) -> list[Group]:
    """Those that could be meant as well as the first."""
    return [group for group in groups if group.fit >= FLOOR and groups[0].fit - group.fit < MARGIN]


def named_in(text: str, listing: Listing) -> bool:
    """Whether a request names its target, or its whole name; a plain word is no name.

    What is elsewhere chose its own name, which may be any word with a dot in it: only its target counts.
    """
    target = plain(listing.target)
    names = [target, *([listing.name] if listing.local and "." in listing.name else [])]
    return any(re.search(rf"(?<![\w.@:#/-]){re.escape(name)}(?![\w#-]|[.:/]\w)", text) for name in names)


def plain(target: str) -> str:
    """A target without the version of a local one."""
    return target.partition("@")[0] if target.startswith("local:") else target


def _likeness(listing: Listing) -> object:
    """What equal providers have in common: the name of the operation, and the arguments that it takes."""
    if "properties" not in listing.input_schema:
        return listing.target
    return fold(listing.name.rpartition(".")[2]), shape(listing.input_schema)


def _is_tool_of(tool: Listing, operation: Listing) -> bool:
    """Whether a tool is an operation under a longer name: servers write before it whose it is (``AGENT_NAME``)."""
    short = fold(operation.name.rpartition(".")[2])
    longer = fold(tool.name.partition(".")[2]).endswith(f"_{short}") and operation.way != "mcp"
    told = fold(tool.description) == fold(operation.description)
    return longer and told and shape(tool.input_schema) == shape(operation.input_schema)


def _group(members: Sequence[Candidate]) -> Group:
    ordered = sorted(members, key=lambda each: (-_rank(each.listing), -each.fit, each.listing.target))
    first = _rank(ordered[0].listing)
    trusted = [each.listing for each in ordered if _rank(each.listing) == first or _rank(each.listing) > 0]
    single, more = _apart_from_ways(trusted)
    equals = sum(_rank(each) == first for each in single)
    return Group(max(each.fit for each in members), (*single, *more), equals)


def _apart_from_ways(listings: Sequence[Listing]) -> tuple[list[Listing], list[Listing]]:
    """Each provider once, and the other ways to those that have several: the same agent, by another protocol."""
    single: dict[object, Listing] = {}
    more = []
    for listing in listings:
        who = (listing.agent, listing.name) if listing.agent else listing.target
        if single.setdefault(who, listing) is not listing:
            more.append(listing)
    return list(single.values()), more


def _rank(listing: Listing) -> int:
    return LOCAL if listing.local else listing.trust


def _fit(asked: Sequence[str], request: str, hit: Hit, nearness: float) -> float:
    listing = hit.listing
    latin, text = _vocabulary(_written(listing))
    weights = [(_SLIGHT if word in _GENERIC else 1.0, _held(word, latin, text)) for word in asked]
    whole = sum(weight for weight, _ in weights)
    covered = sum(weight * held for weight, held in weights) / whole if whole else 0.0
    own = telling(words(_named(listing)))
    own_latin, own_text = _vocabulary(request)
    wanted = sum(_held(word, own_latin, own_text) for word in own) / len(own) if own else 0.0
    if not asked:
        covered = nearness * _SLIGHT
    fit = _COVERED * max(covered, hit.breakdown.concept) + _ASKED * wanted + _NEAR * nearness
    return fit if _rank(listing) else max(0.0, fit - _STRANGER)


def _held(word: str, latin: frozenset[str], text: str) -> float:
    """How much of a word a text has."""
    if not _HAN.search(word):
        if word in latin or _singular(word) in latin:
            return 1.0
        return 0.8 if len(word) > _STEM and any(_stem(word) == _stem(other) for other in latin) else 0.0
    if word in text:
        return 1.0
    pairs = [word[start : start + 2] for start in range(len(word) - 1)]
    return sum(pair in text for pair in pairs) / len(pairs) if len(pairs) > 1 else 0.0


def _stem(word: str) -> str:
    return word[: max(_STEM, len(word) - 3)]


def _singular(word: str) -> str:
    return word.removesuffix("s")


@lru_cache(maxsize=4096)
def _vocabulary(written: str) -> tuple[frozenset[str], str]:
    folded = fold(written)
    found = {word for word in words(written) if not _HAN.search(word)}
    return frozenset(found | {_singular(word) for word in found}), folded


def _written(listing: Listing) -> str:
    properties = listing.input_schema.get("properties")
    fields = properties if isinstance(properties, dict) else {}
    said = [str(each.get("description", "")) for each in fields.values() if isinstance(each, dict)]
    return " ".join([_named(listing), *listing.tags, *map(_apart, map(str, fields)), *said])[:_READ]


def _named(listing: Listing) -> str:
    return f"{_apart(listing.name.rpartition('.')[2])} {listing.description[:_SHOWN]}"


def _apart(name: str) -> str:
    return _PART.sub(" ", _CAMEL.sub(" ", name))
