"""Real time at one node: who is connected, what they hear, and the doors to it (spec B §5)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from pydantic_core import to_jsonable_python

from moothall.calls.call import LOCAL
from moothall.calls.ports import CallFacts, Gateway
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.clock import rfc3339
from moothall.events.model import Event
from moothall.events.topics import Topics
from moothall.groups.channel import shows
from moothall.groups.mailboxes import Mailboxes
from moothall.groups.model import Group, Member, topic_of
from moothall.hosting.edges import Door, Visitors
from moothall.hosting.grouping import Grouping
from moothall.hosting.house import House
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.identity.principal import Principal
from moothall.protocols.headers import Headers, latin
from moothall.protocols.house import HouseTerms
from moothall.protocols.realtime.callers import Standing
from moothall.protocols.realtime.capabilities import RealtimeCapabilities
from moothall.protocols.realtime.dispatching import EventDispatcher
from moothall.protocols.realtime.door import SOCKET, SocketDoor, StreamDoor
from moothall.protocols.realtime.extension import AuthServerExtension
from moothall.protocols.realtime.groups import Groups, OnMoved, Seat, Sight
from moothall.protocols.realtime.limits import Limits
from moothall.protocols.realtime.presence import RealtimeCommunicationManager
from moothall.settings import Settings

_SEND: Final = Target.parse("local:node.groups.send")
_SCHEMES: Final = {"http": "ws", "https": "wss"}


class Live:
    """The room of real time.

    Args:
        house: what every room stands on.
        groups: who is in which group.
        mailboxes: what is said to one agent alone.

    Attributes:
        topics: the long-lived logs that it tells of.
        mailboxes: what is said to one agent alone.
        manager: who is connected.
    """

    def __init__(self, house: House, groups: Groups, mailboxes: Mailboxes) -> None:
        office = house.office
        self._house = house
        self.topics = Topics(house.log)
        self.mailboxes = mailboxes
        dispatcher = EventDispatcher(self.topics, self.mailboxes, lambda: groups)
        standing = Standing(
            gateway=house.path,
            suspended=house.suspended,
            identity=self.identity,
            renewed=self._renewed,
            proves=office.verifier.prove_carried,
        )
        self.manager = RealtimeCommunicationManager(
            dispatcher,
            self.mailboxes,
            standing,
            house.clock,
            groups=groups,
            house=house.principals(DEFAULT_AGENT),
            limits=_limits(house.settings),
        )
        self.capabilities: Sequence[object] = (RealtimeCapabilities(self.manager, self.identity),)

    def identity(self, principal: Principal) -> str:
        """As whom somebody hears and speaks: the operator as the node's own agent."""
        return self._house.principals(DEFAULT_AGENT).id if principal.operator else principal.id

    def doors(self, visitors: Visitors) -> Sequence[Door]:
        """The way in over server-sent events."""
        house = self._house
        verifier = house.office.verifier
        terms = HouseTerms(
            max_body=house.settings.max_call_body,
            lang=visitors.lang,
            accepted=visitors.accepted,
            welcome=verifier.welcome,
            challenge=verifier.challenger.of,
        )
        return (StreamDoor(self._extension(visitors), terms),)

    def sockets(self, visitors: Visitors) -> Sequence[Door]:
        """The way in over WebSocket."""
        return (SocketDoor(self._extension(visitors)),)

    async def start(self) -> None:
        """Begin to show signs of life."""
        self.manager.start()

    async def rest(self) -> None:
        """End every connection; while the call path still runs."""
        await self.manager.aclose()

    def _extension(self, visitors: Visitors) -> AuthServerExtension:
        house = self._house
        scheme, _, rest = house.place.url.partition("://")
        return AuthServerExtension(
            self.manager,
            house.clock,
            accepted=visitors.accepted,
            lang=visitors.lang,
            welcome=self._welcome,
            address=f"{_SCHEMES[scheme]}://{rest}{SOCKET}",
        )

    def _welcome(self, principal: Principal) -> Headers:
        return latin(self._house.office.verifier.welcome(principal)) if principal.kind == "did" else []

    def _renewed(self, principal: Principal) -> Principal | None:
        """A principal with the rights of now."""
        if principal.kind != "did":
            return self._house.renewed(principal)
        now = self._house.callers(principal.id)
        return Principal(
            id=now.id,
            kind="did",
            binding=principal.binding,
            permissions=now.permissions,
            owner=now.owner,
            key_bound=principal.key_bound,
            key=principal.key,
        )


class HostedGroups:
    """The groups of a node, as real time needs them. See `Groups`."""

    def __init__(self, room: Grouping, gateway: Callable[[], Gateway]) -> None:
        self._room, self._gateway = room, gateway
        self._store = room.groups.store

    async def groups_of(self, did: str) -> Collection[str]:
        """See `Groups.groups_of`."""
        return await self._room.groups_of(did)

    async def members(self, group_id: str) -> Sequence[str]:
        """See `Groups.members`."""
        return await self._room.members(group_id)

    async def seat(self, group_id: str, did: str) -> Seat | None:
        """See `Groups.seat`."""
        seen = await self._store.seen(group_id, [did])
        member = seen.members.get(did) if seen is not None else None
        if seen is None or member is None:
            return None
        return Seat(_sight(seen.group, member), member.joined_at, _mark(seen.group, member))

    async def marks(self, dids: Collection[str]) -> Mapping[str, Mapping[str, object]]:
        """See `Groups.marks`."""
        found = await self._store.seats_of_each(dids)
        return {did: {group.id: _mark(group, member) for group, member in seats} for did, seats in found.items()}

    async def post(self, group_id: str, sender: Principal, message: Mapping[str, Any]) -> Event:
        """See `Groups.post`."""
        facts = CallFacts(door=LOCAL, principal=sender, request_id=fresh())
        params = {"group": group_id, "content": dict(message)}
        reply = await self._gateway().call(_SEND, params, facts)
        if reply.error is not None:
            raise reply.error
        seq = int(to_jsonable_python(reply.data)["seq"])
        (event,) = await self._room.talk.topics.load(topic_of(group_id), after=seq - 1, limit=1)
        return event

    def on_change(self, listener: OnMoved) -> None:
        """See `Groups.on_change`."""
        self._store.on_change(listener)

    async def revision(self) -> int:
        """See `Groups.revision`."""
        return await self._store.revision()


def _mark(group: Group, member: Member) -> object:
    """What `_sight` and `Seat.since` are made of."""
    return group.policy, member.role, member.joined_at


def _limits(settings: Settings) -> Limits:
    return Limits(
        connections=settings.realtime_connections,
        per_identity=settings.realtime_per_identity,
        unproved=settings.realtime_unproved,
        unproved_per_address=settings.realtime_unproved_per_address,
        subscriptions=settings.realtime_subscriptions,
    )


def _sight(group: Group, member: Member) -> Sight:
    """What a member may see: as `shows` says, which need not be asked about what is for everybody."""
    since, plain = rfc3339(member.joined_at), group.policy.messages == "allow" and not group.policy.rules

    def sight(event: Event) -> bool:
        said = event.payload
        if plain and event.ts > since and "to" not in said and "except" not in said:
            return True
        return shows(group, event, member)

    return sight
