"""Prompt 1: what a demand means (spec C §3.3.1, rows NEG-PROMPT-1a/1b): the extraction, put into the model's words.

Nothing is added to what the sentence says; what it leaves out stands among the uncertainties.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from moothall.negotiation.demand.extract.sentence import extract
from moothall.negotiation.demand.models import (
    Confidence,
    Constraints,
    Context,
    DeepUnderstanding,
    DemandUnderstanding,
    Requirement,
)
from moothall.negotiation.demand.rules.phrasing import TITLE_CAP, clean
from moothall.negotiation.demand.rules.surface import mood, motivation, preferences, surface

if TYPE_CHECKING:
    from moothall.negotiation.demand.extract.model import Extraction
    from moothall.negotiation.demand.questions import UnderstandInput
    from moothall.negotiation.demand.rules.phrasing import Lexica, Voice

NAMED, IMPLIED = 80, 50
"""Importance of a capability named in the text, and of one that the activity implies (row NEG-PROMPT-8b)."""
TOLD = frozenset(
    {
        "date",
        "budget",
        "headcount",
        "place",
        "needs",
        "place_ambiguous",
        "unsupported_place",
        "invalid_date",
        "past_date",
        "date_ambiguous",
        "date_several",
        "place_several",
        "budget_implausible",
        "headcount_implausible",
        "too_long",
    }
)
"""Codes of the extraction that have a sentence of their own."""
UNUSABLE = frozenset({"invalid_date", "past_date", "date_ambiguous", "budget_implausible", "headcount_implausible"})
"""Codes of what was stated and could not be used: somebody has to look at it again."""
HOME_CURRENCY = "CNY"
MOST_COUNT = 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """One extracted demand on its way to an understanding."""

    raw: str
    found: Extraction
    voice: Voice

    def understanding(self) -> DemandUnderstanding:
        """The extraction in the model's shape."""
        requirements = self._requirements()
        constraints = self._constraints()
        return DemandUnderstanding(
            surface_demand=surface(self.raw),
            deep_understanding=DeepUnderstanding(
                motivation=motivation(self.raw),
                likely_preferences=preferences(self.raw),
                emotional_context=mood(self.raw),
            ),
            capability_tags=tuple(item.tag for item in requirements),
            context=self._context(constraints),
            uncertainties=tuple(self._uncertainties()),
            confidence=self._confidence(),
            lang=self.found.lang,
            requirements=requirements,
            constraints=constraints,
        )

    def _requirements(self) -> tuple[Requirement, ...]:
        wanted: dict[str, Requirement] = {}
        for item in self.found.wanted:
            if item.concept not in wanted and item.concept not in self.found.excluded:
                wanted[item.concept] = Requirement(
                    tag=self.voice.label(item.concept),
                    concept=item.concept,
                    importance=NAMED if item.named else IMPLIED,
                    count=max(1, min(item.count, MOST_COUNT)),
                    named=item.named,
                )
        return tuple(wanted.values())

    def _constraints(self) -> Constraints:
        found = self.found
        start, end = (found.window.start, found.window.end) if found.window else (None, None)
        if found.window and found.window.recurring:
            end = start
        return Constraints(
            city=self._city(),
            online=bool(found.place and found.place.online),
            date_start=start,
            date_end=end,
            attendees=found.heads.value if found.heads else None,
            budget=self._budget(),
            currency=found.budget.currency if found.budget else HOME_CURRENCY,
            duration_days=max(1, found.duration_days or 1),
            theme=clean(found.theme, TITLE_CAP) if found.theme else None,
            excluded=found.excluded,
        )

    def _city(self) -> str | None:
        """The city's id; an unknown place by its own name, so that nobody counts as being there."""
        place = self.found.place
        if place is None or place.ambiguous:
            return None
        if place.city is None and not place.online:
            return clean(place.name, TITLE_CAP) or None
        return place.city

    def _budget(self) -> float | None:
        """The whole budget; one per person, hour or day is multiplied where the factor is known."""
        budget, people, days = self.found.budget, self.found.heads, max(1, self.found.duration_days or 1)
        if budget is None:
            return None
        match budget.per:
            case "total":
                return float(budget.maximum)
            case "person" if people:
                return float(budget.maximum * people.value)
            case "day":
                return float(budget.maximum * days)
            case "session" if not (self.found.window and self.found.window.recurring):
                return float(budget.maximum)
            case _:
                return None

    def _context(self, constraints: Constraints) -> Context:
        place = self.found.place
        location = None
        if place is not None:
            location = self.voice.city(place.city) if place.city else clean(place.name, TITLE_CAP)
            if place.online and not place.city:
                location = self.voice.say("understand.online")
        budget: float | str | None = constraints.budget
        if budget is None and self.found.budget is not None:
            budget = clean(self.found.budget.span.text, TITLE_CAP)
        elif budget is not None and budget == int(budget):
            budget = int(budget)
        return Context(
            location=location,
            expected_attendees=constraints.attendees,
            date=_window(constraints.date_start, constraints.date_end),
            budget=budget,
        )

    def _uncertainties(self) -> list[str]:
        found, say = self.found, self.voice.say
        codes = [code for code in found.unclear if code in TOLD]
        lines = [self._sentence(code) for code in codes]
        if found.budget and self._budget() is None:
            lines.append(say("unclear.budget_factor", budget=clean(found.budget.span.text, TITLE_CAP)))
        if found.budget and found.budget.currency != HOME_CURRENCY:
            lines.append(say("unclear.currency", budget=self._sum(found.budget.maximum, found.budget.currency)))
        if found.budget and found.budget.approximate:
            lines.append(say("unclear.budget_about", budget=clean(found.budget.span.text, TITLE_CAP)))
        if found.heads and found.heads.approximate:
            lines.append(say("unclear.heads_about", count=found.heads.value))
        if found.window and found.window.recurring and found.window.start:
            lines.append(say("unclear.recurring", day=self.voice.day(found.window.start)))
        elif found.window and found.window.approximate:
            lines.append(say("unclear.date_about", span=clean(found.window.span.text, TITLE_CAP)))
        lines += [say("unclear.not_understood", need=clean(item.text, TITLE_CAP)) for item in found.unknown]
        return list(dict.fromkeys(lines))

    def _sentence(self, code: str) -> str:
        place = self.found.place
        name = clean(place.name, TITLE_CAP) if place else ""
        several = (place.city, *place.others) if place and place.city else place.ambiguous if place else ()
        cities = self.voice.join(self.voice.city(city) for city in several)
        window = self.found.window
        written = (window.span, *window.others) if window else ()
        dates = self.voice.join(clean(each.text, TITLE_CAP) for each in written)
        return self.voice.say(f"unclear.{code}", place=name, cities=cities, dates=dates)

    def _sum(self, amount: Decimal, currency: str) -> str:
        return self.voice.money(float(amount), currency)

    def _confidence(self) -> Confidence:
        """High: a named need, a place or day, two facts in all, everything usable; medium: a need and a fact."""
        found = self.found
        placed = found.place is not None and not found.place.ambiguous
        facts = sum(
            (placed, found.window is not None, found.budget is not None, found.heads is not None, bool(found.theme))
        )
        named = any(item.named for item in found.wanted)
        usable = UNUSABLE.isdisjoint(found.unclear) and (placed or found.window is not None)
        if named and facts >= 2 and usable and not found.unknown:  # noqa: PLR2004 - two facts, as above
            return "high"
        return "medium" if found.wanted and facts + named > 1 else "low"


def _window(start: date | None, end: date | None) -> str | None:
    if start and end:
        return start.isoformat() if start == end else f"{start.isoformat()}/{end.isoformat()}"
    if start or end:
        return f"{start.isoformat() if start else '..'}/{end.isoformat() if end else '..'}"
    return None


async def understand(lexica: Lexica, data: UnderstandInput) -> DemandUnderstanding:
    """Read the sentence of a demand."""
    found = extract(data.raw_input, data.today, lexica.vocabulary, lexica.gazetteer, lexica.activities)
    return Reading(data.raw_input, found, lexica.voice(found.lang)).understanding()
