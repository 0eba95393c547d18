"""The topics of groups, as links need them: to write what came over one, and to read what is to be passed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moothall.calls.call import running
from moothall.calls.request_ids import fresh
from moothall.errors import ChannelNotFound, Conflict, PermissionDeniedError
from moothall.events.model import Draft
from moothall.groups.channel import InternalCommunicationChannel
from moothall.groups.listening import SECONDS, Errand
from moothall.groups.talk import Talk
from moothall.identity.principal import Principal


class LinkedChannels:
    """Fills the ports `broker.Deliver` and `communication.Received`."""

    def __init__(self, talk: Talk, monotonic: Callable[[], float]) -> None:
        self._talk, self._monotonic = talk, monotonic

    async def deliver(self, group_id: str, draft: Draft, /) -> None:
        """Tell a group something, and the handlers of its members' agents; see `broker.Deliver`."""
        call, kind = running.get(), str(draft.payload.get("event_type") or "message")
        asking = self._errand(draft) if call is None else call.context
        try:
            await self._talk.deliver(asking, group_id, draft, kind)
        except Conflict:
            if not await _was_told(self._talk.channel(group_id), draft):
                raise
        except PermissionDeniedError as error:
            raise ChannelNotFound("the group was dissolved") from error

    def _errand(self, draft: Draft) -> Errand:
        """Outside of a call: handlers are given it in their own names; the sender is only told apart from them."""
        sender = Principal(id=str(draft.payload.get("sender", "")), kind="did", verified=False)
        return Errand(principal=sender, deadline=self._monotonic() + SECONDS, hops=0, request_id=fresh())

    async def received(self, group_id: str, seq: int, member: str, /) -> Mapping[str, Any] | None:
        """What a group was told at a place, where a member may see it and it was said to all of the group."""
        told = await self._talk.event(group_id, seq, member)
        return None if told is None or told.keys() & {"to", "except"} else told


async def _was_told(channel: InternalCommunicationChannel, draft: Draft) -> bool:
    kept = (await channel.kept([draft.key])).get(draft.key, {})
    return _said(kept) == _said(draft.payload)


def _said(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What was said, whatever way it came by."""
    return {name: value for name, value in payload.items() if name not in {"path", "from_group", "at"}}
