"""What teams let each other do, once both have agreed (spec B §7.3, `CollaborationPolicies`; rows TEA-04, TEA-05)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Final

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.engine import Connection

from moothall.audit.changing import Change, recorded
from moothall.errors import Conflict, InvalidInput, ServiceNotFoundError, Told
from moothall.identity.principal import OWNER, Principal
from moothall.people import stored, unit_rows
from moothall.people.facts import Collaboration
from moothall.people.rights import NotAllowed, check_one_of
from moothall.people.store import PeopleStore
from moothall.people.teams import rules_of
from moothall.people.units import TEAM
from moothall.storage.authority import collaboration

MOST: Final = 100
"""Agreements of two teams with each other in one direction, open ones included."""
SHOWN: Final = 1_000


class Agreement(BaseModel):
    """What the members of `guest` may do at `host`, once both have agreed and until `expires` (Unix seconds)."""

    model_config = ConfigDict(frozen=True)

    id: str
    host: str
    guest: str
    actions: frozenset[str]
    capabilities: frozenset[str] = frozenset()
    project: str = ""
    expires: int | None = None
    host_agreed: bool = False
    guest_agreed: bool = False


class CollaborationPolicies:
    """The agreements of teams. Who acts is `by`; the node's own process unless given."""

    def __init__(self, store: PeopleStore) -> None:
        self._store = store

    async def propose(
        self,
        host: str,
        guest: str,
        actions: Iterable[str],
        *,
        capabilities: Iterable[str] = (),
        project: str = "",
        seconds: int | None = None,
        by: Principal = OWNER,
    ) -> Agreement:
        """Propose that the members of `guest` may do `actions` at the agents of `host`.

        It is agreed by the team that `by` rules, the host where it rules both; the other one has to `agree`.

        Args:
            host: the team whose agents are called.
            guest: the team whose members call.
            actions: of the policy; the host's rules bound them.
            capabilities: ids; only these of what the host's members offer to each other. None: all of that.
            project: a name; such an agreement has an end. Empty: an access for good.
            seconds: how long it counts from now on; None: until one of the teams takes it back.
            by: an owner of one of the teams, or the node's operator.

        Raises:
            PermissionDeniedError: `by` rules neither team.
            InvalidInput: the host's rules do not allow it, or one of them is no team.
            Conflict: the teams have too many agreements.
        """
        asked, only = frozenset(actions), frozenset(capabilities)
        now = int(self._store.clock.now().timestamp())
        made = Agreement(
            id=f"co-{secrets.token_hex(8)}",
            host=host,
            guest=guest,
            actions=asked,
            capabilities=only,
            project=project,
            expires=None if seconds is None else now + seconds,
        )

        def propose(connection: Connection) -> Change[Agreement]:
            side = _side(connection, made, by)
            _check_teams(connection, host, guest, by)
            rules_of(connection, host).check(asked, project=bool(project), seconds=seconds)
            agreed = made.model_copy(update={side: True})
            _insert(connection, agreed, self._store)
            details = agreed.model_dump(mode="json", exclude={"id"})
            return Change(agreed, frozenset(), recorded(by, "propose_collaboration", made.id, **details))

        return await self._store.change(propose)

    async def agree(self, agreement_id: str, *, by: Principal = OWNER) -> Agreement:
        """Agree for the team that has not yet; both have then, and it counts from the next call on.

        Raises:
            PermissionDeniedError: `by` does not rule that team, or knows of no such agreement.
            InvalidInput: the host's rules do not allow it any more.
        """

        def agree(connection: Connection) -> Change[Agreement]:
            known = _find(connection, agreement_id, by)
            if known.host_agreed and known.guest_agreed:
                _side(connection, known, by)
                return Change(known)
            missing, team = ("guest_agreed", known.guest) if known.host_agreed else ("host_agreed", known.host)
            unit_rows.check_owner(connection, team, by)
            left = None if known.expires is None else known.expires - int(self._store.clock.now().timestamp())
            rules_of(connection, known.host).check(known.actions, project=bool(known.project), seconds=left)
            connection.execute(
                sa.update(collaboration).where(collaboration.c.id == agreement_id).values({missing: True})
            )
            agreed = known.model_copy(update={missing: True})
            record = recorded(by, "agree_collaboration", agreement_id, team=team)
            return Change(agreed, unit_rows.touched(connection, known.guest), record)

        return await self._store.change(agree)

    async def withdraw(self, agreement_id: str, *, by: Principal = OWNER) -> bool:
        """Take an agreement or a proposal back, for one of its teams, from the next call on.

        Raises:
            PermissionDeniedError: `by` rules neither team, or knows of no such agreement.
        """

        def withdraw(connection: Connection) -> Change[bool]:
            known = _find(connection, agreement_id, by)
            _side(connection, known, by)
            connection.execute(sa.delete(collaboration).where(collaboration.c.id == agreement_id))
            record = recorded(by, "withdraw_collaboration", agreement_id, host=known.host, guest=known.guest)
            return Change(result=True, touched=unit_rows.touched(connection, known.guest), record=record)

        return await self._store.change(withdraw)

    async def of(self, team: str, *, by: Principal = OWNER) -> list[Agreement]:
        """What a team agreed on or was asked for, for its members and who rules it.

        Raises:
            PermissionDeniedError: `by` is neither.
        """
        either = sa.or_(collaboration.c.host == team, collaboration.c.guest == team)
        query = sa.select(collaboration).where(either).order_by(collaboration.c.id).limit(SHOWN)

        def look(connection: Connection) -> list[Agreement]:
            if not (by.verified and unit_rows.belongs(connection, [team], by.id)):
                unit_rows.check_owner(connection, team, by)
            return [_made(row) for row in connection.execute(query)]

        return await self._store.read(look)


def _check_teams(connection: Connection, host: str, guest: str, by: Principal) -> None:
    if host == guest:
        raise InvalidInput("a team does not agree with itself", told=Told("people.same_team"))
    for team in (host, guest):
        if unit_rows.find(connection, team, by).kind != TEAM:
            raise InvalidInput("it is no team", told=Told("people.no_team", {"unit": team}))


def _side(connection: Connection, agreement: Agreement, by: Principal) -> str:
    """For which of the teams `by` speaks, as the name of its field; the host where it rules both. Raises NotAllowed."""
    hosts = unit_rows.owners(connection, unit_rows.line(connection, agreement.host))
    if by.operator or (by.verified and by.id in hosts):
        return "host_agreed"
    check_one_of(by, unit_rows.owners(connection, unit_rows.line(connection, agreement.guest)))
    return "guest_agreed"


def _insert(connection: Connection, agreement: Agreement, store: PeopleStore) -> None:
    pair = (collaboration.c.host == agreement.host, collaboration.c.guest == agreement.guest)
    now = store.clock.now()
    connection.execute(sa.delete(collaboration).where(*pair, collaboration.c.expires <= int(now.timestamp())))
    if connection.execute(sa.select(sa.func.count()).where(*pair)).scalar_one() >= MOST:
        raise Conflict("the teams have too many agreements", told=Told("people.agreements_most", {"most": MOST}))
    lists = {name: json.dumps(sorted(getattr(agreement, name))) for name in ("actions", "capabilities")}
    values = agreement.model_dump() | lists | {"created_at": now}
    connection.execute(sa.insert(collaboration).values(values))


def _find(connection: Connection, agreement_id: str, by: Principal) -> Agreement:
    row = connection.execute(sa.select(collaboration).where(collaboration.c.id == agreement_id)).one_or_none()
    if row is None:
        if by.operator:
            raise ServiceNotFoundError("no such agreement", told=Told("people.no_agreement"))
        raise NotAllowed
    return _made(row)


def _made(row: Any) -> Agreement:  # noqa: ANN401 - a row of the table
    agreed = stored.agreed(row) or Collaboration(id=row.id, host=row.host, guest=row.guest, actions=frozenset())
    values = {field.name: getattr(agreed, field.name) for field in fields(agreed)}
    return Agreement(**values, host_agreed=row.host_agreed, guest_agreed=row.guest_agreed)
