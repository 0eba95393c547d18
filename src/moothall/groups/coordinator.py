"""The coordinator of a group: five stages from a task to one result (spec B §8.2; rows GRP-05 to GRP-08).

The stages keep nothing: whatever has to survive a crash goes through the journal that they are given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import TypeAdapter, ValidationError

from moothall.canonical import dumps
from moothall.errors import InvalidInput, MoothallError, Told, UpstreamError, UsageError
from moothall.groups import task_rules
from moothall.groups.model import MOST_MESSAGE
from moothall.groups.said import blocked, outside
from moothall.groups.task_model import MOST_ASKED, Assignments, Matches, Offer, Outcome, Part, Stage, Task, TaskResult
from moothall.telemetry import logger

if TYPE_CHECKING:
    from moothall.groups.group import AgentGroup

_AT_ONCE = 16
_log = logger("groups")
_RESULT = TypeAdapter(TaskResult)
_OFFERS = TypeAdapter(list[Offer])


class Crew(Protocol):
    """The members of a group at work, for one who gives them a task."""

    async def offers(self) -> Sequence[Offer]:
        """What active members offer that the one who gives the task may call."""
        ...

    async def present(self, member: str) -> bool:
        """Whether somebody is an active member now."""
        ...

    async def perform(self, offer: Offer, params: Mapping[str, Any], key: str, seconds: float) -> Any:  # noqa: ANN401
        """Have it done, once under one key; raises what it failed with."""
        ...


class Journal(Protocol):
    """Where what was done is kept."""

    async def step(self, key: str, fn: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401
        """The value that is recorded under a key, or what `fn` gives, recorded now."""
        ...

    async def stage(self, name: Stage, fn: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401
        """Run a stage inside of a span of its own."""
        ...


class NoJournal:
    """Keeps nothing."""

    async def step(self, key: str, fn: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401
        """Run it."""
        del key
        return await fn()

    async def stage(self, name: Stage, fn: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401
        """Run it."""
        _log.debug("stage %s", name)
        return await fn()


class TaskScheduler:
    """Says which parts are done together, and which after those."""

    def schedule(self, parts: Sequence[Part]) -> list[list[str]]:
        """The waves of a task. Raises InvalidInput where parts wait for each other."""
        return task_rules.waves(parts)


class ResourceAllocator:
    """Says who is asked first, and who next."""

    def allocate(self, matches: Matches) -> Mapping[str, Sequence[Offer]]:
        """The offers of each part, in the order in which they are asked."""
        return task_rules.balanced(matches)


Relay = Callable[[str, str, Mapping[str, Any]], Awaitable[object]]
"""Brings a message from one member to another."""
Announce = Callable[[str, Mapping[str, Any]], Awaitable[object]]
"""Tells the whole group how far a task is."""


class CommunicationHub:
    """Brings messages from member to member, and tells the group of its tasks."""

    def __init__(self, relay: Relay | None = None, announce: Announce | None = None) -> None:
        self._relay, self._announce = relay, announce

    async def relay_message(self, sender: str, receiver: str, message: Mapping[str, Any]) -> object:
        """Bring a message to a member.

        Raises:
            UsageError: this hub belongs to no group that a node has.
        """
        if self._relay is None:
            raise UsageError("this group has no channel", told=Told("groups.no_channel"))
        return await self._relay(sender, receiver, message)

    async def announce(self, what: str, data: Mapping[str, Any]) -> None:
        """Tell the group."""
        if self._announce is not None:
            await self._announce(what, data)


class GroupCoordinator:
    """Coordinates the tasks of one group, and the messages of its members.

    Args:
        group: the group.
        task_scheduler, resource_allocator, communication_hub: its parts; others can be put in their places.
        crew: the members at work, for whom gives the task.
        submit: hands a task in to be done durably, and waits for its end; None: it is done here and now.
    """

    def __init__(
        self,
        group: AgentGroup,
        *,
        task_scheduler: TaskScheduler | None = None,
        resource_allocator: ResourceAllocator | None = None,
        communication_hub: CommunicationHub | None = None,
        crew: Crew | None = None,
        submit: Callable[[Task], Awaitable[TaskResult]] | None = None,
    ) -> None:
        self.group = group
        self.task_scheduler = task_scheduler or TaskScheduler()
        self.resource_allocator = resource_allocator or ResourceAllocator()
        self.communication_hub = communication_hub or CommunicationHub()
        self._crew, self._submit = crew, submit
        self._task = Task()

    async def coordinate_task(self, task: Mapping[str, Any] | Task) -> dict[str, Any]:
        """Have a task done by the members, and return what came of it (`TaskResult`).

        Raises:
            InvalidInput: the task makes no sense.
            UsageError: the group has no members at work here.
        """
        read = task_of(task)
        if self._submit is not None:
            return _told(await self._submit(read))
        return _told(await self.perform(read, NoJournal()))

    async def perform(self, task: Task, journal: Journal) -> TaskResult:
        """The five stages; what was recorded is not done again."""
        self._task = task
        parts = await journal.stage("analyze", lambda: self.analyze_task(task))
        known = {part.id: part for part in parts}

        async def match() -> list[tuple[str, Any]]:
            found = await self.match_capabilities(parts)
            few = [(part.id, [offer.brief() for offer in offers[:MOST_ASKED]]) for part, offers in found]
            return [(part, _OFFERS.dump_python(offers, mode="json")) for part, offers in few]

        kept = await journal.stage("match", lambda: journal.step("matched", match))
        matches = [(known[part], _OFFERS.validate_python(offers)) for part, offers in kept]
        assigned = await journal.stage("assign", lambda: self.assign_tasks(matches))
        outcomes = await journal.stage("execute", lambda: self.coordinate_execution(assigned, journal))
        result: TaskResult = await journal.stage("integrate", lambda: self.integrate_results(outcomes))
        return result

    async def analyze_task(self, task: Mapping[str, Any] | Task) -> tuple[Part, ...]:
        """Stage 1: the parts of a task. Raises InvalidInput."""
        self._task = task_of(task)
        return task_rules.parts_of(self._task)

    async def match_capabilities(self, parts: Sequence[Part]) -> list[tuple[Part, list[Offer]]]:
        """Stage 2: who can do each part."""
        offers = await self._at_work().offers()
        confirmed, known, found = self._task.confirmed, dict[str, set[str]](), list[tuple[Part, list[Offer]]]()
        for part in parts:
            found.append((part, task_rules.matched(part, offers, confirmed=confirmed, known=known)))
            await asyncio.sleep(0)  # many parts for many members take a while, and others wait
        return found

    async def assign_tasks(self, matches: Sequence[tuple[Part, Sequence[Offer]]]) -> Assignments:
        """Stage 3: who is asked, in which order, and what waits for what."""
        offers = self.resource_allocator.allocate({part.id: found for part, found in matches})
        waves = self.task_scheduler.schedule([part for part, _ in matches])
        return Assignments({part.id: part for part, _ in matches}, offers, waves, self._task.timeout)

    async def coordinate_execution(self, assigned: Assignments, journal: Journal | None = None) -> dict[str, Outcome]:
        """Stage 4: have everything done; who fails is replaced, where that cannot do anything twice."""
        done: dict[str, Outcome] = {}
        slots = asyncio.Semaphore(_AT_ONCE)
        for wave in assigned.waves:
            tasks = [self._part(assigned, part, done, journal or NoJournal(), slots) for part in wave]
            for outcome in await asyncio.gather(*tasks):
                done[outcome.part] = outcome
        return done

    async def integrate_results(self, outcomes: Mapping[str, Outcome]) -> TaskResult:
        """Stage 5: one result of all parts."""
        done_by = {part: outcome.tried[-1] for part, outcome in outcomes.items() if outcome.ok and outcome.tried}
        return task_rules.joined(list(outcomes), outcomes, done_by)

    async def handle_inter_agent_communication(self, sender: str, receiver: str, message: Mapping[str, Any]) -> object:
        """Bring a message from one member to another; who the sender is was verified by whoever calls this.

        Raises:
            PermissionDeniedError: one of them is not in the group, or its policy is against it.
        """
        if sender not in self.group.members or receiver not in self.group.members:
            raise outside()
        if not await self.check_internal_communication_policy(sender, receiver, message):
            raise blocked()
        return await self.communication_hub.relay_message(sender, receiver, message)

    async def check_internal_communication_policy(self, sender: str, receiver: str, message: Mapping[str, Any]) -> bool:
        """Whether the policy of the group lets a member write to another (row GRP-08)."""
        del message  # rules speak of members and their roles
        roles = self.group.roles
        policy = self.group.policy
        return policy.allows((sender, roles.get(sender, "")), (receiver, roles.get(receiver, "")))

    async def _part(
        self,
        assigned: Assignments,
        part_id: str,
        done: Mapping[str, Outcome],
        journal: Journal,
        slots: asyncio.Semaphore,
    ) -> Outcome:
        part = assigned.parts[part_id]
        if any(not done[before].ok for before in task_rules.before(part)):
            return Outcome(part=part_id, error="NOT_DONE", message="a part before it was not done")
        tried: list[str] = []
        last = Outcome(part=part_id, error="NO_MEMBER", message="no member can do it")
        for place, offer in enumerate(assigned.offers.get(part_id, ())):
            if not await self._at_work().present(offer.member):
                last = Outcome(part=part_id, error="MEMBER_GONE", message="the member has left the group")
                continue
            tried.append(offer.member)
            key = f"part.{part_id}.{place}"
            async with slots:
                kept = await journal.step(key, partial(self._try, part, offer, done, key, assigned))
            last = Outcome(part=part_id, **kept["outcome"], tried=tuple(tried))
            await self.communication_hub.announce(
                "part", {"part": part_id, "member": offer.member, "ok": last.ok, "place": place}
            )
            if last.ok or not kept["again"]:
                break
        return last

    async def _try(
        self, part: Part, offer: Offer, done: Mapping[str, Outcome], key: str, assigned: Assignments
    ) -> dict[str, Any]:
        """Ask one member; ``again``: whether somebody else may be asked, since nothing can be done twice by that."""
        params = task_rules.filled(part, offer, done)
        try:
            value = await self._at_work().perform(offer, params, key, assigned.timeout)
        except MoothallError as error:
            untouched = isinstance(error, UpstreamError) and not error.sent
            refused = error.envelope_code in {"UNAVAILABLE", "NOT_FOUND", "GONE", "PERMISSION_DENIED", "RATE_LIMITED"}
            said = {"error": error.envelope_code, "message": error.message}
            return {"outcome": said, "again": offer.harmless or untouched or refused}
        if len(dumps(value)) > MOST_MESSAGE:
            return {"outcome": {"error": "TOO_LARGE", "message": "the answer is too long"}, "again": False}
        return {"outcome": {"value": value}, "again": False}

    def _at_work(self) -> Crew:
        if self._crew is None:
            raise UsageError("this group has no members at work here", told=Told("groups.no_channel"))
        return self._crew


def task_of(task: Mapping[str, Any] | Task) -> Task:
    """A task as it was written.

    Raises:
        InvalidInput: it makes no sense.
    """
    if isinstance(task, Task):
        return task
    try:
        return Task.model_validate(dict(task))
    except ValidationError as error:
        raise InvalidInput("not a task", told=Told("groups.task")) from error


def _told(result: TaskResult) -> dict[str, Any]:
    told: dict[str, Any] = _RESULT.dump_python(result, mode="json")
    return told
