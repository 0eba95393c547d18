"""Which agents a person has (spec B §8.5; rows UID-01, UID-04 to UID-07)."""

from __future__ import annotations

import re
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.audit.changing import Change, recorded
from moothall.errors import Conflict, InvalidInput, MoothallError, Told
from moothall.identity.principal import OWNER, Principal
from moothall.people import maps, rows
from moothall.people.agents import MOST_CLEARANCE, UserAgent, primary
from moothall.people.control import Control
from moothall.people.facts import AgentStatus
from moothall.people.maps import StoredMap
from moothall.people.parties import checked_did, checked_id, user
from moothall.people.profile import UserProfile
from moothall.people.rights import check_api, check_one_of, check_operator, check_person
from moothall.people.roles import AUDIT, DEFAULT
from moothall.people.store import PeopleStore
from moothall.storage.authority import person_agent

MOST_AGENTS: Final = 1_000
"""Agents that one person may have."""

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)


class UserIdentityManager:
    """The agents of people. Who acts is `by`; the node's own process unless given.

    Attributes:
        control: checks and makes proofs.
        user_agent_mapping: the agents of each person that has any.
        agent_user_mapping: whose each agent is.
        user_profiles: the profile of each person.
    """

    def __init__(self, store: PeopleStore, control: Control) -> None:
        self._store, self.control = store, control
        self.user_agent_mapping: StoredMap[list[UserAgent]] = maps.agents_by_user(store)
        self.agent_user_mapping: StoredMap[str] = maps.users_by_agent(store)
        self.user_profiles: StoredMap[UserProfile] = maps.profiles(store)

    async def register_user_agent(
        self,
        user_id: str,
        agent_did: str,
        agent_role: str = DEFAULT,
        *,
        environment: str = "",
        proof: str = "",
        by: Principal = OWNER,
    ) -> UserAgent:
        """Let an agent be one of a person's; the same again changes nothing.

        Args:
            user_id: NAME of ``user:NAME``; its profile is made where it has none.
            agent_did: the agent.
            agent_role: its role among the person's agents; ``audit`` is given by the operator only.
            environment: empty: its host name tells.
            proof: a statement by the agent's key (``people.proof.prove``); not needed where the operator registers an
                agent whose key this node has.
            by: the person, or the node's operator.

        Raises:
            PermissionDeniedError: it is neither of them, or the proof does not hold.
            Conflict: the agent is another person's, or this one's in another role or environment.
            InvalidInput: a name has no such form.
            MoothallError: the document of the DID cannot be had.
        """
        name, did = checked_id(user_id), checked_did(agent_did)
        role, where = _word(agent_role), _word(environment) if environment else ""

        def look(connection: Connection) -> UserAgent | None:
            check_person(by, name)
            if agent_role == AUDIT:
                check_operator(by)
            return _same(rows.agent_of(connection, did), name, role, where)

        if known := await self._store.read(look):
            return known
        try:
            await self.control.check(did, name, proof, by)
        except MoothallError:
            if known := await self._store.read(look):  # the same call, made twice at a time: the other used the proof
                return known
            raise

        def register(connection: Connection) -> Change[UserAgent]:
            if known := look(connection):
                return Change(known)
            now = self._store.clock.now()
            rows.ensure_person(connection, name, now)
            _check_room(connection, name)
            made = UserAgent(did=did, user_id=name, role=role, environment=where, created_at=now)
            rows.add_agent(connection, made)
            made = rows.agent_of(connection, did) or made  # its time as the store keeps it
            record = recorded(by, "register_agent", did, person=name, role=role, environment=made.where)
            return Change(made, frozenset({did}), record)

        return await self._store.change(register)

    async def unregister_user_agent(self, agent_did: str, *, by: Principal = OWNER) -> bool:
        """Let an agent be nobody's any more, from the next call on; False where it was nobody's.

        Only the operator takes out one that was revoked, since it stays so, and one whose key this node has, since that
        acts for the node's owner as soon as it is nobody's.

        Raises:
            PermissionDeniedError: `by` is neither its person, nor the agent itself, nor the node's operator; or it is
                not the operator, and only that may.
            Conflict: it stands in the operator's file.
        """
        of_this_node = self.control.own.is_own(agent_did)

        def unregister(connection: Connection) -> Change[bool]:
            known = rows.agent_of(connection, agent_did)
            if known is None:
                return Change(result=False)
            if of_this_node or known.status == "revoked":
                check_operator(by)
            check_one_of(by, {user(known.user_id), known.did})
            check_api(known.origin)
            connection.execute(sa.delete(person_agent).where(person_agent.c.did == agent_did))
            record = recorded(by, "unregister_agent", agent_did, person=known.user_id)
            return Change(result=True, touched=frozenset({agent_did}), record=record)

        return await self._store.change(unregister)

    async def change_user_agent(
        self,
        agent_did: str,
        *,
        role: str | None = None,
        environment: str | None = None,
        status: AgentStatus | None = None,
        clearance: int | None = None,
        by: Principal = OWNER,
    ) -> UserAgent:
        """Change an agent; what is None stays.

        Its person may suspend it, let it act again, and revoke it for good; the operator may do all of that, lift a
        revocation, and give its clearance (0 to 3) and the role ``audit``.

        Raises:
            PermissionDeniedError: `by` may not.
            InvalidInput: there is no such agent, or a value has no such form.
            Conflict: it stands in the operator's file, which says all but its status.
        """
        wanted: dict[str, Any] = {
            "role": None if role is None else _word(role),
            "environment": _word(environment) if environment else environment,
            "status": status,
            "clearance": clearance,
        }
        values = {name: value for name, value in wanted.items() if value is not None}
        if clearance is not None and not 0 <= clearance <= MOST_CLEARANCE:
            raise InvalidInput("no such clearance", told=Told("people.clearance", {"most": MOST_CLEARANCE}))

        def change(connection: Connection) -> Change[UserAgent]:
            known = rows.agent_of(connection, agent_did)
            if known is None:
                check_operator(by)  # nobody else learns who is registered
                raise InvalidInput("nobody's agent", told=Told("people.no_agent"))
            check_person(by, known.user_id)
            if clearance is not None or role == AUDIT or known.status == "revoked":
                check_operator(by)
            after = known.model_copy(update=values)
            if after == known:
                return Change(known)
            if values.keys() - {"status"}:
                check_api(known.origin)
            connection.execute(sa.update(person_agent).where(person_agent.c.did == agent_did).values(**values))
            return Change(after, frozenset({agent_did}), recorded(by, "change_agent", agent_did, **values))

        return await self._store.change(change)

    async def get_user_agents(self, user_id: str) -> list[UserAgent]:
        """The agents of a person, the oldest first; none of somebody unknown (row UID-06)."""
        return await self._store.read(lambda connection: rows.agents_of(connection, user_id))

    async def get_agent_user(self, agent_did: str) -> str | None:
        """Whose an agent is; None: nobody's that this node knows (row UID-06)."""
        return await self.agent_user_mapping.get(agent_did)

    async def get_user_primary_agent(self, user_id: str) -> str | None:
        """The DID of the agent that stands for a person (`agents.primary`, row UID-07)."""
        found = primary(await self.get_user_agents(user_id))
        return None if found is None else found.did


def _same(known: UserAgent | None, name: str, role: str, environment: str) -> UserAgent | None:
    if known is None:
        return None
    if known.user_id != name:
        raise Conflict("the agent is another person's", told=Told("people.agent_taken"))
    if (known.role, known.environment) != (role, environment):
        raise Conflict("the agent is registered in another way", told=Told("people.agent_differs"))
    return known


def _check_room(connection: Connection, name: str) -> None:
    count = sa.select(sa.func.count()).where(person_agent.c.person == name)
    if connection.execute(count).scalar_one() >= MOST_AGENTS:
        raise Conflict("the person has too many agents", told=Told("people.agents_most", {"most": MOST_AGENTS}))


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise InvalidInput("no role or environment", told=Told("people.word"))
    return text
