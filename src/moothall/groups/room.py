"""The room of groups, put together for one node: what objects of groups stand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from moothall.calls.call import LOCAL
from moothall.calls.ports import CallFacts, Gateway
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.errors import Unavailable
from moothall.events.model import Draft
from moothall.groups.coordinator import Announce, CommunicationHub, GroupCoordinator
from moothall.groups.crew import CrewGround, NodeCrew
from moothall.groups.group import AgentGroup
from moothall.groups.membership import Groups
from moothall.groups.model import Group, Member, no_access
from moothall.groups.rows import member_of, rules
from moothall.groups.said import outside
from moothall.groups.talk import Talk
from moothall.groups.task_model import Task, TaskResult
from moothall.groups.tasks import GroupTasks
from moothall.identity.principal import Principal

TASK = "moot.group.task"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRoom:
    """Everything that this room offers.

    Attributes:
        groups: who is in them.
        talk: what is said in them.
        tasks: what they do.
        crew: what members at work stand on.
        gateway: the call path.
        principals: who an agent of this node is as a caller, by its name.
    """

    groups: Groups
    talk: Talk
    tasks: GroupTasks
    crew: CrewGround
    gateway: Callable[[], Gateway]
    principals: Callable[[str], Principal]

    async def call(self, by: Principal, name: str, **params: Any) -> Any:  # noqa: ANN401
        """Call a capability of the groups as somebody; raises what it failed with."""
        facts = CallFacts(door=LOCAL, principal=by, request_id=fresh())
        reply = await self.gateway().call(Target.parse(f"local:node.{name}"), params, facts)
        if reply.error is not None:
            raise reply.error
        return reply.data

    async def open(self, group_id: str, by: Principal) -> AgentGroup:
        """A group as an object, for its members and for who rules it.

        Raises:
            PermissionDeniedError: the caller is neither, or there is no such group.
        """
        me, store = self.groups.identity(by), self.groups.store
        group = await store.get(group_id)
        mine = await store.read(lambda connection: member_of(connection, group_id, me))
        active = mine is not None and mine.state == "active"
        if group is None or not (active or rules(group, by)):
            raise no_access()
        return self.shown(group, await store.members(group_id), by)

    def shown(self, group: Group, members: list[Member], by: Principal) -> AgentGroup:
        """A group with its members as an object."""
        return AgentGroup(
            group.id,
            group.owner,
            [member.member for member in members],
            group.kind,
            policy=group.policy,
            roles={member.member: member.role for member in members},
            created_at=group.created_at,
            status=group.status,
            revision=group.revision,
            room=self,
            by=by,
        )

    def coordinator(self, group: AgentGroup, by: Principal) -> GroupCoordinator:
        """The coordinator of a group; tasks are handed in, to be done durably."""

        async def submit(task: Task) -> TaskResult:
            run = await self.tasks.submit(by, group.group_id, task)
            view = await self.tasks.wait(by, run, float("inf"))
            if view.result is None:
                raise Unavailable("the task has not ended")
            return view.result

        async def relay(sender: str, receiver: str, message: Mapping[str, Any]) -> object:
            return await self.call(
                self._speaker(by, sender), "groups.send", group=group.group_id, content=dict(message), to=[receiver]
            )

        return GroupCoordinator(group, communication_hub=CommunicationHub(relay), submit=submit)

    async def at_work(self, group_id: str, principal: Principal, run: str, /) -> GroupCoordinator:
        """The coordinator that does a task itself, for whom gave it.

        Raises:
            PermissionDeniedError: that one has no access to the group any more.
        """
        group = await self.open(group_id, principal)
        hub = CommunicationHub(announce=self._announcing(group_id, self.groups.identity(principal), run))
        return GroupCoordinator(group, communication_hub=hub, crew=NodeCrew(self.crew, group_id, principal, run))

    def _announcing(self, group_id: str, by: str, run: str) -> Announce:
        """Tells a group who does what of a task, and whether it was done; never what was asked or answered."""

        async def announce(what: str, data: Mapping[str, Any]) -> None:
            key = f"task.{run}.{what}.{data.get('part', '')}.{data.get('place', '')}"
            said = {"id": key, "sender": by, "group": group_id, "task": run, **data}
            await self.talk.channel(group_id).post(Draft(key, f"{TASK}.{what}", said))

        return announce

    def _speaker(self, by: Principal, sender: str) -> Principal:
        """Who speaks as a member: that member itself; the operator for agents of its node. Raises as `outside`."""
        if sender == self.groups.identity(by):
            return by
        name = self.talk.handlers.agent(sender)
        if not (by.operator and name):
            raise outside()
        return self.principals(name)
