"""Which of an agent's capabilities a caller means, told from names, tags and words alone. Pure, without any model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from moothall.negotiation.protocol.bodies import Intent
from moothall.negotiation.protocol.offers import Offer

_NAMED: Final = 1_000
_TAGGED: Final = 100
"""Worth of a name, and of each tag, in comparison with a word in common: neither is outweighed by words."""

_FEWEST: Final = 2
"""Words in common without which a description says nothing."""

_WORDS: Final = re.compile(r"[^\W_]+")
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]+")
_EMPTY: Final = frozenset(
    "a an and any are at be by for from get give i if in into is it its me my of on or our please that the their then"
    " this to use want we what which with you your".split()
)


def says_nothing(intent: Intent) -> bool:
    """Whether there is nothing in an intent that could be looked for."""
    return not (intent.name.strip() or intent.intent_tags or words(intent.description))


def meant(intent: Intent, offers: Iterable[Offer]) -> tuple[Offer, ...]:
    """The capabilities that fit an intent best: one, several that fit alike, or none."""
    worth = [(_worth(intent, offer), offer) for offer in {each.name: each for each in offers}.values()]
    best = max((value for value, _ in worth), default=0)
    return tuple(offer for value, offer in worth if value == best) if best else ()


def named(name: str, offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """The capabilities that a name means: of that name, else with that tag."""
    same = tuple(offer for offer in offers if _plain(offer.name) == _plain(name))
    return same or tuple(offer for offer in offers if _plain(name) in map(_plain, offer.tags))


def words(text: str) -> frozenset[str]:
    """The words of a text that mean something; of Chinese the pairs of characters."""
    found = {word for word in _WORDS.findall(text.casefold()) if not _CHINESE.search(word)}
    for run in _CHINESE.findall(text):
        found |= {run[at : at + 2] for at in range(max(len(run) - 1, 1))}
    return frozenset(_stem(word) for word in found - _EMPTY)


def _worth(intent: Intent, offer: Offer) -> int:
    names = {_plain(offer.name), *map(_plain, offer.tags)}
    worth = _NAMED if intent.name and _plain(intent.name) == _plain(offer.name) else 0
    worth += _TAGGED * sum(1 for tag in {_plain(tag) for tag in intent.intent_tags} if tag in names)
    wanted = words(f"{intent.name} {intent.description} {' '.join(intent.intent_tags)}")
    common = len(wanted & words(f"{offer.name} {offer.description} {' '.join(offer.tags)}"))
    return worth + (common if worth or common >= _FEWEST else 0)


def _plain(name: str) -> str:
    """A name in the one spelling in which names are compared."""
    return re.sub(r"[\W_]+", ".", name.casefold()).strip(".").removeprefix("cap.")


def _stem(word: str) -> str:
    """A word without the plural's ending; good enough to compare."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word  # noqa: PLR2004
