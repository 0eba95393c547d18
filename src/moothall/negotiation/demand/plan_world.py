"""What must hold between a question about a plan and its answer (rows NEG-PROMPT-4a, 4b, 7a, 8a and 9a).

Nobody is assigned who did not offer, money adds up, nothing that is open is passed over; what cannot be trusted is
refused, whichever brain answered. What a plan is that fits stands in ``plan_fit``, what an adjusted one owes to those
who spoke in ``adjust_world``.
"""

from __future__ import annotations

from collections.abc import Iterable

from moothall.directory.concepts import load_vocabulary
from moothall.negotiation.demand.models import Requirement
from moothall.negotiation.demand.plan_fit import plan_fits
from moothall.negotiation.demand.plan_models import Compromise, Gap, PlanDraft, uncovered
from moothall.negotiation.demand.questions import (
    AggregateInput,
    CompromiseInput,
    GapInput,
    GapReport,
    RecurseInput,
    RecursionDecision,
    SubDemand,
)
from moothall.negotiation.demand.weighing import weigh
from moothall.negotiation.demand.world import require

SETTLING = frozenset({"gaps", "divided"})
"""Reasons of prompt 9 in a negotiation that comes to an agreement; with any other it has failed."""


def check_plan(data: AggregateInput, output: PlanDraft) -> PlanDraft:
    """See :func:`~moothall.negotiation.demand.plan_fit.plan_fits`."""
    return plan_fits(data.demand, data.offers, output)


def check_gaps(data: GapInput, output: GapReport) -> GapReport:
    """The gaps are the requirements without enough providers, no more and no fewer, each once and by its own tag."""
    missing = uncovered(data.demand.requirements, data.final_proposal.assignments)
    found: dict[str, Gap] = {}
    for gap in output.gaps:
        about = _requirement(gap, data.demand.requirements)
        if about is not None and about in missing and about.concept not in found:
            tags = tuple(dict.fromkeys((about.tag, *gap.suggested_capability_tags)))
            found[about.concept] = gap.model_copy(update={"gap_type": about.tag, "suggested_capability_tags": tags})
    for requirement in missing:
        require(requirement.concept in found, f"{requirement.tag} is open and not reported as a gap")
    require(not (missing and output.is_complete), "a plan with gaps is not complete")
    gaps = tuple(found[requirement.concept] for requirement in missing)
    return output.model_copy(update={"is_complete": not gaps, "gaps": gaps})


def _requirement(gap: Gap, requirements: Iterable[Requirement]) -> Requirement | None:
    """The requirement that a gap is about: the one its type names, else the first among its suggestions."""
    key = load_vocabulary().key
    by_word = {word: item for item in requirements for word in (item.concept, key(item.tag))}
    words = (gap.gap_type, *gap.suggested_capability_tags)
    return next((by_word[key(word)] for word in words if key(word) in by_word), None)


def check_recursion(data: RecurseInput, output: RecursionDecision) -> RecursionDecision:
    """A sub-negotiation needs depth 0, all three conditions, figures that bear them out, and something to look for."""
    if not output.should_recurse:
        return output.model_copy(update={"sub_demands": ()})
    require(data.depth == 0, "a sub-negotiation opens no further one")
    met = output.condition_1_met and output.condition_2_met and output.condition_3_met
    require(met, "a sub-negotiation needs all three conditions")
    weights = weigh(data)
    require(bool(weights.worthwhile), "no gap is important enough, or nobody is left to ask for it")
    require(weights.enough_gain, f"condition 1 does not hold: the gain is {weights.gain:.2f}")
    require(weights.affordable, "condition 2 does not hold: nothing is left of the budget")
    require(weights.cheap, f"condition 3 does not hold: the cost share is {weights.share:.2f}")
    wanted = tuple(item for item in output.sub_demands if _about(item, weights.worthwhile))
    require(bool(wanted), "a sub-negotiation needs something to look for that is a gap")
    return output.model_copy(update={"sub_demands": wanted})


def _about(wanted: SubDemand, gaps: Iterable[Gap]) -> bool:
    key = load_vocabulary().key
    open_tags = {key(tag) for gap in gaps for tag in (gap.gap_type, *gap.suggested_capability_tags)}
    return any(key(tag) in open_tags for tag in wanted.capability_tags)


def check_compromise(data: CompromiseInput, output: Compromise) -> Compromise:
    """Only what is really left is assigned, on its terms; nobody who agreed is dropped; an empty hand has advice."""
    require(bool(output.summary.strip()), "the compromise has no summary")
    left = {(item.agent_id, item.concept): item for item in data.available_resources}
    kept = {(item.agent_id, item.concept) for item in output.assignments}
    require(kept <= left.keys(), f"not available: {sorted(kept - left.keys())}")
    if data.reason in SETTLING:
        divided = {item.agent_id for item in data.feedbacks if item.feedback_type == "negotiate"}
        dropped = sorted({agent_id for agent_id, _ in left.keys() - kept} - divided)
        require(not dropped, f"these agreed to the plan and cannot be left out: {dropped}")
    suggestions = tuple(words for words in output.suggestions if words.strip())
    require(bool(output.assignments) or bool(suggestions), "a compromise without assignments needs suggestions")
    settled = tuple(item for item in output.compromises if str(item.get("issue", "")).strip())
    assignments = tuple(item for key, item in left.items() if key in kept)
    return output.model_copy(update={"assignments": assignments, "compromises": settled, "suggestions": suggestions})
