"""What can be said to one agent through every door (row RTC-05); the sender is whoever proved it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, Field

from moothall.canonical import dumps
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import PayloadTooLarge, Told
from moothall.identity.principal import Principal
from moothall.protocols.realtime.presence import MOST_CONTENT, RealtimeCommunicationManager, told_of


class Receipt(BaseModel):
    """What became of a message: it was delivered to a connection, or is queued in the mailbox."""

    id: str
    state: str
    event_id: str


class RealtimeCapabilities:
    """The capability ``realtime.send`` of a node."""

    def __init__(self, manager: RealtimeCommunicationManager, identity: Callable[[Principal], str]) -> None:
        self._manager, self._identity = manager, identity

    @capability(name="realtime.send", access="authenticated")
    async def send(
        self,
        ctx: CallContext,
        to: Annotated[str, Field(min_length=1, max_length=512)],
        content: dict[str, Any],
        message_id: Annotated[str, Field(max_length=64)] = "",
    ) -> Receipt:
        """Say something to one agent: it hears it on its open connections, or finds it in its mailbox.

        Args:
            ctx: who calls, and therefore who says it.
            to: the DID of the agent.
            content: what is said, JSON.
            message_id: tells the message from your others; the same one is said once. Empty: a new one.

        Raises:
            PayloadTooLarge: it is too long.
            MoothallError: as `RealtimeCommunicationManager.send_to_agent`.
        """
        ctx.firsthand()
        if len(dumps(content)) > MOST_CONTENT:
            raise PayloadTooLarge("a message is too long", told=Told("realtime.message_long", {"most": MOST_CONTENT}))
        sent = await self._manager.send_to_agent(to, content, self._identity(ctx.principal), message_id=message_id)
        return Receipt(**told_of(sent))
