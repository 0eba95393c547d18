"""What agents elsewhere answer, read as what it is: claims of a stranger (rows NEG-MSG-04, -05, NEG-MSG-07). Pure.

An answer that does not fit says nothing, neither yes nor no. Of one that does, capabilities count by the profile that
this node holds, and every text is a line of visible characters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python

from moothall.canonical import digest, dumps
from moothall.directory.concepts import Vocabulary
from moothall.directory.profiles import MAX_SUMMARY, MOST_BYTES, AgentProfile
from moothall.errors import DecisionRefused, Told, UpstreamInvalid
from moothall.negotiation.demand.admission import LARGEST, RefusedAnswerError
from moothall.negotiation.demand.models import AgentResponse, Condition, Term
from moothall.negotiation.demand.plan_models import ProposalFeedback
from moothall.negotiation.demand.questions import RespondInput, ReviewInput
from moothall.negotiation.demand.remote.messages import OfferedTerm, OfferReply, ReviewReply
from moothall.negotiation.demand.rules.phrasing import clean
from moothall.negotiation.demand.sizing import MOST_LINE, MOST_NAME, MOST_WORDS, fitted, too_long
from moothall.negotiation.demand.wire import OfferResponse, ProposalFeedbackMessage
from moothall.negotiation.demand.world import check_response, check_review

_CHANNEL: Final = "collab-00000000"
M = TypeVar("M", bound=BaseModel)


def read_offer(value: object, data: RespondInput, vocabulary: Vocabulary) -> AgentResponse:
    """An answer to an invitation.

    Raises:
        RefusedAnswerError: it does not fit.
    """
    reply = _read(OfferReply, value)
    declined = reply.decision == "decline"
    response = AgentResponse(
        decision=reply.decision,
        contribution=clean(reply.contribution, MOST_WORDS),
        conditions=tuple(filter(None, (clean(line, MOST_LINE) for line in reply.conditions))),
        reasoning=clean(reply.reasoning, MOST_WORDS),
        decline_reason=clean(reply.decline_reason or reply.reasoning, MOST_WORDS) if declined else "",
        confidence=reply.confidence,
        terms=() if declined else _terms(reply, data, vocabulary),
        max_roles=min(reply.max_roles or 20, data.agent_profile.capabilities.max_roles),
    )
    try:
        response = fitted(check_response(data, response))
    except DecisionRefused as error:
        raise RefusedAnswerError("malformed") from error
    _check_size(OfferResponse(**response.model_dump(), channel_id=_CHANNEL, agent_id=data.agent_profile.agent_id))
    return response


def read_review(value: object, data: ReviewInput) -> ProposalFeedback:
    """An answer to a plan.

    Raises:
        RefusedAnswerError: it does not fit.
    """
    reply = _read(ReviewReply, value)
    feedback = ProposalFeedback(
        feedback_type=reply.feedback_type,
        reasoning=clean(reply.reasoning, MOST_WORDS),
        adjustment_request=clean(reply.adjustment_request, MOST_WORDS),
        proposed_changes={clean(name): _cleaned(wish) for name, wish in reply.proposed_changes.items()},
    )
    try:
        feedback = check_review(data, feedback)
    except DecisionRefused as error:
        raise RefusedAnswerError("malformed") from error
    mine = data.agent_profile.agent_id
    _check_size(ProposalFeedbackMessage(**feedback.model_dump(), channel_id=_CHANNEL, agent_id=mine))
    return feedback


def read_profile(value: object, agent_id: str) -> AgentProfile:
    """What an agent elsewhere says of itself, under the id that it has here.

    Raises:
        UpstreamInvalid: it is no profile.
    """
    try:
        if not isinstance(value, dict) or len(dumps(value)) > MOST_BYTES:
            raise UpstreamInvalid("not a profile", told=Told("participants.profile"))
        fields = {name: value[name] for name in AgentProfile.model_fields if name in value and name != "reservation"}
        summary = clean(str(fields.get("profile_summary", "")), MAX_SUMMARY)
        return AgentProfile.model_validate({**fields, "profile_summary": summary, "agent_id": agent_id})
    except ValidationError as error:
        where = error.errors(include_input=False, include_context=False)[0]["loc"]
        field = ".".join(str(part) for part in where) or "-"
        raise UpstreamInvalid("not a profile", told=Told("participants.profile_field", {"field": field})) from None
    except (TypeError, ValueError):
        raise UpstreamInvalid("not a profile", told=Told("participants.profile")) from None


def digest_of(profile: AgentProfile) -> str:
    """Of what an agent says of itself."""
    return digest(profile.public())


def _read(model: type[M], value: object) -> M:
    try:
        plain = to_jsonable_python(value)
        if len(dumps(plain)) > LARGEST:
            raise RefusedAnswerError("too_large")
        return model.model_validate(plain)
    except (TypeError, ValueError) as error:
        raise RefusedAnswerError("malformed") from error


def _terms(reply: OfferReply, data: RespondInput, vocabulary: Vocabulary) -> tuple[Term, ...]:
    profile, currency = data.agent_profile, reply.currency or data.demand.constraints.currency
    said: Iterable[OfferedTerm] = reply.terms
    if not reply.terms and reply.price is not None:
        said = (OfferedTerm(tag=tag, price=reply.price) for tag in profile.tags)
    own = {vocabulary.key(tag) for tag in profile.tags}
    terms: dict[str, Term] = {}
    for item in said:
        concept, days = vocabulary.key(item.tag), item.dates or reply.dates
        if concept in own:  # a stranger is taken for what it was allowed as, whatever it calls itself now
            terms.setdefault(
                concept,
                Term(
                    tag=item.tag,
                    concept=concept,
                    price=item.price,
                    currency=item.currency or currency,
                    quantity=item.quantity,
                    capacity=item.capacity,
                    dates=None if days is None else tuple(sorted(set(days))),
                    conditions=tuple(
                        Condition(
                            text=clean(each.text, MOST_LINE),
                            kind=clean(each.kind, MOST_NAME) or "other",
                            concept=clean(each.concept, MOST_NAME) if each.concept else None,
                            value=each.value,
                        )
                        for each in item.conditions
                    ),
                ),
            )
    if reply.terms and not terms:
        raise RefusedAnswerError("malformed")
    return tuple(terms.values())


def _check_size(message: OfferResponse | ProposalFeedbackMessage) -> None:
    if too_long(message):
        raise RefusedAnswerError("too_large")


def _cleaned(wish: Any) -> Any:  # noqa: ANN401 - a JSON value
    return clean(wish, MOST_LINE) if isinstance(wish, str) else wish
