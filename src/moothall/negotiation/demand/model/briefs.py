"""The nine prompts as a model sees them, put together.

Each module beside this one is named for its prompt's kind and has ``brief(lexica, rules)``: the shape that the model
fills in, what it is shown, and how its answer becomes the prompt's output. Texts are in ``data/prompts/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moothall.negotiation.demand.model import (
    adjust,
    aggregate,
    compromise,
    filter,  # noqa: A004 - the prompt's name
    gaps,
    recurse,
    respond,
    review,
    understand,
)

if TYPE_CHECKING:
    from moothall.llm.brief import Brief
    from moothall.llm.decision import RulesBrain
    from moothall.negotiation.demand.rules.phrasing import Lexica


def demand_briefs(lexica: Lexica, rules: RulesBrain) -> Mapping[str, Brief[Any, Any, Any]]:
    """All briefs by the kind of their prompt.

    ``rules`` answers the same question deterministically: from there come the facts that no model may make up.
    """
    briefs: tuple[Brief[Any, Any, Any], ...] = (
        understand.brief(lexica, rules),
        filter.brief(lexica, rules),
        respond.brief(lexica, rules),
        aggregate.brief(lexica, rules),
        review.brief(lexica, rules),
        adjust.brief(lexica, rules),
        gaps.brief(lexica, rules),
        recurse.brief(lexica, rules),
        compromise.brief(lexica, rules),
    )
    return {brief.prompt.kind: brief for brief in briefs}
