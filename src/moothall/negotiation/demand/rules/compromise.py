"""Prompt 9: what works, what is missing, what to do about it (spec C §3.3.9, row NEG-PROMPT-9a)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pydantic import ValidationError

from moothall.directory.days import add_days
from moothall.negotiation.demand.models import JsonObject, RefusalFact
from moothall.negotiation.demand.plan_models import Assignment, Compromise, uncovered
from moothall.negotiation.demand.rules.conditions import unsettled
from moothall.negotiation.demand.rules.phrasing import TITLE_CAP, clean

if TYPE_CHECKING:
    from moothall.negotiation.demand.questions import CompromiseInput
    from moothall.negotiation.demand.rules.phrasing import Lexica, Voice

MOST_SUGGESTIONS = 6
FARTHEST_DAYS = 3653
"""Days after the demand's first within which another day is worth suggesting."""


@dataclass(frozen=True, slots=True)
class Mediator:
    """Makes the best of what is left."""

    data: CompromiseInput
    voice: Voice

    def propose(self) -> Compromise:
        """What stays, what was settled how, what nobody could settle, and advice out of the refusals."""
        left = self.data.available_resources
        unresolved = [self._missing(gap.gap_type, gap.reason) for gap in self.data.gaps]
        unresolved += [
            self.voice.say("compromise.condition_open", condition=clean(item.text)) for item in unsettled(left)
        ]
        return Compromise(
            summary=self._summary(left),
            assignments=left,
            compromises=tuple(self._compromises(left)),
            unresolved=tuple(dict.fromkeys(unresolved)),
            suggestions=tuple(self._suggestions()),
            confidence="medium" if left and not self.data.gaps else "low",
        )

    def _missing(self, tag: str, reason: str) -> str:
        why = clean(reason)
        return self.voice.say("compromise.missing", tag=clean(tag), reason=why) if why else clean(tag)

    def _summary(self, left: tuple[Assignment, ...]) -> str:
        tags = self.voice.join(gap.gap_type for gap in self.data.gaps)
        if not left:
            if not self.data.declines and not self.data.feedbacks:
                return self.voice.say("compromise.no_candidates")
            return self.voice.say("compromise.nobody", count=len(self.data.declines) or len(self.data.feedbacks))
        works = self.voice.join(
            self.voice.say("compromise.role", role=item.role, name=clean(item.display_name, TITLE_CAP)) for item in left
        )
        parts = [self.voice.say("compromise.works", roles=works)]
        parts.append(self.voice.say("compromise.lacks", tags=tags) if tags else self.voice.say("compromise.complete"))
        return self.voice.sentences(parts)

    def _compromises(self, left: tuple[Assignment, ...]) -> Iterable[JsonObject]:
        """One entry per conflict: what it is about, how it stands, why; none where nobody is left to go on."""
        if not left:
            return
        for feedback in self.data.feedbacks:
            if feedback.feedback_type == "negotiate":
                mine = next((item for item in left if item.agent_id == feedback.agent_id), None)
                yield {
                    "issue": clean(feedback.adjustment_request or feedback.reasoning),
                    "resolution": self.voice.say("compromise.stays" if mine else "compromise.leaves"),
                    "rationale": self.voice.say("compromise.last_round"),
                }
        for gap in self.data.gaps:
            yield {
                "issue": self._missing(gap.gap_type, gap.reason),
                "resolution": self.voice.say("compromise.without", tag=gap.gap_type),
                "rationale": self.voice.say("compromise.importance", importance=gap.importance),
            }
        for assignment in left:
            for condition in assignment.conditions:
                if condition.status == "declined":
                    yield {
                        "issue": clean(condition.text),
                        "resolution": self.voice.say("compromise.condition_declined"),
                        "rationale": clean(condition.reason) or self.voice.say("settle.unknown"),
                    }

    def _suggestions(self) -> list[str]:
        facts = [fact for entry in self.data.declines for fact in _facts(entry)]
        found = [
            *self._about_money(facts),
            *self._about_days(facts),
            *self._about_places(),
            *self._about_size(facts),
            *self._about_gaps(),
        ]
        if not found:
            needs = self.data.demand.requirements
            found = [self.voice.say("suggest.name_needs" if not needs else "suggest.widen")]
            if self.data.demand.constraints.city:
                found.append(self.voice.say("suggest.online_or_near"))
        return list(dict.fromkeys(found))[:MOST_SUGGESTIONS]

    def _about_money(self, facts: list[RefusalFact]) -> Iterable[str]:
        """The budget that would do: what the plan costs and the lowest price asked for each missing role."""
        limits = self.data.demand.constraints
        if limits.budget is None:
            return
        asks: dict[str, float] = {}
        for concept, ask, currency in self._asked(facts):
            if currency == limits.currency:
                asks[concept] = min(ask, asks.get(concept, ask))
        left = self.data.available_resources
        missing = [need.concept for need in uncovered(self.data.demand.requirements, left) if need.concept in asks]
        spent = sum(item.price for item in left if item.currency == limits.currency)
        needed = spent + sum(asks[concept] for concept in missing)
        if needed > limits.budget:
            yield self.voice.say(
                "suggest.budget",
                tags=self.voice.labels(missing),
                needed=self.voice.money(needed, limits.currency),
                budget=self.voice.money(limits.budget, limits.currency),
            )

    def _asked(self, facts: list[RefusalFact]) -> Iterable[tuple[str, float, str]]:
        """Role, price and currency of everything that was offered, or refused for its price."""
        for fact in facts:
            if fact.kind == "price" and fact.ask is not None:
                yield fact.concept, fact.ask, fact.currency
        for offer in self.data.offers:
            for term in offer.terms:
                yield term.concept, term.price, term.currency

    def _about_days(self, facts: list[RefusalFact]) -> Iterable[str]:
        limits = self.data.demand.constraints
        earliest = limits.date_start or date.min
        latest = add_days(limits.date_start, FARTHEST_DAYS) if limits.date_start else date.max
        refused = [fact.next_day for fact in facts if fact.kind == "date"]
        days = [day for day in refused if day is not None and earliest <= day <= latest]
        if days:
            yield self.voice.say("suggest.date", day=self.voice.day(min(days)), count=len(days))
        elif refused:
            yield self.voice.say("suggest.other_dates")

    def _about_places(self) -> Iterable[str]:
        """Cities of those who declined for the place alone; who is not free either would decline there too."""
        declines = [_facts(entry) for entry in self.data.declines]
        willing = [facts for facts in declines if all(fact.kind != "date" for fact in facts)]
        named = [fact.city for facts in willing for fact in facts if fact.kind == "city"]
        cities = [city for city in named if city is not None and self.voice.knows_city(city)]
        if cities and not self.data.demand.constraints.online:
            frequent = sorted(set(cities), key=lambda city: (-cities.count(city), city))[:3]
            yield self.voice.say("suggest.city", cities=self.voice.either(self.voice.city(city) for city in frequent))

    def _about_size(self, facts: list[RefusalFact]) -> Iterable[str]:
        """Fewer people or more, never both: the way that more of the refusals point."""
        people = self.data.demand.constraints.attendees
        if people is None:
            return
        room = [fact.capacity for fact in facts if fact.kind == "capacity" and fact.capacity]
        smaller = [size for size in room if size < people]
        wanted = [fact.min_attendees for fact in facts if fact.kind == "attendees" and fact.min_attendees]
        larger = [size for size in wanted if size > people]
        if len(larger) > len(smaller):
            yield self.voice.say("suggest.more", fewest=min(larger))
        elif smaller:
            yield self.voice.say("suggest.fewer", most=max(smaller))

    def _about_gaps(self) -> Iterable[str]:
        for gap in self.data.gaps:
            others = [tag for tag in gap.suggested_capability_tags if tag != gap.gap_type][:3]
            if others:
                yield self.voice.say("suggest.related", tag=gap.gap_type, others=self.voice.join(others))
        if len(self.data.gaps) > 1 and self.data.available_resources:
            yield self.voice.say("suggest.split")


def _facts(entry: JsonObject) -> list[RefusalFact]:
    """The refusals of one decline; what is no refusal says nothing."""
    refusals = entry.get("refusals")
    found: list[RefusalFact] = []
    for fact in refusals if isinstance(refusals, list | tuple) else ():
        try:
            found.append(RefusalFact.model_validate(fact))
        except ValidationError:
            continue
    return found


async def compromise(lexica: Lexica, data: CompromiseInput) -> Compromise:
    """Say what can still be done; see :class:`Mediator`."""
    return Mediator(data, lexica.voice(data.demand.lang)).propose()
