"""Inviting agents and collecting their sealed offers (spec C §2.3 steps 3 and 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from moothall.directory.profiles import AgentProfile
from moothall.events.model import Draft
from moothall.negotiation.demand.admission import Desk
from moothall.negotiation.demand.deciding import marks_of
from moothall.negotiation.demand.models import Offer, Term
from moothall.negotiation.demand.phase import Phase
from moothall.negotiation.demand.post import Letter
from moothall.negotiation.demand.rules.phrasing import upright
from moothall.negotiation.demand.sizing import added_by_words
from moothall.negotiation.demand.talks import Talks
from moothall.negotiation.demand.terms import advertised_terms, beyond_card
from moothall.negotiation.demand.wire import CHANNEL_ADMIN, Answer, CandidateRef, OfferResponse


@dataclass(frozen=True, slots=True)
class Missing:
    """The agents without an answer: ``silent`` ones, and ``unknown`` ones with the code of what went wrong."""

    silent: tuple[str, ...]
    unknown: Mapping[str, str]

    @property
    def code(self) -> str:
        """The code of the failure that explains why nobody answered; empty where silence does.

        ``E004`` when every model timed out, else ``E003``.
        """
        if self.silent or not self.unknown:
            return ""
        return "E004" if set(self.unknown.values()) == {"E004"} else "E003"


class Invitations:
    """One call for offers: ``phase`` names its rows (``offers``, or ``substitutes.r2`` in round 2)."""

    def __init__(self, talks: Talks, phase: str, number: int) -> None:
        self._talks = talks
        self._phase = phase
        self._round = number
        self._rows = Phase(talks.run, phase)

    def letters(self, candidates: Sequence[CandidateRef]) -> list[Draft]:
        """The invitations as rows of the message log."""
        channel = self._talks.channel
        return [
            channel.message(f"{self._phase}.invite.{item.agent_id}", CHANNEL_ADMIN, item.agent_id, self._body(item))
            for item in candidates
        ]

    def send(self, candidates: Sequence[CandidateRef]) -> None:
        """Invite everybody of whom the log does not say yet what they answer, or that it cannot be known."""
        talks = self._talks
        asked = set(self._rows.to_ask(item.agent_id for item in candidates))
        for item in candidates:
            if item not in talks.invited:
                talks.invited.append(item)
            if item.agent_id in asked:
                talks.send_to_agent(item.agent_id, self._body(item), f"{self._phase}.{item.agent_id}")

    async def due(self) -> datetime:
        """When the offers are due; the first call fixes it."""
        return await self._talks.deadline(f"{self._phase}.deadline", self._talks.limits.response_timeout)

    async def collect(self, candidates: Sequence[CandidateRef]) -> list[Offer]:
        """Wait behind the barrier, close it in the log, and only then look at the offers."""
        talks = self._talks
        asked = frozenset(item.agent_id for item in candidates)
        until = await self.due()
        rows = self._rows
        if not rows.closed():
            settled = rows.answered(asked), frozenset(rows.unknown(asked))
            desk = Desk(talks.channel.channel_id, "offer_response", 1, asked, *settled)
            reason = await talks.barrier.collect(desk, until, self._log, rows.mark_unknown)
            counted, unknown = rows.answered(asked), rows.unknown(asked)
            row = {
                "reason": reason,
                "counted": sorted(counted),
                "silent": sorted(asked - counted - unknown.keys()),
                "unknown": unknown,
                "seed": talks.seed,
            }
            await talks.run.emit(Draft(f"{self._phase}.closed", "barrier", row))
        return self._read(candidates)

    def missing(self) -> Missing:
        """Who gave no answer before the barrier closed."""
        closed = self._rows.closed()
        if closed is None:
            message = f"{self._phase} is read before its barrier closed"
            raise LookupError(message)
        return Missing(tuple(closed.payload["silent"]), closed.payload.get("unknown", {}))

    def _read(self, candidates: Sequence[CandidateRef]) -> list[Offer]:
        closed = self._rows.closed()
        counted = set(closed.payload["counted"]) if closed else set()
        offers = [self._offer(item) for item in candidates if item.agent_id in counted]
        self._talks.offers.update({offer.agent_id: offer for offer in offers})
        return offers

    def _offer(self, candidate: CandidateRef) -> Offer:
        talks = self._talks
        row = self._rows.answer(candidate.agent_id)
        if row is None:
            message = f"{candidate.agent_id} was counted but has no offer in the log"
            raise LookupError(message)
        response = OfferResponse.model_validate(row.payload["body"])
        number = [item.agent_id for item in talks.invited].index(candidate.agent_id) + 1
        fields = response.model_dump(exclude={"type", "channel_id", "round"})
        return Offer(
            **fields,
            offer_id=f"offer_{number:03d}",
            demand_id=talks.channel.demand_id,
            submitted_at=row.ts,
            match=candidate.relevance_score,
            doubts=beyond_card(
                response.terms, talks.profiles[candidate.agent_id], talks.demand, talks.today, talks.vocabulary
            ),
        )

    async def _log(self, answer: Answer, letter: Letter, consumed: tuple[Draft, ...]) -> None:
        """Log an admitted offer: the message for the aggregator, the event for the requester, in one batch."""
        if not isinstance(answer, OfferResponse):
            message = f"a {answer.type} was admitted as an offer"
            raise TypeError(message)
        answer = OfferResponse.model_validate(upright(answer.model_dump(mode="json")))
        channel, name = self._talks.channel, letter.sender
        profile = self._talks.profiles[name]
        display_name = profile.user_name
        body = answer.model_copy(update={"display_name": display_name, "terms": self._terms(answer, profile)})
        await self._talks.run.emit(
            channel.message(f"{self._phase}.{name}", name, CHANNEL_ADMIN, body.model_dump(mode="json"), **letter.meta),
            channel.event(
                f"{self._phase}.{name}.event",
                "offer.submitted",
                agent_id=name,
                display_name=display_name,
                decision=body.decision,
                contribution=body.contribution,
                conditions=list(body.conditions),
                reasoning=body.reasoning,
                decline_reason=body.decline_reason,
                confidence=body.confidence,
                terms=[term.model_dump(mode="json") for term in body.terms],
                **marks_of(letter.meta, self._talks.demand.lang),
            ),
            *consumed,
        )

    def _terms(self, answer: OfferResponse, profile: AgentProfile) -> tuple[Term, ...]:
        """What an offer comes to: its terms within the profile, or what the profile advertises if it has none.

        A claim counts only for a capability that stands in the card.
        """
        if answer.decision == "decline":
            return ()
        talks = self._talks
        own = {talks.vocabulary.key(tag) for tag in profile.tags}
        stated = tuple(term for term in answer.terms if term.concept in own)
        stated = stated or advertised_terms(profile, talks.demand, talks.today, talks.vocabulary)
        return self._bound(stated, answer.conditions)

    def _bound(self, terms: Sequence[Term], conditions: Sequence[str]) -> tuple[Term, ...]:
        """The terms with the conditions that the offer names in words alone, so that a plan has to answer them.

        They stand with the first thing that the demand wants: said with each term, they would come back in a plan as
        often as the agent has roles.
        """
        added = added_by_words(terms, conditions)
        if not added or not terms:
            return tuple(terms)
        wanted = {item.concept for item in self._talks.demand.requirements}
        place = next((index for index, term in enumerate(terms) if term.concept in wanted), 0)
        bound = terms[place].model_copy(update={"conditions": (*terms[place].conditions, *added)})
        return (*terms[:place], bound, *terms[place + 1 :])

    def _body(self, candidate: CandidateRef) -> dict[str, object]:
        talks = self._talks
        return {
            "type": "demand_offer",
            "channel_id": talks.channel.channel_id,
            "demand_id": talks.channel.demand_id,
            "demand": talks.brief,
            "round": 1,
            "filter_reason": candidate.reason,
            "match_score": candidate.relevance_score,
        }
