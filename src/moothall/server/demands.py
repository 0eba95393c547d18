"""Submitting a demand, and reading its events by polling."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from moothall.events.model import Event
from moothall.messages import detect_lang
from moothall.negotiation.demand.models import ChannelId, DemandId, DemandUnderstanding
from moothall.server.boundary import SUBMIT_PATH
from moothall.server.parts import ServerParts
from moothall.server.streams import resume_point

RECENT_PATH = "/api/v1/events/negotiations/{demand_id}/recent"
MAX_RECENT = 200


def _writable(value: str) -> str:
    """Refuse text with half a character in it (a lone surrogate), which no UTF-8 can hold."""
    if not value.isascii():
        value.encode()
    return value


Text = Annotated[str, AfterValidator(_writable)]


class SubmitBody(BaseModel):
    """A demand in a person's own words; ``user_id`` is ``anonymous`` when it is missing."""

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={
            "examples": [{"raw_input": "我想在北京办一场AI主题聚会，需要场地和嘉宾", "user_id": "user_alice"}]
        },
    )

    raw_input: Text = Field(description="1 to 10,000 characters")
    user_id: Text | None = None


class SubmitReply(BaseModel):
    """The demand was taken in and is being negotiated; its events tell the rest."""

    demand_id: DemandId
    channel_id: ChannelId
    status: str
    understanding: DemandUnderstanding
    source: str = Field(description="Who understood it: rules, llm or fallback")
    degraded: bool = Field(description="Whether a configured model failed and the rules stood in")


class PublicEvent(BaseModel):
    """An event as every client sees it."""

    event_id: str
    event_type: str
    timestamp: str
    payload: dict[str, Any]


class RecentReply(BaseModel):
    """A slice of a demand's events; ``status`` is open or closed."""

    demand_id: DemandId
    status: str
    events: list[PublicEvent]


class DemandRoutes:
    """The routes that take a demand in and tell what became of it."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts

    def router(self) -> APIRouter:
        """The routes, to be included in the application."""
        router = APIRouter(tags=["demands"])
        router.add_api_route(SUBMIT_PATH, self.submit, methods=["POST"], summary="Submit a demand")
        router.add_api_route(RECENT_PATH, self.recent, methods=["GET"], summary="Poll the events of a demand")
        return router

    async def submit(self, body: SubmitBody, request: Request) -> SubmitReply:
        """Understand the demand and start to negotiate it."""
        request.state.lang = detect_lang(body.raw_input)
        done = await self._parts.demands.submit(body.raw_input, body.user_id)
        return SubmitReply(
            demand_id=done.demand_id,
            channel_id=done.channel_id,
            status=done.status,
            understanding=done.understanding,
            source=done.source,
            degraded=done.degraded,
        )

    async def recent(
        self,
        demand_id: Annotated[str, Path()],
        count: Annotated[int, Query(ge=1, le=MAX_RECENT)] = 50,
        after: Annotated[str, Query(description="An event id; an unknown one means from the beginning")] = "",
    ) -> RecentReply:
        """The events after ``after``, oldest first: a slice of what the stream sends."""
        record = await self._parts.demands.record(demand_id)
        seq = await resume_point(self._parts.log, record, after)
        events = await self._parts.log.load(record.id, after=seq, public=True, limit=count)
        return RecentReply(demand_id=record.id, status=record.status, events=[public_event(event) for event in events])


def public_event(event: Event) -> PublicEvent:
    """The public form of a stored event."""
    return PublicEvent(event_id=event.event_id, event_type=event.type, timestamp=event.ts, payload=event.payload)
