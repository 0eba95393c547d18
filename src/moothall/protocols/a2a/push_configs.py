"""Where clients want to be told of their tasks: kept with the task, judged before that, sent to while it works."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.calls.request_ids import fresh
from moothall.capability.spec import JsonObject
from moothall.errors import MoothallError, StorageError
from moothall.protocols.a2a.failures import InvalidParams, TaskNotFound
from moothall.protocols.a2a.looking import changes
from moothall.protocols.a2a.pushing import Pusher, Target
from moothall.protocols.a2a.rows import text
from moothall.protocols.a2a.store import TaskStore
from moothall.protocols.a2a.tasks import INTERRUPTED, Task, Whose
from moothall.protocols.a2a.watching import Watch, Watcher
from moothall.storage.schema import a2a_push, a2a_task
from moothall.storage.store import Store
from moothall.telemetry import logger

_log = logger("a2a")

MOST: Final = 10
"""Configurations of one task."""

_LONGEST_ID: Final = 128
_AT_ONCE: Final = 16
"""Tasks of an earlier life of this node that are told of at the same time."""

_row = a2a_push.c


class PushConfigs:
    """The configurations of all tasks, as one process uses them."""

    def __init__(self, store: Store, tasks: TaskStore, watch: Watch, pusher: Pusher) -> None:
        self._store = store
        self._tasks = tasks
        self._watch = watch
        self._pusher = pusher
        self._followed: dict[tuple[str, str], tuple[JsonObject, Watcher]] = {}
        self._background: set[asyncio.Task[None]] = set()

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
        self._stop(task, name)

    def follow(self, config: JsonObject, owner: str) -> None:
        """Send the events of its task from now on, until the task comes to rest."""
        self._send(self._watch.add(config["taskId"], stays=False, counted=False), config, owner)

    async def follow_elsewhere(self, config: JsonObject, whose: Whose) -> None:
        """The same for a task that another process is at work on, if one is.

        Raises:
            StorageError: the database failed.
        """
        found = await self._tasks.find(config["taskId"], whose) if self._tasks.shared else None
        if found is None or found.holder in ("", self._tasks.node):
            return
        looking: list[asyncio.Task[None]] = []

        def leave(_: Watcher) -> None:
            for task in looking:
                task.cancel()

        watcher = Watcher(leave, stays=False)
        looking.append(self._begin(self._look(watcher, found.task)))
        self._send(watcher, config, whose.owner)

    def recovered(self, tasks: Sequence[tuple[str, Whose]]) -> None:
        """Tell, in the background, the receivers of tasks of an earlier life of this node how they ended."""
        if tasks:
            self._begin(self._tell_all(tasks))

    async def aclose(self) -> None:
        """Send what waits, for a few seconds; then stop sending."""
        for task in self._background:
            task.cancel()
        if self._background:
            await asyncio.wait(self._background)
        await self._pusher.aclose()

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
        gone = sa.delete(a2a_push).where(_row.task == task, _row.id == name)
        await self._store.write(lambda connection: connection.execute(gone))
        self._stop(task, name)

    def _send(self, watcher: Watcher, config: JsonObject, owner: str) -> asyncio.Task[None] | None:
        self._stop(config["taskId"], config["id"])
        self._followed[config["taskId"], config["id"]] = config, watcher
        return self._pusher.follow(watcher, Target(config, owner, partial(self._is_kept, config)), self._left)

    async def _is_kept(self, config: JsonObject) -> bool:
        """Whether a configuration that is followed is still there; other processes may have changed it, too."""
        task, name = config["taskId"], config["id"]
        followed = self._followed.get((task, name))
        if followed is None or followed[0] is not config:
            return False
        if not self._tasks.shared:
            return True
        query = sa.select(_row.config).where(_row.task == task, _row.id == name)
        found = await self._store.read(lambda connection: connection.execute(query).scalar_one_or_none())
        return found is not None and json.loads(found) == config

    def _stop(self, task: str, name: str) -> None:
        """Send nothing more for a configuration."""
        followed = self._followed.pop((task, name), None)
        if followed is not None:
            followed[1].drop()
            followed[1].end()

    def _left(self, config: JsonObject) -> None:
        key = (config["taskId"], config["id"])
        followed = self._followed.get(key)
        if followed is not None and followed[0] is config:
            del self._followed[key]

    def _begin(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name="moothall-a2a-push-look")
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def _look(self, watcher: Watcher, known: Task) -> None:
        """Tell a watcher what another process makes of a task, until that comes to rest."""
        error: MoothallError | None = None
        try:
            async for event, task in changes(self._tasks, known):
                watcher.tell(event, task.shown)
                if task.state in INTERRUPTED:
                    break
        except MoothallError as failed:
            error = failed
        finally:
            watcher.end(error)

    async def _tell_all(self, tasks: Sequence[tuple[str, Whose]]) -> None:
        try:
            for begin in range(0, len(tasks), _AT_ONCE):
                told = [await self._tell(*each) for each in tasks[begin : begin + _AT_ONCE]]
                if senders := [sender for some in told for sender in some]:
                    await asyncio.wait(senders)
        except StorageError:
            _log.warning("clients cannot be told of A2A tasks that have failed: the database cannot be read")

    async def _tell(self, task: str, whose: Whose) -> list[asyncio.Task[None]]:
        """Tell the receivers of a task how it is; who sends that."""
        found = await self._tasks.find(task, whose)
        if found is None:
            return []
        senders = []
        for config in await self.all(task):
            watcher = Watcher(lambda _: None, stays=False)
            watcher.tell({"task": found.task.shown()}, found.task.shown)
            watcher.end()
            senders.append(self._send(watcher, config, whose.owner))
        return [sender for sender in senders if sender is not None]


def shown(config: JsonObject, tenant: str = "") -> JsonObject:
    """A configuration as its owner reads it: credentials are for the receiver alone, and only written."""
    seen = {"tenant": tenant, **config} if tenant else dict(config)
    if "authentication" in seen:
        seen["authentication"] = {"scheme": seen["authentication"].get("scheme", "")}
    return seen
