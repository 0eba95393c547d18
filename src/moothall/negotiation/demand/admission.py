"""Which answers count: from the real sender, a member, for this channel and round, once (row NEG-MSG-07). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from moothall.canonical import dumps
from moothall.negotiation.demand.models import JsonObject
from moothall.negotiation.demand.sizing import too_long
from moothall.negotiation.demand.wire import Answer, OfferResponse, ProposalFeedbackMessage

LARGEST = 64 * 1024
"""Bytes of JSON that one answer may have."""

AnswerKind = Literal["offer_response", "proposal_feedback"]
_SHAPES: dict[str, type[Answer]] = {"offer_response": OfferResponse, "proposal_feedback": ProposalFeedbackMessage}


class RefusedAnswerError(Exception):
    """An answer that does not count; ``reason`` is a fixed word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Desk:
    """What the channel is waiting for: answers of ``kind`` from ``asked``, ``answered`` of whom have spoken.

    Of those in ``unknown`` it is settled that their answer cannot be known; one that comes all the same counts.
    """

    channel_id: str
    kind: AnswerKind
    round: int
    asked: frozenset[str]
    answered: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()


def admit(sender: str, body: JsonObject, desk: Desk) -> Answer:
    """The answer, if it counts.

    Args:
        sender: who sent it, as the transport knows it.
        body: the message, whose own claims are only compared with that.
        desk: what is awaited.

    Raises:
        RefusedAnswerError: ``malformed``, ``forged_sender``, ``foreign_channel``, ``wrong_phase``, ``stale_round``,
            ``not_asked`` or ``duplicate``; ``too_large`` beyond :data:`LARGEST` bytes of JSON, or where a text or the
            conditions are longer than `sizing` allows.
    """
    try:
        size = len(dumps(body))
    except (TypeError, ValueError) as error:
        raise RefusedAnswerError("malformed") from error
    if size > LARGEST:
        raise RefusedAnswerError("too_large")
    shape = _SHAPES.get(str(body.get("type")))
    if shape is None:
        raise RefusedAnswerError("malformed")
    try:
        answer = shape.model_validate(body)
    except ValidationError as error:
        raise RefusedAnswerError("malformed") from error
    if too_long(answer):
        raise RefusedAnswerError("too_large")
    for holds, reason in (
        (answer.agent_id == sender, "forged_sender"),
        (answer.channel_id == desk.channel_id, "foreign_channel"),
        (answer.type == desk.kind, "wrong_phase"),
        (answer.round is None or answer.round == desk.round, "stale_round"),
        (sender in desk.asked, "not_asked"),
        (sender not in desk.answered, "duplicate"),
    ):
        if not holds:
            raise RefusedAnswerError(reason)
    return answer
