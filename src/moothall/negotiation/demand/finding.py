"""Finding demands and channels for a caller: what the caller may not see is not there (row NEG-API-01)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from moothall.errors import ChannelNotFound, DemandNotFound, MoothallError, Told
from moothall.events.model import RunRecord
from moothall.identity.principal import Principal
from moothall.messages import detect_lang
from moothall.negotiation.demand.callers import may_see
from moothall.negotiation.demand.service import DemandService


class Finding:
    """Looks runs up in the name of a caller."""

    def __init__(self, demands: DemandService) -> None:
        self._demands = demands

    async def demand(self, caller: Principal, demand_id: str) -> RunRecord:
        """The run of a demand.

        Raises:
            DemandNotFound: there is none, or none for this caller.
        """
        return shown(caller, await self._demands.record(demand_id))

    async def channel(self, caller: Principal, channel_id: str) -> RunRecord:
        """The run of a channel.

        Raises:
            ChannelNotFound: there is none, or none for this caller.
        """
        try:
            return shown(caller, await self._demands.by_channel(channel_id))
        except DemandNotFound as error:
            raise ChannelNotFound("no channel of that id", told=Told("why.no_channel")) from error


def shown(caller: Principal, record: RunRecord) -> RunRecord:
    """The record, if the caller may see it.

    Raises:
        DemandNotFound: it may not.
    """
    if not may_see(caller, record):
        raise DemandNotFound("no demand of that id", told=Told("why.no_demand"))
    return record


@contextmanager
def spoken(record: RunRecord) -> Iterator[None]:
    """Let errors be told in the language of the demand to a caller who asks for none."""
    try:
        yield
    except MoothallError as error:
        if words := record.meta.get("raw_input"):
            error.lang = detect_lang(words)
        raise
