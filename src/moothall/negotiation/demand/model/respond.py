"""Prompt 3 by a model: it speaks for one agent; what the agent can do, when and for how much, its card says.

The model may decline or set conditions as it likes. It cannot take part where the card makes that impossible, offer
what is not among the tags, or name a price for what the card prices (rows NEG-PROMPT-3a/3b).

A capability that the card claims in a tag only becomes an offer at the model's price for the whole job. Without one
the price is open, and a condition says so: a plan can be made, and nobody promised a sum.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from moothall.directory.profiles import CapabilityOffer
from moothall.errors import DecisionRefused
from moothall.llm.brief import Brief
from moothall.negotiation.demand.model.claims import Claims
from moothall.negotiation.demand.model.draft import LOOSE, Amount, Draft, Lines, Percent, Text
from moothall.negotiation.demand.model.shown import shown_demand, shown_profile
from moothall.negotiation.demand.models import MOST_CONDITIONS, AgentResponse, Condition, Term
from moothall.negotiation.demand.prompts import RESPOND
from moothall.negotiation.demand.questions import RespondInput
from moothall.negotiation.demand.rules.understand import HOME_CURRENCY
from moothall.negotiation.demand.sizing import fitted, has_room

if TYPE_CHECKING:
    from moothall.directory.profiles import AgentProfile
    from moothall.llm.decision import RulesBrain
    from moothall.messages import Lang
    from moothall.negotiation.demand.models import JsonObject
    from moothall.negotiation.demand.rules.phrasing import Lexica

MOST_ADDED = 3
"""Conditions that an answer adds to those of the card."""
_ISO = re.compile(r"[A-Z]{3}")
DecisionWord = Annotated[Literal["participate", "decline", "conditional"], LOOSE]


class RespondDraft(Draft):
    """The specification's output of prompt 3; ``price`` is for the whole job and counts where the card names none."""

    decision: DecisionWord
    contribution: Text = ""
    conditions: Lines = ()
    reasoning: Text = ""
    decline_reason: Text = ""
    confidence: Percent = 50
    price: Amount | None = None


def in_prose(profile: AgentProfile, concepts: frozenset[str], lexica: Lexica) -> tuple[str, ...]:
    """The tags whose capability is among ``concepts`` and for which the profile has no structured offer."""
    key = lexica.vocabulary.key
    structured = {key(offer.tag) for offer in profile.capabilities.offers}
    found = {key(tag): tag for tag in reversed(profile.tags)}
    return tuple(tag for concept, tag in found.items() if concept in concepts and concept not in structured)


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's answer for one agent beside what the rules find in its card.

    ``base`` is their answer for the card in which every capability named by a tag alone (``prose``) is an offer too.
    """

    data: RespondInput
    draft: RespondDraft
    base: AgentResponse
    prose: tuple[str, ...]
    lexica: Lexica

    def response(self) -> AgentResponse:
        """The answer that reaches the channel.

        Raises:
            DecisionRefused: a refusal without a reason, a conditional answer without a condition, a condition that
                goes beyond the card, or conditions that no plan has room for.
        """
        draft = self.draft
        if draft.decision == "decline":
            return self._declined()
        if draft.decision == "conditional" and not draft.conditions:
            message = "a conditional answer needs at least one condition; without any, answer participate"
            raise DecisionRefused(message)
        if self.base.decision == "decline":
            return self.base
        terms = self._terms()
        claims = self._claims(terms)
        for words in self._own_conditions():
            # Left out it would turn a reserved answer into consent, so it goes back instead.
            if not claims.may_ask(words):
                raise DecisionRefused(_beyond(words))
        wanted = {item.concept for item in self.data.demand.requirements}
        asked = [item.text for term in terms if term.concept in wanted for item in term.conditions]
        conditions = tuple(dict.fromkeys(asked))
        answer = self.base.model_copy(
            update={
                "decision": "conditional" if conditions else "participate",
                "contribution": self._contribution(claims),
                "conditions": conditions,
                "reasoning": claims.true_to(draft.reasoning) or self.base.reasoning,
                "confidence": draft.confidence,
                "terms": terms,
            }
        )
        if self._own_conditions() and not has_room(fitted(answer)):
            message = "the conditions are longer than a plan has room for: say the same in fewer words"
            raise DecisionRefused(message)
        return answer

    def _declined(self) -> AgentResponse:
        why = self.draft.decline_reason or self.draft.reasoning
        if not why:
            message = "a refusal needs a decline_reason"
            raise DecisionRefused(message)
        return AgentResponse(
            decision="decline",
            decline_reason=why,
            reasoning=self.draft.reasoning or why,
            confidence=self.draft.confidence,
            refusals=self.base.refusals if self.base.decision == "decline" else (),
        )

    def _terms(self) -> tuple[Term, ...]:
        """What the rules offer; the model's own conditions stand with the first thing that the demand wants."""
        own = [Condition(text=words) for words in self._own_conditions()]
        asked = Condition(text=self._say("condition.price_open"), kind="price_open")
        priceless = {self.lexica.vocabulary.key(tag) for tag in self.prose} if self.draft.price is None else set()
        terms: list[Term] = []
        for index, term in enumerate(self.base.terms):
            added = [*([asked] if term.concept in priceless else []), *(own if index == 0 else [])]
            known = {item.text for item in term.conditions}
            kept = [*term.conditions, *(item for item in added if item.text not in known)]
            terms.append(term.model_copy(update={"conditions": tuple(kept[:MOST_CONDITIONS])}))
        return tuple(terms)

    def _own_conditions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.draft.conditions))[:MOST_ADDED]

    def _claims(self, terms: tuple[Term, ...]) -> Claims:
        profile, key = self.data.agent_profile, self.lexica.vocabulary.key
        prices = [term.price for term in terms]
        advertised = [offer.price for offer in profile.capabilities.offers]
        asked = [] if self.draft.price is None or not self.prose else [self.draft.price]
        return Claims(
            own=frozenset(key(tag) for tag in profile.tags),
            asked=frozenset(item.concept for item in self.data.demand.requirements),
            terms=terms,
            prices=frozenset([*prices, sum(prices), *advertised, *asked]),
            today=self.data.today,
            lexica=self.lexica,
        )

    def _contribution(self, claims: Claims) -> str:
        """The model's words as far as they hold; the rules' where nothing is left of what can be had."""
        said = claims.true_to(self.draft.contribution)
        if said and (said == self.draft.contribution or self.lexica.vocabulary.find(said)):
            return said
        if not self.prose:
            return self.base.contribution
        voice = self.lexica.voice(self.data.demand.lang)
        return self._say("respond.plain", tags=voice.labels(term.concept for term in self.base.terms))

    def _say(self, key: str, **values: object) -> str:
        return self.lexica.voice(self.data.demand.lang).say(key, **values)


def _beyond(condition: str) -> str:
    return (
        f"the condition {condition!r} names a sum, a day or a number of people that the profile does not bear out, or "
        "promises what is not among its tags: a condition is what others are to do, a price belongs into `price`"
    )


def _priced(data: RespondInput, prose: tuple[str, ...], price: float, lexica: Lexica) -> AgentProfile:
    """The profile with an offer for each of these tags, so that place, days and budget are weighed by the same rules.

    The price of the whole job, in the currency of the demand, is divided among them.
    """
    profile, currency = data.agent_profile, data.demand.constraints.currency
    offers = []
    for tag in prose:
        known = lexica.vocabulary.normalise(tag)
        offers.append(
            CapabilityOffer(
                tag=tag,
                title=tag,
                price=round(price / len(prose), 2),
                currency=currency if _ISO.fullmatch(currency) else HOME_CURRENCY,
                remote=known is not None and not lexica.vocabulary.concept(known).on_site,
            )
        )
    able = profile.capabilities
    return profile.model_copy(update={"capabilities": able.model_copy(update={"offers": (*able.offers, *offers)})})


def brief(lexica: Lexica, rules: RulesBrain) -> Brief[RespondInput, AgentResponse, RespondDraft]:
    """How prompt 3 is asked: with the card that everybody may see. Its reservation values stay on this node."""

    async def complete(data: RespondInput, draft: RespondDraft) -> AgentResponse:
        wanted = frozenset(item.concept for item in data.demand.requirements)
        prose = in_prose(data.agent_profile, wanted, lexica)
        card = _priced(data, prose, draft.price or 0.0, lexica)
        base = await rules.answer(RESPOND, data.model_copy(update={"agent_profile": card}))
        return Answer(data, draft, base, prose, lexica).response()

    return Brief(RESPOND, RespondDraft, _lang, _data, complete)


def _lang(data: RespondInput) -> Lang:
    return data.demand.lang


def _data(data: RespondInput) -> JsonObject:
    return {
        "agent_profile": shown_profile(data.agent_profile),
        "demand": shown_demand(data.demand),
        "filter_reason": data.filter_reason,
        "today": data.today.isoformat(),
    }
