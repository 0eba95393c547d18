"""What a participant says about itself (spec C §4.5), as immutable models.

An `AgentProfile` holds the spec's fields; its `capabilities` hold structured offers beside any free keys.
Money is in units of the offer's currency (ISO 4217); weekdays count from Monday = 0, as `date.weekday` does.

`reservation` is what the agent would settle for. It is the owner's secret: no dump, repr or `public()` shows it, only
`private()`, which is for the store and for the agent's own persona.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from moothall.directory.card_room import MOST_THEMES, ROOM_OF_A_CARD, room_of, themes_too_long
from moothall.directory.days import add_days, days_between
from moothall.errors import Told, Unfit

MIN_SUMMARY, MAX_SUMMARY = 200, 500
MOST_BYTES = 32 * 1024
"""Size of a whole profile as JSON in UTF-8, with whatever free keys its capabilities hold."""
MOST_MONEY = 10**9
MOST_PEOPLE = 10_000_000
MOST_UNITS = 10_000
MOST_LEAD_DAYS = 730
HOURS_PER_DAY = 2
"""Hours charged per day of work that is priced by the hour."""
STORED = "stored"
"""The context in which a profile is read that was accepted before: limits that came later do not undo it."""
TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the direction of the writing around them."""
_PERIOD = re.compile(r"(\d{4}-\d{2}-\d{2})(?:/(\d{4}-\d{2}-\d{2}))?")

AgentId = Annotated[str, StringConstraints(pattern=r"^user_agent_[a-z0-9_]+$", max_length=80)]
Money = Annotated[float, Field(ge=0, le=MOST_MONEY, allow_inf_nan=False)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


def readable(value: str, info: ValidationInfo) -> str:
    """A name as everybody may be shown it: nothing that turns other words around or hides, and something to see."""
    if info.context != STORED:
        if any(unicodedata.category(char) in {"Cc", "Zl", "Zp"} or char in TURNS for char in value):
            raise Unfit("control characters and marks of writing direction are not accepted", Told("why.card.control"))
        if all(unicodedata.category(char) == "Cf" or char.isspace() for char in value):
            raise Unfit("a name needs a character that can be seen", Told("why.card.invisible"))
    return value


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), AfterValidator(readable)]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60), AfterValidator(readable)]
Weekday = Annotated[int, Field(ge=0, le=6)]
Weekdays = Annotated[tuple[Weekday, ...], Field(max_length=7)]
ConditionKind = Literal["requires", "min_attendees", "max_attendees", "lead_days", "min_fee", "weekdays", "theme"]
_NEEDS: Mapping[ConditionKind, str] = {
    "requires": "tag",
    "min_attendees": "value",
    "max_attendees": "value",
    "lead_days": "value",
    "min_fee": "value",
    "weekdays": "values",
    "theme": "texts",
}
_MOST: Mapping[str, int] = {
    "min_attendees": MOST_PEOPLE,
    "max_attendees": MOST_PEOPLE,
    "lead_days": MOST_LEAD_DAYS,
    "min_fee": MOST_MONEY,
}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class PublishedCondition(_Model):
    """A term of an offer; `kind` decides which one field carries it, `text` says it in words.

    `requires` another `tag` in the plan; at least or at most `value` attendees; `value` days of notice; a fee of at
    least `value`; one of the weekdays in `values`; a theme that contains any of `texts`.
    """

    kind: ConditionKind
    tag: Tag | None = None
    value: Money | None = None
    values: Weekdays = ()
    texts: Annotated[tuple[Text, ...], Field(max_length=20)] = ()
    text: Annotated[str, StringConstraints(max_length=500)] = ""

    @model_validator(mode="after")
    def _carries_its_field(self) -> Self:
        needed = _NEEDS[self.kind]
        given = {name for name in ("tag", "value", "values", "texts") if getattr(self, name) not in (None, ())}
        if given != {needed}:
            told = Told("why.card.condition", {"kind": self.kind, "needed": needed})
            raise Unfit(f"a condition of kind {self.kind} carries `{needed}` and nothing else", told)
        if self.value is not None and self.value > (most := _MOST[self.kind]):
            told = Told("why.card.condition_value", {"kind": self.kind, "most": most})
            raise Unfit(f"the value of a condition of kind {self.kind} is at most {most}", told)
        return self

    @model_validator(mode="after")
    def _can_be_said(self, info: ValidationInfo) -> Self:
        if info.context != STORED and themes_too_long(self):
            told = Told("why.card.themes", {"most": MOST_THEMES})
            raise Unfit(f"themes of more than {MOST_THEMES} characters together need a `text` that says them", told)
        return self


class Period(_Model):
    """Days from `start` to `end`, both included."""

    start: date
    end: date


class Calendar(_Model):
    """When an agent works: on these `weekdays`, at `lead_days` of notice, not in a `blackout` (`from/to`, or a day)."""

    weekdays: Weekdays = (0, 1, 2, 3, 4, 5, 6)
    lead_days: Annotated[int, Field(ge=0, le=MOST_LEAD_DAYS)] = 0
    blackout: Annotated[tuple[str, ...], Field(max_length=400)] = ()

    @field_validator("blackout")
    @classmethod
    def _periods(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            period = parse_period(text)
            if period.end < period.start:
                raise Unfit("a period ends before it starts", Told("why.card.period_order"))
        return value

    def first_available(self, start: date, end: date, today: date | None = None) -> date | None:
        """The earliest day from `start` to `end` (both included) on which the agent works."""
        first = max(start, add_days(today, self.lead_days)) if today else start
        return next(filter(self.available, days_between(first, end)), None)

    def available(self, day: date, today: date | None = None) -> bool:
        """Whether the agent works on `day`; notice counts from `today`, and is not asked for without it."""
        if day.weekday() not in self.weekdays or (today and day < add_days(today, self.lead_days)):
            return False
        return not any(period.start <= day <= period.end for period in map(parse_period, self.blackout))


class CapabilityOffer(_Model):
    """One thing an agent does for a price per `unit`.

    `capacity` is how many people it serves (`None`: any number), `quantity` how often it can be had at once. Without
    `remote` it happens in the agent's city, or in one of `travel_cities` for `travel_fee` more.
    """

    tag: Tag
    title: Text
    price: Money
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "CNY"
    unit: Literal["event", "person", "hour", "day"] = "event"
    capacity: Annotated[int, Field(ge=1, le=MOST_PEOPLE)] | None = None
    quantity: Annotated[int, Field(ge=1, le=MOST_UNITS)] = 1
    min_attendees: Annotated[int, Field(ge=0, le=MOST_PEOPLE)] = 0
    remote: bool = False
    travel_cities: Annotated[tuple[Text, ...], Field(max_length=100)] = ()
    travel_fee: Money = 0
    conditions: Annotated[tuple[PublishedCondition, ...], Field(max_length=20)] = ()


class Capabilities(BaseModel):
    """The structured part of the spec's free `capabilities`; keys beyond these are kept as they are."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    languages: Annotated[tuple[Tag, ...], Field(max_length=30)] = ()
    max_roles: Annotated[int, Field(ge=1, le=20)] = 1
    calendar: Calendar = Calendar()
    offers: Annotated[tuple[CapabilityOffer, ...], Field(max_length=50)] = ()


class Reservation(_Model):
    """The lowest price an agent accepts, per tag, in the currency of its offers. Private."""

    floors: dict[Tag, Money] = Field(default_factory=dict, max_length=50, repr=False)


class AgentProfile(_Model):
    """An agent as it registers. Equal content is an equal profile; nothing in it changes."""

    agent_id: AgentId
    user_name: Name
    profile_summary: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=MIN_SUMMARY, max_length=MAX_SUMMARY)
    ]
    location: Tag
    tags: Annotated[tuple[Tag, ...], Field(min_length=1, max_length=30)]
    capabilities: Capabilities = Capabilities()
    interests: Annotated[tuple[Tag, ...], Field(max_length=30)] = ()
    availability: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    reservation: Reservation = Field(default=Reservation(), exclude=True, repr=False)

    @model_validator(mode="after")
    def _offers_what_it_claims(self) -> Self:
        lowest: dict[str, float] = {}
        for offer in self.capabilities.offers:
            lowest[offer.tag] = min(offer.price, lowest.get(offer.tag, offer.price))
        if unclaimed := sorted(lowest.keys() - set(self.tags)):
            told = Told("why.card.unclaimed")
            raise Unfit(f"capabilities.offers: {unclaimed} not among the tags", told)
        for tag, floor in self.reservation.floors.items():
            if tag not in lowest:
                raise Unfit(f"reservation.floors: there is no offer for {tag}", Told("why.card.floor_alone"))
            if floor > lowest[tag]:
                raise Unfit(f"reservation.floors: the floor of {tag} is above its price", Told("why.card.floor_high"))
        return self

    @model_validator(mode="after")
    def _is_of_bearable_size(self) -> Self:
        size = len(json.dumps(self.private(), ensure_ascii=False).encode(errors="surrogatepass"))
        if size > MOST_BYTES:
            told = Told("why.card.size", {"size": size, "most": MOST_BYTES})
            raise Unfit(f"profile: it has {size} bytes as JSON, at most {MOST_BYTES} are accepted", told)
        return self

    @model_validator(mode="after")
    def _leaves_room_in_a_plan(self, info: ValidationInfo) -> Self:
        if info.context != STORED and (size := room_of(self.capabilities)) > ROOM_OF_A_CARD:
            told = Told("why.card.room", {"size": size, "most": ROOM_OF_A_CARD})
            said = f"capabilities.offers: their conditions take {size} bytes of a plan, {ROOM_OF_A_CARD} are allowed"
            raise Unfit(said, told)
        return self

    def public(self) -> dict[str, Any]:
        """The profile as anybody may see it, as JSON values."""
        return self.model_dump(mode="json")

    def private(self) -> dict[str, Any]:
        """The whole profile with its reservation, as JSON values: for the store and for the agent itself."""
        return self.public() | {"reservation": self.reservation.model_dump(mode="json")}


MOCK_PROFILE_SCHEMA: Mapping[str, object] = {
    "agent_id": str,
    "user_name": str,
    "profile_summary": str,
    "location": str,
    "tags": list[str],
    "capabilities": dict[str, Any],
    "interests": list[str],
    "availability": str,
}
"""The spec's fields of a profile and their types (§4.5.1); `AgentProfile` holds the full rules."""


@lru_cache(maxsize=4096)
def parse_period(text: str) -> Period:
    """Read `2027-02-05/2027-02-12` or one day; `Unfit` for anything else."""
    try:
        days = [date.fromisoformat(day) for day in match.groups() if day] if (match := _PERIOD.fullmatch(text)) else []
    except ValueError:
        days = []
    if not days:
        raise Unfit("a day or a period `from/to` of days is expected", Told("why.card.period"))
    return Period(start=days[0], end=days[-1])
