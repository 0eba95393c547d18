"""The tasks in the database: looked up by their owner only, written by the node that holds them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.capability.spec import JsonObject
from moothall.clock import Clock
from moothall.messages import LANGS
from moothall.protocols.a2a import rows, telling
from moothall.protocols.a2a.batching import Done, Writer
from moothall.protocols.a2a.sweeping import Sweeping
from moothall.protocols.a2a.tasks import FAILED, INPUT_REQUIRED, Task, Whose, milliseconds
from moothall.storage.schema import a2a_part, a2a_push, a2a_task
from moothall.storage.store import Store

CANCEL: Final = "cancel"
"""The wish that a task be ended."""

_MOST: Final = 8 * 1024 * 1024
"""Bytes of tasks that a page holds."""

_row = a2a_task.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which tasks are wanted: those of somebody, the latest first, after the place that ``after`` names."""

    whose: Whose
    context: str = ""
    state: str = ""
    since: int | None = None
    after: tuple[int, str] | None = None
    most: int = 50
    artifacts: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A page of tasks; how many there are in all; whether more come after it."""

    tasks: list[Task]
    total: int
    more: bool


class Kept(NamedTuple):
    """A task in the database, and the node that works on it; empty for none."""

    task: Task
    holder: str


class TaskStore:
    """The table ``a2a_task`` and what belongs to it, as one node uses them.

    Attributes:
        writer: the queue in front of the database.
        shared: whether other processes write these tables, too.
    """

    def __init__(self, store: Store, clock: Clock, days: float) -> None:
        """Tasks that rest are forgotten after so many days; 0: never."""
        self._store = store
        self._clock = clock
        self._sweeping = Sweeping(store, clock, days)
        self.node = store.node
        self.shared = store.writer is None
        self.writer = Writer(store)

    async def recover(self) -> list[tuple[str, Whose]]:
        """End what an earlier life of this node was at work on; give the tasks whose clients want to be told.

        Raises:
            StorageError: the database failed.
        """
        return await self.end_held(_row.holder == self.node)

    async def end_held(self, *which: sa.ColumnElement[bool]) -> list[tuple[str, Whose]]:
        """End tasks whose holders are at work on them no more; give those whose clients want to be told.

        Raises:
            StorageError: the database failed.
        """
        now = milliseconds(self._clock.now())
        words = {lang: rows.text(telling.stopped(lang)) for lang in LANGS}
        pushed = sa.select(_row.id, _row.agent, _row.owner, _row.tenant).where(*which)

        def work(connection: Connection) -> list[tuple[str, Whose]]:
            told = connection.execute(pushed.where(_row.id.in_(sa.select(a2a_push.c.task)))).all()
            ended: set[str] = set()  # by this process: two may have seen the same
            for lang, message in words.items():
                held = sa.update(a2a_task).where(*which, _row.lang == lang)
                values = {"state": FAILED, "message": message, "holder": "", "updated": now}
                ended.update(connection.execute(held.values(values).returning(_row.id)).scalars())
            return [(row.id, Whose(row.agent, row.owner, row.tenant)) for row in told if row.id in ended]

        return await self._store.write(work)

    def begin(self, task: Task, *, resting: bool, done: Done) -> None:
        """Write a new task, which this node works on unless it is at rest already."""
        self._sweeping.look()
        self.writer.put(rows.insert(task, "" if resting else self.node), done)

    async def announce(self, task: Task, pushes: Sequence[JsonObject]) -> None:
        """Write a new task that this node works on, with its push configurations, and wait.

        Raises:
            StorageError: the database failed.
        """
        self._sweeping.look()
        await self.writer.write(*rows.insert(task, self.node), *(rows.push(config) for config in pushes))

    def change(self, task: Task, *, resting: bool, had: int | None, done: Done) -> None:
        """Write what changed of a task that this node works on.

        ``done`` hears of a `LeaseLost` where the task is another's, or has not ``had`` parts there; with None all
        is written anew.
        """
        holder = "" if resting else self.node
        mine = self.node
        changes = rows.rewrite(task, mine, holder) if had is None else rows.update(task, mine, holder, had)
        self.writer.put(changes, done)

    async def take_up(self, task: Task, seen: int) -> None:
        """Hold a task that nobody holds, as it is now, if it was last changed at ``seen``.

        Raises:
            LeaseLost: somebody was faster.
            StorageError: the database failed.
        """
        await self._resting(task, seen, self.node)

    async def settle(self, task: Task, seen: int) -> None:
        """Write a change of a task that nobody holds, as `take_up`."""
        await self._resting(task, seen, "")

    async def find(self, task: str, whose: Whose) -> Kept | None:
        """A task of somebody.

        Raises:
            StorageError: the database failed.
        """

        def work(connection: Connection) -> Kept | None:
            row = connection.execute(sa.select(a2a_task).where(_row.id == task, *_of(whose))).one_or_none()
            if row is None:
                return None
            values = _parts(connection, [row.id]).get(row.id, ()) if row.parts else ()
            return Kept(rows.read(row, values), row.holder)

        return await self._store.read(work)

    async def waiting(self) -> list[Task]:
        """The tasks of everybody that wait for a decision of this node, without the values they gave.

        Raises:
            StorageError: the database failed.
        """
        asking = sa.select(a2a_task).where(_row.state == INPUT_REQUIRED, _row.holder == "").order_by(_row.updated)
        found = await self._store.read(lambda connection: connection.execute(asking).all())
        return [task for row in found if (task := rows.read(row)).decided_here]

    async def page(self, query: Query) -> Found:
        """A page of somebody's tasks; it ends early where they are large.

        Raises:
            StorageError: the database failed.
        """
        wanted = [*_of(query.whose)]
        if query.context:
            wanted.append(_row.context == query.context)
        if query.state:
            wanted.append(_row.state == query.state)
        if query.since is not None:
            wanted.append(_row.updated >= query.since)
        place = sa.tuple_(_row.updated, _row.id)
        here = [] if query.after is None else [place < sa.tuple_(*map(sa.literal, query.after))]
        order = (_row.updated.desc(), _row.id.desc())

        def work(connection: Connection) -> Found:
            total = connection.execute(sa.select(sa.func.count()).select_from(a2a_task).where(*wanted)).scalar_one()
            chosen = sa.select(_row.id, _size(connection, _row.message) + _size(connection, _row.body))
            found = connection.execute(chosen.where(*wanted, *here).order_by(*order).limit(query.most + 1)).all()
            sizes = {row[0]: row[1] for row in found[: query.most]}
            fitting = _fitting(connection, sizes, parts=query.artifacts)
            page = connection.execute(sa.select(a2a_task).where(_row.id.in_(fitting)).order_by(*order)).all()
            values = _parts(connection, [row.id for row in page if row.parts]) if query.artifacts else {}
            return Found([rows.read(row, values.get(row.id, ())) for row in page], total, len(found) > len(fitting))

        return await self._store.read(work)

    async def wish(self, task: str, wish: str) -> None:
        """Ask the node that holds a task for something.

        Raises:
            StorageError: the database failed.
        """
        asked = sa.update(a2a_task).where(_row.id == task, _row.holder != "").values(wish=wish)
        await self._store.write(lambda connection: connection.execute(asked))

    async def wishes(self) -> dict[str, str]:
        """What others want of the tasks that this node holds; told once.

        Raises:
            StorageError: the database failed.
        """
        asked = [_row.holder == self.node, _row.wish != ""]

        def work(connection: Connection) -> dict[str, str]:
            found = {row.id: row.wish for row in connection.execute(sa.select(_row.id, _row.wish).where(*asked))}
            connection.execute(sa.update(a2a_task).where(_row.id.in_(found)).values(wish=""))
            return found

        if not await self._store.read(lambda connection: connection.execute(sa.select(_row.id).where(*asked)).first()):
            return {}
        return await self._store.write(work)

    async def aclose(self) -> None:
        """Write what is to be written."""
        await self._sweeping.aclose()
        await self.writer.drained()

    async def _resting(self, task: Task, seen: int, holder: str) -> None:
        await self.writer.write(*rows.guarded(task, seen, holder))


def _of(whose: Whose) -> list[sa.ColumnElement[bool]]:
    return [_row.agent == whose.agent, _row.owner == whose.owner, _row.tenant == whose.tenant]


def _size(connection: Connection, column: sa.ColumnElement[str]) -> sa.ColumnElement[int]:
    """How long a text is; where the database can say so, without reading it."""
    counts = connection.dialect.name == "sqlite" and sqlite3.sqlite_version_info < (3, 43)
    return (sa.func.length if counts else sa.func.octet_length)(column, type_=sa.Integer)


def _fitting(connection: Connection, sizes: dict[str, int], *, parts: bool) -> list[str]:
    """The first tasks of these sizes that fit on a page, with what is in rows of their own; one in any case."""
    if parts:
        of, part = a2a_part.c.task, a2a_part.c.part
        query = sa.select(of, sa.func.sum(_size(connection, part))).where(of.in_(sizes)).group_by(of)
        sizes = {**sizes, **{name: sizes[name] + int(size) for name, size in connection.execute(query)}}
    totals = accumulate(sizes.values())
    return [name for at, (name, total) in enumerate(zip(sizes, totals, strict=True)) if at == 0 or total <= _MOST]


def _parts(connection: Connection, tasks: Sequence[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    if tasks:
        query = sa.select(a2a_part).where(a2a_part.c.task.in_(tasks)).order_by(a2a_part.c.task, a2a_part.c.n)
        for row in connection.execute(query):
            found.setdefault(row.task, []).append(json.loads(row.part))
    return found
