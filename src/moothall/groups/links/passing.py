"""What passes over links, and where it goes. Pure.

Everything that passes has an id of its sender's, unique for that sender and the group that it comes from: whatever way
it comes by, it stands once in the topic of a group. It goes over no more links than any of them allows, and never into
a group where it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from moothall.canonical import digest, dumps
from moothall.errors import InvalidInput, Told
from moothall.groups.links.model import ConnectionType, InterGroupConnection
from moothall.policy.decision import PermissionResult

MOST_GROUPS: Final = 100
"""Groups that one message goes on to by itself."""
MOST_ID: Final = 128
LINK: Final = "link."
"""What the keys of events begin with that came over a link; those of members begin otherwise."""
LINKED: Final = "linked"
"""The role that senders from other groups have, for the rules of a group about who may hear whom."""

WRONG_WAY: Final = "the link does not lead this way"
TOO_FAR: Final = "it has passed too many links"
TOO_LONG: Final = "it is too long for the link"
NOT_THIS: Final = "the link does not carry such events"
NOT_ACTIVE: Final = "the link is not active"
BEEN_THERE: Final = "it was in that group before"

_POLICY: Final = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """Something on its way.

    Attributes:
        id: its sender's own.
        kind: of the links that it goes over: a message or an event.
        sender: the DID that sent it, as it was proved.
        origin: the group that it comes from.
        content: JSON.
        event_type: of an event.
        path: the groups that it was in, the origin first.
    """

    id: str
    kind: ConnectionType
    sender: str
    origin: str
    content: Any
    event_type: str = ""
    path: tuple[str, ...]

    @property
    def hops(self) -> int:
        """Links that it has passed."""
        return len(self.path) - 1

    @property
    def key(self) -> str:
        """The key of its event in whatever topic it comes into."""
        return f"{LINK}{digest([self.origin, self.sender, self.id])[-32:]}"

    def at(self, group: str) -> Parcel:
        """The same, one link further."""
        return replace(self, path=(*self.path, group))

    @property
    def payload(self) -> dict[str, Any]:
        """What stands in the topic of the group that it came into last."""
        return {
            "id": self.id,
            "sender": self.sender,
            "role": LINKED,
            "group": self.path[-1],
            "from_group": self.path[-2] if len(self.path) > 1 else "",
            "origin": self.origin,
            "path": list(self.path),
            **({"event_type": self.event_type} if self.event_type else {}),
            "content": self.content,
        }


@dataclass(frozen=True, slots=True)
class Leg:
    """One step of the way: what arrives in which group."""

    group: str
    parcel: Parcel


def read(message: Mapping[str, Any], sender: str, group: str, fresh: str) -> Parcel:
    """What a member of a group wants to send to another.

    Args:
        message: ``content``, with an ``event_type`` for an event; ``id`` where the sender has one, so that sending it
            again changes nothing.
        sender: the member, as it was proved; nothing in the message names one.
        group: that it is a member of.
        fresh: the id where the message has none.

    Raises:
        InvalidInput: it has another form.
    """
    own = message.get("id", fresh)
    event = message.get("event_type", "")
    if not (isinstance(own, str) and 0 < len(own) <= MOST_ID and isinstance(event, str) and len(event) <= MOST_ID):
        raise InvalidInput("no such message", told=Told("links.message"))
    content = message.get("content")
    if content is None:
        raise InvalidInput("no such message", told=Told("links.message"))
    kind: ConnectionType = "event" if event else "message"
    return Parcel(id=own, kind=kind, sender=sender, origin=group, content=content, event_type=event, path=(group,))


def again(payload: Mapping[str, Any], group: str) -> Parcel:
    """What a group was told, to be passed on as what it is: with its sender, its id and the way that it came.

    Raises:
        InvalidInput: it is nothing that is passed on.
    """
    own, sender, event = payload.get("id"), payload.get("sender"), payload.get("event_type", "")
    content = payload.get("content")
    if not (isinstance(own, str) and isinstance(sender, str) and isinstance(event, str)) or content is None:
        raise InvalidInput("this is not passed on", told=Told("links.message"))
    return Parcel(
        id=own,
        kind="event" if event else "message",
        sender=sender,
        origin=str(payload.get("origin", group)),
        content=content,
        event_type=event,
        path=tuple(payload.get("path", (group,))),
    )


def judged(link: InterGroupConnection, parcel: Parcel, receiver: str, now: datetime) -> PermissionResult:
    """Whether something may go over a link to one of its groups, from where it is; why not."""
    policy = link.policy
    against = {
        NOT_ACTIVE: not link.holds(now),
        WRONG_WAY: not link.carries(parcel.path[-1], receiver),
        BEEN_THERE: receiver in parcel.path,
        TOO_FAR: parcel.hops >= link.hops,
        NOT_THIS: parcel.kind == "event" and bool(policy.events) and parcel.event_type not in policy.events,
        TOO_LONG: len(dumps(parcel.content)) > policy.most_bytes,
    }
    if (why := next((why for why, so in against.items() if so), None)) is not None:
        return PermissionResult.DENIED(why, _POLICY)
    return PermissionResult.ALLOWED("both owners agreed on it", _POLICY)


def onward(first: Leg, links: Callable[[str], Iterable[InterGroupConnection]], now: datetime) -> list[Leg]:
    """Where something goes on by itself from the group that it came into: over links that relay, the nearest first.

    No group comes twice, however many ways lead there.
    """
    seen = {*first.parcel.path, first.group}
    legs: list[Leg] = []
    waiting = deque([first])
    while waiting and len(legs) < MOST_GROUPS:
        here = waiting.popleft()
        for link in links(here.group):
            there = link.other(here.group)
            fits = link.policy.relay and link.connection_type == here.parcel.kind and there not in seen
            if fits and judged(link, here.parcel, there, now).allowed:
                seen.add(there)
                leg = Leg(there, here.parcel.at(there))
                legs.append(leg)
                waiting.append(leg)
    return legs[:MOST_GROUPS]
