"""The agents of a node, durable in the table `agent`.

An edit reaches the next demand at once: `snapshot` compares the state of the table before it answers from its cache, so
edits by another process on the same database are seen too. Snapshots already handed out never change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from moothall.canonical import digest
from moothall.clock import Clock, SystemClock
from moothall.directory import rows
from moothall.directory.concepts import load_vocabulary
from moothall.directory.index import RegistrySnapshot
from moothall.directory.lexicon import fold
from moothall.directory.loading import load_profiles_from_file, mock_profiles_file
from moothall.directory.places import load_gazetteer
from moothall.directory.rows import AgentRecord, Origin, State, Status
from moothall.errors import AgentNotFound, Conflict, InvalidInput, Told
from moothall.storage.schema import agent
from moothall.telemetry import logger

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from moothall.directory.profiles import AgentProfile
    from moothall.storage.store import Store

REMOTE: Final = "user_agent_remote_"
"""What the ids of agents elsewhere begin with, and no others."""

Also = Callable[["Connection"], None]

_log = logger("directory")


class AgentRegistry:
    """Register, edit and list agents, and take snapshots of the active ones. Storage failures raise `StorageError`."""

    def __init__(self, store: Store, clock: Clock | None = None) -> None:
        """Work on the open store; `clock` dates the edits."""
        self._store = store
        self._clock = clock or SystemClock()
        self._edits = 0
        self._cached: tuple[State, RegistrySnapshot] | None = None

    async def register(self, profile: AgentProfile, *, origin: Origin = "user") -> AgentRecord:
        """Add an agent; `Conflict` when its id is taken."""
        await self._write(lambda connection: self._insert(connection, profile, origin))
        return await self.get(profile.agent_id)

    async def load(
        self, profiles: Sequence[AgentProfile], *, origin: Origin = "user", also: Also = lambda _: None
    ) -> int:
        """Add the agents or replace those with the same ids, all or none, and make them active; return how many.

        What ``also`` writes, it writes with them.
        """

        def work(connection: Connection) -> None:
            self._put(connection, profiles, origin)
            also(connection)

        await self._write(work)
        return len(profiles)

    async def get(self, agent_id: str) -> AgentRecord:
        """One agent, active or disabled; `AgentNotFound` when there is none."""
        found = await self._store.read(lambda connection: rows.select(connection, agent.c.agent_id == agent_id))
        if not found:
            raise _unknown(agent_id)
        return found[0]

    async def update(
        self, profile: AgentProfile, *, revision: int | None = None, also: Also = lambda _: None
    ) -> AgentRecord:
        """Replace the profile of an agent; with `revision` only if that is still the current one, else `Conflict`.

        What ``also`` writes, it writes with that.
        """

        def work(connection: Connection) -> None:
            condition = agent.c.agent_id == profile.agent_id
            if revision is not None:
                condition = sa.and_(condition, agent.c.revision == revision)
            if not self._change(connection, condition, profile=rows.to_text(profile)):
                self._refuse(connection, profile.agent_id, revision)
            also(connection)

        await self._write(work)
        return await self.get(profile.agent_id)

    async def set_status(self, agent_id: str, status: Status) -> AgentRecord:
        """Make an agent active or disabled; later snapshots leave disabled ones out. `AgentNotFound` if none."""

        def work(connection: Connection) -> None:
            if not self._change(connection, agent.c.agent_id == agent_id, status=status):
                raise _unknown(agent_id)

        await self._write(work)
        return await self.get(agent_id)

    async def disable(self, agent_id: str) -> AgentRecord:
        """Leave an agent out of future demands."""
        return await self.set_status(agent_id, "disabled")

    async def enable(self, agent_id: str) -> AgentRecord:
        """Take a disabled agent in again."""
        return await self.set_status(agent_id, "active")

    async def remove(self, agent_id: str, also: Also = lambda _: None) -> None:
        """Forget an agent; `AgentNotFound` when there is none. What ``also`` writes, it writes with that."""

        def work(connection: Connection) -> None:
            if not connection.execute(sa.delete(agent).where(agent.c.agent_id == agent_id)).rowcount:
                raise _unknown(agent_id)
            also(connection)

        await self._write(work)

    async def list(
        self, status: Status | None = None, text: str = "", *, origin: Origin | None = None
    ) -> list[AgentRecord]:
        """The agents in order of id; `text` occurs in the public profile, or names one of its tags or its city."""
        conditions = [agent.c.status == status] if status else []
        if origin:
            conditions.append(agent.c.origin == origin)
        records = await self._store.read(lambda connection: rows.select(connection, *conditions))
        return [record for record in records if not text.strip() or _mentions(record.profile, text)]

    async def snapshot(self) -> RegistrySnapshot:
        """The active agents now, indexed. The same object until an edit."""
        edits, state = self._edits, await self._store.read(rows.state)
        if self._cached and self._cached[0] == state:
            return self._cached[1]
        records = await self._store.read(rows.select)
        snapshot = RegistrySnapshot(
            (record.profile for record in records if record.status == "active"),
            load_vocabulary(),
            load_gazetteer(),
            version=digest([[row.profile.agent_id, row.revision, row.status] for row in records]),
        )
        if edits == self._edits:
            self._cached = (rows.state_of(records), snapshot)
        return snapshot

    async def _write(self, work: Callable[[Connection], None]) -> None:
        try:
            await self._store.write(work)
        finally:
            self._edits += 1
            self._cached = None

    def _insert(self, connection: Connection, profile: AgentProfile, origin: Origin) -> None:
        _check_origin(profile, origin)
        row = {"agent_id": profile.agent_id, "profile": rows.to_text(profile), "origin": origin}
        try:
            connection.execute(sa.insert(agent).values(**row, updated_at=self._clock.now()))
        except sa.exc.IntegrityError as error:
            raise _taken(profile.agent_id) from error

    def _put(self, connection: Connection, profiles: Iterable[AgentProfile], origin: Origin) -> None:
        for profile in profiles:
            _check_origin(profile, origin)
            values = {"profile": rows.to_text(profile), "status": "active", "origin": origin}
            if not self._change(connection, agent.c.agent_id == profile.agent_id, **values):
                self._insert(connection, profile, origin)

    def _change(self, connection: Connection, condition: sa.ColumnElement[bool], **values: str) -> bool:
        change = sa.update(agent).where(condition)
        change = change.values(**values, revision=agent.c.revision + 1, updated_at=self._clock.now())
        return connection.execute(change).rowcount > 0

    def _refuse(self, connection: Connection, agent_id: str, revision: int | None) -> None:
        current = connection.scalar(sa.select(agent.c.revision).where(agent.c.agent_id == agent_id))
        if current is None:
            raise _unknown(agent_id)
        raise Conflict(
            f"agent {agent_id} was edited meanwhile: not revision {revision}, {current} is the current one",
            told=Told("why.agent_edited", {"given": revision, "current": current}, "why.rule.agent_edited"),
        )


async def init_mock_agents(registry: AgentRegistry, *, reset: bool = False) -> int:
    """Load the demonstration agents of the package (spec C §4.5.1) and return how many were loaded.

    A registry that has demonstration agents already is left alone, so that edits survive a restart; with `reset` those
    agents are put back as they were shipped.
    """
    if not reset and await registry.list(origin="demo"):
        return 0
    count = await registry.load(load_profiles_from_file(mock_profiles_file()), origin="demo")
    _log.info("已初始化 %d 个 Mock Agent", count)
    return count


def _mentions(profile: AgentProfile, text: str) -> bool:
    wanted = fold(text)
    vocabulary, gazetteer = load_vocabulary(), load_gazetteer()
    words = (profile.agent_id, profile.user_name, profile.location, profile.profile_summary, *profile.tags)
    return (
        any(wanted in fold(word) for word in words)
        or any(vocabulary.key(tag) == vocabulary.key(text) for tag in profile.tags)
        or gazetteer.key(profile.location) == gazetteer.key(text)
    )


def _check_origin(profile: AgentProfile, origin: Origin) -> None:
    if (origin == "remote") is not profile.agent_id.startswith(REMOTE):
        told = Told("why.agent_remote", {"prefix": REMOTE})
        raise InvalidInput(f"ids that begin with {REMOTE} belong to agents elsewhere, and no others", told=told)


def _unknown(agent_id: str) -> AgentNotFound:
    told = Told("why.no_agent", {"agent_id": agent_id})
    return AgentNotFound(f"there is no agent {agent_id}", told=told, details={"agent_id": agent_id})


def _taken(agent_id: str) -> Conflict:
    return Conflict(
        f"agent {agent_id} exists already",
        told=Told("why.agent_taken", {"agent_id": agent_id}, "why.rule.agent_taken"),
        details={"agent_id": agent_id},
    )
