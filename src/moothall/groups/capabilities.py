"""Groups through every door: the capabilities ``groups.*`` and ``messages.*``.

Each asks the principal who it is; no field names a sender. Who has no access to a group learns nothing of it.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.spec import Access
from moothall.groups import views
from moothall.groups.mail import Mail
from moothall.groups.membership import Groups
from moothall.groups.model import MOST_MEMBERS, MOST_PAGE, GroupPolicy
from moothall.groups.said import History, Sent
from moothall.groups.talk import Talk
from moothall.groups.task_model import Task
from moothall.groups.tasks import GroupTasks, TaskView
from moothall.groups.views import GroupView
from moothall.people.texts import Text

ANYBODY: Final[Access] = "authenticated"
"""Who may call: everybody who is somebody; what they may is decided in place, by the groups that it is about."""

Id = Annotated[Text, Field(max_length=128)]
Party = Annotated[Text, Field(max_length=1_000)]
Dids = Annotated[list[Party], Field(max_length=MOST_MEMBERS)]
Revision = Annotated[int, Field(ge=0)]
After = Annotated[int, Field(ge=-1)]
Limit = Annotated[int, Field(ge=1, le=MOST_PAGE)]


class GroupCapabilities:
    """The capabilities of who is in groups, and of what is said in them."""

    def __init__(self, groups: Groups, talk: Talk) -> None:
        self._groups, self._talk = groups, talk

    @capability(name="groups.create", access=ANYBODY, action="manage")
    async def create(
        self,
        ctx: CallContext,
        group: Id = "",
        members: Dids | dict[Party, str] | None = None,
        title: Annotated[Text, Field(max_length=200)] = "",
        kind: Annotated[Text, Field(max_length=64)] = "group",
        owner: Party | None = None,
        policy: GroupPolicy | None = None,
    ) -> GroupView:
        """Make a group of agents, named by their DIDs, or by DIDs with their roles; the caller owns it."""
        ctx.firsthand()
        made = await self._groups.create(
            group, members or (), owner=owner or "", kind=kind, title=title, policy=policy, by=ctx.principal
        )
        return await self._shown(ctx, made.id)

    @capability(name="groups.show", access=ANYBODY, action="read", read_only=True, idempotent=True)
    async def show(self, ctx: CallContext, group: Id) -> GroupView:
        """A group with its members, for those who are in it or rule it."""
        return await self._shown(ctx, group)

    @capability(name="groups.list", access=ANYBODY, action="read", read_only=True, idempotent=True)
    async def page(
        self, ctx: CallContext, after: Id = "", limit: Annotated[int, Field(ge=1, le=views.MOST_LISTED)] = 50
    ) -> list[GroupView]:
        """The groups that the caller is in, was invited to or rules, by their ids, after one of them."""
        return await views.listed(self._groups, ctx.principal, after=after, limit=limit)

    @capability(name="groups.add", access=ANYBODY, action="manage", idempotent=True)
    async def add(
        self, ctx: CallContext, group: Id, member: Party, role: Id = "", revision: Revision | None = None
    ) -> GroupView:
        """Take an agent in, or invite it; or give a member another role. Only for who rules the group."""
        ctx.firsthand()
        moved = await self._groups.add(group, member, role, revision=revision, by=ctx.principal)
        await self._talk.moved(ctx, moved)
        return await self._shown(ctx, group)

    @capability(name="groups.join", access=ANYBODY, action="manage", idempotent=True)
    async def join(self, ctx: CallContext, group: Id) -> GroupView:
        """Become a member of a group that invited the caller, or that is open."""
        ctx.firsthand()
        moved = await self._groups.join(group, by=ctx.principal)
        await self._talk.moved(ctx, moved)
        return await self._shown(ctx, group)

    @capability(name="groups.remove", access=ANYBODY, action="manage", destructive=True, idempotent=True)
    async def remove(self, ctx: CallContext, group: Id, member: Party, revision: Revision | None = None) -> bool:
        """Take a member out of a group; false where it was not in it. Only for who rules the group."""
        ctx.firsthand()
        moved = await self._groups.remove(group, member, revision=revision, by=ctx.principal)
        await self._talk.moved(ctx, moved)
        return moved.member is not None

    @capability(name="groups.leave", access=ANYBODY, action="manage", idempotent=True)
    async def leave(self, ctx: CallContext, group: Id) -> bool:
        """Be in a group no more, or decline its invitation."""
        ctx.firsthand()
        moved = await self._groups.remove(group, self._groups.identity(ctx.principal), by=ctx.principal)
        await self._talk.moved(ctx, moved)
        return moved.member is not None

    @capability(name="groups.transfer", access=ANYBODY, action="manage")
    async def transfer(self, ctx: CallContext, group: Id, owner: Party, revision: Revision | None = None) -> GroupView:
        """Give a group to one of its members, who rules it from then on, and nobody else."""
        ctx.firsthand()
        await self._groups.transfer(group, owner, revision=revision, by=ctx.principal)
        return await self._shown(ctx, group)

    @capability(name="groups.policy", access=ANYBODY, action="manage", idempotent=True)
    async def policy(
        self,
        ctx: CallContext,
        group: Id,
        policy: GroupPolicy | None = None,
        title: Annotated[Text, Field(max_length=200)] | None = None,
        revision: Revision | None = None,
    ) -> GroupView:
        """Say who may join a group and who may write to whom in it; what is left out stays."""
        ctx.firsthand()
        await self._groups.change(group, policy=policy, title=title, revision=revision, by=ctx.principal)
        return await self._shown(ctx, group)

    @capability(name="groups.dissolve", access=ANYBODY, action="manage", destructive=True, idempotent=True)
    async def dissolve(self, ctx: CallContext, group: Id) -> bool:
        """End a group, for who rules it; false where it was over already."""
        ctx.firsthand()
        return await self._groups.dissolve(group, by=ctx.principal)

    @capability(name="groups.send", access=ANYBODY, action="notify")
    async def send(
        self,
        ctx: CallContext,
        group: Id,
        content: Any,  # noqa: ANN401 - JSON of any shape
        to: Dids | None = None,
        message_id: Id = "",
        event_type: Annotated[Text, Field(max_length=64)] = "",
    ) -> Sent:
        """Say something in a group that the caller is in; what handlers answer is in the reply.

        Args:
            ctx: who says it.
            group: the group.
            content: a text, or any JSON.
            to: members that it is for alone.
            message_id: the sender's own id of it; sent twice under one id, it is said once.
            event_type: another type than `message`, for handlers that know it.
        """
        return await self._talk.send(ctx, group, content, to=to or (), message_id=message_id, kind=event_type)

    @capability(name="groups.history", access=ANYBODY, action="read", read_only=True, idempotent=True)
    async def history(self, ctx: CallContext, group: Id, after: After = -1, limit: Limit = 50) -> History:
        """What was said in a group, in order, after a place in it; as far as the caller may hear it."""
        return await self._talk.history(ctx.principal, group, after=after, limit=limit)

    async def _shown(self, ctx: CallContext, group: str) -> GroupView:
        known = self._talk.handlers
        entries = await known.seen_by(ctx.principal, known.under(group))
        handlers = [(known.did(entry), entry.id) for entry in entries]
        return await views.show(self._groups, group, ctx.principal, handlers)


class TaskCapabilities:
    """The capabilities of what groups do together."""

    def __init__(self, tasks: GroupTasks) -> None:
        self._tasks = tasks

    @capability(name="groups.task", access=ANYBODY, action="schedule", timeout=330)
    async def give(
        self, ctx: CallContext, group: Id, task: Task, wait: Annotated[float, Field(ge=0, le=300)] = 20
    ) -> TaskView:
        """Have a task done by the members of a group that the caller is in; what it may not call is not done for it.

        Args:
            ctx: who gives it.
            group: the group.
            task: a description, or parts.
            wait: seconds to wait for the end; `groups.task_status` tells of it later.
        """
        ctx.firsthand()
        run = await self._tasks.submit(ctx.principal, group, task)
        return await self._tasks.wait(ctx.principal, run, wait)

    @capability(name="groups.task_status", access=ANYBODY, action="read", read_only=True, idempotent=True)
    async def status(self, ctx: CallContext, task_id: Id) -> TaskView:
        """How far a task is, for who gave it or rules the group."""
        return await self._tasks.show(ctx.principal, task_id)

    @capability(name="groups.tasks", access=ANYBODY, action="read", read_only=True, idempotent=True)
    async def page(
        self, ctx: CallContext, group: Id, limit: Annotated[int, Field(ge=1, le=100)] = 20
    ) -> list[TaskView]:
        """The tasks that the caller gave a group, or all for who rules it; the newest first."""
        return await self._tasks.listed(ctx.principal, group, limit)

    @capability(name="groups.task_cancel", access=ANYBODY, action="manage", idempotent=True)
    async def cancel(self, ctx: CallContext, task_id: Id) -> bool:
        """Stop a task; what was done stays done. False where it is over."""
        ctx.firsthand()
        return await self._tasks.cancel(ctx.principal, task_id)


class MessageCapabilities:
    """The capabilities of messages to one agent."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail

    @capability(name="messages.send", access=ANYBODY, action="notify")
    async def send(self, ctx: CallContext, to: Party, content: Any, message_id: Id = "") -> Sent:  # noqa: ANN401 - JSON of any shape
        """Say something to an agent of this node, by its DID or name; what its handlers answer is in the reply."""
        return await self._mail.send(ctx, to, content, message_id=message_id)

    @capability(name="messages.list", access=ANYBODY, action="read", read_only=True, idempotent=True)
    async def box(self, ctx: CallContext, agent: Party = "", after: After = -1, limit: Limit = 50) -> History:
        """What was said to the caller alone; the operator names one of the agents of its node."""
        return await self._mail.box(ctx.principal, agent=agent, after=after, limit=limit)
