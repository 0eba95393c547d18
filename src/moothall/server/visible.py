"""Finding what a route is about where a token may stand for a key: event streams, and people who take part."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request

from moothall.errors import ChannelNotFound, DemandNotFound, Told, Unauthenticated
from moothall.events.model import RunRecord
from moothall.identity.principal import Principal
from moothall.identity.refusal import suspended
from moothall.messages import detect_lang
from moothall.negotiation.demand.callers import may_see, reader_of, sees_all
from moothall.negotiation.demand.finding import shown
from moothall.negotiation.demand.people import NO_TOKEN, WHOSE
from moothall.negotiation.demand.service import DemandService
from moothall.negotiation.demand.tokens import participant, stream_holder
from moothall.server.access import token_of


class Visible:
    """Looks demands up; an error afterwards speaks the language of the demand unless the client asks for another.

    ``suspended`` says of an identity whether the policy refuses it; whom it refuses no token helps, either.
    """

    def __init__(self, demands: DemandService, suspended: Callable[[str], bool]) -> None:
        self._demands = demands
        self._suspended = suspended

    async def stream(self, request: Request) -> RunRecord:
        """The run whose events the address names: a demand's or a replay's.

        Raises:
            DemandNotFound: there is none, or none for this caller and the token it shows.
            PermissionDeniedError: the token is that of a requester who is suspended.
        """
        return self._opened(request, await self._demands.stream(request.path_params["demand_id"]))

    async def channel_stream(self, request: Request) -> RunRecord:
        """The same by the ``channel_id`` of the query.

        Raises:
            ChannelNotFound: there is none, or none for this caller and the token it shows.
            PermissionDeniedError: as `stream`.
        """
        try:
            found = await self._demands.by_channel(request.query_params.get("channel_id", ""), replays=True)
            return self._opened(request, found)
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

    def _opened(self, request: Request, record: RunRecord) -> RunRecord:
        caller = caller_of(request)
        if not may_see(caller, record):
            caller = stream_holder(record, token_of(request.scope["query_string"])) or caller
        shown(caller, record)
        if self._suspended(reader_of(caller, record)):
            raise suspended()
        if words := record.meta.get("raw_input"):
            request.state.lang = detect_lang(words)
        return record


def caller_of(request: Request) -> Principal:
    """Who the boundary found the request to come from."""
    caller: Principal = request.state.caller
    return caller
