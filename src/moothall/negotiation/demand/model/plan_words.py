"""A model's words about a plan beside the plan itself: what contradicts it gives way to the rules' wording.

People agree to what they read. A summary with another total, a duty that nobody offered or a condition called met that
costs money would each be consent to something that is not in the plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from moothall.directory.lexicon import fold
from moothall.negotiation.demand.model.casting import ConditionDraft, Part
from moothall.negotiation.demand.model.claims import Claims
from moothall.negotiation.demand.model.stated import all_facts
from moothall.negotiation.demand.models import Condition, DemandUnderstanding, Offer
from moothall.negotiation.demand.plan_models import Assignment, PlanDraft, Timeline
from moothall.negotiation.demand.rules.phrasing import TITLE_CAP, clean
from moothall.negotiation.demand.rules.pricing import PLANNING_ATTENDEES

if TYPE_CHECKING:
    from moothall.negotiation.demand.rules.phrasing import Lexica

IN_WORDS = frozenset({"other", "theme"})
"""Kinds of conditions that only a reader can judge; all others are settled by comparison."""
LONG_QUOTE = 0.5
"""Part of a condition that has to be quoted before it can be called met."""
_MONEY = re.compile(
    r"[钱费款付薪酬元¥$€£]|定金|押金|订金|报销|补贴"
    r"|\b(?:pay\w*|paid|fees?|costs?|deposit|expenses?|reimburs\w*|prices?|cash|tips?|budget)\b",
    re.IGNORECASE,
)
_ID = re.compile(r"user_agent_\w+")


@dataclass(frozen=True, slots=True)
class PlanWords:
    """What may be said about one plan, as the rules have written it.

    ``mentioned`` are further sums that were talked about: what was asked for, what was paid before.
    """

    demand: DemandUnderstanding
    offers: Sequence[Offer]
    plan: PlanDraft
    parts: Sequence[Part]
    today: date
    lexica: Lexica
    mentioned: frozenset[float] = frozenset()

    def or_else(self, said: str, written: str) -> str:
        """The model's text, or the rules' where the model has none or contradicts the plan."""
        return said if said and self.holds(said) else written

    def holds(self, words: str) -> bool:
        """Whether every sum, head count and day in a text is one of the plan, the demand or the offers."""
        said = all_facts(words, self.today, self.lexica)
        return (
            said.sums <= self._sums
            and said.heads <= self._heads
            and all(
                any(first <= day <= last for day in self._days)
                for first, last in said.spans
                if not self._term(first, last)
            )
        )

    def _term(self, first: date, last: date) -> bool:
        """Whether days are a term from now on, such as ``within a week``, which may run from any day of the plan."""
        return first <= self.today and last > first

    def part(self, part: Part, item: Assignment) -> Assignment:
        """An assignment in the model's words, as far as they hold for the agent."""
        draft, claims = part.draft, self._claims(part)

        def own(said: str) -> str:
            kept = claims.true_to(said)
            return kept if self.holds(kept) else ""

        return item.model_copy(
            update={
                "role": draft.role if draft.role and own(draft.role) == draft.role else item.role,
                "responsibility": own(draft.responsibility) or item.responsibility,
                "dependencies": self._dependencies(draft.dependencies) or item.dependencies,
                "conditions": tuple(self._judged(condition, draft.conditions) for condition in item.conditions),
                "notes": own(draft.notes),
            }
        )

    def timeline(self, written: Timeline) -> Timeline:
        """The plan's timeline without the steps whose words contradict it; that of the rules where none is left."""
        line = self.plan.timeline
        steps = tuple(one for one in line.milestones if self.holds(one.name) and self.holds(one.deliverable))
        return line.model_copy(update={"milestones": steps}) if steps else written

    @property
    def _sums(self) -> set[float]:
        each = {item.price for item in self.plan.assignments} | {
            term.price for offer in self.offers for term in offer.terms
        }
        shares = {sum(item.price for item in self.plan.assignments if item.agent_id == one) for one in self._ids}
        budget = self.demand.constraints.budget
        return {*each, *shares, self.plan.cost.total, *([] if budget is None else [budget]), *self.mentioned}

    @property
    def _heads(self) -> set[int]:
        people = self.demand.constraints.attendees
        room = {term.capacity * size for offer in self.offers for term in offer.terms if term.capacity is not None
                for size in (1, term.quantity)}  # fmt: skip
        counts = {item.count for item in self.demand.requirements} | {item.quantity for item in self.plan.assignments}
        return {*range(len(self.offers) + 1), *room, *counts, PLANNING_ATTENDEES if people is None else people}

    @property
    def _days(self) -> list[date]:
        limits, line = self.demand.constraints, self.plan.timeline
        stated = [day for day in (limits.date_start, limits.date_end) if day is not None]
        return [
            *stated,
            *(date.fromisoformat(day) for day in (line.start_date, *(one.date for one in line.milestones))),
        ]

    @property
    def _ids(self) -> list[str]:
        return [item.agent_id for item in self.plan.assignments]

    def _claims(self, part: Part) -> Claims:
        """What the agent may be said to do: what it offered, for what the plan pays, together with the others."""
        mine = [item.price for item in self.plan.assignments if item.agent_id == part.offer.agent_id]
        return Claims(
            own=frozenset({part.term.concept, *(term.concept for term in part.offer.terms)}),
            asked=frozenset(item.concept for item in self.demand.requirements),
            terms=(part.term,),
            prices=frozenset([*mine, sum(mine), part.term.price]),
            today=self.today,
            lexica=self.lexica,
            beside=frozenset(item.concept for item in self.plan.assignments),
        )

    def _dependencies(self, said: Iterable[str]) -> tuple[str, ...]:
        """The dependencies on agents or roles of the plan; on anybody else there is nothing to wait for."""
        return tuple(words for words in said if self._in_plan(words) and self.holds(words))

    def _in_plan(self, words: str) -> bool:
        if not set(_ID.findall(words)) <= {*self._ids}:
            return False
        concepts = {item.concept for item in self.plan.assignments}
        if any(mention.concept.id in concepts for mention in self.lexica.vocabulary.find(words)):
            return True
        named = {name for part in self.parts for name in self._names(part)}
        return any(name in fold(words) for name in named)

    def _names(self, part: Part) -> set[str]:
        offer = part.offer
        names = (offer.agent_id, clean(offer.display_name, TITLE_CAP), part.draft.role, part.term.tag)
        return {fold(name) for name in names if name}

    def _judged(self, condition: Condition, drafts: Sequence[ConditionDraft]) -> Condition:
        """A condition in words with what the model made of it, where it gives a reason.

        Nothing in words can promise money, a day or a head count: a condition about these is never called met.
        """
        if condition.kind not in IN_WORDS:
            return condition
        said = next((item for item in drafts if item.reason and _quoted(item.condition, condition.text)), None)
        if said is None or not self.holds(said.reason):
            return condition
        if said.status == "met" and not (
            self._wordy(condition) and _quoted(said.condition, condition.text) >= LONG_QUOTE
        ):
            return condition
        return condition.model_copy(update={"status": said.status, "reason": said.reason})

    def _wordy(self, condition: Condition) -> bool:
        """Whether a condition is about no money, day or head count."""
        stated = all_facts(condition.text, self.today, self.lexica)
        return not (stated.sums or stated.heads or stated.spans or _MONEY.search(condition.text))


def _quoted(quote: str, condition: str) -> float:
    """How much of the longer text a quote and a condition have in common, when one holds the other; else 0."""
    one, other = quote.strip().casefold(), condition.strip().casefold()
    short, long = sorted((one, other), key=len)
    return len(short) / len(long) if short and short in long else 0.0
