"""Why an agent cannot offer something: in words for people, in structure for advice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from moothall.directory.profiles import MOST_MONEY
from moothall.negotiation.demand.models import AgentResponse, JsonObject, RefusalFact
from moothall.negotiation.demand.rules.calendars import free_days
from moothall.negotiation.demand.rules.conditions import theme_fits
from moothall.negotiation.demand.rules.phrasing import TITLE_CAP, clean
from moothall.negotiation.demand.rules.places import Reach
from moothall.negotiation.demand.rules.pricing import Quote

if TYPE_CHECKING:
    from moothall.directory.profiles import AgentProfile, CapabilityOffer
    from moothall.negotiation.demand.models import Constraints, DemandUnderstanding, RefusalKind
    from moothall.negotiation.demand.rules.phrasing import Voice

DECISIVE = ("city", "theme", "capacity", "attendees", "date", "price", "capability")
"""Kinds of refusals, the most decisive first."""
SURE = 90


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one capability cannot be offered; ``facts`` hold public values only."""

    kind: RefusalKind
    concept: str
    words: str
    facts: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refuser:
    """Looks for what stands against an offer of one agent."""

    profile: AgentProfile
    demand: DemandUnderstanding
    today: date
    voice: Voice

    def impossible(self, offer: CapabilityOffer, concept: str, way: Reach, dates: Sequence[date]) -> Refusal | None:
        """Place, theme, size or time that rule the offer out."""
        limits = self.demand.constraints
        if way == "elsewhere":
            return self._too_far(concept, limits)
        if not theme_fits(offer, self.demand):
            words = self.voice.say("refuse.theme", theme=clean(limits.theme or "", TITLE_CAP))
            return Refusal("theme", concept, words)
        if refusal := self._wrong_size(offer, concept, limits):
            return refusal
        if dates:
            return None
        days = self._window(limits)
        words = self.voice.say("refuse.date", days=days) if days else self.voice.say("refuse.date_open")
        return Refusal("date", concept, words, self._next_day(offer))

    def too_dear(self, concept: str, priced: Quote) -> Refusal:
        """The advertised price is above the budget, and so is the lowest acceptable one; or it is beyond all bounds."""
        if priced.ask > MOST_MONEY:
            return Refusal("price", concept, self.voice.say("refuse.beyond"))
        limits = self.demand.constraints
        words = self.voice.say(
            "refuse.price",
            ask=self.voice.money(priced.ask, priced.currency),
            budget=self.voice.money(limits.budget or 0, limits.currency),
        )
        return Refusal("price", concept, words, {"ask": priced.ask, "currency": priced.currency})

    def decline(self, refusals: Sequence[Refusal]) -> AgentResponse:
        """Decline with the most decisive of these reasons; without any, for want of the capability."""
        if not refusals:
            tags = self.voice.labels(item.concept for item in self.demand.requirements)
            refusals = [Refusal("capability", "", self.voice.say("refuse.capability", tags=tags))]
        ordered = sorted(refusals, key=lambda item: DECISIVE.index(item.kind))
        return AgentResponse(
            decision="decline",
            decline_reason=ordered[0].words,
            reasoning=ordered[0].words,
            confidence=SURE,
            refusals=tuple(RefusalFact(kind=item.kind, concept=item.concept, **item.facts) for item in ordered),
        )

    def _too_far(self, concept: str, limits: Constraints) -> Refusal:
        home = self.voice.lexica.gazetteer.key(self.profile.location)
        if limits.city is None:
            words = self.voice.say("refuse.on_site", tag=self.voice.label(concept), city=self.voice.city(home))
        else:
            words = self.voice.say("refuse.city", city=self.voice.city(home), target=self.voice.city(limits.city))
        return Refusal("city", concept, words, {"city": home})

    def _wrong_size(self, offer: CapabilityOffer, concept: str, limits: Constraints) -> Refusal | None:
        people = limits.attendees
        if people is None:
            return None
        most = [int(item.value or 0) for item in offer.conditions if item.kind == "max_attendees"]
        capacity = min([*most, *([] if offer.capacity is None else [offer.capacity])], default=people)
        if capacity < people:
            words = self.voice.say("refuse.capacity", capacity=capacity, people=people)
            return Refusal("capacity", concept, words, {"capacity": capacity})
        asked = [int(item.value or 0) for item in offer.conditions if item.kind == "min_attendees"]
        fewest = max([offer.min_attendees, *asked])
        if people < fewest:
            words = self.voice.say("refuse.attendees", fewest=fewest, people=people)
            return Refusal("attendees", concept, words, {"min_attendees": fewest})
        return None

    def _window(self, limits: Constraints) -> str:
        start, end = limits.date_start, limits.date_end
        if start and end and start != end:
            return self.voice.say("window.between", start=self.voice.day(start), end=self.voice.day(end))
        if start:
            return self.voice.day(start) if end else self.voice.say("window.after", start=self.voice.day(start))
        return self.voice.say("window.before", end=self.voice.day(end)) if end else ""

    def _next_day(self, offer: CapabilityOffer) -> JsonObject:
        """The first day after the demand's first on which the agent could."""
        later = self.demand.constraints.model_copy(update={"date_end": None})
        days = free_days(self.profile.capabilities.calendar, offer, later, self.today)
        return {"next_day": days[0].isoformat()} if days else {}
