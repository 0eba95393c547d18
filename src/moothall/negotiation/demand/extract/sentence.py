"""Reading a whole demand sentence: each grammar takes its words away, so that no word is read twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moothall.messages import detect_lang
from moothall.negotiation.demand.extract.dates.duration import find_duration
from moothall.negotiation.demand.extract.dates.window import find_window
from moothall.negotiation.demand.extract.folding import fold, hide
from moothall.negotiation.demand.extract.heads import find_heads
from moothall.negotiation.demand.extract.listed import find_listed
from moothall.negotiation.demand.extract.mentions import find_mentions, outside, with_concepts
from moothall.negotiation.demand.extract.model import Extraction, Span
from moothall.negotiation.demand.extract.money import find_money
from moothall.negotiation.demand.extract.needs import find_needs
from moothall.negotiation.demand.extract.places import find_place
from moothall.negotiation.demand.extract.theme import find_theme

if TYPE_CHECKING:
    from datetime import date

    from moothall.directory.activities import Activities
    from moothall.directory.concepts import Vocabulary
    from moothall.directory.places import Gazetteer

LONGEST = 10_000
"""Characters that are read; what stands behind them is left out and `too_long` is listed as unclear."""


def extract(text: str, today: date, vocabulary: Vocabulary, gazetteer: Gazetteer, activities: Activities) -> Extraction:
    """Understand one demand as said on the day `today`. Raises for no text and guesses nothing that is not there."""
    codes = ["too_long"] if len(text) > LONGEST else []
    text = text[:LONGEST]
    folded, lang = fold(text), detect_lang(text)
    money = find_money(text, folded)
    budget = money.money
    rest = hide(folded, [(budget.span.start, budget.span.end)]) if budget else folded
    dates = find_window(text, rest, today)
    duration, rest = find_duration(dates.rest)
    mentions = find_mentions(text, rest, vocabulary, activities)
    theme = find_theme(text, rest, mentions.activities)
    about = theme and Span(theme.start, theme.end, theme.text)
    if theme is not None:
        mentions = outside(mentions, theme.start, theme.end)
    counted = find_heads(text, rest, mentions.concepts)
    heads, rest = counted.heads, counted.rest
    if heads is not None:
        mentions = outside(mentions, heads.span.start, heads.span.end)
    place, place_codes = find_place(text, folded, rest, gazetteer, mentions.concepts)
    listed = find_listed(text, rest, mentions, [each for each in (place and place.span, about) if each], vocabulary)
    mentions = with_concepts(mentions, listed.concepts)
    needs = find_needs(text, rest, mentions, vocabulary, lang)
    refused = {"budget_implausible": money.implausible, "headcount_implausible": counted.implausible}
    given = {
        "date": dates.window or dates.refused,
        "budget": budget or money.implausible,
        "headcount": heads or counted.implausible,
        "needs": needs.wanted,
    }
    codes += [code for code, value in given.items() if not value]
    refused["date_several"] = bool(dates.window and dates.window.others)
    codes += [*place_codes, *dates.refused, *(code for code, is_so in refused.items() if is_so)]
    return Extraction(
        lang=lang,
        window=dates.window,
        budget=budget,
        heads=heads,
        place=place,
        wanted=needs.wanted,
        excluded=needs.excluded,
        activities=tuple(dict.fromkeys(mention.activity.id for mention in mentions.activities)),
        theme=theme.text if theme else None,
        duration_days=duration,
        unclear=tuple(dict.fromkeys(codes)),
        unknown=listed.unknown,
    )
