"""Where clients want to be told of their tasks: kept with the task, judged before that, sent to while it works."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.calls.request_ids import fresh
from moothall.capability.spec import JsonObject
from moothall.protocols.a2a.failures import InvalidParams, TaskNotFound
from moothall.protocols.a2a.pushing import Pusher
from moothall.protocols.a2a.rows import text
from moothall.protocols.a2a.watching import Watch
from moothall.storage.schema import a2a_push, a2a_task
from moothall.storage.store import Store

MOST: Final = 10
"""Configurations of one task."""

_LONGEST_ID: Final = 128

_row = a2a_push.c


class PushConfigs:
    """The configurations of all tasks, as one process uses them."""

    def __init__(self, store: Store, watch: Watch, pusher: Pusher) -> None:
        self._store = store
        self._watch = watch
        self._pusher = pusher
        self._followed: dict[tuple[str, str], JsonObject] = {}

    async def accept(self, task: str, given: JsonObject) -> JsonObject:
        """A configuration in the form in which it is kept.

        Raises:
            InvalidInput, InvalidParams: it is not fit.
        """
        config = {"id": given.get("id") or fresh(), "taskId": task, "url": given["url"]}
        if len(config["id"]) > _LONGEST_ID or not config["id"].isprintable():
            raise InvalidParams("field", {"field": "id"})
        config |= {name: given[name] for name in ("token", "authentication") if given.get(name)}
        await self._pusher.check(config)
        return config

    async def keep(self, config: JsonObject) -> None:
        """Keep one, in place of another with its id.

        Raises:
            TaskNotFound: there is no such task any more.
            InvalidParams: the task has as many as it may.
            StorageError: the database failed.
        """
        task, name = config["taskId"], config["id"]

        def work(connection: Connection) -> bool | None:
            mine = sa.select(a2a_task.c.id).where(a2a_task.c.id == task).with_for_update()
            if connection.execute(mine).first() is None:
                return None
            connection.execute(sa.delete(a2a_push).where(_row.task == task, _row.id == name))
            count = sa.select(sa.func.count()).select_from(a2a_push).where(_row.task == task)
            if connection.execute(count).scalar_one() >= MOST:
                return False
            connection.execute(sa.insert(a2a_push).values(task=task, id=name, config=text(config)))
            return True

        kept = await self._store.write(work)
        if kept is None:
            raise TaskNotFound("task_not_found")
        if not kept:
            raise InvalidParams("push_count", {"most": MOST})

    def follow(self, config: JsonObject) -> None:
        """Send the events of its task from now on, until the task comes to rest."""
        key = (config["taskId"], config["id"])
        self._followed[key] = config
        watcher = self._watch.add(config["taskId"], stays=False, counted=False)
        self._pusher.follow(watcher, config, lambda: self._followed.get(key) is config, self._left)

    async def all(self, task: str) -> Sequence[JsonObject]:
        """Those of a task, by their ids.

        Raises:
            StorageError: the database failed.
        """
        query = sa.select(_row.config).where(_row.task == task).order_by(_row.id)
        found = await self._store.read(lambda connection: connection.execute(query).scalars().all())
        return [json.loads(config) for config in found]

    async def one(self, task: str, name: str) -> JsonObject:
        """One of them.

        Raises:
            TaskNotFound: there is none of this id.
            StorageError: the database failed.
        """
        query = sa.select(_row.config).where(_row.task == task, _row.id == name)
        found = await self._store.read(lambda connection: connection.execute(query).scalar_one_or_none())
        if found is None:
            raise TaskNotFound("push_not_found")
        config: JsonObject = json.loads(found)
        return config

    async def forget(self, task: str, name: str) -> None:
        """Send nothing more there, whether there is one or not.

        Raises:
            StorageError: the database failed.
        """
        self._followed.pop((task, name), None)
        gone = sa.delete(a2a_push).where(_row.task == task, _row.id == name)
        await self._store.write(lambda connection: connection.execute(gone))

    def _left(self, config: JsonObject) -> None:
        key = (config["taskId"], config["id"])
        if self._followed.get(key) is config:
            del self._followed[key]


def shown(config: JsonObject) -> JsonObject:
    """A configuration as its owner reads it: credentials are for the receiver alone, and only written."""
    seen = dict(config)
    if "authentication" in seen:
        seen["authentication"] = {"scheme": seen["authentication"].get("scheme", "")}
    return seen
