"""What is said inside of a group: one topic of the event log, in order, each message once (rows GRP-03, GRP-07).

A message has the id that its sender gives it; sent again, it is the message of then. Nothing here asks who may: that is
for `talk`, which knows the principal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from moothall.canonical import dumps, loads
from moothall.clock import parse_rfc3339
from moothall.errors import PayloadTooLarge, Told, UsageError
from moothall.events.log import EventLog
from moothall.events.model import Draft, Event, JsonObject
from moothall.events.topics import Topics
from moothall.groups.model import MEMBER, MOST_MESSAGE, Group, Member, topic_of
from moothall.storage import schema

KIND: Final = "group"
MAILBOX: Final = "mailbox"
"""Kinds of topics."""

MESSAGE: Final = "moot.group.message"
REPLY: Final = "moot.group.reply"
EVENT: Final = "moot.group.event"
JOIN: Final = "moot.group.join"
LEAVE: Final = "moot.group.leave"
DIRECT: Final = "moot.agent.message"

MOVES: Final[Mapping[str, str]] = {JOIN: "join", LEAVE: "leave"}
"""What handlers call the events that tell who came and who went."""


class Message(BaseModel):
    """Something that stands in the topic of a group, or in a mailbox."""

    model_config = ConfigDict(frozen=True)

    seq: int
    type: str
    at: str
    id: str = ""
    sender: str = ""
    content: Any = None
    data: JsonObject

    @classmethod
    def of(cls, event: Event) -> Message:
        """An event, told."""
        said = event.payload
        return cls(
            seq=event.seq,
            type=event.type.removeprefix("moot."),
            at=event.ts,
            id=str(said.get("id", "")),
            sender=str(said.get("sender", "")),
            content=said.get("content"),
            data={name: value for name, value in said.items() if name not in {"id", "sender", "content", "at"}},
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Events that somebody may see; ``after``: where the next page begins, None: there is no more now."""

    events: list[Event]
    after: int | None


def message_key(sender: str, message_id: str) -> str:
    """The key of a message: ids of different senders never stand for the same."""
    return f"m.{_tag(sender)}{_hash(dumps([sender, message_id]))[:32]}"


def keys_of(sender: str) -> tuple[str, str]:
    """How the keys of a sender's messages begin, and those of what handlers answered to them."""
    return f"m.{_tag(sender)}", f"r.{_tag(sender)}"


def reply_key(message: str, handler: str) -> str:
    """The key of what a handler answered to a message."""
    return f"r.{message.removeprefix('m.')}.{_hash(handler.encode())[:16]}"


def answered(key: str) -> str:
    """What the key of a message and those of the answers to it have in common, and no others."""
    return key[2:].partition(".")[0]


def _tag(sender: str) -> str:
    return _hash(sender.encode())[:32]


def shows(group: Group, event: Event, member: Member) -> bool:
    """Whether an active member may see an event of the group's topic.

    Members see what they say themselves; of all else what was said since they joined, to everybody or to them, by those
    who may send to them.
    """
    said, me = event.payload, member.member
    if not event.public:
        return False
    if said.get("sender") == me:
        return True
    if parse_rfc3339(event.ts) < member.joined_at:
        return False
    if me in said.get("except", ()) or ("to" in said and me not in said["to"]):
        return False
    sender = (str(said.get("sender", "")), str(said.get("role", MEMBER)))
    return event.type in MOVES or group.policy.allows(sender, member.party)


def _hash(said: bytes) -> str:
    return hashlib.sha256(said).hexdigest()


def check_size(content: object) -> None:
    """Refuse what is longer than a message.

    Raises:
        PayloadTooLarge: it is.
    """
    if len(dumps(content)) > MOST_MESSAGE:
        raise PayloadTooLarge("the message is too long", told=Told("groups.long", {"most": MOST_MESSAGE}))


class InternalCommunicationChannel:
    """The topic of one group (spec B §8.1)."""

    def __init__(self, group_id: str, log: EventLog | None = None, topics: Topics | None = None) -> None:
        self.group_id = group_id
        self.topic = topic_of(group_id)
        self._kept = None if log is None else (log, topics or Topics(log))

    @property
    def _topics(self) -> Topics:
        return self._known()[1]

    def _known(self) -> tuple[EventLog, Topics]:
        if self._kept is None:
            raise UsageError("this group is kept by no node", told=Told("groups.no_channel"))
        return self._kept

    async def post(self, *drafts: Draft) -> tuple[Event, ...]:
        """Commit events; of a key that is there the event of then.

        Raises:
            Conflict: a key stands for something else.
            StorageError: the log cannot be written.
        """
        await self._topics.open(self.topic, KIND, subject=self.group_id)
        return await self._topics.append(self.topic, *drafts)

    async def say(
        self, sender: Member, content: object, message_id: str, *, to: Sequence[str] = (), kind: str = "", hops: int = 0
    ) -> Event:
        """Commit a message of a member, or an event of another ``kind``; ``to``: members that it is for alone.

        Raises:
            PayloadTooLarge: it is too long.
            Conflict: the member has sent something else under that id.
            StorageError: the log cannot be written.
        """
        check_size(content)
        payload: JsonObject = {
            "id": message_id,
            "sender": sender.member,
            "role": sender.role,
            "group": self.group_id,
            **({"to": sorted(to)} if to else {}),
            **({"event_type": kind} if kind else {}),
            **({"hops": hops} if hops else {}),
            "content": content,
        }
        draft = Draft(message_key(sender.member, message_id), EVENT if kind else MESSAGE, payload)
        (event,) = await self.post(draft)
        return event

    async def kept(self, keys: Iterable[str]) -> Mapping[str, JsonObject]:
        """The payloads of events by their keys, of those that are there."""
        return await payloads(self._known()[0], self.topic, keys)

    async def page(self, group: Group, reader: Member | None, *, after: int, limit: int) -> Page:
        """The next events that a member may see; None reads as who rules the group: all that is no secret of two."""
        events = await self._topics.load(self.topic, after=after, limit=limit)
        seen = [
            event
            for event in events
            if (shows(group, event, reader) if reader is not None else event.public and "to" not in event.payload)
        ]
        return Page(seen, events[-1].seq if len(events) == limit else None)


async def payloads(log: EventLog, topic: str, keys: Iterable[str]) -> Mapping[str, JsonObject]:
    """The payloads of events of a topic by their keys, of those that are there."""
    table, wanted = schema.event.c, list(keys)
    query = sa.select(table.key, table.payload).where(table.run == topic, table.key.in_(wanted))
    rows = await log.store.read(lambda connection: connection.execute(query).all()) if wanted else []
    return {row.key: loads(row.payload) for row in rows}
