"""Who makes groups, rules them, and is in them (spec B §8.1; rows GRP-01 to GRP-04, GRP-09).

Who acts is `by`, a verified principal; a group that somebody has no access to looks to it like one that there is not.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.engine import Connection

from moothall.audit.changing import Change, recorded
from moothall.errors import ChannelNotFound, Conflict, InvalidInput, Told
from moothall.events.model import Draft, Event
from moothall.events.topics import Appended, Topics
from moothall.groups import rows
from moothall.groups.channel import JOIN, KIND, LEAVE, MOVES
from moothall.groups.links.register import close_all
from moothall.groups.model import (
    MEMBER,
    PERSONAL,
    USUAL,
    Group,
    GroupPolicy,
    Member,
    NoAccess,
    checked_group_id,
    checked_role,
    personal_id,
    reserved,
    topic_of,
)
from moothall.groups.store import GroupStore
from moothall.identity.principal import OWNER, Principal
from moothall.people.parties import checked_did, checked_id, checked_party, user
from moothall.people.rights import is_person
from moothall.people.rows import agent_of, agents_of

_ID_BYTES = 8


Within = Callable[[Connection], Callable[[], None]]
"""Something more that is done in the transaction of a change; it gives what is to be called after the commit."""


def _nothing() -> None:
    """Nothing more is to be done."""


class Withdraw(Protocol):
    """Takes back what members were lent as members, in the transaction in which they leave."""

    def __call__(
        self, connection: Connection, group: Group, gone: Collection[str] | None, by: Principal
    ) -> tuple[dict[str, Any], Callable[[], None]]:
        """Take it back from these, None: from everybody.

        Returns:
            What the group keeps of its secondary authorization, and what is to be called after the commit.
        """
        ...


class Own(Protocol):
    """Says which agents this node hosts; the office of identities fills it."""

    def is_own(self, did: str) -> bool:
        """Whether an agent of this node has this DID."""
        ...


@dataclass(frozen=True, slots=True)
class Moved:
    """A change of who is in a group.

    Attributes:
        group: as it is now.
        member: as it is now, or was before it left; None: nothing was changed.
        event: with which the group's topic tells that somebody came or went; None: nobody did.
    """

    group: Group
    member: Member | None
    event: Event | None = None


class Groups:
    """The groups of one store.

    Attributes:
        store: where they are.
        house: the DID of the node's own agent, in whose name its operator acts.
    """

    def __init__(self, store: GroupStore, own: Own, house: str, topics: Topics) -> None:
        self.store, self.house = store, house
        self._own, self._topics = own, topics
        self._withdraw: Withdraw | None = None

    def on_leave(self, withdraw: Withdraw) -> None:
        """Take back by this what members were lent."""
        self._withdraw = withdraw

    def identity(self, by: Principal) -> str:
        """As whom somebody is in groups: the operator as the node's own agent.

        Raises:
            PermissionDeniedError: nothing proved who it is.
        """
        if by.operator:
            return self.house
        if not by.verified:
            raise NoAccess().told()
        return by.id

    async def create(
        self,
        group_id: str = "",
        members: Mapping[str, str] | Iterable[str] = (),
        *,
        owner: str = "",
        kind: str = USUAL,
        title: str = "",
        policy: GroupPolicy | None = None,
        by: Principal = OWNER,
    ) -> Group:
        """Make a group; ``members`` are DIDs, or DIDs with their roles. Who makes it owns it.

        An owner that is an agent is a member. Agents of this node that its operator takes in, and those of the owner's
        own person, count at once; all others are invited.

        Raises:
            PermissionDeniedError: only the operator makes groups for others.
            Conflict: the id is in use, or the owner has too many groups.
            InvalidInput: an id, a DID or a role has no such form.
        """
        me = self.identity(by)
        whose = checked_party(owner or me)
        if (whose != me and not by.operator) or not (by.operator or by.kind in {"did", "user"}):
            raise NoAccess().told()
        name = checked_group_id(group_id) if group_id else f"group-{secrets.token_hex(_ID_BYTES)}"
        if reserved(name):
            raise Conflict("ids of this form are for the groups of people", told=Told("groups.reserved"))
        wanted = _with_roles(members)
        if whose.startswith("did:"):
            wanted.setdefault(whose, MEMBER)
        rows.check_some(wanted)

        def create(connection: Connection) -> Change[Group]:
            made = self._made(name, kind=kind, title=title, owner=whose, policy=policy)
            if not rows.insert(connection, made):
                raise Conflict("a group of that id is there", told=Told("groups.taken"))
            return self._begun(connection, made, wanted, by)

        return await self.store.change(create)

    async def create_personal(
        self, person: str, agents: Iterable[str], policy: GroupPolicy, *, by: Principal = OWNER
    ) -> Group:
        """Make the group of a person's agents; a second equal call changes nothing (row GRP-02).

        Raises:
            PermissionDeniedError: `by` is neither the person nor the operator, or an agent is not the person's.
            Conflict: the group is there, with other agents.
            InvalidInput: a name or DID has no such form.
        """
        name, dids = checked_id(person), {checked_did(did) for did in agents}
        rows.check_some(dids)

        def create(connection: Connection) -> Change[Group]:
            if not (by.operator or is_person(by, name)):
                raise NoAccess
            roles = {agent.did: agent.role for agent in agents_of(connection, name)}
            if dids - roles.keys():
                raise NoAccess
            known = rows.find(connection, personal_id(name))
            if known is not None and known.active:
                if rows.touched(connection, known.id) != dids:
                    raise Conflict("the group is there, with other agents", told=Told("groups.taken"))
                return Change(known)
            wanted = {did: roles[did] or MEMBER for did in dids}
            made = self._made(personal_id(name), kind=PERSONAL, title="", owner=user(name), policy=policy)
            if known is not None:
                made = rows.edit(connection, known, self._now(), status="active", policy=policy, title="")
            else:
                rows.insert(connection, made)
            return self._begun(connection, made, wanted, by)

        return await self.store.change(create)

    async def add(
        self, group_id: str, did: str, role: str = "", *, revision: int | None = None, by: Principal = OWNER
    ) -> Moved:
        """Take an agent in, invite it, or give it another role. ``revision``: of the group as it was read.

        Raises:
            PermissionDeniedError: `by` does not rule the group, or there is none.
            Conflict: the group was changed meanwhile, is full, or the agent is in too many.
            InvalidInput: it is no DID, or the role has no such form.
        """
        party, word = checked_did(did), checked_role(role) if role else ""
        self.identity(by)

        def add(connection: Connection) -> Change[Moved]:
            group = _alive(rows.ruled(connection, group_id, by, revision))
            known = rows.member_of(connection, group_id, party)
            state = self._state(connection, group, party, by)
            if known is not None and (known.state == "active" or state == "invited"):
                state = known.state
            after = Member(
                member=party,
                role=word or (known.role if known else MEMBER),
                state=state,
                joined_at=known.joined_at if known and known.state == state else self._now(),
            )
            if after == known:
                return Change(Moved(group, None))
            if known is None:
                rows.check_room(connection, group_id)
            return self._entered(connection, group, known, after, by)

        return await self.store.change(add)

    async def join(self, group_id: str, *, by: Principal) -> Moved:
        """Become a member of a group that invited the caller, or that is open.

        Raises:
            PermissionDeniedError: neither is so, or there is no such group.
            Conflict: the group is full, or the caller in too many.
        """
        me = self.identity(by)

        def join(connection: Connection) -> Change[Moved]:
            group = rows.find(connection, group_id)
            if group is None or not group.active or not me.startswith("did:"):
                raise NoAccess
            known = rows.member_of(connection, group_id, me)
            if known is not None and known.state == "active":
                return Change(Moved(group, None))
            if known is None:
                if group.policy.join != "open":
                    raise NoAccess
                rows.check_room(connection, group_id)
            role = known.role if known else MEMBER
            return self._entered(
                connection, group, known, Member(member=me, role=role, state="active", joined_at=self._now()), by
            )

        return await self.store.change(join)

    async def remove(self, group_id: str, did: str, *, revision: int | None = None, by: Principal = OWNER) -> Moved:
        """Take a member out, as who rules the group or as that member; whom it was not in stays so.

        Raises:
            PermissionDeniedError: `by` is neither, or there is no such group.
            Conflict: the group was changed meanwhile, or the member owns it.
        """
        me = self.identity(by)
        if did == me and not me.startswith("did:"):
            raise NoAccess().told()  # who is no agent is in no group
        party = checked_did(did)

        def remove(connection: Connection) -> Change[Moved]:
            group = rows.find(connection, group_id)
            known = rows.member_of(connection, group_id, party)
            if group is None or known is None or me != party:
                group = rows.ruled(connection, group_id, by, revision)
            if known is None:
                return Change(Moved(group, None))
            if party == group.owner and group.active:
                raise Conflict("the owner cannot leave", told=Told("groups.owner_stays"))
            rows.take_out(connection, group_id, party)
            after, withdrawn = self._left(connection, group, {party}, by)
            record = recorded(by, "remove_member", group_id, member=party)
            told = self._told(connection, LEAVE, after, known, by) if known.state == "active" else None
            return Change(Moved(after, known, _event(told)), frozenset({party}), record, self._shown(told, withdrawn))

        return await self.store.change(remove)

    async def transfer(self, group_id: str, owner: str, *, revision: int | None = None, by: Principal = OWNER) -> Group:
        """Give a group to another owner, who is a member; from then on that one rules it, and nobody else.

        Raises:
            PermissionDeniedError: `by` does not rule the group, or there is none.
            Conflict: the group was changed meanwhile, the new owner is no member, or has too many groups.
        """
        party = checked_party(owner)

        def transfer(connection: Connection) -> Change[Group]:
            group = _alive(rows.ruled(connection, group_id, by, revision))
            if group.owner == party:
                return Change(group)
            if group.kind == PERSONAL:
                raise Conflict("this group stays its person's", told=Told("groups.personal"))
            if not rows.some(connection, group_id, [party]):
                raise Conflict("the new owner is no member", told=Told("groups.owner_member"))
            after = rows.edit(connection, group, self._now(), owner=party)
            rows.check_owned(connection, party)
            return Change(after, frozenset(), recorded(by, "transfer_group", group_id, before=group.owner, owner=party))

        return await self.store.change(transfer)

    async def change(
        self,
        group_id: str,
        *,
        policy: GroupPolicy | None = None,
        title: str | None = None,
        secondary: Mapping[str, Any] | None = None,
        revision: int | None = None,
        within: Within | None = None,
        by: Principal = OWNER,
    ) -> Group:
        """Change what holds in a group; what is None stays. ``within``: something more that is done with it.

        Raises:
            PermissionDeniedError: `by` does not rule the group, or there is none.
            Conflict: the group was changed meanwhile.
        """
        given = {"policy": policy, "title": title, "secondary": None if secondary is None else dict(secondary)}
        values = {name: value for name, value in given.items() if value is not None}

        def change(connection: Connection) -> Change[Group]:
            group = _alive(rows.ruled(connection, group_id, by, revision))
            if within is None and group.model_copy(update=values) == group:
                return Change(group)
            after = rows.edit(connection, group, self._now(), **values)
            touched = rows.touched(connection, group_id) if policy is not None else frozenset()
            committed = _nothing if within is None else within(connection)
            return Change(after, touched, recorded(by, "change_group", group_id, changed=sorted(values)), committed)

        return await self.store.change(change)

    async def dissolve(self, group_id: str, *, by: Principal = OWNER) -> bool:
        """End a group: nobody is in it any more. Its id is not given to another one; False where it was so before.

        Raises:
            PermissionDeniedError: `by` does not rule the group, or there is none.
        """

        def dissolve(connection: Connection) -> Change[bool]:
            group = rows.ruled(connection, group_id, by)
            if not group.active:
                return Change(result=False)
            touched = rows.touched(connection, group_id)
            rows.take_out(connection, group_id)
            _, withdrawn = self._left(connection, group, None, by, status="dissolved")
            touched |= close_all(connection, group_id, self.store)
            record = recorded(by, "dissolve_group", group_id)
            return Change(result=True, touched=touched, record=record, committed=withdrawn)

        return await self.store.change(dissolve)

    def _now(self) -> datetime:
        now = self.store.clock.now()
        return now.replace(microsecond=now.microsecond // 1_000 * 1_000)  # as SQLite keeps it

    def _made(self, name: str, *, kind: str, title: str, owner: str, policy: GroupPolicy | None) -> Group:
        if len(title) > 200 or not checked_role(kind):  # noqa: PLR2004
            raise InvalidInput("the title is too long", told=Told("groups.title", {"most": 200}))
        now = self._now()
        return Group(
            id=name,
            kind=kind,
            title=title,
            owner=owner,
            policy=policy or GroupPolicy(),
            created_at=now,
            updated_at=now,
        )

    def _begun(self, connection: Connection, made: Group, wanted: Mapping[str, str], by: Principal) -> Change[Group]:
        for did, role in wanted.items():
            state = self._state(connection, made, did, by)
            rows.enter(connection, made.id, Member(member=did, role=role, state=state, joined_at=made.updated_at))
        rows.check_owned(connection, made.owner)
        rows.check_places(connection, wanted)
        record = recorded(by, "create_group", made.id, owner=made.owner, members=len(wanted))
        return Change(made, frozenset(wanted), record)

    def _entered(
        self, connection: Connection, group: Group, known: Member | None, after: Member, by: Principal
    ) -> Change[Moved]:
        rows.enter(connection, group.id, after)
        if after.state == "active":
            rows.check_places(connection, [after.member])
        changed = rows.edit(connection, group, self._now())
        record = recorded(by, "add_member", group.id, member=after.member, role=after.role, state=after.state)
        came = after.state == "active" and (known is None or known.state != "active")
        told = self._told(connection, JOIN, changed, after, by) if came else None
        return Change(Moved(changed, after, _event(told)), frozenset({after.member}), record, self._shown(told))

    def _told(self, connection: Connection, type_: str, group: Group, member: Member, by: Principal) -> Appended | None:
        """Tell the group's topic that somebody came or went, in the transaction that does it; None: it was erased.

        So whenever this process ends, who is in a group and what its topic says of that agree.
        """
        key = f"{MOVES[type_]}.{group.revision}"
        said = {"id": key, "sender": member.member, "member": member.member, "role": member.role, "group": group.id}
        draft = Draft(key, type_, {**said, "by": self.identity(by)})
        try:
            return self._topics.append_within(connection, topic_of(group.id), KIND, draft, subject=group.id)
        except ChannelNotFound:  # who leaves a group whose words were erased leaves it all the same
            return None

    def _shown(self, told: Appended | None, before: Callable[[], None] = _nothing) -> Callable[[], None]:
        def shown() -> None:
            before()
            if told is not None:
                self._topics.shown(told)

        return shown

    def _left(
        self, connection: Connection, group: Group, gone: Collection[str] | None, by: Principal, **values: object
    ) -> tuple[Group, Callable[[], None]]:
        """Write that these are in a group no more; what they were lent as its members ends with it."""
        if self._withdraw is None:
            return rows.edit(connection, group, self._now(), **values), _nothing
        secondary, withdrawn = self._withdraw(connection, group, gone, by)
        return rows.edit(connection, group, self._now(), secondary=secondary, **values), withdrawn

    def _state(self, connection: Connection, group: Group, did: str, by: Principal) -> Any:  # noqa: ANN401 - a State
        """Whom nobody needs to ask: the owner itself, agents of its person, and those of the operator's own node."""
        if did in {group.owner, by.id} or (by.operator and self._own.is_own(did)):
            return "active"
        agent = agent_of(connection, did)
        return "active" if agent is not None and user(agent.user_id) in {group.owner, by.id} else "invited"


def _event(told: Appended | None) -> Event | None:
    return None if told is None else told.events[0]


def _alive(group: Group) -> Group:
    if not group.active:
        raise Conflict("the group was dissolved", told=Told("groups.dissolved"))
    return group


def _with_roles(members: Mapping[str, str] | Iterable[str]) -> dict[str, str]:
    given = members if isinstance(members, Mapping) else dict.fromkeys(members, "")
    return {checked_did(did): checked_role(role) if role else MEMBER for did, role in given.items()}
