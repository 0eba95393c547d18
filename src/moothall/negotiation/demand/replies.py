"""What a requester is answered, in process and at every door."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from moothall.negotiation.demand.models import ChannelId, DemandId, DemandUnderstanding
from moothall.negotiation.demand.roster import Seat
from moothall.negotiation.demand.view import DemandView


class SubmitReply(BaseModel):
    """The demand was taken in and is being negotiated; its events tell the rest."""

    demand_id: DemandId
    channel_id: ChannelId
    status: str
    understanding: DemandUnderstanding
    source: str = Field(description="Who understood it: rules, llm, personal_agent or fallback")
    degraded: bool = Field(description="Whether a configured model failed and the rules stood in")
    awaiting_confirmation: bool = Field(description="Whether it goes on only after its confirmation")
    stream_token: str = Field(
        description="Opens the demand's events, as ?token=, where the API asks for keys", repr=False
    )
    participant_tokens: dict[str, str] = Field(
        description="For each person the token to answer with; told here and never again", repr=False
    )


class DemandReply(DemandView):
    """A demand, whole, and what opens its events to whoever may follow it."""

    stream_token: str | None = Field(
        None, description="Opens the events of the demand and of its sub-negotiations, as ?token=", repr=False
    )


class CancelReply(BaseModel):
    """``cancelling``: it has not ended yet, but nothing can stop it from ending."""

    demand_id: DemandId
    status: Literal["cancelled", "cancelling"]


class ConfirmReply(BaseModel):
    """What is negotiated now; ``edited`` names the fields that are the requester's."""

    demand_id: DemandId
    status: Literal["processing"] = "processing"
    understanding: DemandUnderstanding
    edited: list[str]
    source: Literal["requester"] = "requester"


class Taken(BaseModel):
    """The answer is stored and will be counted."""

    channel_id: ChannelId
    agent_id: str
    status: Literal["accepted"] = "accepted"


class SeatList(BaseModel):
    """Everybody who was thought of: the invited in the order of invitation, then the reserve."""

    channel_id: ChannelId
    demand_id: DemandId
    agents: list[Seat]
