"""Links of groups through this node: the capabilities ``groups.link``, ``consent``, ``unlink``, ``links``, ``forward``.

Each asks the principal who it is: owners propose, agree, close and look; members send.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.groups.links.communication import InterGroupCommunication
from moothall.groups.links.model import (
    LONGEST,
    MOST_HOPS,
    USUAL_HOPS,
    ConnectionType,
    Direction,
    InterGroupConnection,
    InterGroupPolicy,
)
from moothall.groups.links.passing import MOST_ID
from moothall.people.capabilities import ANYBODY
from moothall.people.texts import Text

GROUP_ID: Final = 200
Id = Annotated[Text, Field(max_length=GROUP_ID)]
Word = Annotated[Text, Field(max_length=MOST_ID)]


class Forwarded(BaseModel):
    """What became of a message: its id, and the groups that it came into, or was in before."""

    model_config = ConfigDict(frozen=True)

    id: str
    groups: list[str]


class LinkCapabilities:
    """The capabilities of links of a node."""

    def __init__(self, communication: InterGroupCommunication) -> None:
        self._communication = communication

    @capability(name="groups.link", access=ANYBODY, action="manage", idempotent=True)
    async def link(  # noqa: PLR0913, PLR0917 - terms of a link, which callers give by their names
        self,
        ctx: CallContext,
        group: Id,
        other: Id,
        type: ConnectionType,  # noqa: A002 - as callers know it
        direction: Direction = "both",
        hops: Annotated[int, Field(ge=1, le=MOST_HOPS)] = USUAL_HOPS,
        policy: InterGroupPolicy | None = None,
        seconds: Annotated[int, Field(gt=0, le=LONGEST)] | None = None,
    ) -> InterGroupConnection:
        """Propose a link of a group with another one; it counts once who rules the other has agreed."""
        ctx.firsthand()
        return await self._communication.establish_group_connection(
            group, other, type, direction=direction, hops=hops, policy=policy, seconds=seconds, by=ctx.principal
        )

    @capability(name="groups.consent", access=ANYBODY, action="manage", idempotent=True)
    async def consent(self, ctx: CallContext, link: Id, group: Id = "") -> InterGroupConnection:
        """Agree to a link, for the group that has not yet, or the one that is named."""
        ctx.firsthand()
        return await self._communication.links.consent(link, group, by=ctx.principal)

    @capability(name="groups.unlink", access=ANYBODY, action="manage", destructive=True, idempotent=True)
    async def unlink(self, ctx: CallContext, link: Id) -> bool:
        """Close a link or take a proposal back, for one of its groups; false where it was over before."""
        ctx.firsthand()
        return await self._communication.links.close(link, by=ctx.principal)

    @capability(name="groups.links", access=ANYBODY, action="read", read_only=True, idempotent=True)
    async def links(self, ctx: CallContext, group: Id, after: Id = "") -> list[InterGroupConnection]:
        """The links of a group, for who rules it, a thousand at a time, after the link `after`."""
        return await self._communication.links.of(group, after=after, by=ctx.principal)

    @capability(name="groups.forward", access=ANYBODY, action="notify")
    async def forward(
        self,
        ctx: CallContext,
        group: Id,
        to: Id,
        content: Any = None,  # noqa: ANN401 - JSON of any shape
        event_type: Word = "",
        id: Word = "",  # noqa: A002 - as callers know it
        received: Annotated[int, Field(ge=0)] | None = None,
    ) -> Forwarded:
        """Send to another group over a link, as a member of a group that has one.

        Args:
            ctx: who sends.
            group: that the caller is a member of.
            to: the other group.
            content: what to say.
            event_type: makes it an event.
            id: of the caller's own; the same again changes nothing.
            received: the place of what the group was told, to pass it on as what it is.
        """
        message: Mapping[str, Any] = {"received": received}
        if received is None:
            given = {"content": content, "event_type": event_type, "id": id}
            message = {name: value for name, value in given.items() if value or name == "content"}
        routed = await self._communication.route_inter_group_message(group, to, message, by=ctx.principal)
        return Forwarded(id=routed.id, groups=list(routed.groups))
