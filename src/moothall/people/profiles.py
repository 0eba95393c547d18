"""The profiles of people: changed by the person, judged by the node's operator (row UID-08, PRM-04)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.audit.changing import Change, recorded
from moothall.canonical import dumps
from moothall.errors import InvalidInput, Told
from moothall.identity.principal import OWNER, Principal
from moothall.people import rows
from moothall.people.facts import LEAST_TRUST, MOST_TRUST
from moothall.people.parties import checked_id, user
from moothall.people.profile import PersonPolicy, UserProfile, Verification, moved
from moothall.people.rights import check_operator, check_person
from moothall.people.store import PeopleStore
from moothall.storage.authority import membership, person, person_agent, person_relation

MOST_PREFERENCES: Final = 64 * 1024
"""Bytes of a person's preferences as JSON."""


class Profiles:
    """The profiles. Who acts is `by`; the node's own process unless given."""

    def __init__(self, store: PeopleStore) -> None:
        self._store = store

    async def get(self, user_id: str, *, by: Principal = OWNER) -> UserProfile | None:
        """A profile; None where the person has none.

        Raises:
            PermissionDeniedError: `by` is neither the person nor the operator.
        """

        def look(connection: Connection) -> UserProfile | None:
            check_person(by, user_id)
            return rows.profile_of(connection, user_id)

        return await self._store.read(look)

    async def update(
        self,
        user_id: str,
        *,
        display_name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        preferences: Mapping[str, Any] | None = None,
        by: Principal = OWNER,
    ) -> UserProfile:
        """Change what the person says of itself; what is None stays. The profile is made where there is none.

        Raises:
            PermissionDeniedError: `by` is neither the person nor the operator.
            InvalidInput: a value is too long, or no JSON.
        """
        wanted = {"display_name": display_name, "email": email, "phone": phone, "preferences": preferences}
        values = {name: value for name, value in wanted.items() if value is not None}
        if preferences is not None:
            _check_size(preferences)

        def edit(before: UserProfile) -> UserProfile:
            check_person(by, user_id)
            try:
                return UserProfile.model_validate({**before.model_dump(), **values})
            except ValueError as error:
                raise InvalidInput("a value of the profile does not fit", told=Told("people.profile")) from error

        return await self._edit(user_id, edit, by, "update_profile", fields=sorted(values))

    async def verify(self, user_id: str, status: Verification, *, by: Principal = OWNER) -> UserProfile:
        """Move the verification: the person asks (``pending``) and takes it back, the operator says ``verified``.

        Raises:
            PermissionDeniedError: `by` may not.
            Conflict: the status does not go there from where it is.
        """

        def edit(before: UserProfile) -> UserProfile:
            check_person(by, user_id)
            if status == "verified":
                check_operator(by)
            return before.model_copy(update={"verification_status": moved(before.verification_status, status)})

        return await self._edit(user_id, edit, by, "verify", status=status)

    async def rate(self, user_id: str, trust_level: int, *, by: Principal = OWNER) -> UserProfile:
        """Say how far this node trusts a person, 1 to 10; only the operator does.

        Raises:
            PermissionDeniedError: `by` is not the operator.
            InvalidInput: there is no such level.
        """

        def edit(before: UserProfile) -> UserProfile:
            check_operator(by)
            return before.model_copy(update={"trust_level": checked_level(trust_level)})

        return await self._edit(user_id, edit, by, "rate", trust=trust_level)

    async def policy(self, user_id: str) -> PersonPolicy:
        """What a person lets its agents do with each other."""

        def look(connection: Connection) -> PersonPolicy:
            found = connection.execute(sa.select(person.c.policy).where(person.c.id == user_id)).scalar_one_or_none()
            return PersonPolicy() if found is None else PersonPolicy.model_validate_json(found)

        return await self._store.read(look)

    async def set_policy(self, user_id: str, policy: PersonPolicy, *, by: Principal = OWNER) -> PersonPolicy:
        """Let the agents of a person do this with each other (row PRM-04).

        Raises:
            PermissionDeniedError: `by` is neither the person nor the operator.
        """
        name = checked_id(user_id)

        def change(connection: Connection) -> Change[PersonPolicy]:
            check_person(by, name)
            rows.ensure_person(connection, name, self._store.clock.now())
            text = policy.model_dump_json()
            changed = connection.execute(
                sa.update(person).where(person.c.id == name, person.c.policy != text).values(policy=text)
            )
            if not changed.rowcount:
                return Change(policy)
            record = recorded(by, "set_policy", user(name), **policy.model_dump())
            return Change(policy, rows.touched_by(connection, name), record)

        return await self._store.change(change)

    async def remove(self, user_id: str, *, by: Principal = OWNER) -> bool:
        """Forget a person: profile, agents, relations, memberships; False where nothing was known of it.

        Only the operator does: what it said of the person, its trust and revoked agents, would go, too.

        Raises:
            PermissionDeniedError: `by` is not the operator.
        """

        def remove(connection: Connection) -> Change[bool]:
            check_operator(by)
            touched = rows.touched_by(connection, user_id)
            if not forget(connection, user_id):
                return Change(result=False)
            return Change(result=True, touched=touched, record=recorded(by, "remove_person", user(user_id)))

        return await self._store.change(remove)

    async def _edit(
        self,
        user_id: str,
        edit: Callable[[UserProfile], UserProfile],
        by: Principal,
        action: str,
        **details: object,
    ) -> UserProfile:
        name = checked_id(user_id)

        def change(connection: Connection) -> Change[UserProfile]:
            known = rows.profile_of(connection, name)
            before = known or UserProfile(user_id=name, created_at=self._store.clock.now())
            after = edit(before)
            if known == after:
                return Change(after)
            rows.ensure_person(connection, name, before.created_at)
            rows.write_profile(connection, after)
            return Change(after, rows.touched_by(connection, name), recorded(by, action, user(name), **details))

        return await self._store.change(change)


def _check_size(preferences: Mapping[str, Any]) -> None:
    try:
        size = len(dumps(dict(preferences)))
    except (TypeError, RecursionError) as error:  # a number of more than 64 bits, half of a pair, a hundred levels
        raise InvalidInput("a value of the profile does not fit", told=Told("people.profile")) from error
    if size > MOST_PREFERENCES:
        raise InvalidInput("the preferences are too long", told=Told("people.long", {"most": MOST_PREFERENCES}))


def forget(connection: Connection, name: str) -> bool:
    """Take out a person with all of its rows; whether there was any."""
    agents = sa.select(person_agent.c.did).where(person_agent.c.person == name)
    places = sa.or_(membership.c.member == user(name), membership.c.member.in_(agents))
    doomed = (
        sa.delete(membership).where(places),
        sa.delete(person_relation).where(person_relation.c.person == name),
        sa.delete(person_agent).where(person_agent.c.person == name),
        sa.delete(person).where(person.c.id == name),
    )
    return sum(connection.execute(statement).rowcount for statement in doomed) > 0


def checked_level(level: int) -> int:
    """A level of trust.

    Raises:
        InvalidInput: it is not 1 to 10.
    """
    if not LEAST_TRUST <= level <= MOST_TRUST:
        raise InvalidInput("no such level", told=Told("people.trust", {"least": LEAST_TRUST, "most": MOST_TRUST}))
    return level
