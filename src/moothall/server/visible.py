"""Finding what a route is about where a token may stand for a key: event streams, and people who take part."""

from __future__ import annotations

from starlette.requests import Request

from moothall.errors import ChannelNotFound, DemandNotFound, Told, Unauthenticated
from moothall.events.model import RunRecord
from moothall.identity.principal import Principal
from moothall.messages import detect_lang
from moothall.negotiation.demand.callers import may_see, sees_all
from moothall.negotiation.demand.finding import shown
from moothall.negotiation.demand.people import NO_TOKEN, WHOSE
from moothall.negotiation.demand.service import DemandService
from moothall.negotiation.demand.tokens import participant, stream_holder
from moothall.server.access import token_of


class Visible:
    """Looks demands up; an error afterwards speaks the language of the demand unless the client asks for another."""

    def __init__(self, demands: DemandService) -> None:
        self._demands = demands

    async def stream(self, request: Request) -> RunRecord:
        """The run whose events the address names: a demand's or a replay's.

        Raises:
            DemandNotFound: there is none, or none for this caller and the token it shows.
        """
        return _opened(request, await self._demands.stream(request.path_params["demand_id"]))

    async def channel_stream(self, request: Request) -> RunRecord:
        """The same by the ``channel_id`` of the query.

        Raises:
            ChannelNotFound: there is none, or none for this caller and the token it shows.
        """
        try:
            found = await self._demands.by_channel(request.query_params.get("channel_id", ""), replays=True)
            return _opened(request, found)
        except DemandNotFound as error:
            raise ChannelNotFound("no channel of that id", told=Told("why.no_channel")) from error

    async def person(self, request: Request, channel_id: str, token: str) -> Principal:
        """The person of a channel who shows a participant's token.

        Where keys are asked for, a stranger cannot tell a channel that does not exist from one whose token is wrong.

        Raises:
            Unauthenticated: the token is nobody's in this channel.
            ChannelNotFound: there is no such channel, and the caller may know.
        """
        try:
            found = participant(await self._demands.by_channel(channel_id), token)
        except ChannelNotFound as error:
            if sees_all(caller_of(request)):
                raise
            raise Unauthenticated(NO_TOKEN, told=WHOSE) from error
        if found is None:
            raise Unauthenticated(NO_TOKEN, told=WHOSE)
        return found


def caller_of(request: Request) -> Principal:
    """Who the boundary found the request to come from."""
    caller: Principal = request.state.caller
    return caller


def _opened(request: Request, record: RunRecord) -> RunRecord:
    caller = caller_of(request)
    if not may_see(caller, record):
        caller = stream_holder(record, token_of(request.scope["query_string"])) or caller
    shown(caller, record)
    if words := record.meta.get("raw_input"):
        request.state.lang = detect_lang(words)
    return record
