"""Prompt 3: an agent answers an invitation out of its own profile (spec C §3.3.3, rows NEG-PROMPT-3a/3b)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from moothall.directory.profiles import MOST_MONEY
from moothall.negotiation.demand.models import AgentResponse, Condition, Requirement, Term
from moothall.negotiation.demand.rules.calendars import free_days
from moothall.negotiation.demand.rules.conditions import open_conditions
from moothall.negotiation.demand.rules.offering import Speech, Tender
from moothall.negotiation.demand.rules.phrasing import TITLE_CAP, clean
from moothall.negotiation.demand.rules.places import Reach, reach
from moothall.negotiation.demand.rules.pricing import Quote, quote, within
from moothall.negotiation.demand.rules.refusing import Refusal, Refuser

if TYPE_CHECKING:
    from moothall.directory.profiles import AgentProfile, CapabilityOffer
    from moothall.negotiation.demand.models import DemandUnderstanding
    from moothall.negotiation.demand.questions import RespondInput
    from moothall.negotiation.demand.rules.phrasing import Lexica, Voice

MOST_EXTRAS = 3
"""How many capabilities the demand did not name are offered beside those it did."""


@dataclass(frozen=True, slots=True)
class Persona:
    """An agent that decides from its own profile about one demand."""

    profile: AgentProfile
    demand: DemandUnderstanding
    today: date
    voice: Voice

    def answer(self) -> AgentResponse:
        """Offer what is wanted and possible, or decline with the most decisive reason."""
        needs = {item.concept: item for item in self.demand.requirements}
        tenders, refusals = self._consider(needs)
        wanted = [tender for tender in tenders if tender.wanted]
        if not wanted:
            return self._refuser.decline(refusals)
        extras = [tender for tender in tenders if not tender.wanted][:MOST_EXTRAS]
        conditions = tuple(dict.fromkeys(item.text for tender in wanted for item in tender.term.conditions))
        speech = Speech(self.demand, self.voice)
        return AgentResponse(
            decision="conditional" if conditions else "participate",
            contribution=speech.contribution(wanted, extras),
            conditions=conditions,
            reasoning=speech.reasoning(wanted),
            confidence=_confidence(wanted),
            terms=tuple(tender.term for tender in (*wanted, *extras)),
            max_roles=self.profile.capabilities.max_roles,
        )

    @property
    def _refuser(self) -> Refuser:
        return Refuser(self.profile, self.demand, self.today, self.voice)

    def _consider(self, needs: dict[str, Requirement]) -> tuple[list[Tender], list[Refusal]]:
        """The cheapest possible tender per capability, those of the demand first, and the refusals."""
        best: dict[str, Tender] = {}
        refusals: list[Refusal] = []
        for offer in self.profile.capabilities.offers:
            concept = self.voice.lexica.vocabulary.key(offer.tag)
            tender = self._tender(offer, concept, needs.get(concept))
            if isinstance(tender, Refusal):
                if concept in needs:
                    refusals.append(tender)
            elif concept not in best or tender.term.price < best[concept].term.price:
                best[concept] = tender
        order = {concept: index for index, concept in enumerate(needs)}
        tenders = sorted(best.values(), key=lambda one: (order.get(one.term.concept, len(order)), one.term.concept))
        return tenders, refusals

    def _tender(self, offer: CapabilityOffer, concept: str, need: Requirement | None) -> Tender | Refusal:
        limits = self.demand.constraints
        way = reach(self.profile, offer, limits, self.voice.lexica)
        dates = free_days(self.profile.capabilities.calendar, offer, limits, self.today)
        if refusal := self._refuser.impossible(offer, concept, way, dates):
            return refusal
        units = min(offer.quantity, need.count) if need else 1
        priced = quote(self.profile, offer, limits, units=units, travels=way == "travels")
        if priced.ask > MOST_MONEY:
            return self._refuser.too_dear(concept, priced)
        price = affordable(priced.ask, priced.floor, within(limits, priced.currency))
        if price is None:
            return self._refuser.too_dear(concept, priced)
        term = Term(
            tag=offer.tag,
            concept=concept,
            price=price,
            currency=priced.currency,
            quantity=units,
            capacity=offer.capacity,
            dates=dates,
            conditions=self._conditions(offer, way, priced, price),
        )
        return Tender(
            term,
            title=clean(offer.title, TITLE_CAP),
            reach=way,
            assumed=priced.assumed,
            reduced=price < priced.ask,
            wanted=need is not None,
        )

    def _conditions(self, offer: CapabilityOffer, way: Reach, priced: Quote, price: int) -> tuple[Condition, ...]:
        """What the demand leaves open, the own city where no place is named, and that a reduced price is final."""
        conditions = open_conditions(offer, self.demand, self.voice)
        if way == "anywhere":
            home = self.voice.lexica.gazetteer.key(self.profile.location)
            words = self.voice.say("condition.city", city=self.voice.city(home))
            conditions.append(Condition(text=words, kind="city", concept=home))
        if price < priced.ask:
            conditions.append(Condition(text=self.voice.say("condition.reduced"), kind="min_fee", value=price))
        return tuple(conditions)


def affordable(ask: int, floor: int, budget: float | None) -> int | None:
    """The price to quote under a budget: the advertised one if it fits, else a tenth part of the budget that is enough.

    Quoting a step of a public ladder tells nobody the floor. ``None``: no step is enough.
    """
    if budget is None or ask <= budget:
        return ask
    steps = [int(budget * tenths / 10) for tenths in range(5, 11)]
    return next((step for step in steps if step > floor), int(budget) if floor <= int(budget) else None)


def _confidence(wanted: list[Tender]) -> int:
    doubts = sum(
        (one.reach == "travels") + one.assumed + one.reduced + min(2, len(one.term.conditions)) for one in wanted
    )
    return max(40, 95 - 8 * doubts)


async def respond(lexica: Lexica, data: RespondInput) -> AgentResponse:
    """Decide for the agent whose profile is given; see :class:`Persona`."""
    return Persona(data.agent_profile, data.demand, data.today, lexica.voice(data.demand.lang)).answer()
