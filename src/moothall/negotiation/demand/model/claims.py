"""What an agent's model says on its behalf, cut down to what the agent can stand by (row NEG-PROMPT-3b).

A clause goes when it names a capability outside the profile, a sum that is not among the agent's prices, or a day that
the agent does not offer. What stays is the model's own wording.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from moothall.directory.lexicon import fold
from moothall.negotiation.demand.model.stated import JOINT, MOST_CLAUSES, facts, hinted

if TYPE_CHECKING:
    from moothall.negotiation.demand.models import Term
    from moothall.negotiation.demand.rules.phrasing import Lexica

MOST_HANGING = 3
"""Words, in Chinese signs, of a clause that says nothing without the one before it."""
_STOPS = frozenset("。；;！!？?.")
_SELF = re.compile(r"我|本人|本店|\b(?:I|we|our|my|us|me)\b", re.IGNORECASE)
_TOGETHER = re.compile(
    r"配合|协调|协助|对接|支持|联系|依托|根据|一起|一同|与|同|\b(?:with|together|coordinate|support|assist|alongside)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Claims:
    """What one agent may say of itself for one demand.

    ``own`` are the keys of its tags, ``asked`` those that the demand names; ``terms`` are what it offers, for whom and
    on which days, ``prices`` every sum that it may mention, ``beside`` the capabilities of others that it works with.
    """

    own: frozenset[str]
    asked: frozenset[str]
    terms: tuple[Term, ...]
    prices: frozenset[float]
    today: date
    lexica: Lexica
    beside: frozenset[str] = frozenset()

    def true_to(self, words: str) -> str:
        """The text without the clauses that the agent cannot stand by; empty when nothing is left."""
        pieces = ["", *JOINT.split(words, maxsplit=MOST_CLAUSES)]
        said, joint, left_out, cut = "", "", False, False
        if len(pieces) > 2 * MOST_CLAUSES and hinted(pieces[-1]):
            pieces, left_out = pieces[:-2], True  # too many clauses to read each, and there are figures in the rest
        for before, clause in zip(pieces[::2], pieces[1::2], strict=True):
            joint = joint if _STOPS.intersection(joint) else before
            cut = cut and not _STOPS.intersection(before)
            if not clause.strip():
                continue
            if not self._holds(clause) or (cut and self._hangs(clause)):
                left_out = cut = True
                continue
            said += (joint if said else "") + clause
            joint = ""
        return _tidy(said) if left_out else words

    def may_ask(self, words: str) -> bool:
        """Whether the agent may make that a condition.

        It may name what others are to bring; a sum, a day or a crowd that its card does not bear out, or a promise of
        what it cannot do, it may not.
        """
        clauses = JOINT.split(words, maxsplit=MOST_CLAUSES)[::2]
        return all(self._figures_hold(clause) for clause in dict.fromkeys((words, *clauses))) and (
            self._named(words) <= self.own or _SELF.search(words) is None
        )

    def _holds(self, clause: str) -> bool:
        own = self.own | self.beside if self.beside and _TOGETHER.search(clause) else self.own
        return self._named(clause) <= own and self._figures_hold(clause)

    def _named(self, words: str) -> set[str]:
        vocabulary, folded = self.lexica.vocabulary, fold(words)
        named = {mention.concept.id for mention in vocabulary.find(words)}
        return named | {concept for concept in self.asked if concept not in vocabulary and concept in folded}

    def _hangs(self, clause: str) -> bool:
        """Whether this is the rest of a list whose head is gone, rather than something said of itself."""
        short = len(clause.split()) <= MOST_HANGING if clause.isascii() else len(clause.strip()) <= MOST_HANGING
        return short and not self.lexica.vocabulary.find(clause) and not any(sign.isdigit() for sign in clause)

    def _figures_hold(self, clause: str) -> bool:
        if not hinted(clause):
            return True
        found = facts(clause, self.today, self.lexica)
        room = [None if term.capacity is None else term.capacity * term.quantity for term in self.terms]
        crowd = max(found.heads, default=0)
        if not found.sums <= self.prices or (room and all(most is not None and crowd > most for most in room)):
            return False
        days = [first for first, last in found.spans if first == last]
        return all(term.dates is None or day in term.dates for term in self.terms for day in days)


def _tidy(words: str) -> str:
    """What is left of a text, ended by a full stop."""
    words = words.strip(" \t，,。；;、.")
    if not words or words[-1] in _STOPS:
        return words
    return f"{words}." if words[-1].isascii() else f"{words}。"
