"""From a message to a task at work: a new one, or one that waited for the message."""

from __future__ import annotations

from typing import Final

from moothall.calls.limits import partition
from moothall.calls.ports import Admitted
from moothall.calls.request_ids import fresh
from moothall.capability.spec import JsonObject
from moothall.errors import LeaseLost, ServiceNotFoundError, Told, Unauthenticated
from moothall.protocols.a2a import skills
from moothall.protocols.a2a.asking import answers_in
from moothall.protocols.a2a.failures import InvalidParams, TaskNotFound, UnsupportedOperation
from moothall.protocols.a2a.live import Live
from moothall.protocols.a2a.operations import Visit
from moothall.protocols.a2a.push_configs import PushConfigs
from moothall.protocols.a2a.tasks import INPUT_REQUIRED, INTERRUPTED, TERMINAL, Task, Whose, milliseconds
from moothall.protocols.a2a.work import Ground, Run

_LONGEST_ID: Final = 256


class Starting:
    """Begins runs."""

    def __init__(self, ground: Ground, live: Live, pushes: PushConfigs) -> None:
        self._ground = ground
        self._live = live
        self._pushes = pushes

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
        as_text = skills.as_text(configuration)
        if message.get("taskId"):
            return await self._go_on(visit, message, push, as_text=as_text, watched=watched)
        skill, arguments = skills.wanted(self._ground.gateway(), visit, request)
        admitted = await self._admitted(visit, skill)
        task = self._new(visit, message, admitted)
        task.arguments = dict(admitted.entry.locate(arguments))
        config = await self._pushes.accept(task.id, push) if push else None
        run = self._run(admitted, task, kept=proves(visit), as_text=as_text)
        if told or config is not None:
            if watched:
                run.watch()
            if config is not None:
                self._pushes.follow(config)
            await run.announce([] if config is None else [config])
        self._live.add(run)
        run.work(known=told or config is not None)
        return run

    async def _go_on(
        self, visit: Visit, message: JsonObject, push: JsonObject | None, *, as_text: bool, watched: bool
    ) -> Run:
        task = await self._waiting(visit, message)
        answers = answers_in(message) if task.state == INPUT_REQUIRED else {}
        admitted = await self._admitted(visit, task.skill)
        config = await self._pushes.accept(task.id, push) if push else None
        seen = task.updated
        task.take(message, milliseconds(self._ground.clock.now()))
        task.answers = {**task.answers, **answers}
        task.parts = []
        task.lang = visit.lang
        if config is not None:
            await self._pushes.keep(config)
        configs = await self._pushes.all(task.id)
        try:
            await self._ground.store.take_up(task, seen)
        except LeaseLost as error:
            raise UnsupportedOperation("task_busy") from error
        run = self._run(admitted, task, kept=True, as_text=as_text)
        self._live.add(run)
        if watched:
            run.watch()
        for kept in configs:
            self._pushes.follow(kept)
        run.resume()
        return run

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
        if live is not None or task.state not in INTERRUPTED:
            raise UnsupportedOperation("task_busy")
        return task

    async def _admitted(self, visit: Visit, skill: str) -> Admitted:
        """Resolve a skill of this agent, and of no other."""
        self._live.check(whose(visit).owner)
        admitted = await self._ground.gateway().admit(skills.target(visit, skill), visit.facts)
        if admitted.entry.agent != visit.agent:
            raise ServiceNotFoundError("the agent has no such skill", told=Told("calls.not_found"))
        return admitted

    def _new(self, visit: Visit, message: JsonObject, admitted: Admitted) -> Task:
        context = message.get("contextId") or fresh()
        if len(context) > _LONGEST_ID or not context.isprintable():
            raise InvalidParams("field", {"field": "message.contextId"})
        task = Task(
            id=fresh(),
            context=context,
            whose=whose(visit),
            skill=admitted.entry.spec.name,
            lang=visit.lang,
            updated=milliseconds(self._ground.clock.now()),
        )
        task.history.append(task.own(message))
        return task

    def _run(self, admitted: Admitted, task: Task, *, kept: bool, as_text: bool) -> Run:
        run = Run(self._ground, task, admitted, kept=kept, as_text=as_text)
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
