"""The log of a channel, for the node's owner: every message with its real sender, every transition (NEG-API-27)."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter

from moothall.negotiation.demand.channel_log import ChannelLog
from moothall.server.access import ADMIN
from moothall.server.bodies import refusals
from moothall.server.parts import ServerParts


class ChannelLogRoutes:
    """The route under ``/api/v1/admin``; the boundary lets nobody but an admin in."""

    def __init__(self, parts: ServerParts) -> None:
        self._demands = parts.demands

    def router(self) -> APIRouter:
        """The route, to be included in the application."""
        router = APIRouter(prefix=ADMIN, tags=["admin"])
        router.add_api_route(
            "/channels/{channel_id}/log",
            self.log,
            methods=["GET"],
            summary="Read the messages and transitions of a channel",
            responses=refusals(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
        )
        return router

    async def log(self, channel_id: str) -> ChannelLog:
        """In the order in which they were committed; ``seq`` is their place in the run's log."""
        return await self._demands.read.channel_log(await self._demands.by_channel(channel_id))
