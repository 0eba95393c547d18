"""How a person stands to others: trust, consent, block (storage of rows POL-11 and POL-12).

``trust``: how far, 1 to 10; ``consent``: may have what is personal; ``block``: is refused. They speak of a DID or of
``user:NAME`` with all of its agents.
"""

from __future__ import annotations

from typing import Final, Literal

import sqlalchemy as sa
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy.engine import Connection

from moothall.audit.changing import Change, recorded
from moothall.errors import Conflict, Told
from moothall.identity.principal import OWNER, Principal
from moothall.people import rows
from moothall.people.parties import checked_id, checked_party, user
from moothall.people.profiles import checked_level
from moothall.people.rights import check_person
from moothall.people.store import PeopleStore
from moothall.storage.authority import person_relation

Kind = Literal["trust", "consent", "block"]

MOST: Final = 10_000
"""Relations of one person: all of them are part of its facts."""
PAGE: Final = 200


class Relation(BaseModel):
    """One of them; `level` is 0 unless it is trust."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    subject: str
    level: int = 0
    created_at: AwareDatetime


class Relations:
    """The relations of people. Who acts is `by`; the node's own process unless given."""

    def __init__(self, store: PeopleStore) -> None:
        self._store = store

    async def of(self, user_id: str, kind: Kind, *, after: str = "", by: Principal = OWNER) -> list[Relation]:
        """The next `PAGE` relations of a person and kind, by their subjects, after `after`.

        Raises:
            PermissionDeniedError: `by` is neither the person nor the operator.
        """
        query = (
            sa.select(person_relation)
            .where(
                person_relation.c.person == user_id,
                person_relation.c.kind == kind,
                person_relation.c.subject > after,
            )
            .order_by(person_relation.c.subject)
            .limit(PAGE)
        )

        def look(connection: Connection) -> list[Relation]:
            check_person(by, user_id)
            return [
                Relation(kind=row.kind, subject=row.subject, level=row.level, created_at=row.created_at)
                for row in connection.execute(query)
            ]

        return await self._store.read(look)

    async def relate(
        self, user_id: str, kind: Kind, subject: str, level: int = 0, *, by: Principal = OWNER
    ) -> Relation:
        """Let a person stand so to somebody, from the next call on; an earlier level is replaced.

        Raises:
            PermissionDeniedError: `by` is neither the person nor the operator.
            InvalidInput: the subject is no party, or trust has no level of 1 to 10.
            Conflict: the person has `MOST` relations.
        """
        name, other = checked_id(user_id), checked_party(subject)
        number = checked_level(level) if kind == "trust" else 0
        key = _key(name, kind, other)

        def relate(connection: Connection) -> Change[Relation]:
            check_person(by, name)
            now = self._store.clock.now()
            rows.ensure_person(connection, name, now)
            found = connection.execute(sa.select(person_relation).where(*key)).one_or_none()
            if found is None:
                _check_room(connection, name)
                values = {"person": name, "kind": kind, "subject": other, "level": number, "created_at": now}
                connection.execute(sa.insert(person_relation).values(values))
            elif found.level == number:
                return Change(Relation(kind=kind, subject=other, level=number, created_at=found.created_at))
            else:
                connection.execute(sa.update(person_relation).where(*key).values(level=number))
            made = Relation(
                kind=kind, subject=other, level=number, created_at=now if found is None else found.created_at
            )
            record = recorded(by, kind, user(name), subject=other, level=number)
            return Change(made, rows.touched_by(connection, name), record)

        return await self._store.change(relate)

    async def unrelate(self, user_id: str, kind: Kind, subject: str, *, by: Principal = OWNER) -> bool:
        """Take a relation back, from the next call on; False where there was none.

        Raises:
            PermissionDeniedError: `by` is neither the person nor the operator.
        """

        def unrelate(connection: Connection) -> Change[bool]:
            check_person(by, user_id)
            if not connection.execute(sa.delete(person_relation).where(*_key(user_id, kind, subject))).rowcount:
                return Change(result=False)
            record = recorded(by, f"end_{kind}", user(user_id), subject=subject)
            return Change(result=True, touched=rows.touched_by(connection, user_id), record=record)

        return await self._store.change(unrelate)


def _key(name: str, kind: Kind, subject: str) -> tuple[sa.ColumnElement[bool], ...]:
    table = person_relation.c
    return table.person == name, table.kind == kind, table.subject == subject


def _check_room(connection: Connection, name: str) -> None:
    count = sa.select(sa.func.count()).where(person_relation.c.person == name)
    if connection.execute(count).scalar_one() >= MOST:
        raise Conflict("the person has too many relations", told=Told("people.relations_most", {"most": MOST}))
