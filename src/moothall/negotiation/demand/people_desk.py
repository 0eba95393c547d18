"""The desk at which people who take part read what they are asked and answer it (row NEG-API-28)."""

from __future__ import annotations

from moothall.directory.concepts import Vocabulary
from moothall.errors import Conflict, DemandNotFound, InvalidInput, Unauthenticated
from moothall.events.log import EventLog
from moothall.events.model import Event, JsonObject, RunRecord
from moothall.negotiation.demand.answers import PersonFeedback, PersonOffer, feedback_message, offer_message
from moothall.negotiation.demand.asking import ASKING_TYPES, Asked, Invitation, Question, asked_of, invitation
from moothall.negotiation.demand.people import Person, people_of, who_holds
from moothall.negotiation.demand.sizing import too_long
from moothall.negotiation.demand.wire import Answer, DemandOffer, OfferResponse, ProposalFeedbackMessage


class PeopleDesk:
    """Lets people in by their tokens; an accepted answer lies in the run's inbox."""

    def __init__(self, log: EventLog, vocabulary: Vocabulary) -> None:
        self._log = log
        self._vocabulary = vocabulary

    async def invitation(self, record: RunRecord, token: str) -> Invitation:
        """What a person is asked, and what it is about.

        Raises:
            Unauthenticated: the token is nobody's in this channel, or the negotiation has ended.
        """
        person = _admitted(record, token)
        return invitation(record, await self._rows(record), person, self._log.clock.now())

    async def offer(self, record: RunRecord, token: str, offer: PersonOffer) -> str:
        """Take in a person's answer to the invitation; the id of the person.

        Raises:
            Unauthenticated: as `invitation`.
            Conflict: no offer is asked for now, or it was given before.
            InvalidInput: the answer names another channel, or says more than a plan has room for.
        """
        person = _admitted(record, token)
        asked = await self._asked(record, person, "offer", offer.round, offer.channel_id)
        currency = DemandOffer.model_validate(asked.body).demand.constraints.currency
        message = offer_message(person, asked, offer, self._vocabulary, currency)
        await self._post(record, person, asked, _sized(message, OfferResponse))
        return person.agent_id

    async def feedback(self, record: RunRecord, token: str, feedback: PersonFeedback) -> str:
        """Take in a person's answer to a plan; the id of the person. Raises as `offer` does."""
        person = _admitted(record, token)
        asked = await self._asked(record, person, "review", feedback.round, feedback.channel_id)
        message = feedback_message(person, asked, feedback)
        await self._post(record, person, asked, _sized(message, ProposalFeedbackMessage))
        return person.agent_id

    async def _asked(
        self, record: RunRecord, person: Person, kind: Question, number: int | None, channel_id: str | None
    ) -> Asked:
        asked = asked_of(record, await self._rows(record), person.agent_id, self._log.clock.now())
        if asked is None or asked.kind != kind:
            raise Conflict(f"no {kind} of you is asked for now")
        if channel_id is not None and channel_id != asked.channel_id:
            raise InvalidInput("channel_id: the address names another channel")
        if number is not None and number != asked.round:
            raise Conflict(f"round {asked.round} is asked about, not round {number}")
        return asked

    async def _post(self, record: RunRecord, person: Person, asked: Asked, message: JsonObject) -> None:
        key = f"{person.agent_id}.{asked.key}"
        try:
            fresh = await self._log.post(record.id, key, message["type"], person.agent_id, message)
        except DemandNotFound as error:
            raise Unauthenticated("the negotiation has ended, and the token with it") from error
        if not fresh:
            raise Conflict("you have answered this already")

    async def _rows(self, record: RunRecord) -> list[Event]:
        return await self._log.select([record.id], ASKING_TYPES)


def _admitted(record: RunRecord, token: str) -> Person:
    person = who_holds(token, people_of(record))
    if person is None:
        raise Unauthenticated("no valid token in X-Participant-Token")
    if record.status == "closed":
        raise Unauthenticated("the negotiation has ended, and the token with it")
    return person


def _sized(message: JsonObject, shape: type[Answer]) -> JsonObject:
    """The message, if it is one that the channel will not refuse as too large."""
    if field := too_long(shape.model_validate(message)):
        why = f"{field}: longer than a plan has room for"
        raise InvalidInput(why)
    return message
