"""What a requester changes in the understanding of a demand before it is negotiated (row NEG-API-23). Pure.

A changed field is not a remark beside the understanding: tags become requirements, place, day, head count and budget
become limits, as if the demand had said so from the beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from moothall.directory.profiles import MOST_MONEY, MOST_PEOPLE, Tag
from moothall.errors import InvalidInput
from moothall.negotiation.demand.extract.model import Extraction
from moothall.negotiation.demand.extract.sentence import extract
from moothall.negotiation.demand.models import Constraints, DemandUnderstanding, JsonObject, Model, Requirement
from moothall.negotiation.demand.rules.phrasing import TITLE_CAP, Lexica, clean

_OPEN = ".."
_WINDOW = re.compile(r"(\d{4}-\d{2}-\d{2}|\.\.)(?:/(\d{4}-\d{2}-\d{2}|\.\.))?")
_ASKED = {
    "capability_tags": "needs",
    "context.location": "place",
    "context.expected_attendees": "headcount",
    "context.date": "date",
    "context.budget": "budget",
}
"""What each field answers, of that which a demand left open."""

Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Sum = Annotated[float, Field(strict=True, ge=0, le=MOST_MONEY, allow_inf_nan=False)]
Long = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]


class _Edits(Model):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class DeepEdits(_Edits):
    """New values for what lies behind the demand; what is left out stays."""

    motivation: Long = ""
    likely_preferences: Annotated[tuple[Short, ...], Field(max_length=20)] = ()
    emotional_context: Long = ""


class ContextEdits(_Edits):
    """New values for place, people, day and money; what is left out stays, null takes the limit away."""

    location: Short | None = None
    expected_attendees: Annotated[int, Field(strict=True, ge=1, le=MOST_PEOPLE)] | None = None
    date: Annotated[Short | None, Field(description="a day, `from/to`, `../to`, or words such as 下周六")] = None
    budget: Annotated[Sum | Short | None, Field(description="a sum, or words such as 2万元")] = None


class UnderstandingEdits(_Edits):
    """The fields of an understanding that its requester replaces; what is left out stays."""

    surface_demand: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)] = ""
    deep_understanding: DeepEdits = DeepEdits()
    capability_tags: Annotated[tuple[Tag, ...], Field(min_length=1, max_length=30)] = ()
    context: ContextEdits = ContextEdits()
    uncertainties: Annotated[tuple[Short, ...], Field(max_length=30)] = ()


@dataclass(frozen=True, slots=True)
class Confirmation:
    """An understanding as its requester confirmed it; ``edited`` names the fields that are the requester's."""

    understanding: DemandUnderstanding
    edited: tuple[str, ...]


def confirmed(
    understanding: DemandUnderstanding, edits: UnderstandingEdits, lexica: Lexica, today: date
) -> Confirmation:
    """Put the requester's words into the understanding.

    Raises:
        InvalidInput: a day, a sum or a place cannot be read, or means several; nothing is guessed.
    """
    changes: JsonObject = {
        name: getattr(edits, name) for name in ("surface_demand", "uncertainties") if _set(edits, name)
    }
    deep, context = understanding.deep_understanding, understanding.context
    limits = understanding.constraints
    if _set(edits, "deep_understanding"):
        changes["deep_understanding"] = deep.model_copy(update=edits.deep_understanding.model_dump(exclude_unset=True))
    if _set(edits, "context"):
        asked = edits.context.model_dump(exclude_unset=True)
        changes["context"] = context.model_copy(update=asked)
        limits = _limited(limits, edits.context, lexica, today)
    if _set(edits, "capability_tags"):
        requirements = _required(understanding, edits.capability_tags, lexica)
        changes["requirements"] = requirements
        changes["capability_tags"] = tuple(item.tag for item in requirements)
        wanted = {item.concept for item in requirements}
        limits = limits.model_copy(update={"excluded": tuple(one for one in limits.excluded if one not in wanted)})
    changes["constraints"] = limits
    edited = tuple(_paths(edits))
    if "uncertainties" not in edited:
        answered = {
            lexica.voice(understanding.lang).say(f"unclear.{_ASKED[path]}") for path in edited if path in _ASKED
        }
        changes["uncertainties"] = tuple(one for one in understanding.uncertainties if one not in answered)
    return Confirmation(understanding.model_copy(update=changes), edited)


def _set(edits: _Edits, name: str) -> bool:
    return name in edits.model_fields_set


def _paths(edits: _Edits) -> Iterator[str]:
    for name in edits.__class__.model_fields:
        value = getattr(edits, name)
        if _set(edits, name):
            yield from (f"{name}.{path}" for path in _paths(value)) if isinstance(value, _Edits) else [name]


def _required(understanding: DemandUnderstanding, tags: tuple[str, ...], lexica: Lexica) -> tuple[Requirement, ...]:
    """One requirement for each capability; how much and how many of one that was understood before stays."""
    before = {item.concept: item for item in understanding.requirements}
    wanted: dict[str, Requirement] = {}
    for tag in tags:
        concept, shown = lexica.vocabulary.key(tag), clean(tag, TITLE_CAP)
        known = before.get(concept) or Requirement(tag=shown, concept=concept)
        wanted.setdefault(concept, known.model_copy(update={"tag": shown, "named": True}))
    return tuple(wanted.values())


def _limited(limits: Constraints, context: ContextEdits, lexica: Lexica, today: date) -> Constraints:
    changes: JsonObject = {}
    if _set(context, "location"):
        changes["city"], changes["online"] = _place(context.location, lexica, today)
    if _set(context, "expected_attendees"):
        changes["attendees"] = context.expected_attendees
    if _set(context, "date"):
        changes["date_start"], changes["date_end"] = _days(context.date, lexica, today)
    if _set(context, "budget"):
        changes |= _budget(context.budget, limits, lexica, today)
    return limits.model_copy(update=changes)


def _place(location: str | None, lexica: Lexica, today: date) -> tuple[str | None, bool]:
    """The city's id and whether it is online; an unknown place by its own name, as in any demand."""
    if location is None:
        return None, False
    if city := lexica.gazetteer.normalise(location):
        return city, False
    place = _read(location, lexica, today).place
    if place is not None and place.ambiguous:
        raise _unread("context.location", "several cities have a place of that name")
    if place is not None and place.online:
        return place.city, True
    return clean(location, TITLE_CAP), False


def _days(words: str | None, lexica: Lexica, today: date) -> tuple[date | None, date | None]:
    if words is None:
        return None, None
    if match := _WINDOW.fullmatch(words):
        first, last = _day(match[1]), _day(match[2] or match[1])
    elif window := _read(words, lexica, today).window:
        first, last = window.start, window.start if window.recurring else window.end
    else:
        raise _unread("context.date", "it names no day that is still to come")
    if (last is not None and last < today) or (first and last and last < first):
        raise _unread("context.date", "it is over, or ends before it starts")
    return first, last


def _day(text: str) -> date | None:
    try:
        return None if text == _OPEN else date.fromisoformat(text)
    except ValueError as error:
        raise _unread("context.date", "there is no such day") from error


def _budget(budget: float | str | None, limits: Constraints, lexica: Lexica, today: date) -> JsonObject:
    if budget is None or isinstance(budget, float | int):
        return {"budget": budget}
    found = _read(budget, lexica, today).budget
    if found is None or found.per != "total":
        raise _unread("context.budget", "it names no total sum")
    return {"budget": float(found.maximum), "currency": found.currency or limits.currency}


def _read(words: str, lexica: Lexica, today: date) -> Extraction:
    return extract(words, today, lexica.vocabulary, lexica.gazetteer, lexica.activities)


def _unread(field: str, why: str) -> InvalidInput:
    return InvalidInput(f"understanding.{field}: {why}")
