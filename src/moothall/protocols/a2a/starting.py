"""From a message to a task at work: a new one, or one that waited for the message."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from moothall.calls.limits import partition
from moothall.calls.ports import Admitted
from moothall.calls.reply import Reply
from moothall.calls.request_ids import fresh
from moothall.capability.spec import JsonObject
from moothall.errors import LeaseLost, MoothallError, ServiceNotFoundError, Told, Unauthenticated
from moothall.protocols.a2a import skills
from moothall.protocols.a2a.asking import answers_for
from moothall.protocols.a2a.failures import InvalidParams, TaskNotFound, UnsupportedOperation
from moothall.protocols.a2a.keeping import Ground
from moothall.protocols.a2a.live import Live, Place
from moothall.protocols.a2a.operations import Visit
from moothall.protocols.a2a.push_configs import PushConfigs
from moothall.protocols.a2a.tasks import INPUT_REQUIRED, INTERRUPTED, TERMINAL, Task, Whose, milliseconds
from moothall.protocols.a2a.work import Run

MOST_ROUNDS: Final = 100
"""Messages with which a task can be taken up."""

_LONGEST_ID: Final = 256


@dataclass(slots=True)
class _Begun:
    """A run that has not begun.

    Attributes:
        run: it.
        config: the push configuration that came with the message.
        goes_on: whether its task was there before.
        seen: when that was last changed.
    """

    run: Run
    config: JsonObject | None
    goes_on: bool = False
    seen: int = 0


class Starting:
    """Begins runs."""

    def __init__(self, ground: Ground, live: Live, pushes: PushConfigs) -> None:
        self._ground = ground
        self._live = live
        self._pushes = pushes
        self._launching: set[asyncio.Task[None]] = set()

    async def begin(self, visit: Visit, request: JsonObject, *, told: bool, watched: bool = False) -> Run:
        """Begin the work that a message asks for; where it is ``told`` of before its end, it is written before that.

        Whoever has it ``watched`` closes the run's watcher in the end.

        Raises:
            MoothallError: no task came of it.
        """
        message, configuration = request["message"], request.get("configuration", {})
        push = configuration.get("taskPushNotificationConfig")
        if not proves(visit):
            _check_stranger(message, push, goes_on=configuration.get("returnImmediately", False))
        place = self._live.reserve(whose(visit).owner)
        try:
            begun = await (self._go_on if message.get("taskId") else self._new)(visit, request, push)
        except BaseException:
            place.give_back()
            raise
        if not begun.goes_on and not told and begun.config is None:
            self._live.add(begun.run, place)
            begun.run.lone = True
            begun.run.work()
            return begun.run
        if watched:
            begun.run.watch()
        try:
            await self._launched(begun, place, configuration.get("historyLength"))
        except BaseException:
            if watched:
                begun.run.watched().close()
            raise
        return begun.run

    async def conclude(self, task: Task, reply: Reply[Any]) -> None:
        """End a task that waits, with the reply of a call that was made meanwhile.

        Raises:
            UnsupportedOperation: somebody else went on with it.
            Overloaded: its client has as many tasks at work as it may.
            StorageError: it could not be written.
        """
        place, seen = self._live.reserve(task.whose.owner), task.updated
        task.go_on(milliseconds(self._ground.clock.now()))
        task.parts = []
        run = Run(self._ground, task, reply, kept=True)
        await self._launched(_Begun(run, None, goes_on=True, seen=seen), place, None)

    async def aclose(self) -> None:
        """Wait for what is on its way to the database; nothing more must be asked for."""
        if self._launching:
            await asyncio.wait(self._launching)

    async def _launched(self, begun: _Begun, place: Place, history: int | None) -> None:
        """Write that a task is at work, and begin: both or nothing, whoever leaves meanwhile.

        Raises:
            MoothallError: it could not be written.
        """
        launch = self._resume(begun, place) if begun.goes_on else self._announce(begun, place, history)
        launching = asyncio.create_task(launch, name="moothall-a2a-launch")
        self._launching.add(launching)
        launching.add_done_callback(self._launching.discard)
        try:
            await asyncio.shield(launching)
        except asyncio.CancelledError:
            launching.add_done_callback(lambda done: _left(done, begun.run))
            raise

    async def _announce(self, begun: _Begun, place: Place, history: int | None) -> None:
        run, config = begun.run, begun.config
        if config is not None:
            self._pushes.follow(config, run.task.whose.owner)
        self._live.add(run, place)
        try:
            await run.announce([] if config is None else [config], history)
        except MoothallError as error:
            run.forsake(error)
            raise

    async def _resume(self, begun: _Begun, place: Place) -> None:
        run, config = begun.run, begun.config
        try:
            if config is not None:
                await self._pushes.keep(config)
            configs = await self._pushes.all(run.task.id)
        except BaseException:
            place.give_back()
            raise
        try:
            await self._ground.store.take_up(run.task, begun.seen)
        except LeaseLost as error:
            place.give_back()
            raise UnsupportedOperation("task_busy") from error
        except MoothallError as error:
            self._live.add(run, place)
            run.forsake(error)
            raise
        self._live.add(run, place)
        for kept in configs:
            self._pushes.follow(kept, run.task.whose.owner)
        run.resume()

    async def _new(self, visit: Visit, request: JsonObject, push: JsonObject | None) -> _Begun:
        """A new task, of which nobody knows yet."""
        skill, arguments = await skills.wanted(self._ground.gateway(), visit, request)
        as_text = skills.as_text(request.get("configuration", {}))
        admitted = await self._admitted(visit, skill)
        task = self._task(visit, request["message"], admitted)
        task.arguments, task.as_text = dict(admitted.entry.locate(arguments)), as_text
        config = await self._pushes.accept(task.id, push) if push else None
        return _Begun(self._run(admitted, task, kept=proves(visit)), config)

    async def _go_on(self, visit: Visit, request: JsonObject, push: JsonObject | None) -> _Begun:
        """A task that waits, with the message that it waits for."""
        message = request["message"]
        as_text = skills.as_text(request.get("configuration", {}))
        task = await self._waiting(visit, message)
        if approval := task.approval:
            visit.facts.approval = visit.facts.approval or approval
        answers = answers_for(task, message) if task.state == INPUT_REQUIRED and not approval else task.answers
        admitted = await self._admitted(visit, task.skill)
        config = await self._pushes.accept(task.id, push) if push else None
        seen = task.updated
        task.take(message, milliseconds(self._ground.clock.now()))
        task.answers, task.as_text = answers, as_text
        task.parts = []
        task.lang = visit.lang
        return _Begun(self._run(admitted, task, kept=True), config, goes_on=True, seen=seen)

    async def _waiting(self, visit: Visit, message: JsonObject) -> Task:
        """The task that a message is for.

        Raises:
            TaskNotFound, InvalidParams, UnsupportedOperation: there is none, or it does not wait for this message.
        """
        name = message["taskId"]
        live = self._live.find(name, whose(visit))
        found = None if live is not None else await self._ground.store.find(name, whose(visit))
        task = live.task if live is not None else found and found.task
        if task is None:
            raise TaskNotFound("task_not_found")
        if message.get("contextId", task.context) != task.context:
            raise InvalidParams("context_differs")
        if task.state in TERMINAL:
            raise UnsupportedOperation("task_over")
        if task.rounds >= MOST_ROUNDS:
            raise UnsupportedOperation("too_many_rounds", {"most": MOST_ROUNDS})
        if live is not None or task.state not in INTERRUPTED:
            raise UnsupportedOperation("task_busy")
        return task

    async def _admitted(self, visit: Visit, skill: str) -> Admitted:
        """Resolve a skill of this agent, and of no other."""
        admitted = await self._ground.gateway().admit(skills.target(visit, skill), visit.facts)
        if admitted.entry.agent != visit.agent:
            raise ServiceNotFoundError("the agent has no such skill", told=Told("calls.not_found"))
        return admitted

    def _task(self, visit: Visit, message: JsonObject, admitted: Admitted) -> Task:
        context = message.get("contextId") or fresh()
        if len(context) > _LONGEST_ID or not context.isprintable():
            raise InvalidParams("field", {"field": "message.contextId"})
        task = Task(
            id=fresh(),
            context=context,
            whose=whose(visit),
            skill=admitted.entry.spec.name,
            streamed=admitted.entry.streams,
            lang=visit.lang,
            updated=milliseconds(self._ground.clock.now()),
        )
        task.history.append(task.own(message))
        return task

    def _run(self, admitted: Admitted, task: Task, *, kept: bool) -> Run:
        run = Run(self._ground, task, admitted, kept=kept)
        admitted.facts.report, admitted.facts.partner = run.report, run.partner
        return run


def proves(visit: Visit) -> bool:
    """Whether the caller proves who it is, or this node asks nobody for a proof."""
    principal = visit.facts.principal
    return principal.verified or principal.kind == "local"


def whose(visit: Visit) -> Whose:
    """Who may know of the tasks of this request."""
    principal = visit.facts.principal
    owner = principal.id if proves(visit) else partition(principal, visit.facts.address)
    return Whose(visit.agent, owner, visit.tenant)


def _left(launching: asyncio.Task[None], run: Run) -> None:
    """Whoever asked for a run has left before it began."""
    if not launching.cancelled() and launching.exception() is None:
        run.left()


def _check_stranger(message: JsonObject, push: JsonObject | None, *, goes_on: bool) -> None:
    """Look whether a request needs nothing that outlives it.

    Raises:
        TaskNotFound: it is for a task; strangers have none.
        Unauthenticated: it does.
    """
    if message.get("taskId"):
        raise TaskNotFound("task_not_found")
    if push or goes_on:
        raise Unauthenticated("a task that goes on needs a caller", told=Told("a2a.anonymous_task"))
