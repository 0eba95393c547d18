"""Prompt 9 by a model: what works, what is missing, what can be done about it (row NEG-PROMPT-9a)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator

from moothall.llm.brief import Brief
from moothall.negotiation.demand.model.casting import refuse, worded
from moothall.negotiation.demand.model.draft import LOOSE, MANY, Draft, Line, Lines, Text, Word
from moothall.negotiation.demand.model.shown import shown_demand
from moothall.negotiation.demand.model.shown_plan import shown_assignments, shown_feedbacks
from moothall.negotiation.demand.plan_models import Assignment, Compromise
from moothall.negotiation.demand.prompts import COMPROMISE
from moothall.negotiation.demand.questions import CompromiseInput

if TYPE_CHECKING:
    from moothall.llm.decision import RulesBrain
    from moothall.messages import Lang
    from moothall.negotiation.demand.models import JsonObject
    from moothall.negotiation.demand.rules.phrasing import Lexica


def _humble(value: Any) -> Any:  # noqa: ANN401 - whatever a model wrote
    """A compromise is never sure: ``high`` is read as ``medium``."""
    return "medium" if value == "high" else value


class KeptDraft(Draft):
    """An assignment that the compromise keeps, of those that are left."""

    agent_id: Line
    display_name: Line = ""
    role: Word = ""
    tag: Word = ""
    responsibility: Text = ""


class SettledDraft(Draft):
    """How one conflict is settled."""

    issue: Line
    resolution: Line = ""
    rationale: Line = ""


class CompromiseDraft(Draft):
    """The specification's output of prompt 9; without ``assignments`` everything that is left is kept."""

    summary: Text
    type: Annotated[Literal["compromise"], LOOSE] = "compromise"
    assignments: Annotated[tuple[KeptDraft, ...], MANY] | None = None
    compromises: Annotated[tuple[Annotated[SettledDraft, worded("issue")], ...], MANY] = ()
    unresolved: Lines = ()
    suggestions: Lines = ()
    confidence: Annotated[Literal["low", "medium"], BeforeValidator(_humble), LOOSE] = "low"


def brief(lexica: Lexica, rules: RulesBrain) -> Brief[CompromiseInput, Compromise, CompromiseDraft]:
    """How prompt 9 is asked."""

    async def complete(data: CompromiseInput, draft: CompromiseDraft) -> Compromise:
        base = await rules.answer(COMPROMISE, data)
        kept = data.available_resources if draft.assignments is None else _kept(draft.assignments, data, lexica)
        said = " ".join((*draft.unresolved, *(item.issue for item in draft.compromises)))
        passed_over = [
            words for words, gap in zip(base.unresolved, data.gaps, strict=False) if gap.gap_type not in said
        ]
        return Compromise(
            summary=draft.summary,
            assignments=kept,
            compromises=tuple(item.model_dump() for item in draft.compromises),
            unresolved=tuple(dict.fromkeys((*draft.unresolved, *passed_over))),
            suggestions=draft.suggestions,
            confidence=draft.confidence,
        )

    return Brief(COMPROMISE, CompromiseDraft, _lang, _data, complete)


def _kept(drafts: tuple[KeptDraft, ...], data: CompromiseInput, lexica: Lexica) -> tuple[Assignment, ...]:
    """The assignments that are kept, as they stand in the plan.

    Raises:
        DecisionRefused: somebody or something is kept that is not left.
    """
    kept: dict[tuple[str, str], Assignment] = {}
    for draft in drafts:
        mine = [item for item in data.available_resources if item.agent_id == draft.agent_id.strip()]
        named = {lexica.vocabulary.key(word) for word in (draft.role, draft.tag) if word}
        fitting = [item for item in mine if draft.role == item.role or item.concept in named]
        if len(mine) == 1 or not named:
            fitting = mine
        if not fitting:
            message = f"{draft.role or 'nothing'} of {draft.agent_id} is not among the available resources"
            raise refuse(message)
        kept |= {(item.agent_id, item.concept): item for item in fitting}
    return tuple(kept.values())


def _lang(data: CompromiseInput) -> Lang:
    return data.demand.lang


def _data(data: CompromiseInput) -> JsonObject:
    return {
        "demand": shown_demand(data.demand),
        "available_resources": shown_assignments(data.available_resources, data.demand.lang),
        "gaps": [gap.model_dump(mode="json") for gap in data.gaps],
        "feedbacks": shown_feedbacks(data.feedbacks),
        "declines": [
            {"display_name": item.get("display_name"), "reason": item.get("reason")} for item in data.declines
        ],
        "why_needed": data.reason,
    }
