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
from moothall.negotiation.demand.extract.sentence import extract

if TYPE_CHECKING:
    from moothall.negotiation.demand.models import Term
    from moothall.negotiation.demand.rules.phrasing import Lexica

_JOINT = re.compile(
    r"([，,。；;！!？?、\n]+(?!\d{3}(?!\d))|\.\s+|\s+(?:and|plus|as well as)\s+"
    r"|以及|还有|并且|同时|和(?!谐|平|声))",
    re.IGNORECASE,
)
MOST_HANGING = 3
"""Words, in Chinese signs, of a clause that says nothing without the one before it."""
_STOPS = frozenset("。；;！!？?.")


@dataclass(frozen=True, slots=True)
class Claims:
    """What one agent may say of itself for one demand.

    ``own`` are the keys of its tags, ``asked`` those that the demand names; ``terms`` are what it offers, for whom and
    on which days, ``prices`` every sum that it may mention.
    """

    own: frozenset[str]
    asked: frozenset[str]
    terms: tuple[Term, ...]
    prices: frozenset[float]
    today: date
    lexica: Lexica

    def true_to(self, words: str) -> str:
        """The text without the clauses that the agent cannot stand by; empty when nothing is left."""
        pieces = ["", *_JOINT.split(words)]
        said, joint, left_out, cut = "", "", False, False
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

    def _holds(self, clause: str) -> bool:
        vocabulary, folded = self.lexica.vocabulary, fold(clause)
        named = {mention.concept.id for mention in vocabulary.find(clause)}
        named |= {concept for concept in self.asked if concept not in vocabulary and concept in folded}
        return named <= self.own and self._figures_hold(clause)

    def _hangs(self, clause: str) -> bool:
        """Whether this is the rest of a list whose head is gone, rather than something said of itself."""
        short = len(clause.split()) <= MOST_HANGING if clause.isascii() else len(clause.strip()) <= MOST_HANGING
        return short and not self.lexica.vocabulary.find(clause) and not any(sign.isdigit() for sign in clause)

    def _figures_hold(self, clause: str) -> bool:
        lexica = self.lexica
        found = extract(clause, self.today, lexica.vocabulary, lexica.gazetteer, lexica.activities)
        if found.budget is not None and float(found.budget.maximum) not in self.prices:
            return False
        room = [None if term.capacity is None else term.capacity * term.quantity for term in self.terms]
        if found.heads is not None and room and all(most is not None and found.heads.value > most for most in room):
            return False
        window = found.window
        if window is None or window.start is None or window.start != window.end:
            return True
        return all(term.dates is None or window.start in term.dates for term in self.terms)


def _tidy(words: str) -> str:
    """What is left of a text, ended by a full stop."""
    words = words.strip(" \t，,。；;、.")
    if not words or words[-1] in _STOPS:
        return words
    return f"{words}." if words[-1].isascii() else f"{words}。"
