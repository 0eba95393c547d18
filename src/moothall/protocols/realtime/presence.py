"""Who is connected, and how something is said to one, to a group or to all of somebody's connections (spec B §5.1)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, Literal

from moothall.calls.request_ids import fresh
from moothall.clock import Clock, rfc3339
from moothall.errors import InvalidInput, MoothallError, Overloaded, RateLimited, Told, Unavailable
from moothall.events.model import Event
from moothall.groups.mailboxes import Mailboxes
from moothall.identity.principal import Principal
from moothall.protocols.realtime.callers import Caller, Standing
from moothall.protocols.realtime.connections import Connection, Kind
from moothall.protocols.realtime.dispatching import EventDispatcher
from moothall.protocols.realtime.feed import Batch
from moothall.protocols.realtime.groups import Groups
from moothall.protocols.realtime.limits import Limits
from moothall.protocols.realtime.wanted import Wanted
from moothall.resilience import RateLimiter
from moothall.telemetry import logger

MOST_CONTENT: Final = 64 * 1024
"""Bytes of JSON of one message."""

_LONGEST_ID: Final = 64
_HOPE_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 1.0
_log = logger("realtime")


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a message to one agent: on a connection of it, or in its mailbox."""

    state: Literal["delivered", "queued"]
    event: Event


class RealtimeCommunicationManager:
    """The connections of one process.

    Attributes:
        sse_connections: those open over server-sent events, by whose they are.
        websocket_sessions: the same over WebSocket.
        event_dispatcher: leads events to them.
    """

    def __init__(
        self,
        dispatcher: EventDispatcher,
        mailboxes: Mailboxes,
        standing: Standing,
        clock: Clock,
        *,
        groups: Groups,
        house: Principal,
        limits: Limits | None = None,
    ) -> None:
        self.sse_connections: dict[str, set[Connection]] = {}
        self.websocket_sessions: dict[str, set[Connection]] = {}
        self.event_dispatcher = dispatcher
        self.limits = limits or Limits()
        self.standing = standing
        self._mailboxes, self._clock, self._groups, self._house = mailboxes, clock, groups, house
        self._turns = RateLimiter(self.limits.subscriptions, clock.monotonic)
        self._hopes: dict[str, list[tuple[int, asyncio.Future[None]]]] = {}
        self._mine: Counter[str] = Counter()
        self._closing = False
        self._revision = 0
        self._work: Sequence[asyncio.Task[None]] = ()
        groups.on_change(self.moved)

    def __len__(self) -> int:
        return self._mine.total()

    def start(self) -> None:
        """Begin to show signs of life, and to look for changes."""
        works = (self._beats(), self._changes())
        self._work = [asyncio.create_task(work, name="moothall-realtime") for work in works]

    async def aclose(self) -> None:
        """End every connection; their clients go on with their tokens at the next start."""
        self._closing = True
        for work in self._work:
            work.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        stopping = Unavailable("the node is stopping", told=Told("protocols.stopping"))
        for connection in self._all():
            connection.end(stopping)
        await self.event_dispatcher.rings.aclose()

    def online(self, did: str) -> bool:
        """Whether somebody is connected here."""
        return did in self.sse_connections or did in self.websocket_sessions

    @asynccontextmanager
    async def connected(
        self, kind: Kind, caller: Caller, wanted: Wanted | None = None, *, after: str = ""
    ) -> AsyncIterator[Connection]:
        """A connection of a caller, for as long as this is open.

        Raises:
            Overloaded: too many are open, of this caller or of all.
            InvalidInput, StorageError: as `EventDispatcher.open`.
        """
        place = self.sse_connections if kind == "sse" else self.websocket_sessions
        self._admit(caller.identity)
        self._mine[caller.identity] += 1
        try:
            subscription = await self.event_dispatcher.open(caller.identity, wanted, after=after)
            connection = Connection(kind, caller, subscription, self.standing, self.limits, self._clock)
            mine = place.setdefault(caller.identity, set())
            mine.add(connection)
            try:
                if self._closing:
                    connection.end(Unavailable("the node is stopping", told=Told("protocols.stopping")))
                yield connection
            finally:
                mine.discard(connection)
                if not mine and place.get(caller.identity) is mine:
                    del place[caller.identity]
                connection.subscription.close()
                with suppress(MoothallError):  # it is read again then
                    await self._mark(connection)
        finally:
            self._mine[caller.identity] -= 1
            if not self._mine[caller.identity]:
                del self._mine[caller.identity]

    async def turn(self, connection: Connection, wanted: Wanted, *, after: str = "") -> None:
        """Let a connection hear something else from now on.

        Raises:
            RateLimited: its caller did so too often.
            InvalidInput, StorageError: as `EventDispatcher.open`.
        """
        if wait := self._turns.allow(connection.identity):
            raise RateLimited(
                "too many subscriptions", told=Told("realtime.turns_most"), details={"retry_after": ceil(wait)}
            )
        connection.turn(await self.event_dispatcher.open(connection.identity, wanted, after=after))

    def moved(self, dids: Collection[str] | None, number: int) -> None:
        """Look at the rights of these at once, None: of all; `number` is the revision of the change."""
        if number == self._revision + 1:  # nothing is unknown between
            self._revision = number
        for connection in self._all() if dids is None else [each for did in dids for each in self._of(did)]:
            connection.subscription.moved()

    def delivered(self, connection: Connection, batch: Batch) -> None:
        """Note what a connection was sent."""
        if connection.sent(batch) and (hopes := self._hopes.get(connection.identity)):
            last = batch.entries[-1].seq
            for seq, hope in hopes:
                if seq <= last and not hope.done():
                    hope.set_result(None)

    async def get_group_members(self, group_id: str) -> Sequence[str]:
        """The active members of a group."""
        return await self._groups.members(group_id)

    async def broadcast_to_group(
        self, group_id: str, message: Mapping[str, Any], sender: Principal | None = None
    ) -> Event:
        """Say something to all of a group, once to each; by default the node's own agent does.

        Who is not connected reads it later: it stands in the group's topic.

        Raises:
            PermissionDeniedError: the sender is not a member, or may not.
        """
        return await self._groups.post(group_id, sender or self._house, message)

    async def send_to_agent(
        self, did: str, message: Mapping[str, Any], sender: str = "", *, message_id: str = ""
    ) -> Sent:
        """Say something to one agent: on its connections here, else it lies in its mailbox.

        Args:
            did: whose DID.
            message: what; JSON.
            sender: whose DID it comes from; empty: the node's own agent.
            message_id: tells it from others of this sender; the same one is said once.

        Raises:
            AgentNotFound: it can be delivered nowhere: nobody of this DID was ever here.
            RateLimited: the sender's share of the mailbox is full of what was not read.
            Overloaded: the mailbox is.
            Conflict: the id stands for another message.
            InvalidInput, PayloadTooLarge, StorageError: it cannot be kept.
        """
        sender, name = sender or self._house.id, message_id or fresh()
        if not name.isprintable() or len(name) > _LONGEST_ID:
            raise InvalidInput("no id of a message", told=Told("realtime.message_id", {"most": _LONGEST_ID}))
        payload = {"id": name, "sender": sender, "to": did, "content": dict(message)}
        at = {"at": rfc3339(self._clock.now())}
        event = await self._mailboxes.put(did, sender, name, payload | at)
        reached = self.online(did) and await self._reached(did, event.seq)
        return Sent("delivered" if reached else "queued", event)

    async def _reached(self, did: str, seq: int) -> bool:
        """Whether a connection was sent a message within a moment."""
        if any(each.read > seq for each in self._of(did)):
            return True
        hope: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        hopes = self._hopes.setdefault(did, [])
        hopes.append((seq, hope))
        try:
            async with asyncio.timeout(_HOPE_SECONDS):
                await hope
        except TimeoutError:
            return False
        finally:
            hopes.remove((seq, hope))
            if not hopes:
                self._hopes.pop(did, None)
        return True

    def _admit(self, identity: str) -> None:
        if self._closing:
            raise Unavailable("the node is stopping", told=Told("protocols.stopping"))
        if len(self) >= self.limits.connections or self._mine[identity] >= self.limits.per_identity:
            raise Overloaded("too many connections are open", told=Told("realtime.full"))

    def _of(self, did: str) -> list[Connection]:
        return [*self.sse_connections.get(did, ()), *self.websocket_sessions.get(did, ())]

    def _all(self) -> list[Connection]:
        places = (self.sse_connections, self.websocket_sessions)
        return [each for place in places for mine in place.values() for each in mine]

    async def _mark(self, connection: Connection) -> None:
        if connection.read > connection.marked:
            connection.marked = connection.read
            await self._mailboxes.read(connection.subscription.box, connection.read)

    async def _changes(self) -> None:
        """Look whether another process has changed who is in a group; those whom that concerns look again."""
        while True:
            try:
                number = await self._groups.revision()
                if number != self._revision:
                    await self._compare()
                    self._revision = number
            except MoothallError as error:
                _log.warning("it cannot be seen whether groups have changed: %s", error)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _compare(self) -> None:
        """Stir the connections whose callers' seats differ from what they know; all are asked for at once."""
        marks = await self._groups.marks({*self.sse_connections, *self.websocket_sessions})
        for connection in self._all():
            connection.subscription.compare(marks.get(connection.identity, {}))

    async def _beats(self) -> None:
        while True:
            await asyncio.sleep(self.limits.heartbeat)
            now = self._clock.monotonic()
            everyone = self._all()
            for connection in everyone:
                if not connection.beat(now) and connection.pump is not None:
                    _log.info("a connection of %s took nothing in for too long and was ended", connection.identity)
                    connection.pump.cancel()
            for connection in everyone:
                try:
                    await self._mark(connection)
                except MoothallError as error:
                    _log.warning("it cannot be noted what was read: %s", error)
                    break


def told_of(sent: Sent) -> dict[str, Any]:
    """What a sender hears of its message."""
    return {"id": sent.event.payload["id"], "state": sent.state, "event_id": sent.event.event_id}
