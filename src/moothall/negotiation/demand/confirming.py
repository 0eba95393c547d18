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

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from moothall.directory.profiles import MOST_MONEY, MOST_PEOPLE, Tag
from moothall.errors import InvalidInput, Told
from moothall.messages import text
from moothall.negotiation.demand.extract.model import Extraction
from moothall.negotiation.demand.extract.sentence import extract
from moothall.negotiation.demand.models import Constraints, DemandUnderstanding, JsonObject, Model, Requirement
from moothall.negotiation.demand.rules.phrasing import TITLE_CAP, Lexica, Voice, clean
from moothall.negotiation.demand.rules.understand import HOME_CURRENCY

_OPEN = ".."
_WINDOW = re.compile(r"(\d{4}-\d{2}-\d{2}|\.\.)(?:/(\d{4}-\d{2}-\d{2}|\.\.))?")
_ANSWERS = {
    "capability_tags": ("needs",),
    "context.location": ("place", "place_ambiguous", "place_several", "unsupported_place"),
    "context.expected_attendees": ("headcount", "headcount_implausible", "heads_about"),
    "context.date": ("date", "invalid_date", "past_date", "date_ambiguous", "date_several", "date_about", "recurring"),
    "context.budget": ("budget", "budget_implausible", "budget_factor", "budget_about", "currency"),
}
"""What each field answers, of that which a demand left open."""

_SLOTS = ("place", "cities", "dates", "budget", "count", "span", "day")


def _plain(value: object) -> object:
    """A text as data: what shows nothing (control and formatting characters) is no part of it."""
    return clean(value, len(value)) if isinstance(value, str) and value else value


Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), BeforeValidator(_plain)]
Sum = Annotated[float, Field(strict=True, ge=0, le=MOST_MONEY, allow_inf_nan=False)]
Long = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000), BeforeValidator(_plain)]
Skill = Annotated[Tag, BeforeValidator(_plain)]
Demand = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), BeforeValidator(_plain)
]


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

    surface_demand: Demand = ""
    deep_understanding: DeepEdits = DeepEdits()
    capability_tags: Annotated[tuple[Skill, ...], Field(min_length=1, max_length=30)] = ()
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
        limits = _limited(limits, edits.context, lexica.voice(understanding.lang), today)
    if _set(edits, "capability_tags"):
        requirements = _required(understanding, edits.capability_tags, lexica)
        changes["requirements"] = requirements
        changes["capability_tags"] = tuple(item.tag for item in requirements)
        wanted = {item.concept for item in requirements}
        limits = limits.model_copy(update={"excluded": tuple(one for one in limits.excluded if one not in wanted)})
    changes["constraints"] = limits
    edited = tuple(_paths(edits))
    told = edits.uncertainties if "uncertainties" in edited else _still_open(understanding, edited, lexica)
    doubts = _doubts(edited, understanding.model_copy(update=changes), lexica)
    changes["uncertainties"] = tuple(dict.fromkeys((*told, *doubts)))
    return Confirmation(understanding.model_copy(update=changes), edited)


def _still_open(understanding: DemandUnderstanding, edited: tuple[str, ...], lexica: Lexica) -> tuple[str, ...]:
    """What was unclear before, without that which is about a field that the requester has now given."""
    voice = lexica.voice(understanding.lang)
    blank = dict.fromkeys(_SLOTS, "\0")
    answered = [
        re.compile(re.escape(voice.say(f"unclear.{code}", **blank)).replace(re.escape("\0"), ".*"))
        for path in edited
        for code in _ANSWERS.get(path, ())
    ]
    return tuple(one for one in understanding.uncertainties if not any(each.fullmatch(one) for each in answered))


def _doubts(edited: tuple[str, ...], settled: DemandUnderstanding, lexica: Lexica) -> Iterator[str]:
    """What a submission with the same words would be told is unclear."""
    voice, limits = lexica.voice(settled.lang), settled.constraints
    if "context.location" in edited and limits.city and not voice.knows_city(limits.city):
        yield voice.say("unclear.unsupported_place", place=limits.city, cities="", dates="")
    if "context.budget" in edited and limits.budget is not None and limits.currency != HOME_CURRENCY:
        yield voice.say("unclear.currency", budget=voice.money(limits.budget, limits.currency))
    if "capability_tags" in edited:
        for item in settled.requirements:
            if item.concept not in lexica.vocabulary:
                yield text("why.unknown_tag", settled.lang, tag=item.tag)


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
        shown = clean(tag, TITLE_CAP)
        concept = lexica.vocabulary.key(shown)
        known = before.get(concept) or Requirement(tag=shown, concept=concept)
        wanted.setdefault(concept, known.model_copy(update={"tag": shown, "named": True}))
    return tuple(wanted.values())


def _limited(limits: Constraints, context: ContextEdits, voice: Voice, today: date) -> Constraints:
    changes: JsonObject = {}
    if _set(context, "location"):
        changes["city"], changes["online"] = _place(context.location, voice, today)
    if _set(context, "expected_attendees"):
        changes["attendees"] = context.expected_attendees
    if _set(context, "date"):
        changes["date_start"], changes["date_end"] = _days(context.date, voice.lexica, today)
    if _set(context, "budget"):
        changes |= _budget(context.budget, limits, voice.lexica, today)
    return limits.model_copy(update=changes)


def _place(location: str | None, voice: Voice, today: date) -> tuple[str | None, bool]:
    """The city's id and whether it is online; an unknown place by its own name, as in any demand."""
    if location is None:
        return None, False
    named = {one.city_id: one for one in voice.lexica.gazetteer.find(location)}
    cities = [city for city in named if city is not None]
    if len(cities) > 1:
        values = {"cities": voice.join(map(voice.city, cities))}
        raise InvalidInput("understanding.context.location: several cities", told=Told("why.place_several", values))
    place = _read(location, voice.lexica, today).place
    if not cities and None in named:
        several = voice.join(map(voice.city, named[None].ambiguous))
        told = Told("why.place_ambiguous", {"place": clean(location, TITLE_CAP), "cities": several})
        raise InvalidInput("understanding.context.location: several cities have a place of that name", told=told)
    online = place is not None and place.online
    city = cities[0] if cities else voice.lexica.gazetteer.normalise(location)
    return city or (None if online else clean(location, TITLE_CAP)), online


def _days(words: str | None, lexica: Lexica, today: date) -> tuple[date | None, date | None]:
    if words is None:
        return None, None
    if match := _WINDOW.fullmatch(words):
        first, last = _day(match[1]), _day(match[2] or match[1])
    elif window := _read(words, lexica, today).window:
        first, last = window.start, window.start if window.recurring else window.end
    else:
        raise _unread("context.date", "date_unread")
    if (last is not None and last < today) or (first and last and last < first):
        raise _unread("context.date", "date_over")
    return first, last


def _day(words: str) -> date | None:
    try:
        return None if words == _OPEN else date.fromisoformat(words)
    except ValueError as error:
        raise _unread("context.date", "no_such_day") from error


def _budget(budget: float | str | None, limits: Constraints, lexica: Lexica, today: date) -> JsonObject:
    if budget is None or isinstance(budget, float | int):
        return {"budget": budget}
    found = _read(budget, lexica, today).budget
    if found is None or found.per != "total":
        raise _unread("context.budget", "budget_unread")
    return {"budget": float(found.maximum), "currency": found.currency or limits.currency}


def _read(words: str, lexica: Lexica, today: date) -> Extraction:
    return extract(words, today, lexica.vocabulary, lexica.gazetteer, lexica.activities)


def _unread(field: str, why: str) -> InvalidInput:
    return InvalidInput(f"understanding.{field}: {why}", told=Told(f"why.{why}"))
