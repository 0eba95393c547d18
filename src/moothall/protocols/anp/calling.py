"""The calls of one request to the call route: each admitted, run and answered."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from moothall.calls.ports import Admitted, CallFacts, Gateway, Params
from moothall.calls.reply import Reply
from moothall.calls.request_ids import fresh
from moothall.errors import InternalError, MoothallError, ServiceNotFoundError, Told, Unauthenticated, ValidationError
from moothall.messages import Lang
from moothall.negotiation.protocol.bodies import METHODS
from moothall.protocols.anp import jsonrpc
from moothall.protocols.anp.jsonrpc import Call, Message, Misshapen
from moothall.protocols.anp.negotiating import Holds, arguments, belongs, held, target_of
from moothall.telemetry import logger

AT_ONCE: Final = 8
"""Calls of a batch that run at the same time."""

Tell = Callable[[bytes], Awaitable[None]]
"""Takes a message for the caller as soon as there is one."""

T = TypeVar("T")

_log = logger("anp")


@dataclass(frozen=True, slots=True)
class Calling:
    """Runs the calls of a request for one caller.

    Attributes:
        message: the calls.
        gateway: the call path.
        agent: whose methods they are.
        facts: what holds for all calls of the request.
        lang: the caller's language.
        holds: holds calls against the agreements that they quote; None where nothing is agreed.
    """

    message: Message
    gateway: Gateway
    agent: str
    facts: CallFacts
    lang: Lang
    holds: Holds | None = None

    async def respond(self) -> bytes | None:
        """The responses; None where the message has notifications only.

        Raises:
            Unauthenticated: its only call asks for a proof of identity.
        """
        if not self.message.batch:
            return await self._response(self.message.calls[0], self.facts, alone=True)
        given = [response for response in await self._each(self._response) if response is not None]
        return b"[%b]" % b",".join(given) if given else None

    async def narrate(self, tell: Tell) -> None:
        """The same with progress and values as they come, responses in the order in which they are ready."""

        async def one(call: Call | Misshapen, facts: CallFacts) -> None:
            response = await self._told(call, facts, tell)
            if response is not None:
                await tell(response)

        await self._each(one)

    async def _each(self, work: Callable[[Call | Misshapen, CallFacts], Awaitable[T]]) -> list[T]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(index: int, call: Call | Misshapen) -> T:
            async with gate:
                return await work(call, self._facts_of(index))

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(index, call)) for index, call in enumerate(self.message.calls)]
        return [task.result() for task in tasks]

    def _facts_of(self, index: int) -> CallFacts:
        """The facts of one call of a batch: a request id and, if there is one, a key of its own."""
        if not self.message.batch:
            return self.facts
        key = self.facts.idempotency_key
        return replace(
            self.facts,
            request_id=self.facts.request_id if index == 0 else fresh(),
            idempotency_key=None if key is None else _part(key, index),
        )

    async def _response(self, call: Call | Misshapen, facts: CallFacts, *, alone: bool = False) -> bytes | None:
        if isinstance(call, Misshapen):
            return self._failed(call, facts, call.error)
        try:
            admitted = await self._admit(call, facts)
            params = await self._arguments(admitted, call)
        except MoothallError as error:
            if alone and isinstance(error, Unauthenticated):
                raise  # for the door: the answer as a whole has a status and a challenge
            return self._failed(call, facts, error)
        return self._ended(call, facts, await self.gateway.run(admitted, params))

    async def _told(self, call: Call | Misshapen, facts: CallFacts, tell: Tell) -> bytes | None:
        if isinstance(call, Misshapen):
            return self._failed(call, facts, call.error)
        try:
            admitted = await self._admit(call, facts)
            params = await self._arguments(admitted, call)
        except MoothallError as error:
            return self._failed(call, facts, error)
        async for chunk in self.gateway.stream(admitted, params):
            if isinstance(chunk, Reply):
                return self._ended(call, facts, chunk)
            if call.notification:
                continue
            try:
                await tell(jsonrpc.told(call.id, chunk))
            except TypeError:
                return self._no_json(call, facts)
        return self._failed(call, facts, InternalError("a stream ended without its reply"))

    async def _admit(self, call: Call, facts: CallFacts) -> Admitted:
        """Resolve a method of this agent, and of no other.

        Raises:
            MoothallError: as `Gateway.admit`.
        """
        try:
            target = target_of(self.agent, call.method)
        except ValidationError as error:
            raise _unknown() from error
        admitted = await self.gateway.admit(target, facts)
        if not belongs(admitted.entry, self.agent, call.method):
            raise _unknown()
        return admitted

    async def _arguments(self, admitted: Admitted, call: Call) -> Params:
        """The arguments, wherever in the object they stand (row DEC-03); a list has them by position.

        Raises:
            MoothallError: the call quotes an agreement that it does not fit (row WIRE-NEGO-09).
        """
        if call.method in METHODS:
            return arguments(self.agent, call.method, call.params)
        params = await held(admitted, call.params, self.holds)
        return admitted.entry.locate(params) if isinstance(params, Mapping) else params

    def _ended(self, call: Call, facts: CallFacts, reply: Reply[Any]) -> bytes | None:
        if reply.error is not None:
            return self._failed(call, facts, reply.error)
        if call.notification:
            return None
        try:
            return jsonrpc.success(call.id, reply.data)
        except TypeError:
            return self._no_json(call, facts)

    def _no_json(self, call: Call, facts: CallFacts) -> bytes | None:
        _log.exception("request %s: a value of %s.%s is no JSON", facts.request_id, self.agent, call.method)
        return self._failed(call, facts, InternalError("a value is no JSON", told=Told("protocols.failed")))

    def _failed(self, call: Call | Misshapen, facts: CallFacts, error: MoothallError) -> bytes | None:
        if isinstance(call, Call) and call.notification:
            return None
        return jsonrpc.failure(call.id, error, facts.request_id, self.lang)


def _part(key: str, index: int) -> str:
    """The key of one call of a batch; a digest, since a suffix could make it longer than a key may be."""
    return hashlib.sha256(f"{index}#{key}".encode()).hexdigest()


def _unknown() -> ServiceNotFoundError:
    return ServiceNotFoundError("the agent has no such method", told=Told("anp.no_method", hint="anp.hint_method"))
