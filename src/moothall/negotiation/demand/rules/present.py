"""The plan as it is now: after somebody left or joined, its words are those of the team that there is.

What was agreed upon stays: the day, and for everybody who stays role, price, quantity and duty. All that is said about
the team as a whole is written anew by the rules, also where a model wrote it: it was said about another team.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from moothall.negotiation.demand.models import DemandUnderstanding, Offer
from moothall.negotiation.demand.plan_models import Assignment, PlanDraft, Proposal
from moothall.negotiation.demand.rules.conditions import Setting, notes, settle
from moothall.negotiation.demand.rules.plan import Writer
from moothall.negotiation.demand.rules.staffing import Staffing

if TYPE_CHECKING:
    from moothall.negotiation.demand.rules.phrasing import Lexica, Voice


@dataclass(frozen=True, slots=True)
class Present:
    """What tells of changed plans of one demand.

    ``reviewed`` are those in the plan of the last round, ``refused`` those who were asked to fill an open place and did
    not agree.
    """

    demand: DemandUnderstanding
    offers: Sequence[Offer]
    today: date
    lexica: Lexica
    reviewed: Collection[str] = ()
    refused: Collection[str] = ()

    def of(self, plan: Proposal, assignments: Sequence[Assignment]) -> Proposal:
        """The plan with these assignments instead of its own."""
        now = tuple(self._met(self._waiting(item, plan, assignments), assignments) for item in assignments)
        told = self._told(plan, now)
        return plan.model_copy(
            update={
                "summary": self._voice.sentences([told.summary, self._joined(now)]),
                "assignments": now,
                "rationale": told.rationale,
                "gaps": told.gaps,
                "confidence": told.confidence,
                "cost": plan.cost.model_copy(update={"total": told.cost.total}),
            }
        )

    @property
    def _voice(self) -> Voice:
        return self.lexica.voice(self.demand.lang)

    @property
    def _writer(self) -> Writer:
        return Writer(self.demand, self.offers, self.today, self._voice, final=True, refused=self.refused)

    def _told(self, plan: Proposal, now: tuple[Assignment, ...]) -> PlanDraft:
        bound = (one.concept for item in now for one in item.conditions if one.kind == "city")
        staffing = Staffing(
            posts=(),
            day=date.fromisoformat(plan.timeline.start_date),
            city=next(bound, None),
            currency=plan.cost.currency,
            proven=self._voice.say("why.unproven") not in plan.rationale,
            pool=(),
        )
        return self._writer.tell(staffing, now)

    def _joined(self, now: Sequence[Assignment]) -> str:
        voice = self._voice
        new = [item for item in now if item.agent_id not in self.reviewed]
        if not new:
            return ""
        joins = voice.join(voice.say("compromise.role", role=item.role, name=item.display_name) for item in new)
        return voice.say("plan.joined", joins=joins)

    def _waiting(self, item: Assignment, plan: Proposal, now: Sequence[Assignment]) -> Assignment:
        """The assignment that waits for nobody who is gone, and for whoever has come."""
        was = self._waits(item, plan.assignments) if item in plan.assignments else []
        waits = self._waits(item, now)
        there = {one.agent_id for one in now}
        gone = {
            name for one in plan.assignments if one.agent_id not in there for name in (one.agent_id, one.display_name)
        }
        over = {words for words in was if words not in waits}
        kept = [words for words in item.dependencies if words not in over and not any(name in words for name in gone)]
        found = tuple(dict.fromkeys([*kept, *(words for words in waits if words not in was)]))
        return item if found == item.dependencies else item.model_copy(update={"dependencies": found})

    def _waits(self, item: Assignment, others: Sequence[Assignment]) -> list[str]:
        required = {one.concept for one in item.conditions if one.kind == "requires" and one.concept}
        mine = (item.agent_id, item.concept)
        named = ((one.concept, one.display_name) for one in others if (one.agent_id, one.concept) != mine)
        return self._writer.waits_for(item.concept, required, named)

    def _met(self, item: Assignment, now: Sequence[Assignment]) -> Assignment:
        """The assignment, whose owner has what it required exactly where somebody in the plan provides it."""
        provided = frozenset(one.concept for one in now)
        setting = Setting(provided, provided, self.demand.constraints, final=True)
        voice = self._voice
        settled = tuple(
            settle(one, item.price, setting, voice)
            if one.kind == "requires" and (one.status == "met") != (one.concept in provided)
            else one
            for one in item.conditions
        )
        if settled == item.conditions:
            return item
        return item.model_copy(update={"conditions": settled, "notes": notes(settled, voice)})
