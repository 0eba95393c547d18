"""Messages to one agent (template ``message``; rows DEC-01, DEC-07): its handlers answer, its mailbox keeps them.

Who may write to an agent is who may call one of its message handlers: what the policy says of them, `access` included.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final
from weakref import WeakValueDictionary

from moothall.capability.context import CallContext
from moothall.capability.entry import Entry
from moothall.errors import Conflict, PermissionDeniedError, Told
from moothall.events.model import Draft, Event, JsonObject
from moothall.groups.channel import Message, check_size, payloads, reply_key
from moothall.groups.mailboxes import Mailboxes
from moothall.groups.model import MOST_PAGE, mailbox_of
from moothall.groups.said import HandlerReply, History, Sent, new_id, outcome
from moothall.groups.talk import Talk
from moothall.identity.principal import Principal

_ANSWERED: Final = "agent.answered"
"""Internal: what a handler answered."""


class Mail:
    """Brings messages to agents of this node."""

    def __init__(self, talk: Talk, boxes: Mailboxes) -> None:
        self._talk, self._boxes = talk, boxes
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def send(self, ctx: CallContext, to: str, content: object, *, message_id: str = "") -> Sent:
        """Say something to an agent of this node, by its DID or name, as the caller.

        Raises:
            PermissionDeniedError: there is no such agent, or it takes no messages of the caller.
            Conflict: the caller has sent something else under that id.
            RateLimited: the caller's share of the mailbox is full of what was not read.
            Overloaded: the mailbox is.
            PayloadTooLarge: it is too long.
        """
        check_size(content)
        handlers = self._talk.handlers
        agent = handlers.agent(to)
        found = handlers.of_agent(agent)
        entries = [entry for entry in found if await handlers.effect(entry, ctx.principal) == "allow"]
        did = handlers.did(entries[0]) if entries else ""
        if not did:
            raise PermissionDeniedError("nobody there takes this message", told=Told("groups.no_taker"))
        sender, number = self._talk.groups.identity(ctx.principal), new_id(message_id, ctx)
        said: JsonObject = {"id": number, "sender": sender, "to": did, "content": content}
        event = await self._boxes.put(did, sender, number, said)
        topic, key = event.run, event.key
        lock = self._locks.setdefault(f"{topic}/{event.seq}", asyncio.Lock())
        async with lock:
            kept = await payloads(self._talk.log, topic, [reply_key(key, entry.id) for entry in entries])
            replies = [await self._asked(ctx, entry, event, kept) for entry in entries]
        return Sent(id=number, seq=event.seq, at=event.ts, replies=replies)

    async def box(self, by: Principal, *, agent: str = "", after: int = -1, limit: int = 50) -> History:
        """What was said to the caller alone; the operator names one of its agents.

        Raises:
            PermissionDeniedError: that agent is another's.
        """
        did = self._talk.groups.identity(by)
        if agent:
            handlers = self._talk.handlers
            named = handlers.agents().get(handlers.agent(agent), agent)
            if named != did and not by.operator:
                raise PermissionDeniedError("this mailbox is another's", told=Told("groups.no_taker"))
            did = named
        events = await self._talk.topics.load(mailbox_of(did), after=after, limit=min(max(limit, 1), MOST_PAGE))
        next_page = events[-1].seq if len(events) == limit else None
        return History(messages=[Message.of(event) for event in events if event.public], after=next_page)

    async def _asked(
        self, ctx: CallContext, entry: Entry, event: Event, kept: Mapping[str, JsonObject]
    ) -> HandlerReply:
        """What a handler answers; what it answered before stands in the mailbox, for nobody else to read."""
        key = reply_key(event.key, entry.id)
        if key in kept:
            return HandlerReply.model_validate(kept[key])
        given = {**event.payload, "at": event.ts}
        one = len(entry.input_schema.get("properties", {})) == 1
        answer = await self._talk.handlers.give(
            entry, (given,) if one else (event.payload["sender"], given), ctx, ctx.principal
        )
        reply = HandlerReply(agent=answer.agent, handler=answer.handler, **outcome(answer))
        with suppress(Conflict):  # another process has asked the same agent meanwhile
            await self._talk.topics.append(event.run, Draft(key, _ANSWERED, reply.model_dump(mode="json")))
        return reply
