"""Groups at one node: who is in them, what is said in them, and who is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from moothall.approvals.news import Bells
from moothall.calls.hooks import Before
from moothall.capability.handlers import GROUP
from moothall.directory.searching import Rights, Search
from moothall.events.topics import Topics
from moothall.events.worker import Driver
from moothall.groups.capabilities import GroupCapabilities, MessageCapabilities, TaskCapabilities
from moothall.groups.crew import CrewGround
from moothall.groups.handlers import GroupGuard, Handlers
from moothall.groups.listening import Listening
from moothall.groups.mail import Mail
from moothall.groups.mailboxes import Mailboxes, MailboxLimits
from moothall.groups.membership import Groups
from moothall.groups.room import GroupRoom
from moothall.groups.store import GroupStore
from moothall.groups.talk import Talk
from moothall.groups.tasks import KIND, GroupTaskDriver, GroupTasks
from moothall.hosting.house import House
from moothall.hosting.linking import Linking
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.policy.engine import PolicyEngine
from moothall.settings import Settings


class Grouping:
    """The room of groups.

    Args:
        house: what every room stands on.
        store: where groups are; decisions read it, too.
        authorizer: who decides.
        search: finds what members elsewhere offer.

    Attributes:
        groups: who is in them.
        talk: what is said in them.
        mail: messages to one agent.
        mailboxes: where they are kept.
        room: all of it, for objects of groups.
        guards: what stands before the handlers of group events.
        linking: links of groups.
        listening: what other processes of the same store took, for handlers of this one.
    """

    def __init__(
        self,
        house: House,
        store: GroupStore,
        authorizer: PolicyEngine,
        search: tuple[Search, Rights],
    ) -> None:
        self._store = store
        self.groups = Groups(store, house.office, house.office.did(DEFAULT_AGENT) or "", Topics(house.log))
        handlers = Handlers(
            lambda: house.registry.snapshot,
            house.path,
            house.agents,
            house.clock.monotonic,
            authorizer,
            conceals=house.settings.conceal,
        )
        self.talk = Talk(self.groups, handlers, house.log, house.principals)
        self.mailboxes = Mailboxes(
            house.store, self.talk.topics, house.clock, house.office.is_own, _box_limits(house.settings)
        )
        self.mail = Mail(self.talk, self.mailboxes)
        self.guards: Mapping[str, Before] = {GROUP: GroupGuard(store, self.groups.identity, handlers)}
        self.linking = Linking(store, self.talk, house.clock)
        shared = house.log.store.writer is None  # where one process has the store, it brings everything itself
        self.listening = Listening(self.talk, authorizer.principal, house.clock.monotonic) if shared else None
        bells = Bells()
        tasks = GroupTasks(self.groups, house.log, bells, house.clock)
        self.room = GroupRoom(
            groups=self.groups,
            talk=self.talk,
            tasks=tasks,
            crew=CrewGround(store=store, gateway=house.path, agents=house.agents, own=house.own, search=lambda: search),
            gateway=house.path,
            principals=house.principals,
        )
        self.drivers: Mapping[str, Driver] = {KIND: GroupTaskDriver(self.room.at_work, house.renewed, bells)}
        self.capabilities: Sequence[object] = (
            GroupCapabilities(self.groups, self.talk),
            TaskCapabilities(tasks),
            MessageCapabilities(self.mail),
            *self.linking.capabilities,
        )

    def start(self) -> None:
        """Begin to look after links, and to listen for the handlers of this process."""
        self.linking.start()
        if self.listening is not None:
            self.listening.start()

    async def rest(self) -> None:
        """Stop that; while the store is open."""
        if self.listening is not None:
            await self.listening.rest()
        await self.linking.rest()

    async def groups_of(self, did: str) -> Collection[str]:
        """The ids of the groups that an agent is an active member of."""
        return await self._store.own(did)

    async def members(self, group_id: str) -> Sequence[str]:
        """The DIDs of the active members of a group."""
        return [member.member for member in await self._store.members(group_id)]

    async def aclose(self) -> None:
        """Let what is being written be told."""
        await self._store.aclose()


def _box_limits(settings: Settings) -> MailboxLimits:
    return MailboxLimits(
        messages=settings.mailbox_messages,
        bytes=settings.mailbox_bytes,
        days=settings.mailbox_days,
        share=settings.mailbox_share,
    )
