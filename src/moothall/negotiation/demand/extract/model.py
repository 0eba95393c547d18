"""What a demand sentence says, field by field, each with the exact place it was read from.

Nothing here is guessed: a field that the sentence does not mention is `None` (or empty) and its code stands in
`Extraction.unclear`. Spans index the sentence as it was given: `text[span.start:span.end] == span.text`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from moothall.messages import Lang

Part = Literal["morning", "afternoon", "evening"]
Per = Literal["total", "person", "hour", "session", "day"]


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open character range of the original sentence and the text found there."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class DateWindow:
    """The days on which the demand may happen, both ends inclusive; an open side is `None`.

    `recurring` is `daily`, `weekly`, `weekly:2` (ISO weekdays, Monday is 1, several joined by commas), `monthly` or
    `monthly:15`; then `start` is the next occurrence and `end` is open. `others` are further dates named beside it.
    """

    start: date | None
    end: date | None
    span: Span
    approximate: bool = False
    recurring: str | None = None
    part: Part | None = None
    others: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Money:
    """A budget in units of `currency` (ISO 4217). Without a lower figure `minimum` is `None`; 0 means for free."""

    minimum: Decimal | None
    maximum: Decimal
    currency: str
    per: Per
    approximate: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Headcount:
    """How many people attend. Of a range the upper figure is kept and marked approximate."""

    value: int
    approximate: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Place:
    """Where it happens.

    `city` is a gazetteer id; it is `None` for an unknown place, for a purely online one, and for a district that
    several cities have, whose ids are then in `ambiguous`. `others` holds the ids of further cities named beside it.
    """

    city: str | None
    name: str
    online: bool
    ambiguous: tuple[str, ...]
    span: Span
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """One capability asked for; `named` is false when only the activity implies it (then there is no span)."""

    concept: str
    label: str
    count: int
    named: bool
    span: Span | None


@dataclass(frozen=True, slots=True)
class Extraction:
    """The whole understanding of one sentence.

    Codes of `unclear`: `date`, `budget`, `headcount`, `place`, `needs` (absent); `place_ambiguous`,
    `unsupported_place`, `place_several`; `invalid_date` (no such day), `past_date` (an explicit day that is over),
    `date_ambiguous` (12/03/2027), each instead of `date`, `date_several`; `budget_implausible` and
    `headcount_implausible` (a figure below or beyond what can be meant) instead of the absent one; `too_long` (only
    the first part was read). `unknown` are items of a list of needs that no word of the vocabulary means.
    """

    lang: Lang
    window: DateWindow | None
    budget: Money | None
    heads: Headcount | None
    place: Place | None
    wanted: tuple[Wanted, ...]
    excluded: tuple[str, ...]
    activities: tuple[str, ...]
    theme: str | None
    duration_days: int | None
    unclear: tuple[str, ...]
    unknown: tuple[Span, ...] = ()
