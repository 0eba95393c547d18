"""The ports between the conduct of a negotiation and what carries its messages, and what writes its choices down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from moothall.negotiation.protocol.needs import JsonObject


class Carrier(Protocol):
    """Carries messages (the JSON objects of spec A) to one peer whose DID was proved, and brings its answers."""

    @property
    def peer(self) -> str:
        """The DID that the other side proved."""
        ...

    async def send(self, message: JsonObject) -> None:
        """Hand a message over; in a durable run it is sent again after a crash, under the same key.

        Raises:
            SessionEnded, UpstreamError, NodeUnreachable, CallTimeout: it cannot be.
        """
        ...

    async def receive(self, seconds: float) -> JsonObject:
        """The next message of the other side, in order of arrival.

        Raises:
            CallTimeout: none came in time.
            ProtocolViolation: what came is none.
            SessionEnded: the other side left.
        """
        ...


class Journal(Protocol):
    """Where the choices of a negotiation are written down, so that a run that starts again makes the same ones.

    `moothall.events.run.Run.step` fills it for durable runs; `MemoryJournal` for sessions that live with a connection.
    """

    async def step(self, key: str, fn: Callable[[], Awaitable[object]]) -> object:
        """The value recorded under a key, or that of ``fn``, recorded now; JSON."""
        ...
