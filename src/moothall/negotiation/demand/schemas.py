"""JSON schemas of everything that crosses a boundary: API bodies, messages, prompts, data classes, events.

They are made from the models that the code itself uses, and shipped as ``data/schemas.json`` (``$defs`` by name), so
that other languages can check what they send and receive. Row NEG-DATA-12.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field, StringConstraints
from pydantic.json_schema import models_json_schema

from moothall.directory.profiles import AgentProfile
from moothall.negotiation.demand.answers import PersonFeedback, PersonOffer
from moothall.negotiation.demand.asking import Invitation
from moothall.negotiation.demand.channel_view import ChannelView
from moothall.negotiation.demand.confirming import UnderstandingEdits
from moothall.negotiation.demand.models import Candidate, Demand, DemandUnderstanding, JsonObject, Model, Offer
from moothall.negotiation.demand.payloads import PAYLOADS
from moothall.negotiation.demand.people import MOST_PEOPLE, Invited
from moothall.negotiation.demand.plan_models import AdjustmentSummary, Assignment, Gap, Milestone, Proposal, Timeline
from moothall.negotiation.demand.prompts import PROMPTS
from moothall.negotiation.demand.questions import SubDemand
from moothall.negotiation.demand.steps import StepList
from moothall.negotiation.demand.submission import MAX_RAW_INPUT
from moothall.negotiation.demand.view import DemandView
from moothall.negotiation.demand.wire import MESSAGES


class SubmitBody(Model):
    """Body of ``POST /api/v1/demand/submit``."""

    raw_input: Annotated[str, StringConstraints(min_length=1, max_length=MAX_RAW_INPUT)]
    user_id: str | None = None
    user_context: JsonObject | None = None
    confirm: bool = False
    participants: Annotated[tuple[Invited, ...], Field(max_length=MOST_PEOPLE)] = ()


class SubmitReply(Model):
    """Reply of ``POST /api/v1/demand/submit``."""

    demand_id: str
    channel_id: str
    status: str
    understanding: DemandUnderstanding
    source: str = "rules"
    degraded: bool = False
    awaiting_confirmation: bool = False
    stream_token: str = ""
    participant_tokens: dict[str, str] = Field(default_factory=dict)


class StreamFrame(Model):
    """The ``data:`` of one frame of an event stream."""

    event_id: str
    event_type: str
    timestamp: str
    payload: dict[str, Any]


DATA_CLASSES = (
    Demand, DemandUnderstanding, Candidate, Offer, Proposal, Assignment, Timeline, Milestone, Gap, SubDemand,
    AdjustmentSummary, AgentProfile,
)  # fmt: skip

MODELS: Mapping[str, Any] = MappingProxyType(
    {
        "api.submit.request": SubmitBody,
        "api.submit.reply": SubmitReply,
        "api.stream.frame": StreamFrame,
        "api.demand": DemandView,
        "api.demand.steps": StepList,
        "api.channel": ChannelView,
        "api.confirm.understanding": UnderstandingEdits,
        "api.person.invitation": Invitation,
        "api.person.offer": PersonOffer,
        "api.person.feedback": PersonFeedback,
        **{f"message.{name}": model for name, model in MESSAGES.items()},
        **{f"prompt.{prompt.number}.{prompt.kind}.input": prompt.input for prompt in PROMPTS},
        **{f"prompt.{prompt.number}.{prompt.kind}.output": prompt.output for prompt in PROMPTS},
        **{f"data.{model.__name__}": model for model in DATA_CLASSES},
        **{f"event.{name}": model for name, model in PAYLOADS.items()},
    }
)
"""The model behind every shipped schema."""


def schemas() -> dict[str, Any]:
    """All schemas: ``schemas`` maps a name to a reference into ``$defs``."""
    wanted = list(dict.fromkeys(MODELS.values()))
    references, definitions = models_json_schema([(model, "validation") for model in wanted])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "schemas": {name: references[model, "validation"] for name, model in MODELS.items()},
        "$defs": definitions["$defs"],
    }
