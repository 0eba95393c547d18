"""A demand's events by polling: the twin of the stream (row NEG-API-20)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from moothall.events.model import Event
from moothall.negotiation.demand.models import DemandId
from moothall.server.bodies import refusals
from moothall.server.parts import ServerParts
from moothall.server.streams import resume_point
from moothall.server.visible import Visible

RECENT_PATH = "/api/v1/events/negotiations/{demand_id}/recent"
MAX_RECENT = 200


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


class RecentRoutes:
    """The route that tells the events of a demand to whoever asks again and again."""

    def __init__(self, parts: ServerParts) -> None:
        self._log = parts.log
        self._visible = Visible(parts.demands, parts.suspended)

    def router(self) -> APIRouter:
        """The route, to be included in the application."""
        router = APIRouter(tags=["demands"])
        router.add_api_route(
            RECENT_PATH,
            self.recent,
            methods=["GET"],
            summary="Poll the events of a demand",
            responses=refusals(HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND),
        )
        return router

    async def recent(
        self,
        demand_id: str,  # noqa: ARG002 - read from the request; here it is described
        request: Request,
        count: Annotated[int, Query(ge=1, le=MAX_RECENT)] = 50,
        after: Annotated[str, Query(description="An event id; an unknown one means from the beginning")] = "",
        token: Annotated[str, Query(description="The demand's stream token, in place of a key")] = "",  # noqa: ARG002 - read by the boundary
    ) -> RecentReply:
        """The events after ``after``, oldest first: a slice of what the stream sends."""
        record = await self._visible.stream(request)
        seq = await resume_point(self._log, record, after)
        events = await self._log.load(record.id, after=seq, public=True, limit=count)
        return RecentReply(demand_id=record.id, status=record.status, events=[public_event(event) for event in events])


def public_event(event: Event) -> PublicEvent:
    """The public form of a stored event."""
    return PublicEvent(event_id=event.event_id, event_type=event.type, timestamp=event.ts, payload=event.payload)
