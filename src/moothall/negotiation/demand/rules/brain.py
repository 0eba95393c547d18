"""The deterministic brain: the nine rules behind the decision port."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from moothall.llm.decision import RulesBrain
from moothall.negotiation.demand.rules.adjust import adjust
from moothall.negotiation.demand.rules.aggregate import aggregate
from moothall.negotiation.demand.rules.compromise import compromise
from moothall.negotiation.demand.rules.gaps import gaps
from moothall.negotiation.demand.rules.phrasing import Lexica
from moothall.negotiation.demand.rules.recurse import recurse
from moothall.negotiation.demand.rules.respond import respond
from moothall.negotiation.demand.rules.review import review
from moothall.negotiation.demand.rules.shortlist import Shortlist
from moothall.negotiation.demand.rules.understand import understand

if TYPE_CHECKING:
    from moothall.directory.activities import Activities
    from moothall.directory.concepts import Vocabulary
    from moothall.directory.places import Gazetteer

SOLVER_SECONDS = 1.5


def rules_brain(
    vocabulary: Vocabulary, gazetteer: Gazetteer, activities: Activities, *, solver_seconds: float = SOLVER_SECONDS
) -> RulesBrain:
    """All nine prompts answered by rules.

    Pure apart from the time limit: a choice that takes longer than ``solver_seconds`` ends with the best team
    found until then, and the plan says so.
    """
    lexica = Lexica(vocabulary, gazetteer, activities)
    return RulesBrain(
        {
            "understand": partial(understand, lexica),
            "filter": Shortlist(lexica),
            "respond": partial(respond, lexica),
            "aggregate": partial(aggregate, lexica, solver_seconds),
            "review": partial(review, lexica),
            "adjust": partial(adjust, lexica, solver_seconds),
            "gaps": partial(gaps, lexica),
            "recurse": partial(recurse, lexica),
            "compromise": partial(compromise, lexica),
        }
    )
