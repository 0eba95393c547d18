"""One run of a task: the capability at work, and how it comes to rest.

A task that only its own blocking request knows of is written when it ends, or when it has worked for a second; one of
a caller who proves nothing is never written, since nobody could ask for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from moothall.calls.ports import Admitted
from moothall.calls.reply import Item, Progress, Reply
from moothall.calls.streaming import closing
from moothall.capability.spec import JsonObject
from moothall.errors import InputRequired, InternalError, MoothallError, PayloadTooLarge, StorageError, Told
from moothall.protocols.a2a import telling
from moothall.protocols.a2a.asking import TaskPartner
from moothall.protocols.a2a.chunks import Chunks
from moothall.protocols.a2a.keeping import Ground, Keeping
from moothall.protocols.a2a.rows import text as json_text
from moothall.protocols.a2a.tasks import (
    CANCELED,
    COMPLETED,
    FAILED,
    SUBMITTED,
    WORKING,
    Task,
    milliseconds,
)
from moothall.protocols.a2a.watching import Watcher
from moothall.telemetry import logger

_log = logger("a2a")
_HIDDEN: Final = 1.0
"""Seconds for which a task of a blocking request may work before it is written."""

PATIENCE: Final = 5.0
"""Seconds within which cancelled work should end."""


class Run:
    """A run of a task.

    Attributes:
        task: as the work has it; what was told of it is `shown`.
        kept: whether it is written, and found by its caller.
        rested: done when the task has ended or waits and that is written, or for the first time could not be.
        over: done when nothing of it will be written any more.
        lone: whether nobody but the request that began it has heard of it, and waits for its end.
    """

    def __init__(self, ground: Ground, task: Task, source: Admitted | Reply[Any], *, kept: bool) -> None:
        """Nothing begins yet; a task that is not ``kept`` is written nowhere.

        ``source`` is the call that is made, or the reply of one that was made already.
        """
        self.task = task
        self._keeping = Keeping(ground, task, kept=kept, lost=lambda: self.stop("stopped"))
        self.rested, self.over = self._keeping.rested, self._keeping.over
        self._ground = ground
        self._source = source
        self.kept = kept
        self.lone = False
        self._ended = False
        self._chunks = Chunks(self._give)
        self._partner = TaskPartner(task.answers, waits=kept)
        self._job: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._why = "canceled"
        self._watcher: Watcher | None = None

    def work(self) -> None:
        """Begin."""
        if self.task.state == SUBMITTED:
            self.task.move(WORKING, self._now())
        if self.kept and not self._keeping.known:
            self._timer = asyncio.get_running_loop().call_later(_HIDDEN, self._keeping.appear)
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

    async def announce(self, pushes: Sequence[JsonObject], history: int | None) -> None:
        """Write the new task with its push configurations, tell its watchers that it is there, and begin.

        Raises:
            StorageError: it could not be written; nothing was begun.
        """
        first = {"task": self.shown(history)}
        self.task.move(WORKING, self._now())
        await self._keeping.announce(pushes)
        self._keeping.tell(first)
        self._keeping.tell(self.task.status_update())
        self.work()

    def resume(self) -> None:
        """Tell those who stayed that the task, which is written, is at work again, and begin."""
        self._keeping.mark()
        self._keeping.tell(self.task.status_update())
        self.work()

    def shown(self, history: int | None = None, *, artifacts: bool = True) -> JsonObject:
        """The task as its watchers know it."""
        return self._keeping.shown(history, artifacts=artifacts)

    @property
    def partner(self) -> TaskPartner:
        """Whom the capability can ask."""
        return self._partner

    async def report(self, progress: Progress) -> None:
        """Take progress of the work; it waits when much of it waits for the database.

        Raises:
            TypeError, ValueError: it is no JSON.
        """
        task = self.task
        if self._ended:
            return
        message = telling.progress(task, progress)
        json_text(message)
        task.move(WORKING, self._now(), message)
        self._keeping.put(task.status_update())
        await self._keeping.drained()

    def stop(self, why: str) -> None:
        """End the work for a reason of the room ``a2a.state``."""
        if self._job is not None and not self._job.done():
            self._why = why
            self._job.cancel()

    def left(self) -> None:
        """Its client has left: end work whose result nobody knows to ask for."""
        if self.lone or not self.kept or not self._keeping.known:
            self.stop("canceled")

    async def cancelled(self) -> bool:
        """End the work and wait for a while; whether the task has come to rest."""
        self.stop("canceled")
        await asyncio.wait([self.rested], timeout=PATIENCE)
        return self.rested.done()

    def abandon(self) -> None:
        """End the task, whatever its work is doing: the node stops."""
        self._end(FAILED, telling.stopped_now(self.task))

    def forsake(self, error: MoothallError) -> None:
        """End a task whose beginning could not be written, as far as is known; where it was, its end is, too."""
        self._keeping.mark()
        self._fail(error, "")

    def give_up(self) -> None:
        """Try no longer to write how it ended."""
        self._keeping.give_up(StorageError("the node stopped before the task was written"))

    async def _work(self) -> None:
        try:
            reply = await self._perform()
        except MoothallError as error:
            self._fail(error, "")
            return
        except Exception:  # noqa: BLE001 - it is logged; whoever waits for the task must hear of its end
            _log.exception("task %s: the run failed", self.task.id)
            self._fail(_broken(), "")
            return
        if reply.error is not None:
            self._fail(reply.error, reply.request_id)
        else:
            self._end(COMPLETED, None)

    def _stopped(self, job: asyncio.Task[None]) -> None:
        """End a task whose work was cancelled, perhaps before it began, or whose end could not be made."""
        try:
            if job.cancelled():
                if self._why == "canceled":
                    self._end(CANCELED, telling.ended(self.task, self._why))
                else:
                    self.abandon()
            elif (error := job.exception()) is not None:
                _log.error("task %s: its end cannot be written", self.task.id, exc_info=error)
                self._fail(_broken(), "")
        except Exception:  # noqa: BLE001 - it is logged; whoever waits for the task must hear of its end
            _log.exception("task %s: it cannot be ended", self.task.id)
            self._keeping.give_up(_broken())

    async def _perform(self) -> Reply[Any]:
        source, gateway, task = self._source, self._ground.gateway(), self.task
        if isinstance(source, Reply):
            return self._whole(source)
        task.streamed = source.entry.streams
        if not task.streamed or source.facts.idempotency_key is not None or source.facts.approval:
            return self._whole(await gateway.run(source, task.arguments))
        ended: Reply[Any] | None = None
        async with closing(gateway.stream(source, task.arguments)) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, Item):
                    self._chunks.add(self._part(chunk.value))
                    await self._keeping.drained()
                elif isinstance(chunk, Progress):
                    await self.report(chunk)
                else:
                    ended = chunk
        if ended is None:
            raise InternalError("a stream ended without its reply")
        return ended

    def _whole(self, reply: Reply[Any]) -> Reply[Any]:
        """Take a result that comes as a whole."""
        task = self.task
        if reply.error is None and not self._ended:
            values = reply.data if task.streamed and isinstance(reply.data, list) else [reply.data]
            task.parts += [self._part(value) for value in values]
        return reply

    def _part(self, value: Any) -> JsonObject:  # noqa: ANN401 - JSON of any shape
        """A value as a part.

        Raises:
            InternalError: it is no JSON.
            PayloadTooLarge: the task has as much as may be kept.
        """
        try:
            text = json_text(value)
        except (TypeError, ValueError, RecursionError) as error:
            _log.exception("task %s: a value of %s is no JSON", self.task.id, self.task.skill)
            raise InternalError("a value is no JSON", told=Told("protocols.failed")) from error
        if not self._chunks.fits(len(text)):
            raise PayloadTooLarge("too many values", told=Told("a2a.too_much_result"))
        if not self.task.as_text:
            return telling.data_part(value)
        return telling.text_part(value if isinstance(value, str) else text)

    def _give(self, part: JsonObject, *, last: bool) -> None:
        """Write and tell one value of those that come one by one."""
        if self._ended:
            return
        task = self.task
        task.parts.append(part)
        event = task.artifact_update([part], append=len(task.parts) > 1, last=last)
        self._keeping.put(event)

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
        if self._ended:
            return
        if message is not None:
            json_text(message)  # if that cannot be, nothing has happened yet
        if self._timer is not None:
            self._timer.cancel()
        self._chunks.flush(last=state == COMPLETED)
        self._ended = True
        whole = [] if task.streamed and self._chunks.given else task.parts
        task.move(state, self._now(), message)
        events = []
        if self._keeping.known:
            events = [task.artifact_update(whole, append=False, last=True)] if whole else []
            events.append(task.status_update())
        self._keeping.put(*events, resting=True)

    def _now(self) -> int:
        return milliseconds(self._ground.clock.now())


def _broken() -> InternalError:
    return InternalError("the run failed", told=Told("protocols.failed"))
