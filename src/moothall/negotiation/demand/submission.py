"""What may be submitted: every limit on a demand and on what comes with it (rows NEG-API-07 and -28). Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from moothall.canonical import dumps
from moothall.errors import BadDemand, Told
from moothall.negotiation.demand.faults import field_of, told_faults
from moothall.negotiation.demand.models import JsonObject
from moothall.negotiation.demand.people import MOST_PEOPLE, Invited

MAX_RAW_INPUT = 10_000
"""Characters of a demand at the most (row NEG-API-07)."""

MAX_USER_ID = 200
MAX_CONTEXT = 8 * 1024
"""Bytes of JSON that may tell about the requester."""

ANONYMOUS = "anonymous"
_FIELDS = frozenset({"raw_input", "user_id", "user_context", "confirm", "participants"})
_PEOPLE = TypeAdapter[list[Invited]](Annotated[list[Invited], Field(max_length=MOST_PEOPLE)])


@dataclass(frozen=True, slots=True)
class Submission:
    """A demand that may be stored."""

    raw_input: str
    requester_id: str
    user_context: JsonObject = field(default_factory=dict)
    confirm: bool = False
    participants: tuple[Invited, ...] = ()


def checked(
    raw_input: object, user_id: object, user_context: object, confirm: object, participants: object
) -> Submission:
    """The submission, if it may be one.

    Raises:
        BadDemand: something is of the wrong type, empty or too long; nothing is corrected silently.
    """
    if not isinstance(confirm, bool):
        raise BadDemand("confirm must be true or false", told=Told("why.confirm", hint=rule_of("confirm")))
    return Submission(
        _demand(raw_input), _requester(user_id), check_context(user_context), confirm, _people(participants)
    )


def check_context(user_context: object) -> JsonObject:
    """What is known about a requester, if a store can keep it.

    Raises:
        BadDemand: it is no JSON object, or a long one.
    """
    if user_context is None:
        return {}
    if not isinstance(user_context, dict) or not _is_json(user_context) or len(dumps(user_context)) > MAX_CONTEXT:
        told = Told("why.user_context", {"most": MAX_CONTEXT}, rule_of("user_context"))
        raise BadDemand(f"user_context must be a JSON object of at most {MAX_CONTEXT} bytes", told=told)
    return user_context


def rule_of(field: str) -> str:
    """The key of the text with the rule of a field of a submission; of the whole, for any other name."""
    return f"why.rule.{field if field in _FIELDS else 'body'}"


def _demand(raw_input: object) -> str:
    if not isinstance(raw_input, str) or not _is_json(raw_input):
        raise BadDemand("raw_input must be a text", told=Told("why.demand_text"))
    if not raw_input.strip():
        raise BadDemand("raw_input is empty", told=Told("why.demand_empty"))
    if len(raw_input) > MAX_RAW_INPUT:
        raise BadDemand(
            f"raw_input has {len(raw_input)} characters, {MAX_RAW_INPUT} are allowed",
            told=Told("why.demand_long", {"count": len(raw_input), "most": MAX_RAW_INPUT}),
            details={"max": MAX_RAW_INPUT},
        )
    return raw_input


def _requester(user_id: object) -> str:
    if user_id is None or user_id == "":
        return ANONYMOUS
    if not isinstance(user_id, str) or len(user_id) > MAX_USER_ID or not _is_json(user_id) or "\0" in user_id:
        told = Told("why.user_id", {"most": MAX_USER_ID}, rule_of("user_id"))
        raise BadDemand(f"user_id must be a text of at most {MAX_USER_ID} characters", told=told)
    return user_id


def _people(participants: object) -> tuple[Invited, ...]:
    if not participants:
        return ()
    hint = rule_of("participants")
    try:
        people = _PEOPLE.validate_python(participants)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        told = told_faults(faults, participants, "participants")
        where = field_of(faults[0], participants, "participants")
        raise BadDemand(f"{where}: {faults[0]['msg']}", told=replace(told, hint=hint)) from error
    if not _is_json([person.model_dump(mode="json") for person in people]):
        raise BadDemand("participants: half a character", told=Told("why.half_character", hint=hint))
    return tuple(people)


def _is_json(value: object) -> bool:
    """Whether a store can keep a value: no lone surrogate, no integer beyond 2^53, neither infinity nor NaN."""
    try:
        dumps(value)
    except TypeError:
        return False
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, float) and not math.isfinite(one):
            return False
        if isinstance(one, dict | list):
            left.extend(one.values() if isinstance(one, dict) else one)
    return True
