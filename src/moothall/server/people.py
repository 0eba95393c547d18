"""How people take part: they read what they are asked and answer it, with the token they were given (NEG-API-28)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Request

from moothall.negotiation.demand.answers import PersonFeedback, PersonOffer
from moothall.negotiation.demand.asking import Invitation
from moothall.negotiation.demand.replies import Taken
from moothall.server.bodies import WRITABLE, refusals
from moothall.server.calls import RouteCalls
from moothall.server.channels import CHANNEL_PATH
from moothall.server.parts import ServerParts
from moothall.server.visible import Visible

Token = Annotated[str, Header(alias="X-Participant-Token", max_length=200)]


class PeopleRoutes:
    """The routes for people; the token says who speaks, the body never does."""

    def __init__(self, parts: ServerParts) -> None:
        self._call = RouteCalls(parts.gateway)
        self._visible = Visible(parts.demands, parts.suspended)

    def router(self) -> APIRouter:
        """The routes, to be included in the application."""
        found = refusals(HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)
        router = APIRouter(tags=["people"], responses=found)
        add, again = router.add_api_route, refusals(HTTPStatus.CONFLICT)
        add(f"{CHANNEL_PATH}/invitation", self.invitation, methods=["GET"], summary="What a person is asked now")
        add(f"{CHANNEL_PATH}/offer", self.offer, methods=["POST"], summary="Answer the invitation", responses=again)
        add(f"{CHANNEL_PATH}/feedback", self.feedback, methods=["POST"], summary="Answer a plan", responses=again)
        return router

    async def invitation(self, channel_id: str, request: Request, token: Token = "") -> Invitation:
        """The demand, the question that is open, and the plan where it is about a plan; nobody else's offer."""
        person = await self._visible.person(request, channel_id, token)
        asked: Invitation = await self._call.as_caller(person, request, "demand.invitation", channel_id=channel_id)
        return asked

    async def offer(
        self, channel_id: str, request: Request, body: Annotated[PersonOffer, WRITABLE], token: Token = ""
    ) -> Taken:
        """Offer something, or decline; once."""
        person = await self._visible.person(request, channel_id, token)
        taken: Taken = await self._call.as_caller(person, request, "demand.offer", channel_id=channel_id, offer=body)
        return taken

    async def feedback(
        self, channel_id: str, request: Request, body: Annotated[PersonFeedback, WRITABLE], token: Token = ""
    ) -> Taken:
        """Accept a plan, ask for changes, or withdraw; once in each round."""
        person = await self._visible.person(request, channel_id, token)
        taken: Taken = await self._call.as_caller(
            person, request, "demand.feedback", channel_id=channel_id, feedback=body
        )
        return taken
