"""What a person may answer, and the message of the channel that it becomes (rows NEG-MSG-04, -05 and NEG-API-28). Pure.

Who answers is told by the token alone. An answer says everything in fields that are checked one by one: what cannot be
used is refused with a reason, never dropped.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from moothall.directory.concepts import Vocabulary
from moothall.directory.profiles import MOST_MONEY
from moothall.errors import InvalidInput, Told, Unfit
from moothall.negotiation.demand.asking import Asked
from moothall.negotiation.demand.models import MOST_DATES, Constraints, JsonObject, Model, Percent, Term
from moothall.negotiation.demand.people import Person
from moothall.negotiation.demand.wire import OfferResponse, ProposalFeedbackMessage

MOST_CHANGES = 12
"""Fields of a plan that one answer may want otherwise."""

MOST_CONDITIONS = 20
_DECIMALS = 2
_DAYS = frozenset({"date", "start_date"})

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Sum = Annotated[float, Field(strict=True, ge=0, le=MOST_MONEY, allow_inf_nan=False)]


def _in_cents(value: float) -> float:
    if not whole_cents(value):
        raise Unfit("a sum with at most 2 decimals", Told("why.cents"))
    return value


Price = Annotated[Sum, AfterValidator(_in_cents)]
Wish = (
    Annotated[bool, Field(strict=True)]
    | Sum
    | Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
)


def whole_cents(value: float) -> bool:
    """Whether a sum has at most two decimals."""
    exponent = Decimal(repr(value)).as_tuple().exponent
    return (isinstance(exponent, int) and exponent >= -_DECIMALS) or value == round(value, _DECIMALS)


class _Answer(Model):
    """What both answers may carry beside their own fields; an `agent_id` is none of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    channel_id: str | None = Field(None, description="when given, the channel of the address")
    display_name: Words = Field("", description="not used: the name is the one the requester gave")
    round: Annotated[int, Field(strict=True, ge=1, le=3)] | None = Field(
        None, description="when given, the round that is asked about"
    )
    reasoning: Words = ""


class PersonOffer(_Answer):
    """A person's answer to the invitation.

    ``price`` is asked for each role that the plan gives this person, for the whole of the demand; who names none asks
    for none. ``dates`` are the days on which it is possible; left out, any day is.
    """

    type: Literal["offer_response"] = "offer_response"
    decision: Literal["participate", "decline", "conditional"]
    contribution: Words = ""
    conditions: Annotated[tuple[Line, ...], Field(max_length=MOST_CONDITIONS)] = ()
    decline_reason: Words = ""
    confidence: Percent = 100
    price: Price | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    dates: Annotated[tuple[date, ...], Field(min_length=1, max_length=MOST_DATES)] | None = None

    @model_validator(mode="after")
    def _says_what_it_decides(self) -> Self:
        if self.decision == "decline":
            if self.conditions or self.price is not None or self.dates is not None:
                raise Unfit("who declines names no conditions, price or dates", Told("why.decline_bare"))
            return self
        if not self.contribution:
            raise Unfit("contribution: say what you offer", Told("why.contribution"))
        if (self.decision == "conditional") != bool(self.conditions):
            raise Unfit("conditions: `conditional` names at least one, `participate` none", Told("why.conditions"))
        return self


class PersonFeedback(_Answer):
    """A person's answer to a plan; ``reject`` means withdraw.

    ``proposed_changes`` maps a field of the own part to the wanted value: ``price`` to a sum, ``date`` to a day,
    ``requires`` to a capability, ``drop_role`` to a role; further fields are read by people only.
    """

    type: Literal["proposal_feedback"] = "proposal_feedback"
    feedback_type: Literal["accept", "negotiate", "withdraw", "reject"]
    adjustment_request: Words = ""
    proposed_changes: Annotated[
        dict[Annotated[str, StringConstraints(min_length=1, max_length=40)], Wish], Field(max_length=MOST_CHANGES)
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_what_it_wants(self) -> Self:
        fields = self.proposed_changes.keys() - {"reason"}
        if self.feedback_type != "negotiate":
            if fields or self.adjustment_request:
                raise Unfit("only `negotiate` asks for changes", Told("why.only_negotiate"))
            return self
        if not fields and not self.adjustment_request:
            raise Unfit("adjustment_request or proposed_changes: say what should change", Told("why.say_what"))
        for name in fields:
            _check_wish(name, self.proposed_changes[name])
        return self


def _check_wish(name: str, value: object) -> None:
    if name == "price" and (isinstance(value, bool) or not isinstance(value, float | int) or not whole_cents(value)):
        raise Unfit("proposed_changes.price: a number with at most 2 decimals", Told("why.wish_number"))
    if name in _DAYS:
        try:
            date.fromisoformat(str(value))
        except ValueError as error:
            told = Told("why.wish_day", {"name": name})
            raise Unfit(f"proposed_changes.{name}: a day such as 2027-03-15", told) from error
    if name in {"requires", "drop_role"} and not isinstance(value, str):
        raise Unfit(f"proposed_changes.{name}: a text", Told("why.wish_text", {"name": name}))


def check_offer(offer: PersonOffer, limits: Constraints, today: date) -> None:
    """Refuse what could take part in no plan of the demand, while it can still be mended.

    Raises:
        InvalidInput: another currency than the demand's, or only days on which it cannot be.
    """
    if offer.decision == "decline":
        return
    if offer.currency is not None and offer.currency != limits.currency:
        told = Told("why.currency_other", {"wanted": limits.currency, "given": offer.currency})
        raise InvalidInput("currency: not the demand's", told=told)
    first, last = max(limits.date_start or today, today), limits.date_end
    if offer.dates is not None and not any(first <= day and (last is None or day <= last) for day in offer.dates):
        told = Told("why.dates_outside", {"window": f"{first.isoformat()}/{last.isoformat() if last else '..'}"})
        raise InvalidInput("dates: none within the days of the demand", told=told)


def offer_message(
    person: Person, asked: Asked, offer: PersonOffer, vocabulary: Vocabulary, currency: str
) -> JsonObject:
    """The message of the channel: a term for each capability, all at the price that was named."""
    declined = offer.decision == "decline"
    message = OfferResponse(
        channel_id=asked.channel_id,
        agent_id=person.agent_id,
        display_name=person.display_name,
        round=asked.round,
        decision=offer.decision,
        contribution=offer.contribution,
        conditions=offer.conditions,
        reasoning=offer.reasoning,
        decline_reason=(offer.decline_reason or offer.reasoning) if declined else "",
        confidence=offer.confidence,
        terms=() if declined else _terms(person, offer, vocabulary, currency),
        max_roles=len(person.capability_tags),
    )
    return message.model_dump(mode="json")


def _terms(person: Person, offer: PersonOffer, vocabulary: Vocabulary, currency: str) -> tuple[Term, ...]:
    terms: dict[str, Term] = {}
    for tag in person.capability_tags:
        concept = vocabulary.key(tag)
        terms.setdefault(
            concept,
            Term(
                tag=tag,
                concept=concept,
                price=offer.price or 0,
                currency=offer.currency or currency,
                dates=None if offer.dates is None else tuple(sorted(set(offer.dates))),
            ),
        )
    return tuple(terms.values())


def feedback_message(person: Person, asked: Asked, feedback: PersonFeedback) -> JsonObject:
    """The message of the channel; what is wanted stands in it in words and in structure."""
    changes: dict[str, Any] = dict(feedback.proposed_changes)
    fields = [name for name in changes if name != "reason"]
    words = feedback.adjustment_request or "; ".join(f"{name} → {changes[name]}" for name in fields)
    message = ProposalFeedbackMessage.model_validate(
        {
            "channel_id": asked.channel_id,
            "agent_id": person.agent_id,
            "round": asked.round,
            "feedback_type": feedback.feedback_type,
            "reasoning": feedback.reasoning,
            "adjustment_request": words,
            "proposed_changes": changes,
        }
    )
    return message.model_dump(mode="json")
