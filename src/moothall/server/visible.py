"""Finding demands and channels for a caller: what the caller may not see is not there (row NEG-API-01)."""

from __future__ import annotations

from starlette.requests import Request

from moothall.errors import ChannelNotFound, DemandNotFound, Told, Unauthenticated
from moothall.events.model import RunRecord
from moothall.messages import detect_lang
from moothall.negotiation.demand.people import NO_TOKEN, WHOSE, holds
from moothall.negotiation.demand.service import DemandService
from moothall.server.access import Caller, may_see


class Visible:
    """Looks demands up; an error afterwards speaks the language of the demand unless the client asks for another."""

    def __init__(self, demands: DemandService) -> None:
        self._demands = demands

    async def demand(self, request: Request, demand_id: str) -> RunRecord:
        """The run of a demand.

        Raises:
            DemandNotFound: there is none, or none for this caller.
        """
        return _checked(request, await self._demands.record(demand_id))

    async def channel(self, request: Request, channel_id: str) -> RunRecord:
        """The run of a channel.

        Raises:
            ChannelNotFound: there is none, or none for this caller.
        """
        try:
            return _checked(request, await self._demands.by_channel(channel_id))
        except DemandNotFound as error:
            raise ChannelNotFound("no channel of that id", told=Told("why.no_channel")) from error

    async def stream(self, request: Request) -> RunRecord:
        """The run whose events the address names: a demand's or a replay's. Raises as `demand` does."""
        return _checked(request, await self._demands.stream(request.path_params["demand_id"]))

    async def channel_stream(self, request: Request) -> RunRecord:
        """The same by the ``channel_id`` of the query. Raises as `channel` does."""
        try:
            found = await self._demands.by_channel(request.query_params.get("channel_id", ""), replays=True)
            return _checked(request, found)
        except DemandNotFound as error:
            raise ChannelNotFound("no channel of that id", told=Told("why.no_channel")) from error

    async def by_token(self, request: Request, channel_id: str, token: str) -> RunRecord:
        """The run of a channel for somebody who shows a participant's token.

        Where keys are asked for, a stranger cannot tell a channel that does not exist from one whose token is wrong.

        Raises:
            Unauthenticated: the token is nobody's in this channel.
            ChannelNotFound: there is no such channel, and the caller may know.
        """
        caller = caller_of(request)
        try:
            record = await self._demands.by_channel(channel_id)
        except ChannelNotFound as error:
            if caller.open or caller.admin:
                raise
            raise Unauthenticated(NO_TOKEN, told=WHOSE) from error
        if not holds(record, token):
            raise Unauthenticated(NO_TOKEN, told=WHOSE)
        return _spoken(request, record)


def caller_of(request: Request) -> Caller:
    """Who the boundary found the request to come from."""
    caller: Caller = request.state.caller
    return caller


def name_of(caller: Caller) -> str:
    """The caller's name where something that was done is noted."""
    return caller.user or ("owner" if caller.admin else "anonymous")


def _checked(request: Request, record: RunRecord) -> RunRecord:
    if not may_see(caller_of(request), record):
        raise DemandNotFound("no demand of that id", told=Told("why.no_demand"))
    return _spoken(request, record)


def _spoken(request: Request, record: RunRecord) -> RunRecord:
    if words := record.meta.get("raw_input"):
        request.state.lang = detect_lang(words)
    return record
