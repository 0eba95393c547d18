"""What must hold between a question and its answer, whichever brain answered (rows NEG-PROMPT-1b to 3b and 5a).

Answers about plans have theirs in ``plan_world``. Each check narrows what can be narrowed safely (an unknown
candidate is dropped) and refuses what would be a lie (an assignment to somebody who did not offer, money that does
not add up).
"""

from __future__ import annotations

from collections.abc import Iterable

from moothall.directory.concepts import load_vocabulary
from moothall.errors import DecisionRefused
from moothall.negotiation.demand.models import AgentResponse, Candidate, DemandUnderstanding
from moothall.negotiation.demand.plan_models import ProposalFeedback
from moothall.negotiation.demand.questions import (
    FilterInput,
    RespondInput,
    ReviewInput,
    SmartFilter,
    UnderstandInput,
)


def require(holds: bool, message: str) -> None:  # noqa: FBT001 - reads as an assertion at its call sites
    """Refuse the answer unless ``holds``.

    Raises:
        DecisionRefused: with ``message``.
    """
    if not holds:
        raise DecisionRefused(message)


def check_understanding(_: UnderstandInput, output: DemandUnderstanding) -> DemandUnderstanding:
    """A demand in which no need was recognised is never understood with more than low confidence."""
    require(bool(output.surface_demand.strip()), "the understanding has no surface demand")
    if output.requirements or output.capability_tags or output.confidence == "low":
        return output
    return output.model_copy(update={"confidence": "low"})


def unsure(output: DemandUnderstanding) -> DemandUnderstanding:
    """What was read without the model that should have read it deserves low confidence (row NEG-API-05)."""
    return output.model_copy(update={"confidence": "low"})


def check_filter(data: FilterInput, output: SmartFilter) -> SmartFilter:
    """Keep known agents only, each once, each with a reason, under its real name."""
    names = {item.agent_id: item.user_name for item in data.all_agent_profiles if item.agent_id not in data.excluded}
    seen: set[str] = set()

    def keep(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
        kept: list[Candidate] = []
        for candidate in candidates:
            if candidate.agent_id in names and candidate.agent_id not in seen and candidate.reason.strip():
                seen.add(candidate.agent_id)
                kept.append(candidate.model_copy(update={"display_name": names[candidate.agent_id]}))
        return tuple(kept)

    definitely, possibly = keep(output.definitely_related), keep(output.possibly_related)
    invited = min(data.most, len(seen), data.most if output.invited is None else output.invited)
    return output.model_copy(
        update={
            "definitely_related": definitely,
            "possibly_related": possibly,
            "total_candidates": len(seen),
            "invited": invited,
        }
    )


def check_response(data: RespondInput, output: AgentResponse) -> AgentResponse:
    """An offer says what it offers, a condition what it asks, a refusal why; nothing beyond the profile is offered."""
    if output.decision == "decline":
        require(bool(output.decline_reason.strip()), "a decline needs a reason")
        return output.model_copy(update={"terms": (), "conditions": ()})
    require(bool(output.contribution.strip()), "an offer needs a contribution")
    own = {load_vocabulary().key(tag) for tag in data.agent_profile.tags}
    terms = tuple(term for term in output.terms if term.concept in own)
    require(bool(terms) or not output.terms, "the offer names only capabilities outside the profile")
    if output.decision == "conditional":
        require(bool(output.conditions), "a conditional offer needs a condition")
    decision = "conditional" if output.conditions else "participate"
    return output.model_copy(update={"terms": terms, "decision": decision})


def check_review(data: ReviewInput, output: ProposalFeedback) -> ProposalFeedback:
    """A request for change names at least one field, and says in words what it says in structure."""
    if output.feedback_type != "negotiate":
        return output.model_copy(update={"proposed_changes": {}, "adjustment_request": ""})
    fields = [name for name in output.proposed_changes if name != "reason"]
    require(bool(fields), "a request for change names no field")
    if output.adjustment_request.strip():
        return output
    words = "; ".join(f"{name} → {output.proposed_changes[name]}" for name in fields)
    require(bool(data.my_assignments), "only a participant of the plan can ask for changes")
    return output.model_copy(update={"adjustment_request": words})
