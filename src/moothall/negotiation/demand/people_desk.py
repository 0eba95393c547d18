"""The desk at which people who take part read what they are asked and answer it (row NEG-API-28)."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from datetime import date

from moothall.directory.concepts import Vocabulary
from moothall.errors import Conflict, DemandNotFound, InvalidInput, Told, Unauthenticated
from moothall.events.log import EventLog
from moothall.events.model import Event, JsonObject, RunRecord
from moothall.negotiation.demand.answers import (
    PersonFeedback,
    PersonOffer,
    check_offer,
    feedback_message,
    offer_message,
)
from moothall.negotiation.demand.asking import ASKING_TYPES, Asked, Invitation, Question, asked_of, invitation
from moothall.negotiation.demand.channel_view import Rows
from moothall.negotiation.demand.people import NO_TOKEN, WHOSE, Person, people_of
from moothall.negotiation.demand.sizing import too_long
from moothall.negotiation.demand.wire import Answer, DemandOffer, OfferResponse, ProposalFeedbackMessage

PATIENCE = 10.0
"""Seconds for which an answer at the very end of its time waits to learn whether it counts."""

_ENDED = Told("why.talks_ended", hint="why.rule.talks_ended")


class PeopleDesk:
    """Asks people and takes their answers; an accepted one lies in the run's inbox."""

    def __init__(self, log: EventLog, vocabulary: Vocabulary, patience: float = PATIENCE) -> None:
        self._log = log
        self._patience = patience
        self._vocabulary = vocabulary

    async def invitation(self, record: RunRecord, person_id: str) -> Invitation:
        """What a person is asked, and what it is about.

        Raises:
            Unauthenticated: nobody of that id is in this channel, or the negotiation has ended.
        """
        person = _admitted(record, person_id)
        return invitation(record, await self._rows(record), person, self._log.clock.now())

    async def offer(self, record: RunRecord, person_id: str, offer: PersonOffer) -> str:
        """Take in a person's answer to the invitation; the id of the person.

        Raises:
            Unauthenticated: as `invitation`.
            Conflict: no offer is asked for now, it was given before, or it came too late.
            InvalidInput: the answer names another channel, says more than a plan has room for, or fits no plan
                of the demand.
        """
        person = _admitted(record, person_id)
        asked = await self._asked(record, person, "offer", offer.round, offer.channel_id)
        limits = DemandOffer.model_validate(asked.body).demand.constraints
        check_offer(offer, limits, date.fromisoformat(record.meta["today"]))
        message = offer_message(person, asked, offer, self._vocabulary, limits.currency)
        await self._post(record, person, asked, _sized(message, OfferResponse))
        return person.agent_id

    async def feedback(self, record: RunRecord, person_id: str, feedback: PersonFeedback) -> str:
        """Take in a person's answer to a plan; the id of the person. Raises as `offer` does."""
        person = _admitted(record, person_id)
        asked = await self._asked(record, person, "review", feedback.round, feedback.channel_id)
        message = feedback_message(person, asked, feedback)
        await self._post(record, person, asked, _sized(message, ProposalFeedbackMessage))
        return person.agent_id

    async def _asked(
        self, record: RunRecord, person: Person, kind: Question, number: int | None, channel_id: str | None
    ) -> Asked:
        asked = asked_of(record, await self._rows(record), person.agent_id, self._log.clock.now())
        if asked is None or asked.kind != kind:
            raise Conflict(f"no {kind} of you is asked for now", told=Told(f"why.no_{kind}_asked"))
        if channel_id is not None and channel_id != asked.channel_id:
            raise InvalidInput("channel_id: the address names another channel", told=Told("why.other_channel"))
        if number is not None and number != asked.round:
            told = Told("why.other_round", {"asked": asked.round, "given": number})
            raise Conflict(f"round {asked.round} is asked about, not round {number}", told=told)
        return asked

    async def _post(self, record: RunRecord, person: Person, asked: Asked, message: JsonObject) -> None:
        key = f"{person.agent_id}.{asked.key}"
        try:
            fresh = await self._log.post(record.id, key, message["type"], person.agent_id, message)
        except DemandNotFound as error:
            raise Unauthenticated("the negotiation has ended, and the token with it", told=_ENDED) from error
        if not fresh:
            raise Conflict("you have answered this already", told=Told("why.answered"))
        if asked.until is not None and self._log.clock.now() > asked.until:
            await self._heard(record, person, asked)

    async def _heard(self, record: RunRecord, person: Person, asked: Asked) -> None:
        """See whether an answer counted that was stored when the time for it was over; what is acknowledged counts.

        Raises:
            Conflict: it came too late.
        """
        rows = Rows(await self._rows(record))
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                # Whatever closes a phase is followed by an event for everybody.
                async with aclosing(self._log.follow(record.id, after=rows.all[-1].seq)) as news:
                    while not rows.closed(asked.phase) and await anext(news, None) is not None:
                        rows = Rows(await self._rows(record))
        if f"{asked.phase}.{person.agent_id}" not in rows.by_key:
            raise Conflict("the time for this answer is over", told=Told("why.answer_late"))

    async def _rows(self, record: RunRecord) -> list[Event]:
        return await self._log.select([record.id], ASKING_TYPES)


def _admitted(record: RunRecord, person_id: str) -> Person:
    person = next((one for one in people_of(record) if one.agent_id == person_id), None)
    if person is None:
        raise Unauthenticated(NO_TOKEN, told=WHOSE)
    if record.status == "closed":
        raise Unauthenticated("the negotiation has ended, and the token with it", told=_ENDED)
    return person


def _sized(message: JsonObject, shape: type[Answer]) -> JsonObject:
    """The message, if it is one that the channel will not refuse as too large."""
    if field := too_long(shape.model_validate(message)):
        told = Told("why.answer_long", {"field": field})
        raise InvalidInput("an answer is longer than a plan has room for", told=told)
    return message
