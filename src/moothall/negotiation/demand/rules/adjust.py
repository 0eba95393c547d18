"""Prompt 6: the next version of a plan (spec C §3.3.6, row NEG-PROMPT-6a).

Who accepted keeps role and price. Who asked for a price is weighed at that price, and paid a little less only where the
budget forces it. Then the team is chosen again, so that somebody too dear can be replaced by an unchosen offer.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from moothall.negotiation.demand.machine import MAX_NEGOTIATION_ROUNDS
from moothall.negotiation.demand.models import DemandUnderstanding
from moothall.negotiation.demand.plan_models import AdjustedPlan, AdjustmentSummary, Assignment, Proposal, core_agents
from moothall.negotiation.demand.rules.plan import Writer
from moothall.negotiation.demand.rules.requests import Answers, Request, changes, requests
from moothall.negotiation.demand.rules.staffing import Chooser, Slot, Staffing, at_price, opening_slots
from moothall.negotiation.demand.teams import UNMET_POINTS

if TYPE_CHECKING:
    from moothall.negotiation.demand.questions import AdjustInput
    from moothall.negotiation.demand.rules.phrasing import Lexica

YIELD = 0.95
"""Part of a requested price that must fit into the budget for its owner to stay in the team."""
RELIABLE = 0.9
"""How likely somebody who is new to a plan agrees to it."""
DOUBTFUL = 0.5
"""The same where the offer promises more than the card."""
ASKED_UNMET_POINTS = 3 * UNMET_POINTS
"""What an unmet condition weighs once its owner has insisted on it."""


@dataclass(frozen=True, slots=True)
class Bargain:
    """The slots of the next round: what everybody costs after the feedback.

    ``held``: nobody need get more than in the plan so far, although some asked for it.
    """

    data: AdjustInput
    asked: Sequence[Request]
    held: bool = False

    def slots(self, slots: Sequence[Slot]) -> list[Slot]:
        """The standing slots at their new prices, without those who left and the roles given up."""
        gone = set(self.data.withdrawn)
        gone |= {item.agent_id for item in self.data.feedbacks if item.feedback_type == "withdraw"}
        return [
            priced for slot in slots if slot.offer.agent_id not in gone and (priced := self._priced(slot)) is not None
        ]

    def _priced(self, slot: Slot) -> Slot | None:
        agent_id = slot.offer.agent_id
        before = self._assignment(slot)
        if agent_id in self._accepted:
            return at_price(slot, before.price, kept=True) if before else None
        if before is None:
            return at_price(slot, slot.wanted) if self.last else slot
        wanted = self._share(before)
        if wanted is None:
            return at_price(slot, before.price, kept=self.last)
        least = min(wanted, before.price if self.held else max(before.price, math.floor(wanted * YIELD)))
        return Slot(slot.offer, slot.term, wanted, least if slot.least < slot.wanted else wanted, kept=self.last)

    @property
    def last(self) -> bool:
        """Whether nobody can be asked again; then nobody new is offered less than the price of the own offer."""
        return self.data.round >= MAX_NEGOTIATION_ROUNDS

    def _assignment(self, slot: Slot) -> Assignment | None:
        mine = self.data.current_proposal.of(slot.offer.agent_id)
        return next((item for item in mine if item.concept == slot.term.concept), None)

    def _share(self, before: Assignment) -> float | None:
        """What the agent now wants for this role: its part of a price asked for all its roles."""
        price = next(
            (one.price for one in self.asked if one.agent_id == before.agent_id and one.price is not None), None
        )
        if price is None:
            return None
        mine = self.data.current_proposal.of(before.agent_id)
        total = sum(item.price for item in mine)
        return math.ceil(price * before.price / total) if total else math.ceil(price / len(mine))

    @property
    def _accepted(self) -> frozenset[str]:
        return frozenset(item.agent_id for item in self.data.feedbacks if item.feedback_type == "accept")


async def adjust(lexica: Lexica, limit: float, data: AdjustInput) -> AdjustedPlan:
    """Write the plan of round ``data.round`` with an answer to every request."""
    voice = lexica.voice(data.demand.lang)
    asked = requests(data.feedbacks)
    standing = opening_slots(data.demand, data.offers, lexica)
    slots, staffing = await _choose(data, asked, standing, limit, lexica)
    plan = Writer(data.demand, data.offers, data.today, voice, final=True).write(staffing)
    answers = Answers(data.current_proposal, plan, frozenset(slot.term.concept for slot in slots), voice)
    addressed, declined = answers.split(asked)
    summary = AdjustmentSummary(
        round=data.round,
        changes_made=changes(data.current_proposal, plan, voice),
        requests_addressed=addressed,
        requests_declined=declined,
    )
    return AdjustedPlan(**{name: getattr(plan, name) for name in type(plan).model_fields}, adjustment_summary=summary)


async def _choose(
    data: AdjustInput, asked: Sequence[Request], standing: Sequence[Slot], limit: float, lexica: Lexica
) -> tuple[list[Slot], Staffing]:
    """The team that gets about what it asked for, unless one at the old prices covers more of the demand."""
    dropped = {(one.agent_id, lexica.vocabulary.key(str(one.value))) for one in asked if one.field == "drop_role"}
    chooser = Chooser(data.demand, data.today, data.seed, limit, ASKED_UNMET_POINTS)
    tried: list[tuple[list[Slot], Staffing]] = []
    for bargain in _bargains(data, asked):
        slots = [slot for slot in bargain.slots(standing) if (slot.offer.agent_id, slot.term.concept) not in dropped]
        pools = _pools(slots, data.current_proposal) if bargain.last else [slots]
        tried += [(slots, await chooser.choose(pool, _first_days(data, asked))) for pool in pools]
    if data.round < MAX_NEGOTIATION_ROUNDS:
        return max(tried, key=lambda item: item[1].coverage)
    slots, team = max(tried, key=lambda item: _expected(data.demand, item[1]))
    return slots, _without_risk(team, _replaced(data))


def _bargains(data: AdjustInput, asked: Sequence[Request]) -> list[Bargain]:
    """How to pay those who asked for more: about that; and, while they can still object, as before."""
    about = Bargain(data, asked)
    return (
        [about] if about.last or all(one.price is None for one in asked) else [about, Bargain(data, asked, held=True)]
    )


def _pools(slots: Sequence[Slot], plan: Proposal) -> list[Sequence[Slot]]:
    """Whom to choose among in the last round: everybody, those free on the day agreed upon, those who agreed."""
    day = date.fromisoformat(plan.timeline.start_date)
    free = [slot for slot in slots if slot.term.dates is None or day in slot.term.dates]
    return [slots, free, [slot for slot in slots if slot.kept]]


def _expected(demand: DemandUnderstanding, team: Staffing) -> float:
    """What a team of the last round can be expected to provide, by importance.

    Who is new may say no. That costs the own role where somebody stays with whom to go on, and else everything.
    """
    new = {post.slot.offer.agent_id: post.slot.offer.doubts for post in team.posts if not post.slot.kept}
    joins = {name: DOUBTFUL if doubts else RELIABLE for name, doubts in new.items()}
    if all(post.slot.offer.agent_id in new for post in team.posts):
        joins = dict.fromkeys(joins, math.prod(joins.values()))
    worth = {item.concept: item.importance / item.count for item in demand.requirements}
    return sum(
        worth.get(post.slot.term.concept, 0) * post.quantity * joins.get(post.slot.offer.agent_id, 1)
        for post in team.posts
    )


def _replaced(data: AdjustInput) -> frozenset[str]:
    """The roles whose only provider has just left: this round is for whoever takes them over (row NEG-STATE-10)."""
    plan = data.current_proposal
    left = {item.agent_id for item in data.feedbacks if item.feedback_type == "withdraw"}
    lost = core_agents(data.demand.requirements, plan.assignments) & left
    others = {item.concept for item in plan.assignments if item.agent_id not in lost}
    return frozenset(item.concept for item in plan.assignments) - others


def _without_risk(team: Staffing, replaced: Collection[str]) -> Staffing:
    """The team of the last round without those who are new and alone in a role: if one of them left, all would fail.

    They are asked for the open places once the others have agreed. Who takes over a role of ``replaced`` is in the plan
    all the same, and a team of new people only stays as it is.
    """
    providers: defaultdict[str, set[str]] = defaultdict(set)
    for post in team.posts:
        providers[post.slot.term.concept].add(post.slot.offer.agent_id)
    new = {post.slot.offer.agent_id for post in team.posts if not post.slot.kept}
    alone = {name for names in providers.values() if len(names) == 1 for name in names}
    alone -= {name for concept in replaced for name in providers[concept]}
    sure = tuple(post for post in team.posts if post.slot.offer.agent_id not in new & alone)
    return replace(team, posts=sure) if any(post.slot.kept for post in sure) else team


def _first_days(data: AdjustInput, asked: Sequence[Request]) -> list[date]:
    """Days to prefer: those asked for, then the day of the plan so far."""
    limits = data.demand.constraints
    wanted = sorted({one.day for one in asked if one.day is not None})
    current = date.fromisoformat(data.current_proposal.timeline.start_date)
    return [
        day
        for day in (*wanted, current)
        if (limits.date_start is None or day >= limits.date_start)
        and (limits.date_end is None or day <= limits.date_end)
        and day >= data.today
    ]
