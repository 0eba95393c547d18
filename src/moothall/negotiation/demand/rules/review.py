"""Prompt 5: a participant judges its own part of a plan (spec C §3.3.5, row NEG-PROMPT-5a).

The price it insists on falls from round to round towards its floor. What it asks for is rounded up, so that no request
states the floor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from moothall.negotiation.demand.models import Condition, JsonObject, Term
from moothall.negotiation.demand.plan_models import Assignment, ProposalFeedback
from moothall.negotiation.demand.rules.conditions import ESSENTIAL
from moothall.negotiation.demand.rules.phrasing import clean
from moothall.negotiation.demand.rules.places import reach
from moothall.negotiation.demand.rules.pricing import Quote, quote

if TYPE_CHECKING:
    from moothall.negotiation.demand.questions import ReviewInput
    from moothall.negotiation.demand.rules.phrasing import Lexica, Voice

HOPELESS = 0.8
"""Part of the floor below which a further round is not worth waiting for."""
STEPS = 20
"""Requests are rounded up to this fraction of the advertised price."""


@dataclass(frozen=True, slots=True)
class Reviewer:
    """One participant looking at one version of the plan."""

    data: ReviewInput
    voice: Voice

    def judge(self) -> ProposalFeedback:
        """Accept, ask for a change, or withdraw."""
        if not self._mine:
            return ProposalFeedback(feedback_type="accept", reasoning=self.voice.say("review.no_role"))
        if condition := self._declined_essential():
            return self._withdraw(self.voice.say("review.condition_lost", condition=clean(condition.text)))
        if reason := self._impossible():
            return self._withdraw(reason)
        changes: JsonObject = {}
        reasons = [*self._date(changes), *self._price(changes), *self._conditions(changes)]
        if changes:
            why = self.voice.sentences(reasons)
            changes["reason"] = why
            return ProposalFeedback(
                feedback_type="negotiate", reasoning=why, adjustment_request=why, proposed_changes=changes
            )
        return ProposalFeedback(feedback_type="accept", reasoning=self._consent())

    def _consent(self) -> str:
        """Why I take part, and what I had wished for and do without."""
        unmet = [item for role in self._mine for item in role.conditions if item.status != "met"]
        price = self._money(self._paid)
        if not unmet:
            return self.voice.say("review.accept", price=price)
        wished = self.voice.join(clean(item.text) for item in unmet)
        return self.voice.say("review.accept_without", price=price, conditions=wished)

    @property
    def _mine(self) -> tuple[Assignment, ...]:
        """All my roles; a question that names one only is about that one."""
        single = (self.data.my_assignment,) if self.data.my_assignment else ()
        return self.data.my_assignments or single

    @property
    def _last(self) -> bool:
        return self.data.round >= self.data.max_rounds

    @property
    def _paid(self) -> float:
        return sum(item.price for item in self._mine)

    def _term(self, assignment: Assignment) -> Term | None:
        return next((term for term in self.data.my_offer.terms if term.concept == assignment.concept), None)

    def _declined_essential(self) -> Condition | None:
        conditions = [item for assignment in self._mine for item in assignment.conditions]
        return next((item for item in conditions if item.status == "declined" and item.kind in ESSENTIAL), None)

    def _impossible(self) -> str | None:
        """Why no further round would help, if none would."""
        start = date.fromisoformat(self.data.proposal.timeline.start_date)
        days = self._common_days()
        if days is not None and start not in days and (self._last or not days):
            return self.voice.say("review.date_impossible", day=self.voice.day(start))
        quotes = [self._quote(item) for item in self._mine]
        floor = sum(one.floor for one in quotes)
        hopeless = self.data.round > 1 and self._paid < HOPELESS * floor
        if hopeless or (self._last and self._paid < floor):
            return self.voice.say("review.too_low", price=self._money(self._paid))
        return None

    def _common_days(self) -> frozenset[date] | None:
        """The days offered for all my roles; ``None`` when any day does."""
        terms = [term for item in self._mine if (term := self._term(item))]
        offered = [frozenset(term.dates) for term in terms if term.dates is not None]
        return frozenset.intersection(*offered) if offered else None

    def _date(self, changes: JsonObject) -> list[str]:
        start = date.fromisoformat(self.data.proposal.timeline.start_date)
        days = self._common_days()
        if not days or start in days:
            return []
        nearest = min(sorted(days), key=lambda day: abs((day - start).days))
        changes["date"] = nearest.isoformat()
        return [self.voice.say("review.date", day=self.voice.day(start), other=self.voice.day(nearest))]

    def _price(self, changes: JsonObject) -> list[str]:
        quotes = [self._quote(item) for item in self._mine]
        threshold = sum(one.threshold(self.data.round, self.data.max_rounds) for one in quotes)
        if self._paid >= threshold:
            return []
        ask = sum(one.ask for one in quotes)
        step = max(1, ask // STEPS)
        wanted = min(ask, step * (threshold // step) + step)
        changes["price"] = wanted
        return [self.voice.say("review.price", price=self._money(self._paid), wanted=self._money(wanted))]

    def _conditions(self, changes: JsonObject) -> list[str]:
        """Ask for the open conditions; in the last round they stay open, and the plan says so."""
        mine = [item for assignment in self._mine for item in assignment.conditions]
        wanted = [item for item in mine if item.status == "open"]
        if self._last or not wanted:
            return []
        for item in wanted:
            value = self.voice.label(item.concept) if item.concept else item.value
            changes.setdefault(item.kind, clean(item.text) if value is None else value)
        return [self.voice.say("review.condition", conditions=self.voice.join(clean(item.text) for item in wanted))]

    def _money(self, amount: float) -> str:
        return self.voice.money(amount, self._mine[0].currency)

    def _quote(self, assignment: Assignment) -> Quote:
        """What was asked for this role, and the floor behind it; a role that was not offered costs what is paid."""
        term, profile = self._term(assignment), self.data.agent_profile
        if term is None:
            return Quote(math.ceil(assignment.price), 0, assignment.currency)
        limits, lexica = self.data.demand.constraints, self.voice.lexica
        quotes = [
            quote(
                profile,
                offer,
                limits,
                units=term.quantity,
                travels=reach(profile, offer, limits, lexica) == "travels",
            )
            for offer in profile.capabilities.offers
            if lexica.vocabulary.key(offer.tag) == term.concept
        ]
        ask = math.ceil(term.price)
        meant = [one for one in quotes if one.ask == ask] or quotes
        return Quote(ask, min(ask, max((one.floor for one in meant), default=ask)), term.currency)

    def _withdraw(self, why: str) -> ProposalFeedback:
        return ProposalFeedback(feedback_type="withdraw", reasoning=why)


async def review(lexica: Lexica, data: ReviewInput) -> ProposalFeedback:
    """Judge the plan for the agent whose profile is given; see :class:`Reviewer`."""
    return Reviewer(data, lexica.voice(data.demand.lang)).judge()
