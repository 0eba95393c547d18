"""A model's plan, made whole: people, day and words are the model's; terms, money and conditions are the node's.

Shared by prompts 4 and 6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from moothall.negotiation.demand.model.casting import (
    AssignmentDraft,
    Casting,
    ConditionDraft,
    Part,
    common_day,
    read_day,
    refuse,
    worded,
)
from moothall.negotiation.demand.model.draft import LOOSE, MANY, Amount, Draft, Line, Lines, Text
from moothall.negotiation.demand.models import Condition, Milestone, PlanDraft, Timeline
from moothall.negotiation.demand.plan_fit import CENT
from moothall.negotiation.demand.rules.conditions import notes
from moothall.negotiation.demand.rules.money import distribute
from moothall.negotiation.demand.rules.plan import Writer
from moothall.negotiation.demand.rules.pricing import within
from moothall.negotiation.demand.rules.staffing import Post, Slot, Staffing, home, opening_slot, opening_slots

if TYPE_CHECKING:
    from moothall.negotiation.demand.models import Assignment, DemandUnderstanding, Offer
    from moothall.negotiation.demand.rules.phrasing import Lexica, Voice

IN_WORDS = frozenset({"other", "theme"})
"""Kinds of conditions that only a reader can judge; all others are settled by comparison."""


class MilestoneDraft(Draft):
    """A dated step."""

    name: Line = ""
    date: Line = ""
    deliverable: Line = ""


class TimelineDraft(Draft):
    """When it happens."""

    start_date: Line = ""
    milestones: Annotated[tuple[Annotated[MilestoneDraft, worded("name")], ...], MANY] = ()


class CostDraft(Draft):
    """What the plan costs, where the draft says it."""

    total: Amount | None = None


class TeamDraft(Draft):
    """The specification's plan as a model writes it; ``cost`` may be left out: prices are those of the offers."""

    summary: Text
    objective: Text = ""
    assignments: Annotated[tuple[AssignmentDraft, ...], MANY] = ()
    timeline: Annotated[TimelineDraft, worded("start_date")] = TimelineDraft()
    rationale: Text = ""
    gaps: Lines = ()
    confidence: Annotated[Literal["high", "medium", "low"], LOOSE] = "medium"
    cost: CostDraft = CostDraft()


class Question(Protocol):
    """What prompts 4 and 6 have in common."""

    @property
    def demand(self) -> DemandUnderstanding:
        """What is wanted."""
        ...

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What stands."""
        ...

    @property
    def today(self) -> date:
        """The first possible day."""
        ...


@dataclass(frozen=True, slots=True)
class Team:
    """Writes the plan of a draft.

    ``settled`` are prices that hold already, ``usual`` is the day so far; ``final`` leaves no condition open.
    """

    data: Question
    draft: TeamDraft
    lexica: Lexica
    settled: Mapping[tuple[str, str], float]
    usual: date | None = None
    final: bool = False

    def plan(self) -> PlanDraft:
        """The whole plan.

        Raises:
            DecisionRefused: the draft does not fit the offers.
        """
        data, draft = self.data, self.draft
        parts = Casting(data.demand, data.offers, self.lexica).parts(draft.assignments)
        day = common_day(parts, data.demand, data.today, read_day(draft.timeline.start_date), self.usual)
        written = Writer(data.demand, data.offers, data.today, self._voice, final=self.final).write(
            self._staffing(parts, day)
        )
        assignments = tuple(self._worded(part, item) for part, item in zip(parts, written.assignments, strict=True))
        stated = draft.cost.total
        if stated is not None and abs(stated - written.cost.total) >= CENT:
            message = f"the prices add up to {written.cost.total:g}, not {stated:g}"
            raise refuse(message)
        return written.model_copy(
            update={
                "summary": draft.summary or written.summary,
                "objective": draft.objective or written.objective,
                "assignments": assignments,
                "timeline": self._timeline(written.timeline),
                "rationale": draft.rationale or written.rationale,
                "confidence": draft.confidence,
            }
        )

    @property
    def _voice(self) -> Voice:
        return self.lexica.voice(self.data.demand.lang)

    def _staffing(self, parts: Sequence[Part], day: date) -> Staffing:
        """The team as the rules would have put it together."""
        limits = self.data.demand.constraints
        slots = [self._slot(part) for part in parts]
        currency = slots[0].term.currency
        budget = within(limits, currency)
        least = sum(slot.least for slot in slots)
        if budget is not None and least > budget + CENT:
            message = f"this team costs {least:g} at least, the budget is {budget:g}"
            raise refuse(message)
        prices = distribute([slot.wanted for slot in slots], [slot.least for slot in slots], budget)
        for part, price in zip(parts, prices, strict=True):
            self._as_stated(part, price)
        return Staffing(
            posts=tuple(Post(slot, part.units, price) for slot, part, price in zip(slots, parts, prices, strict=True)),
            day=day,
            city=next((city for part in parts if (city := home(part.term))), None),
            currency=currency,
            proven=True,
            pool=tuple(opening_slots(self.data.demand, self.data.offers, self.lexica)),
        )

    def _slot(self, part: Part) -> Slot:
        """The part at its price: a settled one, the one the draft states instead of it, or that of the offer."""
        before = self.settled.get(part.key)
        if before is None:
            return opening_slot(part.offer, part.term, self.data.demand.constraints)
        price = before if part.draft.price is None else part.draft.price
        return Slot(part.offer, part.term, price, price)

    def _as_stated(self, part: Part, price: float) -> None:
        """A price that the draft states is the one that is paid, or the one that was offered."""
        stated = part.draft.price
        if stated is None or any(abs(stated - real) < CENT for real in (price, part.term.price)):
            return
        message = f"the price of {part.offer.agent_id} for {part.term.tag} is {price:g}, not {stated:g}"
        raise refuse(message)

    def _worded(self, part: Part, item: Assignment) -> Assignment:
        """An assignment in the model's words; what became of its conditions stands in the notes."""
        draft = part.draft
        conditions = tuple(_judged(condition, draft.conditions) for condition in item.conditions)
        return item.model_copy(
            update={
                "role": draft.role or item.role,
                "responsibility": draft.responsibility or item.responsibility,
                "dependencies": draft.dependencies or item.dependencies,
                "conditions": conditions,
                "notes": self._voice.sentences([draft.notes, notes(conditions, self._voice)]),
            }
        )

    def _timeline(self, written: Timeline) -> Timeline:
        """The model's milestones as far as they have a day to come, in order; the rules' where none has."""
        dated = [(read_day(item.date), item) for item in self.draft.timeline.milestones]
        steps = [
            Milestone(name=item.name, date=day.isoformat(), deliverable=item.deliverable)
            for day, item in dated
            if day is not None and day >= self.data.today and item.name
        ]
        if not steps:
            return written
        return written.model_copy(update={"milestones": tuple(sorted(steps, key=lambda step: step.date))})


def _judged(condition: Condition, drafts: Sequence[ConditionDraft]) -> Condition:
    """A condition in words with what the model made of it, where it gives a reason."""
    if condition.kind not in IN_WORDS:
        return condition
    said = next((item for item in drafts if item.reason and _same(item.condition, condition.text)), None)
    if said is None:
        return condition
    return condition.model_copy(update={"status": said.status, "reason": said.reason})


def _same(one: str, other: str) -> bool:
    """Whether two texts are the same condition: one may quote the other in part."""
    one, other = one.strip().casefold(), other.strip().casefold()
    return bool(one) and (one in other or other in one)
