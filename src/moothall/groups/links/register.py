"""The links of a node: proposed, agreed to by the other owner, closed by either (rows IGL-02, IGL-04, IGL-05)."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.engine import Connection

from moothall.audit.changing import Change, recorded
from moothall.errors import Conflict, ServiceNotFoundError, Told
from moothall.groups import rows as groups
from moothall.groups.links import model, rows
from moothall.groups.links.model import ConnectionType, InterGroupConnection, InterGroupPolicy
from moothall.groups.model import Group, NoAccess
from moothall.groups.store import GroupStore
from moothall.identity.principal import OWNER, Principal

MOST_OPEN: Final = 100
"""Links of one group that nobody has closed."""


class Links:
    """The links. Who acts is `by`, who must own one of the groups; the node's own process unless given.

    An owner that rules both groups, such as the operator, agrees for each of them in a step of its own.
    """

    def __init__(self, store: GroupStore) -> None:
        self._store = store

    async def propose(  # noqa: PLR0913 - terms of a link, given by their names
        self,
        group: str,
        other: str,
        kind: str,
        *,
        direction: str = "both",
        hops: int = model.USUAL_HOPS,
        policy: InterGroupPolicy | None = None,
        seconds: float | None = None,
        by: Principal = OWNER,
    ) -> InterGroupConnection:
        """Propose a link of `group`, which `by` rules, with another one; the same proposal again changes nothing.

        Raises:
            PermissionDeniedError: `by` does not rule the first group, or there is none such.
            ServiceNotFoundError: there is no other group of that id.
            InvalidInput: terms that make no sense.
            Conflict: the groups have a link of that type with other terms, or one of them has too many.
        """
        now = self._now()
        made = model.proposed(
            f"lk-{secrets.token_hex(8)}",
            group,
            other,
            kind,
            by=by.id,
            now=now,
            direction=direction,
            hops=hops,
            policy=policy,
            expires_at=None if seconds is None else as_kept(now + timedelta(seconds=seconds)),
        )

        def propose(connection: Connection) -> Change[InterGroupConnection]:
            _ruled(connection, group, by)
            _existing(connection, other)
            for known in rows.between(connection, group, other, made.connection_type):
                if known.open(now):
                    return Change(_repeated(known, made))
            for each in made.groups:
                _check_room(connection, each)
            rows.insert(connection, made)
            return Change(made, frozenset(), recorded(by, "propose_link", made.id, **model.json_of(made)))

        return await self._store.change(propose)

    async def consent(self, link_id: str, group: str = "", *, by: Principal = OWNER) -> InterGroupConnection:
        """Agree to a link for the group that has not yet; from the next message or call on it counts.

        Args:
            link_id: of a proposal.
            group: for which of them; empty: for the one that has not agreed.
            by: who rules that group.

        Raises:
            PermissionDeniedError: `by` does not rule that group, or knows of no such link.
            Conflict: the link is over.
        """
        now = self._now()

        def consent(connection: Connection) -> Change[InterGroupConnection]:
            known = _known(connection, link_id, by)
            missing = known.group2 if known.consent1 else known.group1
            side = group or missing
            if side not in known.groups:
                raise NoAccess
            _ruled(connection, side, by)
            _existing(connection, known.other(side))
            agreed = model.consented(known, side, by.id, now)
            if agreed == known:
                return Change(model.shown(known, now))
            rows.write(connection, agreed)
            return Change(agreed, touched_by(connection, agreed), recorded(by, "consent_link", link_id, group=side))

        return await self._store.change(consent)

    async def close(self, link_id: str, *, by: Principal = OWNER) -> bool:
        """Take a link or a proposal back, for one of its groups, from the next message or call on.

        Raises:
            PermissionDeniedError: `by` rules neither group, or knows of no such link.
        """
        now = self._now()

        def close(connection: Connection) -> Change[bool]:
            known = _known(connection, link_id, by)
            done = model.closed(known, now)
            if done == known:
                return Change(result=False)
            rows.write(connection, done)
            record = recorded(by, "close_link", link_id, group1=known.group1, group2=known.group2)
            return Change(result=True, touched=touched_by(connection, known), record=record)

        return await self._store.change(close)

    async def of(self, group: str, *, after: str = "", by: Principal = OWNER) -> list[InterGroupConnection]:
        """The links of a group, a thousand at a time, for who rules it: owners see both ends, nobody else anything.

        Raises:
            PermissionDeniedError: `by` does not rule it, or there is no such group.
        """
        now = self._now()

        def look(connection: Connection) -> list[InterGroupConnection]:
            _ruled(connection, group, by)
            return [model.shown(link, now) for link in rows.of_group(connection, group, after=after)]

        return await self._store.read(look)

    async def get(self, link_id: str, *, by: Principal = OWNER) -> InterGroupConnection:
        """One link, for the owners of its groups.

        Raises:
            PermissionDeniedError: `by` is none of them, or there is no such link.
        """
        now = self._now()
        return await self._store.read(lambda connection: model.shown(_known(connection, link_id, by), now))

    async def between(self, one: str, other: str, kind: ConnectionType | None = None) -> InterGroupConnection | None:
        """The link of two groups that holds now, whoever asks; None where there is none."""
        now = self._now()
        found = await self._store.read(lambda connection: rows.between(connection, one, other, kind))
        return next((link for link in found if link.holds(now)), None)

    async def around(self, group: str) -> list[InterGroupConnection]:
        """The links of a group that hold now, whoever asks."""
        now = self._now()
        return await self._store.read(lambda connection: rows.active_of(connection, [group], now))

    def _now(self) -> datetime:
        return as_kept(self._store.clock.now())


def as_kept(moment: datetime) -> datetime:
    """A moment as every database keeps it: whole milliseconds."""
    return moment.replace(microsecond=moment.microsecond // 1_000 * 1_000)


def close_all(connection: Connection, group: str, store: GroupStore) -> frozenset[str]:
    """Close every link of a group that is dissolved, in the transaction that does it; whose rights that changes."""
    now, touched = as_kept(store.clock.now()), frozenset[str]()
    for link in rows.open_of(connection, group):
        if (done := model.closed(link, now)) != link:
            rows.write(connection, done)
        touched |= touched_by(connection, link)
    return touched


def _ruled(connection: Connection, group_id: str, by: Principal) -> Group:
    group = groups.ruled(connection, group_id, by)
    if not group.active:
        raise NoAccess
    return group


def _existing(connection: Connection, group_id: str) -> None:
    group = groups.find(connection, group_id)
    if group is None or not group.active:
        raise ServiceNotFoundError("there is no such group", told=Told("links.no_group"))


def _known(connection: Connection, link_id: str, by: Principal) -> InterGroupConnection:
    """A link that `by` may know of. Raises NoAccess."""
    link = rows.find(connection, link_id)
    if link is None:
        raise NoAccess
    for group_id in link.groups:
        group = groups.find(connection, group_id)
        if group is not None and groups.rules(group, by):
            return link
    raise NoAccess


def _repeated(known: InterGroupConnection, made: InterGroupConnection) -> InterGroupConnection:
    """A link that is there already, where the same was asked for by the side that asked before."""
    agreed = (known.consent1 and made.consent1) or (known.consent2 and made.consent2)
    if agreed and model.same_terms(known, made):
        return known
    raise Conflict("the groups have such a link", told=Told("links.there"), details={"link": known.id})


def _check_room(connection: Connection, group: str) -> None:
    if rows.count_open(connection, group) >= MOST_OPEN:
        raise Conflict("the group has too many links", told=Told("links.most", {"most": MOST_OPEN}))


def touched_by(connection: Connection, link: InterGroupConnection) -> frozenset[str]:
    """Whose rights a link changes: who may call by it."""
    if link.connection_type != "call":
        return frozenset()
    return groups.touched(connection, link.group1) | groups.touched(connection, link.group2)
