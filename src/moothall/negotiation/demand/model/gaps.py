"""Prompt 7 by a model: it weighs and explains the gaps; which there are, a comparison of tags says (NEG-PROMPT-7a)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from moothall.llm.brief import Brief
from moothall.negotiation.demand.model.casting import worded
from moothall.negotiation.demand.model.draft import MANY, Draft, Line, Percent, Text, Word, Words
from moothall.negotiation.demand.model.shown import shown_demand
from moothall.negotiation.demand.model.shown_plan import shown_feedbacks, shown_plan
from moothall.negotiation.demand.plan_models import Gap, covered
from moothall.negotiation.demand.prompts import GAPS
from moothall.negotiation.demand.questions import GapInput, GapReport
from moothall.negotiation.demand.rules.gaps import MOST_SUGGESTIONS

if TYPE_CHECKING:
    from moothall.llm.decision import RulesBrain
    from moothall.messages import Lang
    from moothall.negotiation.demand.models import JsonObject
    from moothall.negotiation.demand.rules.phrasing import Lexica


class GapDraft(Draft):
    """The specification's gap."""

    gap_type: Word
    importance: Percent | None = None
    reason: Line = ""
    suggested_capability_tags: Words = ()


class GapsDraft(Draft):
    """The specification's output of prompt 7."""

    is_complete: bool | None = None
    analysis: Text = ""
    gaps: Annotated[tuple[Annotated[GapDraft, worded("gap_type")], ...], MANY] = ()


def brief(lexica: Lexica, rules: RulesBrain) -> Brief[GapInput, GapReport, GapsDraft]:
    """How prompt 7 is asked."""

    async def complete(data: GapInput, draft: GapsDraft) -> GapReport:
        base = await rules.answer(GAPS, data)
        known = {gap.gap_type: gap for gap in base.gaps}
        gaps = tuple(_whole(item, known, data, lexica) for item in draft.gaps)
        complete = not gaps if draft.is_complete is None else draft.is_complete
        return GapReport(is_complete=complete, analysis=draft.analysis or base.analysis, gaps=gaps)

    return Brief(GAPS, GapsDraft, _lang, _data, complete)


def _whole(draft: GapDraft, known: dict[str, Gap], data: GapInput, lexica: Lexica) -> Gap:
    """A gap by the tag of its requirement, with what the comparison knows where the model says nothing."""
    tag = _tag(draft, data, lexica)
    base = known.get(tag)
    suggested = (*draft.suggested_capability_tags, *(base.suggested_capability_tags if base else ()))
    importance = draft.importance if draft.importance is not None else (base.importance if base else 0)
    return Gap(
        gap_type=tag,
        importance=importance,
        reason=draft.reason or (base.reason if base else ""),
        suggested_capability_tags=tuple(dict.fromkeys((tag, *suggested)))[:MOST_SUGGESTIONS],
    )


def _tag(draft: GapDraft, data: GapInput, lexica: Lexica) -> str:
    """The requirement that the type names, or names among other words; else the type as it is."""
    vocabulary = lexica.vocabulary
    named = [vocabulary.key(draft.gap_type), *(item.concept.id for item in vocabulary.find(draft.gap_type))]
    tags = {item.concept: item.tag for item in data.demand.requirements}
    return next((tags[concept] for concept in named if concept in tags), draft.gap_type)


def _lang(data: GapInput) -> Lang:
    return data.demand.lang


def _data(data: GapInput) -> JsonObject:
    assignments = data.final_proposal.assignments
    return {
        "demand": shown_demand(data.demand),
        "final_proposal": shown_plan(data.final_proposal, data.demand.lang),
        "coverage": [
            {"tag": item.tag, "needed": item.count, "provided": covered(item, assignments)}
            for item in data.demand.requirements
        ],
        "agent_feedbacks": shown_feedbacks(data.agent_feedbacks),
    }
