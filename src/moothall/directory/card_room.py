"""How much room in a plan the conditions of a card take, at the most that its agent says of them. Pure.

A plan holds no more than 4 KiB of conditions of one agent. A card may fill half of that; the other half is for what an
agent adds when it speaks: the city, a head count, that a price is final, and what a model asks for beside the card.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from moothall.directory.profiles import Capabilities, CapabilityOffer, PublishedCondition

ROOM_OF_A_CARD: Final = 2 * 1024
"""Bytes for the conditions of as many of its heaviest offers as a card has roles at once."""
SHOWN: Final = 160
"""Characters of a text that are repeated in a plan."""
MOST_THEMES: Final = 400
"""Characters of the themes of a condition without words of its own, which is told by naming them all."""

_FRAME: Final = 250
"""Bytes of a condition beside its words: what the plan says to it, its kind and its figures."""
_WORDED: Final = 100
"""Bytes of the words that an agent finds for a condition that has none, beside a tag or themes."""
_SETTLED: Final = frozenset({"lead_days", "weekdays"})
"""Kinds that the dates of an offer settle, so that nothing is said of them."""


def room_of(card: Capabilities) -> int:
    """Bytes that the conditions of a card may take in a plan."""
    return sum(sorted(map(_of_offer, card.offers), reverse=True)[: card.max_roles])


def themes_too_long(condition: PublishedCondition) -> bool:
    """Whether a condition has no words of its own and more themes than fit into those that are found for it."""
    return not condition.text.strip() and sum(map(len, condition.texts)) > MOST_THEMES


def _of_offer(offer: CapabilityOffer) -> int:
    return sum(_of_condition(one) for one in offer.conditions if one.kind not in _SETTLED)


def _of_condition(condition: PublishedCondition) -> int:
    tag = _bytes(condition.tag or "")
    words = _bytes(condition.text) or _WORDED + tag + sum(map(_bytes, condition.texts))
    return _FRAME + words + tag


def _bytes(text: str) -> int:
    shown = text.strip()[:SHOWN]
    return len(json.dumps(shown, ensure_ascii=False).encode(errors="surrogatepass")) if shown else 0
