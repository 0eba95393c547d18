"""Putting an offer into words: what, for how many, for how much, when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moothall.negotiation.demand.models import Term
from moothall.negotiation.demand.rules.places import Reach
from moothall.negotiation.demand.rules.pricing import PLANNING_ATTENDEES

if TYPE_CHECKING:
    from moothall.negotiation.demand.models import DemandUnderstanding
    from moothall.negotiation.demand.rules.phrasing import Voice


@dataclass(frozen=True, slots=True)
class Tender:
    """One capability that can be offered: its terms and what to say about them.

    ``assumed``: the price rests on the planning head count; ``reduced``: it is below the advertised one;
    ``wanted``: the demand asks for it.
    """

    term: Term
    title: str
    reach: Reach
    assumed: bool
    reduced: bool
    wanted: bool


@dataclass(frozen=True, slots=True)
class Speech:
    """What an agent says about its tenders."""

    demand: DemandUnderstanding
    voice: Voice

    def contribution(self, wanted: Sequence[Tender], extras: Sequence[Tender]) -> str:
        """Each tender as a sentence with figures, and what else could be had."""
        parts = [self._describe(tender) for tender in wanted]
        if extras:
            tags = self.voice.labels(tender.term.concept for tender in extras)
            parts.append(self.voice.say("respond.extras", tags=tags))
        return self.voice.sentences(parts)

    def reasoning(self, wanted: Sequence[Tender]) -> str:
        """Why the agent takes part."""
        tags = self.voice.labels(tender.term.concept for tender in wanted)
        parts = [self.voice.say("respond.matches", tags=tags), self.voice.say(f"respond.reach_{wanted[0].reach}")]
        if any(tender.reduced for tender in wanted):
            parts.append(self.voice.say("respond.reduced"))
        return self.voice.sentences(parts)

    def _describe(self, tender: Tender) -> str:
        term, say = tender.term, self.voice.say
        pieces = [say("respond.offer", tag=self.voice.label(term.concept), title=tender.title)]
        if term.quantity > 1:
            pieces.append(say("respond.quantity", count=term.quantity))
        if term.capacity is not None:
            pieces.append(say("respond.capacity", capacity=term.capacity))
        key = "respond.price_assumed" if tender.assumed else "respond.price"
        pieces.append(say(key, price=self.voice.money(term.price, term.currency), people=PLANNING_ATTENDEES))
        if tender.reach == "travels":
            pieces.append(say("respond.travels", city=self.voice.city(self.demand.constraints.city or "")))
        if term.dates:
            key = "respond.dates" if len(term.dates) > 1 else "respond.one_date"
            pieces.append(say(key, count=len(term.dates), first=self.voice.day(term.dates[0])))
        return say("respond.comma").join(pieces) + say("respond.stop")
