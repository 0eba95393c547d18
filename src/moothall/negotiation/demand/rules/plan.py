"""Writing a chosen team down as a plan: roles, duties, dependencies, notes, timeline, reasons."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from moothall.directory.days import add_days
from moothall.negotiation.demand.models import Confidence, DemandUnderstanding, Offer
from moothall.negotiation.demand.plan_models import Assignment, Cost, Milestone, PlanDraft, Timeline, covered, uncovered
from moothall.negotiation.demand.rules.conditions import Setting, notes, settle, unsettled
from moothall.negotiation.demand.rules.phrasing import TITLE_CAP, Voice, clean
from moothall.negotiation.demand.rules.pricing import within
from moothall.negotiation.demand.rules.staffing import Post, Staffing
from moothall.negotiation.demand.unchosen import Unchosen

PHRASED = frozenset({"place", "people", "planning", "food", "media", "technology", "language"})
"""Categories of concepts with a description of their own for the duty."""
MOST_NAMES = 8
GOOD_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes plans for one demand; ``final`` conditions that are not met are declined instead of open.

    ``refused`` are those who were asked to fill an open place and did not agree.
    """

    demand: DemandUnderstanding
    offers: Sequence[Offer]
    today: date
    voice: Voice
    final: bool = False
    refused: Collection[str] = ()

    def write(self, staffing: Staffing) -> PlanDraft:
        """The plan of a team."""
        return self.tell(staffing, self._assignments(staffing))

    def tell(self, staffing: Staffing, assignments: tuple[Assignment, ...]) -> PlanDraft:
        """The plan with these assignments; of the staffing count day, place, currency and whether it is proven."""
        missing = uncovered(self.demand.requirements, assignments)
        total = sum(item.price for item in assignments)
        return PlanDraft(
            summary=self._summary(staffing, assignments, total),
            objective=clean(self.demand.surface_demand),
            assignments=assignments,
            timeline=self._timeline(staffing, assignments),
            rationale=self._rationale(staffing, assignments),
            gaps=tuple(item.tag for item in missing),
            confidence=self._confidence(staffing, assignments),
            cost=Cost(
                total=total, currency=staffing.currency, budget=within(self.demand.constraints, staffing.currency)
            ),
        )

    def _assignments(self, staffing: Staffing) -> tuple[Assignment, ...]:
        setting = Setting(
            provided=frozenset(post.slot.term.concept for post in staffing.posts),
            offered=frozenset(slot.term.concept for slot in staffing.pool),
            limits=self.demand.constraints,
            city=staffing.city,
            final=self.final,
        )
        return tuple(self._assignment(post, staffing, setting) for post in staffing.posts)

    def _assignment(self, post: Post, staffing: Staffing, setting: Setting) -> Assignment:
        offer, term = post.slot.offer, post.slot.term
        conditions = tuple(settle(item, post.price, setting, self.voice) for item in term.conditions)
        return Assignment(
            agent_id=offer.agent_id,
            display_name=clean(offer.display_name, TITLE_CAP) or offer.agent_id,
            role=self.voice.label(term.concept),
            responsibility=self._duty(post, staffing.day),
            dependencies=self._dependencies(post, staffing),
            notes=notes(conditions, self.voice),
            concept=term.concept,
            price=post.price,
            currency=term.currency,
            quantity=post.quantity,
            conditions=conditions,
        )

    def _category(self, concept: str) -> str:
        known = self.voice.lexica.vocabulary.normalise(concept)
        return self.voice.lexica.vocabulary.concept(known).category if known else ""

    def _duty(self, post: Post, day: date) -> str:
        term = post.slot.term
        category = self._category(term.concept)
        key = f"duty.{category}" if category in PHRASED else "duty.other"
        parts = [self.voice.say(key, tag=self.voice.label(term.concept), day=self.voice.day(day))]
        if post.quantity > 1:
            parts.append(self.voice.say("duty.quantity", count=post.quantity))
        if term.capacity is not None and self.demand.constraints.attendees is not None:
            parts.append(self.voice.say("duty.for_people", people=self.demand.constraints.attendees))
        return self.voice.sentences(parts)

    def _dependencies(self, post: Post, staffing: Staffing) -> tuple[str, ...]:
        """The common day first; then the place, for everybody who works there; then what a condition requires."""
        own = post.slot.term
        required = {item.concept for item in own.conditions if item.kind == "requires" and item.concept}
        found = [self.voice.say("depends.date", day=self.voice.day(staffing.day))] if own.dates is not None else []
        others = [one.slot for one in staffing.posts if one is not post]
        named = ((slot.term.concept, clean(slot.offer.display_name, TITLE_CAP)) for slot in others)
        found += self.waits_for(own.concept, required, named)
        if self._category(own.concept) in {"food", "place"} and self.demand.constraints.attendees is None:
            found.append(self.voice.say("depends.people"))
        return tuple(dict.fromkeys(found))

    def waits_for(self, concept: str, required: Collection[str], others: Iterable[tuple[str, str]]) -> list[str]:
        """For whom a role waits, of others by concept and name: the place, and what its conditions require."""
        elsewhere = self._category(concept) != "place"
        return [
            self.voice.say("depends.role", tag=self.voice.label(other), name=name)
            for other, name in others
            if other in required or (elsewhere and self._category(other) == "place")
        ]

    def _timeline(self, staffing: Staffing, assignments: Sequence[Assignment]) -> Timeline:
        day = staffing.day
        if not assignments or day < self.today:
            return Timeline(start_date=day.isoformat())
        span = (day - self.today).days
        end = add_days(day, max(1, self.demand.constraints.duration_days) - 1)
        steps = [
            ("confirm", add_days(self.today, min(2, span // 3))),
            ("prepare", add_days(day, -min(3, span // 3))),
            ("carry_out", day),
            ("wrap_up", add_days(end, 2)),
        ]
        return Timeline(
            start_date=day.isoformat(),
            milestones=tuple(
                Milestone(
                    name=self.voice.say(f"milestone.{key}"),
                    date=when.isoformat(),
                    deliverable=self.voice.say(f"milestone.{key}_result"),
                )
                for key, when in steps
            ),
        )

    def _summary(self, staffing: Staffing, assignments: Sequence[Assignment], total: float) -> str:
        if not assignments:
            return self.voice.say("plan.nobody")
        people = dict.fromkeys(item.agent_id for item in assignments)
        parts = [
            self.voice.say(
                "plan.summary",
                count=len(people),
                roles=self.voice.join(dict.fromkeys(item.role for item in assignments)),
                day=self.voice.day(staffing.day),
            ),
            self.voice.say("plan.cost", total=self.voice.money(total, staffing.currency)),
        ]
        if staffing.city is not None and self.voice.knows_city(staffing.city):
            parts.append(self.voice.say("plan.city", city=self.voice.city(staffing.city)))
        if missing := uncovered(self.demand.requirements, assignments):
            parts.append(self.voice.say("plan.missing", tags=self.voice.labels(item.concept for item in missing)))
        return self.voice.sentences(parts)

    def _rationale(self, staffing: Staffing, assignments: Sequence[Assignment]) -> str:
        standing = [offer for offer in self.offers if offer.decision != "decline"]
        chosen = {item.agent_id for item in assignments}
        among = sum(offer.agent_id in chosen for offer in standing)
        parts = [self.voice.say("why.chosen", chosen=among, offers=len(standing))] if standing else []
        seen = Unchosen(self.demand, standing, assignments, staffing.currency, staffing.day.isoformat(), self.refused)
        reasons: dict[str, list[str]] = {}
        for offer in sorted(standing, key=lambda one: one.display_name):
            if offer.agent_id not in chosen:
                name = clean(offer.display_name, TITLE_CAP) or offer.agent_id
                reasons.setdefault(seen.words(seen.why(offer), self.voice.lang), []).append(name)
        for reason, names in sorted(reasons.items()):
            listed = self.voice.join(names[:MOST_NAMES])
            parts.append(self.voice.say("why.not_chosen", names=listed, count=len(names), reason=reason))
        limits = self.demand.constraints
        if limits.budget is not None and limits.currency != staffing.currency and assignments:
            parts.append(
                self.voice.say("why.currency_unknown", budget=self.voice.money(limits.budget, limits.currency))
            )
        if not staffing.proven:
            parts.append(self.voice.say("why.unproven"))
        return self.voice.sentences(parts)

    def _confidence(self, staffing: Staffing, assignments: Sequence[Assignment]) -> Confidence:
        needs = self.demand.requirements
        total = sum(item.importance for item in needs)
        share = sum(item.importance * covered(item, assignments) / item.count for item in needs) / total if total else 0
        if not assignments or share < GOOD_SHARE:
            return "low"
        sure = share >= 1 and staffing.proven and not unsettled(assignments)
        return "high" if sure else "medium"
