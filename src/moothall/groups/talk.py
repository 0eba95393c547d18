"""What members say to each other, and what becomes of it (rows GRP-07, GRP-08, TPL-31 to TPL-35).

A message is committed first; then it is given to the handlers of the agents of this node that are in the group, and
what they answer is committed as well and told to the sender. Sent again under its id, a message is not given to a
handler that answered already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from weakref import WeakValueDictionary

from moothall.capability.context import CallContext
from moothall.capability.entry import Entry
from moothall.errors import Conflict, InvalidInput, Told
from moothall.events.log import EventLog
from moothall.events.model import Draft, JsonObject
from moothall.events.topics import Topics
from moothall.groups.channel import (
    MOVES,
    REPLY,
    InternalCommunicationChannel,
    Message,
    reply_key,
    shows,
)
from moothall.groups.claims import Claims
from moothall.groups.handlers import Asking, Handlers
from moothall.groups.membership import Groups, Moved
from moothall.groups.model import MOST_PAGE, Member, checked_role, no_access, topic_of
from moothall.groups.rows import member_of, rules
from moothall.groups.said import History, Occasion, Sent, blocked, new_id, outcome, outside, reply_of
from moothall.groups.store import Seen
from moothall.identity.principal import Principal

_AT_ONCE: Final = 16
"""Handlers that one event is given to at a time."""
_GIVEN: Final = frozenset({"message", "join", "leave", "reply"})
"""Types of events that nobody makes up."""


class Talk:
    """What is said in the groups of a node. ``principals``: who an agent of this node is as a caller, by its name."""

    def __init__(
        self, groups: Groups, handlers: Handlers, log: EventLog, principals: Callable[[str], Principal]
    ) -> None:
        self.groups, self.handlers, self.log = groups, handlers, log
        self.topics = Topics(log)
        self._principals = principals
        self._claims = Claims(log, self.topics)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def channel(self, group_id: str) -> InternalCommunicationChannel:
        """The channel of a group."""
        return InternalCommunicationChannel(group_id, self.log, self.topics)

    async def send(
        self,
        ctx: CallContext,
        group_id: str,
        content: object,
        *,
        to: Iterable[str] = (),
        message_id: str = "",
        kind: str = "",
    ) -> Sent:
        """Say something in a group as the caller, who has to be in it; ``to``: members that it is for alone.

        Raises:
            PermissionDeniedError: the caller has no access, a receiver is not in the group, or its policy is against.
            Conflict: the caller has sent something else under that id.
            PayloadTooLarge: it is too long.
        """
        if kind and (checked_role(kind) in _GIVEN):
            raise InvalidInput("events of this type are not sent", told=Told("groups.event_type"))
        receivers = frozenset(to)
        seen = await self.member(ctx.principal, group_id, receivers)
        sender = seen.members[self.groups.identity(ctx.principal)]
        self.check(seen, sender, receivers)
        event = await self.channel(group_id).say(
            sender, content, new_id(message_id, ctx), to=sorted(receivers), kind=kind, hops=ctx.hops
        )
        return await self.spread(ctx, Occasion(seen.group, event, kind or "message"))

    def check(self, seen: Seen, sender: Member, receivers: Iterable[str]) -> None:
        """Whether a member may send to these. Raises PermissionDeniedError."""
        for receiver in receivers:
            if receiver not in seen.members:
                raise outside()
            if not seen.group.policy.allows(sender.party, seen.members[receiver].party):
                raise blocked()

    async def member(self, by: Principal, group_id: str, others: Iterable[str] = ()) -> Seen:
        """A group that somebody is in, with the members of these names.

        Raises:
            PermissionDeniedError: it is not, or there is no such group.
        """
        me = self.groups.identity(by)
        seen = await self.groups.store.seen(group_id, {me, *others})
        if seen is None or me not in seen.members:
            raise no_access()
        return seen

    async def history(self, by: Principal, group_id: str, *, after: int = -1, limit: int = 50) -> History:
        """What was said in a group, for its members as far as it was for them, and for who rules it.

        Raises:
            PermissionDeniedError: it is neither, or there is no such group.
        """
        me = self.groups.identity(by)
        group = await self.groups.store.get(group_id)
        reader = await self.groups.store.read(lambda connection: member_of(connection, group_id, me))
        if reader is not None and reader.state != "active":
            reader = None
        if group is None or (reader is None and not rules(group, by)):
            raise no_access()
        page = await self.channel(group_id).page(group, reader, after=after, limit=min(max(limit, 1), MOST_PAGE))
        return History(messages=[Message.of(event) for event in page.events], after=page.after)

    async def event(self, group_id: str, seq: int, who: str) -> JsonObject | None:
        """What stands at one place of a group's topic, as far as a member may see it; None: nothing that it may."""
        seen = await self.groups.store.seen(group_id, {who})
        found = await self.topics.load(topic_of(group_id), after=seq - 1, limit=1)
        if seen is None or who not in seen.members or not found or found[0].seq != seq:
            return None
        return found[0].payload if shows(seen.group, found[0], seen.members[who]) else None

    async def deliver(self, ctx: Asking, group_id: str, draft: Draft, kind: str = "message") -> Sent:
        """Bring something into a group from outside of it, for which somebody else has looked whether it may be.

        Handlers are given it in the names of their own agents.

        Raises:
            PermissionDeniedError: there is no such group.
            Conflict: the key of the draft stands for something else.
        """
        group = await self.groups.store.get(group_id)
        if group is None or not group.active:
            raise no_access()
        (event,) = await self.channel(group_id).post(draft)
        return await self.spread(ctx, Occasion(group, event, kind, vouched=True))

    async def moved(self, ctx: CallContext, moved: Moved) -> Sent | None:
        """Give it to handlers that somebody came or went, which the group's topic tells already; None: nobody did."""
        if moved.event is None:
            return None
        return await self.spread(ctx, Occasion(moved.group, moved.event, MOVES[moved.event.type], vouched=True))

    async def spread(self, ctx: Asking, occasion: Occasion) -> Sent:
        """Give an event to every handler that has not answered to it yet; tell what all of them answered.

        Handlers that another process asks already are waited for, as long as the caller waits.
        """
        keys, said = await self._spread(ctx, occasion, wait=True)
        event, identity = occasion.event, str(occasion.event.payload.get("id", ""))
        replies = [reply_of(said[key]) for key in keys if key in said]
        return Sent(id=identity, group=occasion.group.id, seq=event.seq, at=event.ts, replies=replies)

    async def heard(self, ctx: Asking, occasion: Occasion) -> bool:
        """Give an event to every handler that nobody gives it to; whether all have answered by now."""
        keys, said = await self._spread(ctx, occasion, wait=False)
        return len(said) == len(keys)

    async def _spread(
        self, ctx: Asking, occasion: Occasion, *, wait: bool
    ) -> tuple[list[str], Mapping[str, JsonObject]]:
        """The keys of the answers of all who hear an event, and the answers that there are."""
        event = occasion.event
        lock = self._locks.setdefault(f"{event.run}/{event.seq}", asyncio.Lock())
        async with lock:
            hearing = await self._hearing(ctx, occasion)
            channel = self.channel(occasion.group.id)
            keys = [reply_key(event.key, entry.id) for entry in hearing]
            kept = await channel.kept(keys)
            slots = asyncio.Semaphore(_AT_ONCE)
            asked = [
                self._answered(ctx, occasion, key, (entry, hearing[entry]), slots, wait=wait)
                for key, entry in zip(keys, hearing, strict=True)
                if key not in kept
            ]
            fresh = await asyncio.gather(*asked) if asked else []
        return keys, {**kept, **{key: said for key, said in fresh if said is not None}}

    async def _hearing(self, ctx: Asking, occasion: Occasion) -> Mapping[Entry, Member]:
        """The handlers of this node that an event is for, as members: their agents are in the group, and may see it."""
        entries = [
            entry
            for entry in self.handlers.under(occasion.group.id)
            if not entry.spec.group_events or occasion.kind in entry.spec.group_events
        ]
        if not occasion.vouched:
            entries = await self.handlers.there_for(ctx.principal, entries)
        dids = {self.handlers.did(entry) for entry in entries} - {ctx.principal.id}  # nobody hears itself
        seen = await self.groups.store.seen(occasion.group.id, dids) if dids else None
        if seen is None:
            return {}
        hearing = {did: member for did, member in seen.members.items() if shows(seen.group, occasion.event, member)}
        return {entry: hearing[did] for entry in entries if (did := self.handlers.did(entry)) in hearing}

    async def _answered(
        self,
        ctx: Asking,
        occasion: Occasion,
        key: str,
        handler: tuple[Entry, Member],
        slots: asyncio.Semaphore,
        *,
        wait: bool,
    ) -> tuple[str, JsonObject | None]:
        """What a handler answers, under the key of its answer; None: another process asks it, and has no answer yet."""
        async with slots:
            left = self.handlers.left(ctx)
            if await self._claims.take(occasion.event.run, key, left):
                return key, await self._asked(ctx, occasion, key, handler)
        return key, await self._claims.answered(occasion.event, key, left) if wait else None

    async def _asked(self, ctx: Asking, occasion: Occasion, key: str, handler: tuple[Entry, Member]) -> JsonObject:
        event, group, (entry, member) = occasion.event, occasion.group, handler
        principal = self._principals(entry.agent) if occasion.vouched else ctx.principal
        answer = await self.handlers.give(entry, (group.id, occasion.kind, occasion.data), ctx, principal)
        asker = str(event.payload.get("sender", ""))
        audience = {"except": [asker]} if entry.spec.broadcast_result and not answer.error else {"to": [asker]}
        said: JsonObject = {
            "id": f"{event.payload.get('id', '')}/{entry.id}",
            "sender": answer.agent,
            "role": member.role,
            "group": group.id,
            "reply_to": str(event.payload.get("id", "")),
            "handler": entry.id,
            **audience,
            **outcome(answer),
        }
        try:
            (kept,) = await self.channel(group.id).post(Draft(key, REPLY, said))
        except Conflict:  # another process has asked the same agent meanwhile: what it wrote counts
            found: Mapping[str, JsonObject] = await self.channel(group.id).kept([key])
            return found.get(key, said)
        return kept.payload
