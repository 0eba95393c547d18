"""The operations of A2A over the call path: every message is a call, every call a task.

Tasks belong to an agent, a caller and a tenant; for everybody else they do not exist. A caller who proves nothing has
tasks for the length of its own request only. ``messageId`` is kept as it came and detects no duplicates: that is what
``moothall/idempotencyKey`` is for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from moothall.calls.ports import Gateway
from moothall.capability.spec import JsonObject
from moothall.clock import Clock
from moothall.identity.egress import Egress
from moothall.protocols.a2a.awaiting import Awaiting
from moothall.protocols.a2a.cancelling import Cancelling
from moothall.protocols.a2a.failures import TaskNotFound
from moothall.protocols.a2a.following import Following
from moothall.protocols.a2a.holding import Holding
from moothall.protocols.a2a.keeping import Ground
from moothall.protocols.a2a.listing import listed, query_of
from moothall.protocols.a2a.live import Live
from moothall.protocols.a2a.operations import Operations, Visit
from moothall.protocols.a2a.push_configs import PushConfigs, shown
from moothall.protocols.a2a.pushing import Pusher
from moothall.protocols.a2a.starting import Starting, proves, whose
from moothall.protocols.a2a.store import TaskStore
from moothall.protocols.a2a.tasks import Task
from moothall.protocols.a2a.watching import Watch
from moothall.storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a node sets for its tasks.

    Attributes:
        days: after which a task that rests is forgotten; 0: never.
        most_live: tasks of one caller that may be at work at once.
    """

    days: float = 7.0
    most_live: int = 256


class TaskService(Operations):
    """The `Operations` of all agents of one node; `start` it before the first request."""

    def __init__(
        self, *, gateway: Callable[[], Gateway], store: Store, egress: Egress, clock: Clock, terms: Terms | None = None
    ) -> None:
        terms = terms or Terms()
        self._gateway = gateway
        self._clock = clock
        self._store = TaskStore(store, clock, terms.days)
        self._watch = Watch()
        self._ground = Ground(gateway=gateway, store=self._store, watch=self._watch, clock=clock)
        self._live = Live(self._store, terms.most_live, self._rested)
        self._pusher = Pusher(egress, clock)
        self._pushes = PushConfigs(store, self._store, self._watch, self._pusher)
        self._holding = Holding(store, self._store, self._pushes.recovered)
        self._starting = Starting(self._ground, self._live, self._pushes)
        self._awaiting = Awaiting(self._ground, self._starting)
        self._following = Following(self._store, self._live, self._watch)
        self._cancelling = Cancelling(self._ground, self._live, self._pushes)

    async def start(self) -> None:
        """End the tasks that an earlier life of this node was at work on, and go on with those that wait for others.

        Raises:
            StorageError: the database failed.
        """
        self._pushes.recovered(await self._store.recover())
        await self._holding.start()
        await self._awaiting.start()

    async def aclose(self) -> None:
        """End the tasks that are at work, write that, and stop telling of them."""
        await self._awaiting.aclose()
        await self._starting.aclose()
        await self._live.aclose()
        self._watch.end_all()
        await self._holding.aclose()
        await self._pushes.aclose()
        await self._store.aclose()

    async def send_message(self, visit: Visit, request: JsonObject) -> JsonObject:
        """Take a ``SendMessageRequest``; give a ``SendMessageResponse``."""
        configuration = request.get("configuration", {})
        history = configuration.get("historyLength")
        at_once = configuration.get("returnImmediately", False)
        run = await self._starting.begin(visit, request, told=at_once)
        if not at_once:
            try:
                await asyncio.shield(run.rested)
            except asyncio.CancelledError:
                run.left()
                raise
        return {"task": run.shown(history)}

    async def stream_message(self, visit: Visit, request: JsonObject) -> AsyncIterator[JsonObject]:
        """The same, as ``StreamResponse`` objects."""
        run = await self._starting.begin(visit, request, told=True, watched=True)
        watcher = run.watched()
        try:
            while (event := await watcher.get()) is not None:
                yield event
        finally:
            watcher.close()
            run.left()

    async def get_task(self, visit: Visit, request: JsonObject) -> JsonObject:
        """Give a ``Task``."""
        run = self._live.find(request["id"], whose(visit))
        if run is not None:
            return run.shown(request.get("historyLength"))
        task = await self._found(visit, request["id"])
        return task.shown(request.get("historyLength"))

    async def list_tasks(self, visit: Visit, request: JsonObject) -> JsonObject:
        """Give a ``ListTasksResponse``."""
        query = query_of(whose(visit), request)
        page = await self._store.page(query)
        self._live.shown(task.id for task in page.tasks)
        return listed(page, query, request.get("historyLength"))

    async def cancel_task(self, visit: Visit, request: JsonObject) -> JsonObject:
        """End a task and give it."""
        return await self._cancelling.cancel(request["id"], whose(visit))

    def subscribe(self, visit: Visit, request: JsonObject) -> AsyncIterator[JsonObject]:
        """Take up the stream of a task that has not ended."""
        return self._following.follow(request["id"], whose(visit))

    async def create_push(self, visit: Visit, request: JsonObject) -> JsonObject:
        """Keep a ``TaskPushNotificationConfig``."""
        task = await self._known(visit, request["taskId"])
        config = await self._pushes.accept(task, request)
        await self._pushes.keep(config)
        if self._live.find(task, whose(visit)) is not None:
            self._pushes.follow(config, whose(visit).owner)
        else:
            await self._pushes.follow_elsewhere(config, whose(visit))
        return shown(config, visit.tenant)

    async def get_push(self, visit: Visit, request: JsonObject) -> JsonObject:
        """Give one."""
        task = await self._known(visit, request["taskId"])
        return shown(await self._pushes.one(task, request["id"]), visit.tenant)

    async def list_push(self, visit: Visit, request: JsonObject) -> JsonObject:
        """Give those of a task; they are few, and come on one page."""
        configs = await self._pushes.all(await self._known(visit, request["taskId"]))
        return {"configs": [shown(config, visit.tenant) for config in configs], "nextPageToken": ""}

    async def delete_push(self, visit: Visit, request: JsonObject) -> None:
        """Forget one."""
        await self._pushes.forget(await self._known(visit, request["taskId"]), request["id"])

    def _rested(self, task: Task) -> None:
        """A task came to rest: where it waits for an approval, it goes on by itself."""
        self._awaiting.take(task)

    async def _known(self, visit: Visit, task: str) -> str:
        """The id of a task, if it is the caller's.

        Raises:
            TaskNotFound: it is not.
        """
        if self._live.find(task, whose(visit)) is None:
            await self._found(visit, task)
        return task

    async def _found(self, visit: Visit, task: str) -> Task:
        found = await self._store.find(task, whose(visit)) if proves(visit) else None
        if found is None:
            raise TaskNotFound("task_not_found")
        return found.task
