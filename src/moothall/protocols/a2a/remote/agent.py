"""A call of an A2A agent: a message, the task that comes of it, and its values.

The message carries ``{"skill": …, "arguments": {…}}`` as data. An agent of others that nobody told the skill of gets
what a person would send it: the text, where the only argument is a ``text`` or ``message``, else the arguments as data.

A plain answer is waited for where the agent is one of ours, which ends the work of a caller that leaves. Other agents
are listened to as a stream where they can, so that the task's id is known and it can be ended (`CancelTask`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any, Final

from moothall.calls.ports import Outgoing
from moothall.calls.request_ids import fresh
from moothall.capability.spec import JsonObject
from moothall.clock import Clock
from moothall.errors import CallTimeout, MoothallError, Told, UpstreamError, UpstreamInvalid
from moothall.protocols.a2a.remote.allowance import Allowance
from moothall.protocols.a2a.remote.binding import Binding, Operation
from moothall.protocols.a2a.remote.card import RemoteCard
from moothall.protocols.a2a.remote.questions import MOST_ROUNDS, answers
from moothall.protocols.a2a.remote.watch import Watch
from moothall.protocols.approving import metadata_of
from moothall.telemetry import logger

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
_COLLECTED_BYTES: Final = 16 * 1024 * 1024
_STREAMED_BYTES: Final = 256 * 1024 * 1024
"""Of values that are handed on, and not kept."""

_log = logger("a2a")
_TEXTS: Final = frozenset({"text", "message"})
_OUTPUTS: Final = ("application/json", "text/plain")


@dataclass(frozen=True, slots=True)
class AgentCall:
    """One call.

    Attributes:
        binding: how the agent is asked.
        card: what it says of itself.
        outgoing: what is called.
        inferred: whether the operation is the name of a function of ours, which the agent need not know.
        cancel: ends a task in the background.
    """

    binding: Binding
    card: RemoteCard
    outgoing: Outgoing
    inferred: bool
    clock: Clock
    cancel: Callable[[Binding, str], None]

    async def call(self) -> Any:  # noqa: ANN401 - JSON of any shape
        """Make the call and return its value; of several, the list.

        Raises:
            MoothallError: as the agent answered, or because it did not.
        """
        watch = Watch()
        streams = self.card.streaming and (self.outgoing.report is not None or not self.card.structured)
        async with aclosing(self._followed(watch, Allowance(_COLLECTED_BYTES), streams=streams)) as arriving:
            async for _ in arriving:
                pass
        return watch.value()

    async def stream(self) -> AsyncGenerator[Any]:
        """Make the call and yield its values; those of a list, where the agent does not stream. Raises as `call`."""
        if not self.card.streaming:
            value = await self.call()
            for each in value if isinstance(value, list) else [] if value is None else [value]:
                yield each
            return
        watch = Watch(kept=False)
        async with aclosing(self._followed(watch, Allowance(_STREAMED_BYTES), streams=True)) as arriving:
            async for values in arriving:
                spread = self.card.structured and not watch.several
                for value in _spread(values) if spread else values:
                    yield value
        for value in watch.unsaid():
            yield value

    async def _followed(self, watch: Watch, allowance: Allowance, *, streams: bool) -> AsyncGenerator[list[Any]]:
        """Follow a task until it rests and asks nothing that our caller answers; yields the values that are new.

        A task that is left is ended. One that was answered begins anew, and its values that came before come again:
        they are passed over.
        """
        part: JsonObject | None = self._part()
        given = 0
        try:
            for place in count():
                passed, given = given, 0
                request = self._request(part, watch.id)
                async with aclosing(self._once(watch, request, allowance, streams=streams)) as arriving:
                    async for values in arriving:
                        new = values[max(0, passed - given) :]
                        given += len(values)
                        yield new
                given = max(given, passed)
                part = await answers(self.outgoing, watch.asks, place) if place < MOST_ROUNDS else None
                if part is None:
                    return
                watch.goes_on()
        finally:
            if watch.open:
                self.cancel(self.binding, watch.id)

    async def _once(
        self, watch: Watch, request: JsonObject, allowance: Allowance, *, streams: bool
    ) -> AsyncGenerator[list[Any]]:
        """Send a message, and follow the task until it rests."""
        if streams:
            async with aclosing(self._events(watch, "SendStreamingMessage", request, allowance)) as arriving:
                async for values in arriving:
                    yield values
        else:
            yield watch.take(await self.binding.ask("SendMessage", request, allowance))
        async with aclosing(self._rest(watch, allowance)) as arriving:
            async for values in arriving:
                yield values

    async def _rest(self, watch: Watch, allowance: Allowance) -> AsyncGenerator[list[Any]]:
        """What becomes of a task that was still at work when its answer ended.

        An agent that refuses its stream is asked how the task is, and nothing else: the task may have ended since, or
        the agent takes no one up whose stream broke off.
        """
        pause, listens = FIRST_PAUSE, self.card.streaming
        while not watch.rests:
            if not watch.id:
                raise UpstreamError("the answer ended early", told=Told("a2a.remote.cut"))
            await self.clock.sleep_until(self.clock.now() + timedelta(seconds=pause))
            pause = min(2 * pause, LONGEST_PAUSE)
            yield watch.take(await self.binding.ask("GetTask", {"id": watch.id}, allowance))
            if not listens or watch.rests:
                continue
            try:
                async with aclosing(self._events(watch, "SubscribeToTask", {"id": watch.id}, allowance)) as arriving:
                    async for values in arriving:
                        yield values
            except (CallTimeout, UpstreamInvalid):
                raise
            except MoothallError as error:
                listens = False
                _log.info("the stream of a task at %s was refused: %s", self.binding.way.peer.shown, error)

    async def _events(
        self, watch: Watch, operation: Operation, request: JsonObject, allowance: Allowance
    ) -> AsyncGenerator[list[Any]]:
        """The values of a stream; one that breaks off once the task is known has just ended."""
        arriving = self.binding.follow(operation, request, allowance)
        try:
            async with aclosing(arriving):
                async for event in arriving:
                    values = watch.take(event)
                    if watch.progress is not None and self.outgoing.report is not None:
                        await self.outgoing.report(watch.progress)
                    yield values
                    if watch.rests:
                        return
        except UpstreamInvalid:
            raise
        except UpstreamError:
            if not watch.id:
                raise

    def _request(self, part: JsonObject | None, task_id: str) -> JsonObject:
        outgoing = self.outgoing
        metadata: JsonObject = {"moothall/timeout": round(outgoing.timeout, 3), "moothall/hops": outgoing.hops}
        if outgoing.idempotency_key is not None:
            metadata["moothall/idempotencyKey"] = outgoing.idempotency_key
        metadata |= metadata_of(outgoing.approval, outgoing.purpose)
        message: JsonObject = {"messageId": outgoing.call_id or fresh(), "role": "ROLE_USER", "parts": [part]}
        if task_id:
            message |= {"messageId": fresh(), "taskId": task_id}
        return {"message": message, "configuration": {"acceptedOutputModes": list(_OUTPUTS)}, "metadata": metadata}

    def _part(self) -> JsonObject:
        skill, params = self.outgoing.target.operation, dict(self.outgoing.params)
        if skill and (not self.inferred or self.card.structured or skill in self.card.skills):
            return {"data": {"skill": skill, "arguments": params}, "mediaType": "application/json"}
        only = next(iter(params.values())) if len(params) == 1 and set(params) <= _TEXTS else None
        if isinstance(only, str):
            return {"text": only, "mediaType": "text/plain"}
        return {"data": params, "mediaType": "application/json"}


def _spread(values: list[Any]) -> list[Any]:
    """The values of a skill that gives one value, as those of a stream: a list has several."""
    return [each for value in values for each in (value if isinstance(value, list) else [value])]
