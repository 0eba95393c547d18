"""The capabilities a demand asks for, named or implied, and those it rules out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moothall.negotiation.demand.extract.counts import counts
from moothall.negotiation.demand.extract.folding import span
from moothall.negotiation.demand.extract.model import Wanted
from moothall.negotiation.demand.extract.stance import Stance, only, stances

if TYPE_CHECKING:
    from moothall.directory.concepts import Vocabulary
    from moothall.messages import Lang
    from moothall.negotiation.demand.extract.mentions import Mentions


@dataclass(frozen=True, slots=True)
class Needs:
    """Wanted concepts in the order of the sentence, then the implied ones; and the ids of refused ones."""

    wanted: tuple[Wanted, ...]
    excluded: tuple[str, ...]


def find_needs(text: str, rest: str, mentions: Mentions, vocabulary: Vocabulary, lang: Lang) -> Needs:
    """Merge the mentions: written numbers of one concept add up, a concept both refused and asked for is wanted.

    What is asked for with "only" leaves nothing to be implied by the undertaking.
    """
    merged: dict[str, Wanted] = {}
    numbered: set[str] = set()
    excluded: dict[str, None] = {}
    alone = False
    rows = zip(mentions.concepts, stances(rest, mentions.concepts), counts(rest, mentions.concepts), strict=True)
    for mention, stance, count in rows:
        concept = mention.concept.id
        if stance is Stance.EXCLUDED:
            excluded[concept] = None
        elif stance is Stance.WANTED:
            alone = alone or only(rest, mention)
            first = merged.get(concept)
            total = (count or 0) + (first.count if first and concept in numbered else 0) or 1
            label, place = (
                (first.label, first.span) if first else (mention.surface, span(text, mention.start, mention.end))
            )
            merged[concept] = Wanted(concept, label, total, named=True, span=place)
            if count is not None:
                numbered.add(concept)
    refused = tuple(concept for concept in excluded if concept not in merged)
    for activity in () if alone else mentions.activities:
        for concept in activity.activity.implies:
            if concept not in merged and concept not in refused:
                merged[concept] = Wanted(concept, vocabulary.label(concept, lang), 1, named=False, span=None)
    return Needs(tuple(merged.values()), refused)
