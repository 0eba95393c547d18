"""Brings what passes over links into the topics of groups, and on from there where a link relays (row IGL-04)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from moothall.clock import Clock, rfc3339
from moothall.errors import ChannelNotFound, Conflict
from moothall.events.model import Draft
from moothall.groups.links import passing
from moothall.groups.links.model import InterGroupConnection
from moothall.groups.links.passing import Leg, Parcel
from moothall.groups.links.register import Links
from moothall.telemetry import logger

MESSAGE: Final = "moot.group.message"
EVENT: Final = "moot.group.event"

_log = logger("groups")


class Deliver(Protocol):
    """Writes an event into the topic of a group, once for each key."""

    async def __call__(self, group_id: str, draft: Draft, /) -> None:
        """Write it; the same again changes nothing, whatever way it came by.

        Raises:
            Conflict: the key stands for something else.
            ChannelNotFound: the group has no topic any more.
            StorageError: the store failed.
        """
        ...


class CommunicationBroker:
    """Brings messages where they go.

    Whatever way something comes by, a group is told it once: by the key of its first sender. It goes on by itself from
    whatever group it came into, also when it is sent again after a crash in between.
    """

    def __init__(self, deliver: Deliver, links: Links, clock: Clock) -> None:
        self._deliver, self._links, self._clock = deliver, links, clock

    async def route_message(self, sender_group: str, receiver_group: str, message: Parcel) -> tuple[str, ...]:
        """Bring something over a link that lets it pass, and on from there; the groups that it came into.

        Raises:
            Conflict: its first sender sent something else under this id.
            ChannelNotFound, StorageError: as `Deliver`, of the group that it is for.
        """
        del sender_group  # it stands in the message: the last group of its path
        first = Leg(receiver_group, message.at(receiver_group))
        await self._deliver(receiver_group, self._draft(first))
        come = [receiver_group]
        for leg in await self._onward(first):
            try:
                await self._deliver(leg.group, self._draft(leg))
            except (Conflict, ChannelNotFound) as error:  # another thing under this id; or nobody is there to be told
                _log.info("a message was not passed on to the group %s: %s", leg.group, error.code)
                continue
            come.append(leg.group)
        return tuple(come)

    async def _onward(self, first: Leg) -> list[Leg]:
        """Where it goes on by itself; the links are read group by group as it gets there."""
        known: dict[str, list[InterGroupConnection]] = {}
        while True:
            missing: list[str] = []

            def links(group: str, missing: list[str] = missing) -> list[InterGroupConnection]:
                if group not in known:
                    missing.append(group)
                return known.get(group, [])

            legs = passing.onward(first, links, self._clock.now())
            if not missing:
                return legs
            for group in missing:
                known[group] = await self._links.around(group)

    def _draft(self, leg: Leg) -> Draft:
        parcel = leg.parcel
        payload: Mapping[str, Any] = {**parcel.payload, "at": rfc3339(self._clock.now())}
        return Draft(parcel.key, EVENT if parcel.kind == "event" else MESSAGE, dict(payload))
