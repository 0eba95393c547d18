"""Capabilities and undertakings named in a sentence, settled against each other and against what was already read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moothall.negotiation.demand.extract.folding import BLANK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moothall.directory.activities import Activities, ActivityMention
    from moothall.directory.concepts import Mention, Vocabulary

_TAKES_OBJECT = frozenset({"translation", "printing", "editing_proofreading"})
"""Written work on something: 翻译合同 asks for a translator, not for a lawyer."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """Both kinds of mention, each in the order of the sentence; no two overlap."""

    concepts: tuple[Mention, ...]
    activities: tuple[ActivityMention, ...]


def find_mentions(text: str, rest: str, vocabulary: Vocabulary, activities: Activities) -> Mentions:
    """Find concepts and activities; of two that overlap the longer stands, and dates and money win over both."""
    concepts = [mention for mention in vocabulary.find(text) if BLANK not in rest[mention.start : mention.end]]
    named = [mention for mention in activities.find(text) if BLANK not in rest[mention.start : mention.end]]
    by_doing, by_concept = _lengths(len(text), named), _lengths(len(text), concepts)
    kept = [
        mention for mention in concepts if max(by_doing[mention.start : mention.end]) <= mention.end - mention.start
    ]
    doings = [
        mention for mention in named if max(by_concept[mention.start : mention.end]) < mention.end - mention.start
    ]
    return Mentions(tuple(_without_objects(kept)), tuple(doings))


def _lengths(length: int, mentions: Sequence[Mention | ActivityMention]) -> list[int]:
    """Say for each character how long the mention over it is; mentions of one kind never overlap."""
    over = [0] * length
    for mention in mentions:
        size = mention.end - mention.start
        over[mention.start : mention.end] = [size] * size
    return over


def _without_objects(mentions: Sequence[Mention]) -> list[Mention]:
    """Drop what a verb of written work is applied to."""
    kept: list[Mention] = []
    for mention in mentions:
        verb = kept[-1] if kept else None
        touching = verb is not None and verb.end == mention.start and not mention.surface.isascii()
        if not (touching and verb is not None and verb.concept.id in _TAKES_OBJECT):
            kept.append(mention)
    return kept


def outside(mentions: Mentions, start: int, end: int) -> Mentions:
    """Return the mentions that do not touch the given range."""
    return Mentions(
        tuple(each for each in mentions.concepts if each.end <= start or end <= each.start),
        tuple(each for each in mentions.activities if each.end <= start or end <= each.start),
    )


def with_concepts(mentions: Mentions, more: Sequence[Mention]) -> Mentions:
    """Return the mentions with further capabilities among them."""
    return Mentions(tuple(sorted((*mentions.concepts, *more), key=lambda each: each.start)), mentions.activities)
