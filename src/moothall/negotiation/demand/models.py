"""A demand, who could serve it and what they offer (spec C §4), as immutable models; `plan_models` has the plan.

Field names are the specification's. What goes beyond it (structured requirements, prices, dates) is additional:
it is optional on input, so every sample of the specification parses, and a model of any brain may leave it out.
Money is in whole or decimal units of ``currency`` (ISO 4217); dates are ISO 8601 calendar dates.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from moothall.directory.profiles import MOST_MONEY, MOST_PEOPLE, MOST_UNITS

Confidence = Literal["high", "medium", "low"]
Percent = Annotated[int, Field(ge=0, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Price = Annotated[float, Field(ge=0, le=MOST_MONEY, allow_inf_nan=False)]
Units = Annotated[int, Field(ge=1, le=MOST_UNITS)]
Key = Annotated[str, StringConstraints(max_length=200)]
DemandId = Annotated[str, StringConstraints(pattern=r"^d-[0-9a-f]{8}$")]
ChannelId = Annotated[str, StringConstraints(pattern=r"^collab-[0-9a-f]{8}$")]
JsonObject = dict[str, Any]
RefusalKind = Literal["city", "theme", "capacity", "attendees", "date", "price", "capability"]
MOST_TERMS = 50
MOST_CONDITIONS = 23
"""Conditions of a term: the twenty that a profile may publish, and the three that an answer may add."""
MOST_DATES = 400


class Model(BaseModel):
    """Base of all models here: immutable, unknown keys ignored (an answer may say more than was asked)."""

    model_config = ConfigDict(frozen=True, extra="ignore")


# -- the demand -----------------------------------------------------------------------------------------------


class Requirement(Model):
    """One capability the demand needs: ``count`` providers of ``concept``, shown to people as ``tag``."""

    tag: str
    concept: str
    importance: Percent = 80
    count: Annotated[int, Field(ge=1, le=1000)] = 1
    named: bool = True


class Constraints(Model):
    """Hard limits stated in the demand; what is ``None`` was not stated."""

    city: str | None = None
    online: bool = False
    date_start: date | None = None
    date_end: date | None = None
    attendees: int | None = None
    budget: Money | None = None
    currency: str = "CNY"
    duration_days: int = 1
    theme: str | None = None
    excluded: tuple[str, ...] = ()


class DeepUnderstanding(Model):
    """Why the person asks."""

    motivation: str = ""
    likely_preferences: tuple[str, ...] = ()
    emotional_context: str = ""


class Context(Model):
    """Where, when, for how many, for how much; as shown to people."""

    location: str | None = None
    expected_attendees: int | None = None
    date: str | None = None
    budget: float | str | None = None


class DemandUnderstanding(Model):
    """What the node understood of a demand (output of prompt 1)."""

    surface_demand: str
    deep_understanding: DeepUnderstanding = DeepUnderstanding()
    capability_tags: tuple[str, ...] = ()
    context: Context = Context()
    uncertainties: tuple[str, ...] = ()
    confidence: Confidence = "low"
    lang: Literal["zh", "en"] = "zh"
    requirements: tuple[Requirement, ...] = ()
    constraints: Constraints = Constraints()


class Demand(Model):
    """A stored demand (spec C §4.1)."""

    demand_id: DemandId
    requester_id: str
    raw_input: str
    surface_demand: str = ""
    deep_understanding: DeepUnderstanding = DeepUnderstanding()
    capability_tags: tuple[str, ...] = ()
    context: Context = Context()
    status: Literal["processing", "completed", "failed"] = "processing"
    created_at: str


# -- candidates and offers ------------------------------------------------------------------------------------


class Candidate(Model):
    """An agent worth asking, and why."""

    agent_id: str
    display_name: str
    reason: str
    match_type: Literal["explicit", "inferred"]
    confidence: Share

    @property
    def score(self) -> int:
        """The ``relevance_score`` and ``match_score`` of the messages: 100 × confidence, rounded."""
        return round(100 * self.confidence)


class Condition(Model):
    """What a participant asks for in return, and what became of it."""

    text: str
    kind: str = "other"
    concept: str | None = None
    value: Price | None = None
    status: Literal["open", "met", "declined"] = "open"
    reason: str = ""


class Term(Model):
    """The structured part of an offer: one capability, what it costs for this demand, and when it is free.

    ``price`` is for the whole demand (not per person or hour); ``quantity`` is how many of ``count`` it covers.
    """

    tag: str
    concept: str
    price: Price
    currency: str = "CNY"
    quantity: Units = 1
    capacity: Annotated[int, Field(ge=0, le=MOST_PEOPLE)] | None = None
    dates: Annotated[tuple[date, ...], Field(max_length=MOST_DATES)] | None = None
    conditions: Annotated[tuple[Condition, ...], Field(max_length=MOST_CONDITIONS)] = ()


class RefusalFact(Model):
    """Why one capability was declined, in public figures.

    By ``kind``: the ``city`` somebody works in, the ``ask`` above the budget, the first ``next_day`` after the window,
    the most (``capacity``) or fewest (``min_attendees``) people; the other kinds carry nothing more.
    """

    kind: RefusalKind
    concept: Key = ""
    city: Key | None = None
    ask: Price | None = None
    currency: Key = ""
    next_day: date | None = None
    capacity: Annotated[int, Field(ge=0, le=MOST_PEOPLE)] | None = None
    min_attendees: Annotated[int, Field(ge=0, le=MOST_PEOPLE)] | None = None


class AgentResponse(Model):
    """An agent's answer to the invitation (output of prompt 3); ``refusals`` say why something was declined."""

    decision: Literal["participate", "decline", "conditional"]
    contribution: str = ""
    conditions: tuple[str, ...] = ()
    reasoning: str = ""
    decline_reason: str = ""
    confidence: Percent = 50
    terms: Annotated[tuple[Term, ...], Field(max_length=MOST_TERMS)] = ()
    max_roles: Annotated[int, Field(ge=1)] = 1
    refusals: Annotated[tuple[RefusalFact, ...], Field(max_length=MOST_TERMS)] = ()


class Offer(AgentResponse):
    """A response as it stands in the channel (spec C §4.2); ``doubts`` counts terms that promise more than the card."""

    offer_id: str
    agent_id: str
    display_name: str = ""
    demand_id: DemandId
    submitted_at: str
    match: Percent = 50
    doubts: Annotated[int, Field(ge=0)] = 0
