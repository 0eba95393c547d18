"""The post office of one channel: in-memory queues between its agents (ADR-001, row NEG-MSG-06).

Sending puts a letter into the receiver's queue and returns; a slow receiver delays nobody. A letter's ``sender`` is
stamped here from the box it was sent from, so a body cannot claim to come from somebody else.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from moothall.errors import AgentNotFound
from moothall.negotiation.demand.models import JsonObject


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way; ``meta`` is what the transport knows beside the body (source, degraded, key)."""

    sender: str
    to: str
    body: JsonObject
    meta: JsonObject = field(default_factory=dict)


class Mailbox:
    """One agent's queue, and its right to send under its own name."""

    def __init__(self, office: PostOffice, name: str) -> None:
        self.name = name
        self._office = office
        self._letters: asyncio.Queue[Letter] = asyncio.Queue()

    def send(self, to: str, body: JsonObject, meta: JsonObject | None = None) -> None:
        """Put a message into ``to``'s queue.

        Raises:
            AgentNotFound: nobody of that name has a box here.
        """
        self._office.deliver(Letter(self.name, to, body, meta or {}))

    async def receive(self) -> Letter:
        """The next letter, waiting for it."""
        return await self._letters.get()

    def put(self, letter: Letter) -> None:
        """Take a letter in."""
        self._letters.put_nowait(letter)

    def take(self) -> Letter | None:
        """The next letter if one is there."""
        return None if self._letters.empty() else self._letters.get_nowait()


class PostOffice:
    """All boxes of one channel."""

    def __init__(self) -> None:
        self._boxes: dict[str, Mailbox] = {}

    def open(self, name: str) -> Mailbox:
        """The box of ``name``, made at the first call."""
        return self._boxes.setdefault(name, Mailbox(self, name))

    def deliver(self, letter: Letter) -> None:
        """Put a letter into its receiver's box.

        Raises:
            AgentNotFound: nobody of that name has a box here.
        """
        box = self._boxes.get(letter.to)
        if box is None:
            message = f"no agent {letter.to} in this channel"
            raise AgentNotFound(message)
        box.put(letter)
