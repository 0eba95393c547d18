"""Prompt 6 by a model: the next version of a plan, with a true answer to every request (row NEG-PROMPT-6a)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated

from moothall.llm.brief import Brief
from moothall.negotiation.demand.adjust_world import asked_by, entries, left_by
from moothall.negotiation.demand.model.casting import refuse, worded
from moothall.negotiation.demand.model.draft import MANY, Amount, Draft, Line, Word
from moothall.negotiation.demand.model.plan_words import PlanWords
from moothall.negotiation.demand.model.shown import shown_demand
from moothall.negotiation.demand.model.shown_plan import shown_feedbacks, shown_offers, shown_plan
from moothall.negotiation.demand.model.team import Team, TeamDraft
from moothall.negotiation.demand.plan_models import AdjustedPlan, AdjustmentSummary, PlanDraft
from moothall.negotiation.demand.prompts import ADJUST
from moothall.negotiation.demand.questions import AdjustInput
from moothall.negotiation.demand.rules.requests import Request, changes

if TYPE_CHECKING:
    from moothall.llm.decision import RulesBrain
    from moothall.messages import Lang
    from moothall.negotiation.demand.models import JsonObject
    from moothall.negotiation.demand.rules.phrasing import Lexica

LEAST_SHARE = 0.5
"""The part of a wanted raise that has to be granted before a model may call the request addressed."""
FREE = frozenset({"date", "role_added"})
"""Changes that need not be announced: the day stands in the timeline for all, and a new role is nobody's loss."""


class EntryDraft(Draft):
    """One change, or the answer to one request: whose, which field, and why."""

    agent_id: Line = ""
    field: Word = ""
    reason: Line = ""

    def about(self, agent_id: str, field: str) -> bool:
        """Whether it speaks of that field of that agent; an entry without a field speaks of all."""
        return self.of(agent_id) and self.field.strip().casefold() in {"", field.casefold()}

    def of(self, agent_id: str) -> bool:
        """Whether it speaks of that agent."""
        return agent_id == self.agent_id.strip() or (not self.agent_id and agent_id in self.reason)


Entries = Annotated[tuple[Annotated[EntryDraft, worded("reason")], ...], MANY]


class SummaryDraft(Draft):
    """The specification's ``adjustment_summary``."""

    round: Amount | None = None
    changes_made: Entries = ()
    requests_addressed: Entries = ()
    requests_declined: Entries = ()


class AdjustDraft(TeamDraft):
    """The specification's output of prompt 6: a whole plan and what became of the requests."""

    adjustment_summary: SummaryDraft


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A model's next plan beside the current one."""

    data: AdjustInput
    draft: AdjustDraft
    lexica: Lexica

    def plan(self) -> AdjustedPlan:
        """The plan with its summary.

        Raises:
            DecisionRefused: it is for another round, brings back somebody who left, or leaves a request unanswered.
        """
        data, said = self.data, self.draft.adjustment_summary
        if said.round is not None and int(said.round) != data.round:
            message = f"this is round {data.round}, not {said.round:g}"
            raise refuse(message)
        gone = sorted({item.agent_id.strip() for item in self.draft.assignments} & left_by(data))
        if gone:
            message = f"these withdrew and cannot be in the plan: {', '.join(gone)}"
            raise refuse(message)
        settled = {(item.agent_id, item.concept): item.price for item in data.current_proposal.assignments}
        usual = date.fromisoformat(data.current_proposal.timeline.start_date)
        talked = self._talked_of()
        plan = Team(data, self.draft, self.lexica, settled, usual, final=True, asked=talked).plan()
        mentioned = talked | frozenset(settled.values())
        words = PlanWords(data.demand, data.offers, plan, (), data.today, self.lexica, mentioned)
        addressed, declined = self._answers(plan, words)
        summary = AdjustmentSummary(
            round=data.round,
            changes_made=self._changes(plan, words),
            requests_addressed=addressed,
            requests_declined=declined,
        )
        return AdjustedPlan(
            **{name: getattr(plan, name) for name in PlanDraft.model_fields}, adjustment_summary=summary
        )

    def _talked_of(self) -> frozenset[float]:
        """The sums of this round beside those of the plan: what was asked for, how much more that is, what was paid."""
        before = self.data.current_proposal
        sums = {before.cost.total}
        for request in asked_by(self.data):
            if request.price is not None:
                sums |= {request.price, abs(request.price - sum(item.price for item in before.of(request.agent_id)))}
        return frozenset(sums)

    def _answers(self, plan: PlanDraft, words: PlanWords) -> tuple[tuple[JsonObject, ...], tuple[JsonObject, ...]]:
        """The answer to each request: the model's, with the result that can be read in the plan."""
        said, data = self.draft.adjustment_summary, self.data
        granted, rest = entries(data, plan, self.lexica.voice(data.demand.lang))
        addressed: list[JsonObject] = []
        declined: list[JsonObject] = []
        for request in asked_by(data):
            what = (request.agent_id, request.field)
            yes = next((item for item in said.requests_addressed if item.about(*what)), None)
            answer = yes or next((item for item in said.requests_declined if item.about(*what)), None)
            if answer is None or (yes is None and not answer.reason):
                raise refuse(_unanswered(request))
            entry = granted[what] if what in granted else rest[what]
            if yes and entry.get("share", 1) < LEAST_SHARE:
                raise refuse(_too_little(request, entry))
            if answer.reason and words.holds(answer.reason):
                entry |= {"reason": _both(entry, answer.reason)}
            (addressed if yes else declined).append(entry)
        return tuple(addressed), tuple(declined)

    def _changes(self, plan: PlanDraft, words: PlanWords) -> tuple[JsonObject, ...]:
        """What really changed; of those who asked for nothing only what the draft announces."""
        said, data = self.draft.adjustment_summary.changes_made, self.data
        askers = {request.agent_id for request in asked_by(data)} | left_by(data)
        kept: list[JsonObject] = []
        for entry in changes(data.current_proposal, plan, self.lexica.voice(data.demand.lang)):
            agent_id = str(entry["agent_id"])
            told = next((item for item in said if item.about(agent_id, str(entry["field"]))), None)
            announced = told or any(item.of(agent_id) for item in said)
            if announced or agent_id in askers or entry["field"] in FREE:
                said_so = told is not None and told.reason and words.holds(told.reason)
                kept.append(entry | ({"reason": told.reason} if told and said_so else {}))
        return tuple(kept)


def _unanswered(request: Request) -> str:
    return (
        f"the request of {request.agent_id} for {request.field} is not answered: put it into requests_addressed or, "
        "with a reason, into requests_declined"
    )


def _too_little(request: Request, entry: JsonObject) -> str:
    return (
        f"{entry['result']:g} is hardly more than before and no answer to {request.price:g}: raise the sum of "
        f"{request.agent_id} further, or keep it and put the request into requests_declined"
    )


def _both(entry: JsonObject, reason: str) -> str:
    """The model's reason; that of a price granted in part begins with what was really done."""
    return f"{entry['reason']}: {reason}" if "share" in entry else reason


def brief(lexica: Lexica, rules: RulesBrain) -> Brief[AdjustInput, AdjustedPlan, AdjustDraft]:
    """How prompt 6 is asked."""

    async def complete(data: AdjustInput, draft: AdjustDraft) -> AdjustedPlan:
        if draft.assignments:
            return await asyncio.to_thread(Adjusted(data, draft, lexica).plan)  # reading the texts takes its time
        without = await rules.answer(ADJUST, data)
        if without.assignments:
            message = "the plan assigns nobody, although the offers make one"
            raise refuse(message)
        return without

    return Brief(ADJUST, AdjustDraft, _lang, _data, complete)


def _lang(data: AdjustInput) -> Lang:
    return data.demand.lang


def _data(data: AdjustInput) -> Mapping[str, object]:
    return {
        "demand": shown_demand(data.demand),
        "current_proposal": shown_plan(data.current_proposal, data.demand.lang),
        "feedbacks": shown_feedbacks(data.feedbacks),
        "requests": [{"agent_id": item.agent_id, "field": item.field, "wanted": item.value} for item in asked_by(data)],
        "withdrawn": sorted(left_by(data)),
        "offers": shown_offers(data.offers),
        "round": data.round,
        "today": data.today.isoformat(),
    }
