"""Reading a channel: its state, its offers, its plans, and who was asked (row NEG-API-17)."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from pydantic import BaseModel

from moothall.negotiation.demand.channel_view import ChannelView, ShownOffer
from moothall.negotiation.demand.machine import ChannelStatus
from moothall.negotiation.demand.models import ChannelId, DemandId
from moothall.negotiation.demand.plan_models import Proposal
from moothall.negotiation.demand.replies import SeatList
from moothall.server.bodies import refusals
from moothall.server.calls import RouteCalls
from moothall.server.parts import ServerParts

CHANNEL_PATH = "/api/v1/channels/{channel_id}"


class OfferList(BaseModel):
    """The offers of a channel; ``sealed``: more lie there, and nobody may look at them yet."""

    channel_id: ChannelId
    demand_id: DemandId
    invited_count: int
    answered: list[str]
    sealed: bool
    offers: list[ShownOffer]


class ProposalList(BaseModel):
    """Every version of the plan that was distributed, in order, and the one that was agreed on."""

    channel_id: ChannelId
    demand_id: DemandId
    status: ChannelStatus
    proposals: list[Proposal]
    final_proposal: Proposal | None


class ChannelRoutes:
    """The routes that tell of a channel."""

    def __init__(self, parts: ServerParts) -> None:
        self._call = RouteCalls(parts.gateway)

    def router(self) -> APIRouter:
        """The routes, to be included in the application."""
        router = APIRouter(tags=["channels"], responses=refusals(HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND))
        add = router.add_api_route
        add(CHANNEL_PATH, self.channel, methods=["GET"], summary="Read a channel")
        add(f"{CHANNEL_PATH}/offers", self.offers, methods=["GET"], summary="Read the offers")
        add(f"{CHANNEL_PATH}/proposals", self.proposals, methods=["GET"], summary="Read every version of the plan")
        add(f"{CHANNEL_PATH}/agents", self.agents, methods=["GET"], summary="Who was asked, chosen, or not, and why")
        return router

    async def channel(self, channel_id: str, request: Request) -> ChannelView:
        """The whole channel; offers are sealed until all are in or their time is over."""
        seen: ChannelView = await self._call(request, "demand.channel", channel_id=channel_id)
        return seen

    async def offers(self, channel_id: str, request: Request) -> OfferList:
        """The offers, once they may be looked at."""
        seen = await self.channel(channel_id, request)
        return OfferList(
            channel_id=seen.channel_id,
            demand_id=seen.demand_id,
            invited_count=seen.invited_count,
            answered=list(seen.answered),
            sealed=seen.offers_sealed,
            offers=list(seen.offers),
        )

    async def proposals(self, channel_id: str, request: Request) -> ProposalList:
        """The versions of the plan."""
        seen = await self.channel(channel_id, request)
        return ProposalList(
            channel_id=seen.channel_id,
            demand_id=seen.demand_id,
            status=seen.status,
            proposals=list(seen.proposals),
            final_proposal=seen.final_proposal,
        )

    async def agents(self, channel_id: str, request: Request) -> SeatList:
        """Agents and people with where they stand."""
        seats: SeatList = await self._call(request, "demand.roster", channel_id=channel_id)
        return seats
