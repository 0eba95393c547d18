"""Tasks of groups as durable runs: handed in, driven through five stages, watched, cancelled (row GRP-06)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Protocol

from pydantic import BaseModel, ConfigDict, TypeAdapter

from moothall import tracing
from moothall.approvals.news import Bells
from moothall.canonical import dumps
from moothall.clock import Clock, rfc3339
from moothall.errors import Conflict, DemandNotFound, MoothallError, StorageError, Told
from moothall.events.log import EventLog
from moothall.events.model import Draft, Event, JsonObject, RunRecord
from moothall.events.run import Run
from moothall.groups.coordinator import GroupCoordinator
from moothall.groups.membership import Groups
from moothall.groups.model import no_access
from moothall.groups.rows import member_of, rules
from moothall.groups.task_model import Outcome, Span, Stage, Task, TaskResult
from moothall.groups.task_rules import joined, parts_of
from moothall.identity.principal import OWNER, Principal
from moothall.telemetry import logger

KIND: Final = "group_task"
MOST_OPEN: Final = 20
"""Tasks of one group that are not over."""

MOST_RESULT: Final = 200 * 1024
"""Bytes of a result; of a longer one only is kept who did what."""

_ASKED, _STAGE, _ENDED, _CANCEL = "group_task.asked", "group_task.stage", "group_task.ended", "cancel"
_PRINCIPAL: Final = TypeAdapter(Principal)
_log = logger("groups")


class TaskView(BaseModel):
    """A task as those see it who gave it, or rule the group."""

    model_config = ConfigDict(frozen=True)

    id: str
    group: str
    by: str
    status: str
    result: TaskResult | None = None
    trace: list[Span] = []


class Coordinates(Protocol):
    """Makes the coordinator of a group for one who gives it a task."""

    def __call__(self, group_id: str, principal: Principal, run: str, /) -> Awaitable[GroupCoordinator]:
        """The coordinator; raises PermissionDeniedError where there is no such group any more."""
        ...


class RunJournal:
    """A journal in the log of the run; every stage leaves a span."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def step(self, key: str, fn: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401
        """The value that is recorded under a key, or what `fn` gives, recorded now."""
        return await self._run.step(key, fn)

    async def stage(self, name: Stage, fn: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401
        """Run a stage and leave its span."""
        began = rfc3339(self._run.clock.now())
        with tracing.span(f"group_task.{name}") as within:
            value = await fn()
        told = {"stage": name, "began": began, "ended": rfc3339(self._run.clock.now()), "span": within}
        await self._run.emit(Draft(f"stage.{name}", _STAGE, told))
        return value


class GroupTaskDriver:
    """Drives runs of the kind `KIND`. ``renewed``: who gave a task, as it would be verified now; None: nobody."""

    def __init__(
        self, coordinates: Coordinates, renewed: Callable[[Principal], Principal | None], bells: Bells
    ) -> None:
        self._coordinates, self._renewed, self._bells = coordinates, renewed, bells

    async def drive(self, run: Run) -> None:
        """Go on from wherever the log ends."""
        asked = run.history[0].payload
        task = Task.model_validate(asked["task"])
        stop = asyncio.ensure_future(run.spot(_CANCEL))
        work = asyncio.ensure_future(self._worked(run, asked, task))
        try:
            await asyncio.wait([stop, work], return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                result = work.result()
            else:
                stop.result()
                result = _so_far(run, task).model_copy(update={"status": "cancelled"})
        finally:
            for one in (stop, work):
                one.cancel()
            await asyncio.gather(stop, work, return_exceptions=True)
        await self._end(run, result)

    async def abandon(self, run: Run, error: BaseException) -> None:
        """End a run whose driver failed again and again; what was done is kept."""
        _log.error("the task %s is given up after repeated failures: %s", run.id, type(error).__name__)
        task = Task.model_validate(run.history[0].payload["task"])
        await self._end(run, _so_far(run, task))

    async def _worked(self, run: Run, asked: JsonObject, task: Task) -> TaskResult:
        tracing.current.set(str(asked.get("trace", "")))  # of this task of asyncio: whoever gave it is in that trace
        kept = _PRINCIPAL.validate_python(asked["principal"])
        principal = OWNER if kept.operator and kept.kind == "owner" else self._renewed(kept)
        try:
            if principal is None:
                raise no_access()
            coordinator = await self._coordinates(str(asked["group"]), principal, run.id)
            return await coordinator.perform(task, RunJournal(run))
        except StorageError:
            raise
        except MoothallError as error:
            _log.info("the task %s failed: %s", run.id, error.code)
            done = _so_far(run, task)
            return done.model_copy(update={"missing": {**done.missing, "": error.envelope_code}, "status": "failed"})

    async def _end(self, run: Run, result: TaskResult) -> None:
        if len(dumps(result.model_dump(mode="json"))) > MOST_RESULT:
            missing = {**result.missing, **dict.fromkeys(result.results, "TOO_LARGE")}
            result = result.model_copy(update={"result": None, "results": {}, "missing": missing, "status": "partial"})
        await run.emit(Draft("ended", _ENDED, {"result": result.model_dump(mode="json")}), close=True)
        self._bells.ring(run.id)


class GroupTasks:
    """Where tasks are handed in and asked for."""

    def __init__(self, groups: Groups, log: EventLog, bells: Bells, clock: Clock) -> None:
        self._groups, self._log, self._bells, self._clock = groups, log, bells, clock

    async def submit(self, by: Principal, group_id: str, task: Task) -> str:
        """Hand a task in, as a member of the group or who rules it; its id.

        Raises:
            PermissionDeniedError: the caller is neither, or there is no such group.
            InvalidInput: the task makes no sense.
            Conflict: too many tasks of the group are not over.
        """
        await self._check(by, group_id)
        parts_of(task)
        if await self._log.count_open(KIND, subject=group_id, most=MOST_OPEN) >= MOST_OPEN:
            raise Conflict("too many tasks of the group are open", told=Told("groups.tasks_most", {"most": MOST_OPEN}))
        run = f"gtask-{secrets.token_hex(8)}"
        asked: JsonObject = {
            "group": group_id,
            "principal": _PRINCIPAL.dump_python(by, mode="json"),
            "task": task.model_dump(mode="json"),
            "trace": tracing.current.get(),
        }
        meta = {"group": group_id, "by": by.id}
        await self._log.create(run, KIND, [Draft("asked", _ASKED, asked)], subject=group_id, meta=meta)
        return run

    async def show(self, by: Principal, run: str) -> TaskView:
        """A task, for who gave it or rules the group.

        Raises:
            PermissionDeniedError: the caller is neither, or there is no such task.
        """
        return await self._view(await self._found(by, run))

    async def wait(self, by: Principal, run: str, seconds: float) -> TaskView:
        """The same, once it is over, or after a time."""
        until = self._clock.monotonic() + seconds
        record = await self._found(by, run)
        with self._bells.watch(run) as watch:
            while record.status == "open" and self._clock.monotonic() < until:
                await watch.news()
                record = await self._log.get(run) or record
        return await self._view(record)

    async def cancel(self, by: Principal, run: str) -> bool:
        """Stop a task; what was done stays done. False where it was over.

        Raises:
            PermissionDeniedError: as `show`.
        """
        record = await self._found(by, run)
        if record.status != "open":
            return False
        with suppress(DemandNotFound):
            return await self._log.post(run, _CANCEL, _CANCEL, by.id, {})
        return False

    async def listed(self, by: Principal, group_id: str, limit: int) -> list[TaskView]:
        """The tasks of a group that somebody gave; all of them for who rules it; the newest first."""
        group = await self._check(by, group_id)
        records = await self._log.runs(kind=KIND, subject=group_id, limit=limit)
        mine = [record for record in records if group or record.meta.get("by") == by.id]
        return [await self._view(record) for record in mine]

    async def _check(self, by: Principal, group_id: str) -> bool:
        """Whether somebody rules a group; raises PermissionDeniedError where it is not even in it."""
        me, store = self._groups.identity(by), self._groups.store
        group = await store.get(group_id)
        if group is None or not group.active:
            raise no_access()
        if rules(group, by):
            return True
        member = await store.read(lambda connection: member_of(connection, group_id, me))
        if member is None or member.state != "active":
            raise no_access()
        return False

    async def _found(self, by: Principal, run: str) -> RunRecord:
        record = await self._log.get(run)
        if record is None or record.kind != KIND:
            raise no_access()
        group = await self._groups.store.get(str(record.meta.get("group", "")))
        if record.meta.get("by") != by.id and not (group is not None and rules(group, by)):
            raise no_access()
        return record

    async def _view(self, record: RunRecord) -> TaskView:
        events = await self._log.select([record.id], {_STAGE, _ENDED})
        ended = next((event for event in events if event.type == _ENDED), None)
        result = None if ended is None else TaskResult.model_validate(ended.payload["result"])
        return TaskView(
            id=record.id,
            group=str(record.meta.get("group", "")),
            by=str(record.meta.get("by", "")),
            status="running" if result is None else result.status,
            result=result,
            trace=[Span.model_validate(event.payload) for event in events if event.type == _STAGE],
        )


def _so_far(run: Run, task: Task) -> TaskResult:
    """What was done of a task by now."""
    outcomes = dict(filter(None, map(_outcome, run.history)))
    return joined([part.id for part in parts_of(task)], outcomes, {})


def _outcome(event: Event) -> tuple[str, Outcome] | None:
    said: Mapping[str, Any] | None = event.payload.get("value") if event.key.startswith("part.") else None
    if not isinstance(said, dict) or "value" not in said["outcome"]:
        return None
    part = event.key.removeprefix("part.").rpartition(".")[0]
    return part, Outcome(part=part, **said["outcome"])
