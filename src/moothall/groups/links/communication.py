"""Groups that speak with each other, as spec B §8.7 draws it (rows IGL-01 to IGL-04)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, Protocol

from moothall.clock import Clock
from moothall.errors import MoothallError, PermissionDeniedError, ServiceNotFoundError, Told
from moothall.groups.links import model, passing
from moothall.groups.links.model import ConnectionType, InterGroupConnection, InterGroupPolicy
from moothall.groups.links.passing import Parcel
from moothall.groups.links.register import Links
from moothall.groups.model import Group
from moothall.groups.rows import rules
from moothall.groups.store import GroupStore
from moothall.identity.principal import OWNER, Principal
from moothall.policy.decision import PermissionResult

NO_CONNECTION: Final = "No connection between groups"
NOT_YOURS: Final = "only who rules a group proposes its links"
OUTSIDE: Final = "Communication not allowed outside group"


class NotConnected(ServiceNotFoundError, ConnectionError):
    """Two groups have no link over which this could pass (row IGL-03)."""


class Registry(Protocol):
    """What groups there are; `GroupRegistry` fills it."""

    async def get_group(self, group_id: str) -> Group:
        """A group.

        Raises:
            ServiceNotFoundError: there is none of that id.
        """
        ...

    async def is_member(self, group_id: str, did: str) -> bool:
        """Whether somebody is an active member of a group."""
        ...


class Policies(Protocol):
    """What holds between groups; `InterGroupPolicies` fills it."""

    def connection(self, group1: Group, group2: Group, kind: ConnectionType, by: Principal) -> PermissionResult:
        """Whether somebody may propose a link of a group with another."""
        ...

    def create(self, connection: InterGroupConnection) -> InterGroupPolicy:
        """What holds on a link."""
        ...

    def communication(self, connection: InterGroupConnection, parcel: Parcel, receiver: str) -> PermissionResult:
        """Whether something may pass over a link."""
        ...


class Broker(Protocol):
    """What brings messages where they go; `CommunicationBroker` fills it."""

    async def route_message(self, sender_group: str, receiver_group: str, message: Parcel) -> tuple[str, ...]:
        """Bring something over a link and on from there; the groups that it came into."""
        ...


class Received(Protocol):
    """Reads what a group was told."""

    async def __call__(self, group_id: str, seq: int, member: str, /) -> Mapping[str, Any] | None:
        """The payload of an event of a group, by its place; None where there is none that this member sees."""
        ...


class GroupRegistry:
    """The groups of a node, in its store."""

    def __init__(self, store: GroupStore) -> None:
        self._store = store

    async def get_group(self, group_id: str) -> Group:
        """A group that is active.

        Raises:
            ServiceNotFoundError: there is none of that id.
            StorageError: the store cannot say.
        """
        group = await self._store.get(group_id)
        if group is None or not group.active:
            raise ServiceNotFoundError("there is no such group", told=Told("links.no_group"))
        return group

    async def is_member(self, group_id: str, did: str) -> bool:
        """Whether somebody is an active member of an active group.

        Raises:
            StorageError: the store cannot say.
        """
        seen = await self._store.seen(group_id, [did])
        return seen is not None and did in seen.members


class InterGroupPolicies:
    """What holds between groups: who rules the first may ask for a link; over it passes what both agreed to."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def connection(self, group1: Group, group2: Group, kind: ConnectionType, by: Principal) -> PermissionResult:
        """Whether somebody rules the group that it proposes a link for."""
        del group2, kind
        if rules(group1, by):
            return PermissionResult.ALLOWED("the caller rules the group", "link")
        return PermissionResult.DENIED(NOT_YOURS, "link")

    def create(self, connection: InterGroupConnection) -> InterGroupPolicy:
        """What both owners agree to; it stands in the link."""
        return connection.policy

    def communication(self, connection: InterGroupConnection, parcel: Parcel, receiver: str) -> PermissionResult:
        """Whether something may pass: direction, links passed, size and kind."""
        return passing.judged(connection, parcel, receiver, self._clock.now())


@dataclass(frozen=True, slots=True)
class Routed:
    """What became of a message: its id, and the groups that it came into or was in before, in this order."""

    id: str
    groups: tuple[str, ...]


class InterGroupCommunication:
    """Links of groups, and what passes over them.

    Args:
        group_registry: what groups there are.
        inter_group_policies: what holds between them.
        communication_broker: brings messages where they go.
        links: the links.
        received: reads what a group was told, for what is passed on; None: nothing is.
        identity: as whom somebody is a member of groups.
        by: who acts; the node's own process unless given, here or for one call.
    """

    def __init__(
        self,
        *,
        group_registry: Registry,
        inter_group_policies: Policies,
        communication_broker: Broker,
        links: Links,
        received: Received | None = None,
        identity: Callable[[Principal], str] = attrgetter("id"),
        by: Principal = OWNER,
    ) -> None:
        self.group_registry = group_registry
        self.inter_group_policies = inter_group_policies
        self.communication_broker = communication_broker
        self.links = links
        self._received, self._identity, self._by = received, identity, by

    async def establish_group_connection(  # noqa: PLR0913 - terms of a link, given by their names
        self,
        group1_id: str,
        group2_id: str,
        connection_type: str,
        *,
        direction: str = "both",
        hops: int = model.USUAL_HOPS,
        policy: InterGroupPolicy | None = None,
        seconds: float | None = None,
        by: Principal | None = None,
    ) -> InterGroupConnection:
        """Propose a link for the first group; it is active once who rules the second has agreed (`Links.consent`).

        Raises:
            ServiceNotFoundError: there is no such group.
            PermissionDeniedError: the caller does not rule the first.
            InvalidInput: there is no such type or direction, or another term makes no sense.
            Conflict: they have such a link with other terms, or one of them has too many.
        """
        who = self._by if by is None else by
        kind = model.checked_type(connection_type)
        group1 = await self._proposing(group1_id, who)
        group2 = await self.group_registry.get_group(group2_id)
        permission = await self.check_connection_permission(group1, group2, kind, by=who)
        if not permission.allowed:
            raise _not_yours(permission.reason)
        connection = await self.links.propose(
            group1.id,
            group2.id,
            kind,
            direction=direction,
            hops=hops,
            policy=policy,
            seconds=seconds,
            by=who,
        )
        await self.create_inter_group_policy(connection)
        return connection

    async def _proposing(self, group_id: str, who: Principal) -> Group:
        """The group that proposes; who is not the operator hears of one that is missing what it hears of others'."""
        try:
            return await self.group_registry.get_group(group_id)
        except ServiceNotFoundError:
            if who.operator:
                raise
            raise _not_yours() from None

    async def check_connection_permission(
        self, group1: Group, group2: Group, connection_type: ConnectionType, *, by: Principal | None = None
    ) -> PermissionResult:
        """Whether the caller may propose a link of the first group with the second."""
        return self.inter_group_policies.connection(group1, group2, connection_type, self._by if by is None else by)

    async def create_inter_group_policy(self, connection: InterGroupConnection) -> InterGroupPolicy:
        """What holds on a link."""
        return self.inter_group_policies.create(connection)

    async def get_group_connection(
        self, sender_group: str, receiver_group: str, connection_type: ConnectionType = "message"
    ) -> InterGroupConnection | None:
        """The link of two groups that holds now; None where there is none.

        Raises:
            StorageError: the store cannot say.
        """
        return await self.links.between(sender_group, receiver_group, connection_type)

    async def apply_communication_policy(
        self, connection: InterGroupConnection, message: Parcel, receiver_group: str
    ) -> PermissionResult:
        """Whether something may pass over a link to this one of its groups."""
        return self.inter_group_policies.communication(connection, message, receiver_group)

    async def route_inter_group_message(
        self, sender_group: str, receiver_group: str, message: Mapping[str, Any], *, by: Principal | None = None
    ) -> Routed:
        """Send to another group, as a member of one that has a link with it (row IGL-03).

        Args:
            sender_group: that the caller is an active member of.
            receiver_group: where it goes.
            message: ``content``, for an event an ``event_type``, an ``id`` where there is one; or ``received``: the
                place of what the sender's group was told, which is passed on as what it is.
            by: who sends; its DID is proved, and no field of the message names one.

        Raises:
            PermissionDeniedError: the sender is no member, or the policy of the link does not let it pass.
            NotConnected: there is no link of that kind between the groups.
            InvalidInput: the message has another form.
            Conflict: the sender sent something else under this id.
            StorageError: the store failed.
        """
        who = self._by if by is None else by
        sender = self._identity(who) if who.verified else ""
        if not (sender and await self.group_registry.is_member(sender_group, sender)):
            raise PermissionDeniedError(OUTSIDE, told=Told("links.outside"))
        parcel = await self._parcel(sender_group, message, sender)
        connection = await self.get_group_connection(sender_group, receiver_group, parcel.kind)
        if connection is None:
            raise NotConnected(NO_CONNECTION, told=Told("links.no_connection"))
        permission = await self.apply_communication_policy(connection, parcel, receiver_group)
        if not permission.allowed:
            raise _blocked(permission.reason)
        return Routed(parcel.id, await self.communication_broker.route_message(sender_group, receiver_group, parcel))

    async def _parcel(self, group: str, message: Mapping[str, Any], sender: str) -> Parcel:
        place = message.get("received")
        if place is None:
            return passing.read(message, sender, group, secrets.token_hex(16))
        payload = None
        if self._received is not None and type(place) is int and place >= 0:
            payload = await self._received(group, place, sender)
        if payload is None:
            raise ServiceNotFoundError("the group was told no such thing", told=Told("links.not_received"))
        return passing.again(payload, group)


def _not_yours(reason: str = NOT_YOURS) -> MoothallError:
    return PermissionDeniedError(reason, told=Told("links.not_yours"))


def _blocked(reason: str) -> MoothallError:
    return PermissionDeniedError(
        f"Communication blocked by group policy: {reason}",
        told=Told("links.blocked", {"reason": reason}),
        details={"reason": reason},
    )
