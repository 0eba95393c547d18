"""One run of a task: the capability at work, what is written of it, and what its watchers are told.

Nothing is told before it is written. A task that only its own blocking request knows of is written when it ends, or
when it has worked for a second; one of a caller who proves nothing is never written, since nobody could ask for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from moothall.calls.ports import Admitted, Gateway
from moothall.calls.reply import Item, Progress, Reply
from moothall.calls.streaming import closing
from moothall.capability.spec import JsonObject
from moothall.clock import Clock
from moothall.errors import InputRequired, InternalError, MoothallError, PayloadTooLarge, Told
from moothall.protocols.a2a import telling
from moothall.protocols.a2a.asking import TaskPartner
from moothall.protocols.a2a.chunks import Chunks
from moothall.protocols.a2a.rows import text as json_text
from moothall.protocols.a2a.store import TaskStore
from moothall.protocols.a2a.tasks import (
    CANCELED,
    COMPLETED,
    FAILED,
    SUBMITTED,
    TERMINAL,
    WORKING,
    Task,
    milliseconds,
)
from moothall.protocols.a2a.watching import Watch, Watcher
from moothall.telemetry import logger

_log = logger("a2a")
_HIDDEN: Final = 1.0
"""Seconds for which a task of a blocking request may work before it is written."""

_AHEAD: Final = 64
"""Events of a task that may wait for the database."""

_PATIENCE: Final = 5.0
"""Seconds within which cancelled work should end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What runs stand on."""

    gateway: Callable[[], Gateway]
    store: TaskStore
    watch: Watch
    clock: Clock


class Run:
    """A run of a task.

    Attributes:
        task: as the work has it; what was told of it is `shown`.
        kept: whether it is written, and found by its caller.
        rested: done when the task has ended or waits, and that is written.
    """

    def __init__(self, ground: Ground, task: Task, admitted: Admitted, *, kept: bool, as_text: bool = False) -> None:
        """Nothing begins yet; a task that is not ``kept`` is written nowhere."""
        self.task = task
        self.rested: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ground = ground
        self._admitted = admitted
        self.kept = kept
        self._as_text = as_text
        self._known = False
        self._waiting = 0
        self._room = asyncio.Event()
        self._chunks = Chunks(self._give)
        self._partner = TaskPartner(task.answers)
        self._job: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._why = "canceled"
        self._watcher: Watcher | None = None
        self._parts = 0
        self._status: JsonObject | None = None

    def work(self, *, known: bool) -> None:
        """Begin; ``known``: others than the request that is answered at its end hear of the task."""
        self._known = known
        if self.task.state == SUBMITTED:
            self.task.move(WORKING, self._now())
        if self.kept and not known:
            self._timer = asyncio.get_running_loop().call_later(_HIDDEN, self._appear)
        self._job = asyncio.create_task(self._work())
        self._job.add_done_callback(self._stopped)

    def watch(self) -> None:
        """Keep what is told from now on for the one who began the task, until it rests."""
        self._watcher = self._ground.watch.add(self.task.id, stays=False, counted=False)

    def watched(self) -> Watcher:
        """Who hears what was told since `watch`; to be closed in the end.

        Raises:
            InternalError: nobody does.
        """
        if self._watcher is None:
            raise InternalError("the run is not watched")
        return self._watcher

    async def announce(self, pushes: Sequence[JsonObject] = ()) -> None:
        """Write the new task with its push configurations, and tell its watchers that it is there and at work.

        Raises:
            StorageError: it could not be written; nothing was begun.
        """
        first = {"task": self.shown()}
        self.task.move(WORKING, self._now())
        if self.kept:
            try:
                await self._ground.store.announce(self.task, pushes)
            except MoothallError as error:
                self._ground.watch.end(self.task.id, error)
                if self._watcher is not None:
                    self._watcher.close()
                raise
        self._tell(first)
        self._mark()
        self._tell(self.task.status_update())

    def resume(self) -> None:
        """Tell those who stayed that the task is at work again, and begin."""
        self._tell(self.task.status_update())
        self.work(known=True)

    def shown(self, history: int | None = None, *, artifacts: bool = True) -> JsonObject:
        """The task as its watchers know it."""
        task, shown = self.task, self.task.shown(history, artifacts=False)
        if self._status is not None:
            shown["status"] = self._status
        if artifacts and self._parts:
            shown["artifacts"] = [task.artifact(task.parts[: self._parts])]
        return shown

    @property
    def partner(self) -> TaskPartner:
        """Whom the capability can ask."""
        return self._partner

    async def report(self, progress: Progress) -> None:
        """Take progress of the work; it waits when much of it waits for the database."""
        task = self.task
        if task.state != WORKING:
            return
        task.move(WORKING, self._now(), telling.progress(task, progress))
        self._put(task.status_update(), parts=0)
        await self._drained()

    def stop(self, why: str) -> None:
        """End the work for a reason of the room ``a2a.state``."""
        if self._job is not None and not self._job.done():
            self._why = why
            self._job.cancel()

    async def cancelled(self) -> bool:
        """End the work and wait for a while; whether the task has come to rest."""
        self.stop("canceled")
        await asyncio.wait([self.rested], timeout=_PATIENCE)
        return self.rested.done()

    async def _work(self) -> None:
        try:
            reply = await self._perform()
        except MoothallError as error:
            self._fail(error, "")
            return
        except Exception:  # noqa: BLE001 - it is logged; whoever waits for the task must hear of its end
            _log.exception("task %s: the run failed", self.task.id)
            self._fail(InternalError("the run failed", told=Told("protocols.failed")), "")
            return
        if reply.error is not None:
            self._fail(reply.error, reply.request_id)
        else:
            self._end(COMPLETED, None)

    def _stopped(self, job: asyncio.Task[None]) -> None:
        """End a task whose work was cancelled, perhaps before it began."""
        if job.cancelled():
            state = CANCELED if self._why == "canceled" else FAILED
            self._end(state, telling.ended(self.task, self._why))

    async def _perform(self) -> Reply[Any]:
        admitted, gateway, task = self._admitted, self._ground.gateway(), self.task
        task.streamed = admitted.entry.streams
        if not task.streamed or admitted.facts.idempotency_key is not None:
            reply = await gateway.run(admitted, task.arguments)
            if reply.error is None:
                values = reply.data if task.streamed and isinstance(reply.data, list) else [reply.data]
                task.parts += [self._part(value) for value in values]
            return reply
        ended: Reply[Any] | None = None
        async with closing(gateway.stream(admitted, task.arguments)) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, Item):
                    self._chunks.add(self._part(chunk.value))
                    await self._drained()
                elif isinstance(chunk, Progress):
                    await self.report(chunk)
                else:
                    ended = chunk
        if ended is None:
            raise InternalError("a stream ended without its reply")
        return ended

    def _part(self, value: Any) -> JsonObject:  # noqa: ANN401 - JSON of any shape
        """A value as a part.

        Raises:
            InternalError: it is no JSON.
            PayloadTooLarge: the task has as much as may be kept.
        """
        try:
            text = json_text(value)
        except (TypeError, ValueError) as error:
            _log.exception("task %s: a value of %s is no JSON", self.task.id, self.task.skill)
            raise InternalError("a value is no JSON", told=Told("protocols.failed")) from error
        if not self._chunks.fits(len(text)):
            raise PayloadTooLarge("too many values", told=Told("a2a.too_much_result"))
        if not self._as_text:
            return telling.data_part(value)
        return telling.text_part(value if isinstance(value, str) else text)

    def _give(self, part: JsonObject, *, last: bool) -> None:
        """Write and tell one value of those that come one by one."""
        task = self.task
        task.parts.append(part)
        event = task.artifact_update([part], append=len(task.parts) > 1, last=last)
        self._put(event, parts=1)

    def _fail(self, error: MoothallError, request_id: str) -> None:
        task, asked = self.task, self._partner.open
        resumable = self.kept and (bool(asked) or not isinstance(error, InputRequired))
        state = telling.state_of(error, resumable=resumable)
        if isinstance(error, InputRequired) and resumable:
            self._end(state, telling.asked(task, asked))
        else:
            self._end(state, telling.failure(task, error, request_id))

    def _end(self, state: str, message: JsonObject | None) -> None:
        """Write how it came to rest, with the result, and tell it."""
        task = self.task
        if self._timer is not None:
            self._timer.cancel()
        self._chunks.flush(last=state == COMPLETED)
        whole = [] if task.streamed and self._chunks.given else task.parts
        task.move(state, self._now(), message)
        events = []
        if self._known:
            events = [task.artifact_update(whole, append=False, last=True)] if whole else []
            events.append(task.status_update())
        self._put(*events, parts=len(whole) if task.streamed else 0, resting=True)

    def _appear(self) -> None:
        """Write a task that works for long."""
        self._known = True
        self._waiting += 1
        self._mark()
        self._ground.store.begin(self.task, resting=False, done=self._after)

    def _put(self, *events: JsonObject, parts: int, resting: bool = False) -> None:
        """Write the task as it is, and tell the events when that is done."""
        count, status = len(self.task.parts), self.task.status

        def done(error: MoothallError | None) -> None:
            self._after(error)
            if error is None:
                self._parts, self._status = count, status
                for event in events:
                    self._tell(event)
            if resting:
                self._rest(error)

        self._waiting += 1
        store = self._ground.store
        if not self.kept:
            done(None)
        elif self._known:
            store.change(self.task, resting=resting, fresh=parts, done=done)
        elif not resting:
            done(None)  # nobody knows of the task yet
        elif self.task.state != CANCELED:
            store.begin(self.task, resting=True, done=done)
        else:
            done(None)  # its only client has left

    def _after(self, error: MoothallError | None) -> None:
        self._waiting -= 1
        self._room.set()
        if error is not None:
            _log.warning("task %s cannot be written: %s", self.task.id, type(error).__name__)
            self._ground.watch.end(self.task.id, error)

    async def _drained(self) -> None:
        while self._waiting >= _AHEAD:
            self._room.clear()
            await self._room.wait()

    def _rest(self, error: MoothallError | None) -> None:
        task = self.task
        if error is None:
            self._ground.watch.rest(task.id, over=task.state in TERMINAL)
        if self.rested.done():
            return
        if error is None:
            self.rested.set_result(None)
        else:
            self.rested.set_exception(error)
            self.rested.exception()  # a task that nobody waits for has told its failure to the log

    def _tell(self, event: JsonObject) -> None:
        self._ground.watch.tell(self.task.id, event, self.shown)

    def _mark(self) -> None:
        self._parts, self._status = len(self.task.parts), self.task.status

    def _now(self) -> int:
        return milliseconds(self._ground.clock.now())
