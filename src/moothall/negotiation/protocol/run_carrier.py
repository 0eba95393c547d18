"""A negotiation as a durable run: its choices are steps of the run, its messages events and postings.

Both carriers put what a step changes (a message said, a posting taken, a reply got) into the very transaction of that
step, by way of the `RunJournal` that the conduct writes to. So a run that starts again has exactly the messages that
its choices have seen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from moothall.errors import (
    CallTimeout,
    MoothallError,
    NodeUnreachable,
    Overloaded,
    RateLimited,
    SessionEnded,
    StorageError,
    Unavailable,
    UpstreamError,
)
from moothall.events.model import CONSUMED, Draft, JsonValue
from moothall.events.run import Run
from moothall.negotiation.protocol.bodies import NegotiationReply
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.spending import Spending
from moothall.telemetry import logger

SAID: Final = "protocol.said"
"""The type of events with what the provider said, in the order of their numbers ``n``."""

STEP: Final = "protocol.step"
HEARD: Final = "protocol.heard"
REPLY: Final = "protocol.reply"
GOT: Final = "protocol.got"

MESSAGE: Final = "message"
"""The kind of postings with a message of the requester."""

_AGAIN: Final = timedelta(seconds=1)
"""Pause before a request is repeated that did not get through."""

_PASSING: Final = (UpstreamError, NodeUnreachable, Unavailable, Overloaded, RateLimited, CallTimeout, StorageError)
"""What is over some time: the other side is away, or starts again."""

_log = logger("negotiation")

Ask = Callable[[str, Sequence[JsonObject], int], Awaitable[NegotiationReply]]
"""Makes a request of drafting: under an operation id, with messages, and how many of the other side's are here."""


class RunJournal:
    """Fills `ports.Journal` with the steps of a run.

    Args:
        run: whose steps they are.
        committed: called after each.
        spending: what the negotiation takes of a model; committed together with the step that took it.
    """

    def __init__(self, run: Run, committed: Callable[[], None], spending: Spending | None = None) -> None:
        self._run = run
        self._spending = spending or Spending()
        self._committed = committed
        self._beside: list[Draft] = []

    def beside(self, draft: Draft) -> None:
        """Commit an event together with the step that is being made."""
        self._beside.append(draft)

    async def step(self, key: str, fn: Callable[[], Awaitable[object]]) -> object:
        """The value recorded under a key, or that of ``fn``, recorded now. Raises as `Run.step`."""

        async def made() -> JsonValue:
            self._beside.clear()
            return await fn()

        value = await self._run.step(
            f"talk.{key}", made, type=STEP, also=lambda _: (*self._beside, *self._spending.news(key))
        )
        self._committed()
        return value


class ProvidingCarrier:
    """The provider's `ports.Carrier`: what it says waits in the log until the requester comes for it."""

    def __init__(self, run: Run, peer: str, journal: RunJournal) -> None:
        self._run = run
        self._peer = peer
        self._journal = journal
        self._said = sum(1 for event in run.history if event.type == SAID)

    @property
    def peer(self) -> str:
        """The DID of the requester."""
        return self._peer

    async def send(self, message: JsonObject) -> None:
        """Say something."""
        self._said += 1
        self._journal.beside(Draft(f"said.{self._said}", SAID, {"n": self._said, "message": message}))

    async def receive(self, seconds: float) -> JsonObject:
        """The requester's next message.

        Raises:
            CallTimeout: none came in time.
        """
        posting = await self._run.receive(_until(self._run, seconds))
        if posting is None:
            raise CallTimeout("the requester said nothing")
        self._journal.beside(Draft(f"{CONSUMED}{posting.key}", HEARD, {}))
        message: JsonObject = posting.payload["message"]
        return message


class RequestingCarrier:
    """The requester's `ports.Carrier`: every message is a request, repeated until it got through.

    Args:
        run: of the kind `REQUEST_KIND`.
        peer: the DID of the provider.
        journal: of the run.
        ask: makes the requests; the same operation id is the same request.
        patience: seconds for which a request is repeated.

    Attributes:
        ended: the provider's last word, once there is one.
        refusal: why a request failed for good, if one did.
    """

    def __init__(self, run: Run, peer: str, journal: RunJournal, ask: Ask, patience: float) -> None:
        self._run, self._peer, self._journal, self._ask = run, peer, journal, ask
        self._patience = patience
        self._replies = self._got = 0
        self._messages: dict[int, JsonObject] = {}
        self.ended: NegotiationReply | None = None
        self.refusal: MoothallError | None = None
        for event in run.history:
            if event.type == REPLY:
                self._take(NegotiationReply.model_validate(event.payload["reply"]))
            elif event.type == GOT:
                self._got += 1

    @property
    def peer(self) -> str:
        """The DID of the provider."""
        return self._peer

    async def send(self, message: JsonObject) -> None:
        """Say something.

        Raises:
            SessionEnded: the provider refuses, or cannot be reached for too long.
        """
        await self._exchange([message], _until(self._run, self._patience))

    async def receive(self, seconds: float) -> JsonObject:
        """The provider's next message.

        Raises:
            CallTimeout: none came in time.
            SessionEnded: it has said its last word, or cannot be reached for too long.
        """
        until = _until(self._run, seconds)
        while self._got + 1 not in self._messages:
            if self.ended is not None:
                raise SessionEnded("the provider has ended the negotiation")
            if self._run.clock.now() >= until:
                raise CallTimeout("the provider said nothing")
            await self._exchange([], until)
        self._got += 1
        self._journal.beside(Draft(f"got.{self._got}", GOT, {}))
        return self._messages[self._got]

    async def conclude(self, message: JsonObject, seconds: float) -> NegotiationReply:
        """Say the last thing, and wait for the provider's result.

        Raises:
            CallTimeout, SessionEnded: there is none.
        """
        until = _until(self._run, seconds)
        if self.ended is None:
            await self._exchange([message], until)
        while self.ended is None:
            if self._run.clock.now() >= until:
                raise CallTimeout("the provider did not conclude")
            await self._exchange([], until)
        return self.ended

    async def _exchange(self, messages: Sequence[JsonObject], until: datetime) -> None:
        operation = f"{self._run.id}.{self._replies + 1}"
        reply = await self._through(operation, messages, until)
        self._take(reply)
        self._journal.beside(Draft(f"reply.{self._replies}", REPLY, {"reply": reply.wire()}))

    async def _through(self, operation: str, messages: Sequence[JsonObject], until: datetime) -> NegotiationReply:
        """The reply to a request, which is repeated as long as it may only not have arrived."""
        clock = self._run.clock
        while True:
            try:
                return await self._ask(operation, messages, len(self._messages))
            except _PASSING as error:
                if clock.now() + _AGAIN >= until:
                    self.refusal = error
                    raise SessionEnded("the provider cannot be reached") from error
                _log.info("%s: a request is repeated: %s", self._run.id, type(error).__name__)
                await clock.sleep_until(clock.now() + _AGAIN)
            except MoothallError as error:
                self.refusal = error
                raise SessionEnded("the provider refuses to go on") from error

    def _take(self, reply: NegotiationReply) -> None:
        self._replies += 1
        for each in reply.candidate_protocols:
            number, message = each.get("n"), each.get("message")
            if isinstance(number, int) and isinstance(message, dict) and number == len(self._messages) + 1:
                self._messages[number] = message
        if reply.status != "needs_more_information":
            self.ended = reply


def _until(run: Run, seconds: float) -> datetime:
    return run.clock.now() + timedelta(seconds=seconds)
