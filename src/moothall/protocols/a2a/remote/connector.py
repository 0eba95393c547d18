"""Calls over A2A: targets ``a2a:NAME-OR-URL[#SKILL]`` and source ``a2a`` (rows CAL-06, TPL-16 to TPL-30).

An endpoint with an agent card is called as the protocol has it; any other is a plain JSON service. Without a skill and
without arguments an agent is described.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from moothall.calls.ports import Outgoing
from moothall.calls.target import Target
from moothall.capability.spec import JsonObject
from moothall.clock import Clock
from moothall.errors import CallTimeout, InternalError, MoothallError, Told, Unavailable, UpstreamError
from moothall.identity.egress import Egress
from moothall.identity.principal import Principal
from moothall.protocols.a2a.remote import plain
from moothall.protocols.a2a.remote.agent import AgentCall
from moothall.protocols.a2a.remote.binding import Binding
from moothall.protocols.a2a.remote.card import RemoteCard
from moothall.protocols.a2a.remote.discovery import Cards
from moothall.protocols.a2a.remote.peers import Peer, Peers
from moothall.protocols.a2a.remote.signatures import Resolves
from moothall.protocols.a2a.remote.way import Said, Sessions, Way
from moothall.telemetry import logger

DESCRIBED_SECONDS: Final = 30.0
CANCELLED_SECONDS: Final = 5.0
_MOST_CANCELLED: Final = 256
_log = logger("a2a")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the connector stands on.

    Attributes:
        aliases: the tables ``[a2a.NAME]`` of the file.
        environ: where tokens are.
        egress: the way out.
        sessions: signs the calls of this node's agents, by the agent's name.
        resolver: finds the documents of DIDs that signed cards.
        principals: who an agent of this node is as a caller.
        own: the authorities of this very node.
        found: whether a target was found elsewhere and may be used as it is described.
    """

    aliases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    egress: Egress
    sessions: Sessions
    resolver: Resolves
    principals: Callable[[str], Principal]
    clock: Clock
    own: Container[str] = ()
    found: Callable[[str], Awaitable[bool]] | None = None


class A2aConnector:
    """The connector of one node.

    Raises:
        SettingsError: a table of the file does not fit.
    """

    schemes: tuple[str, ...] = ("a2a",)

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._peers = Peers(ground.aliases, ground.environ, ground.egress, ground.own)
        self._cards = Cards(ground.egress, ground.resolver, ground.clock)
        self._cancelling: set[asyncio.Task[None]] = set()

    async def call(self, outgoing: Outgoing) -> Any:  # noqa: ANN401 - JSON of any shape
        """Make the call and return its value, as JSON; of one that streams, the list of its values."""
        peer = self._peers.of(outgoing, found=await self._found(outgoing.target))
        async with self._recorded(peer, outgoing), _within(outgoing.timeout):
            way = self._way(peer, outgoing.agent)
            card = await self._cards.of(way)
            if card is None:
                caller = self._ground.principals(outgoing.agent).id
                return await plain.call(way, outgoing, caller, self._ground.clock)
            if not outgoing.target.operation and not outgoing.params:
                return card.described()
            return await self._agent(way, card, outgoing).call()

    async def stream(self, outgoing: Outgoing) -> AsyncIterator[Any]:
        """Make the call and yield its values; those of a list, where the far side does not stream."""
        peer = self._peers.of(outgoing, found=await self._found(outgoing.target))
        async with self._recorded(peer, outgoing):
            way = self._way(peer, outgoing.agent)
            until = asyncio.get_running_loop().time() + outgoing.timeout
            async with _until(until):
                card = await self._cards.of(way)
            if card is None:
                async with _until(until):
                    caller = self._ground.principals(outgoing.agent).id
                    value = await plain.call(way, outgoing, caller, self._ground.clock)
                for each in value if isinstance(value, list) else [value]:
                    yield each
                return
            async with aclosing(self._agent(way, card, outgoing).stream()) as values:
                async for value in _in_time(values, until):
                    yield value

    async def describe(self, target: Target, agent: str) -> JsonObject:
        """The agent at a target: its skills, what its signature is worth; of a plain service, that it is one."""
        peer = self._peers.at(target.address, declared=await self._found(target))
        async with _within(DESCRIBED_SECONDS):
            card = await self._cards.of(self._way(peer, agent))
        return {"profile": "legacy", "url": peer.shown} if card is None else card.described()

    async def aclose(self) -> None:
        """Give up looking for cards, and wait for tasks that are being cancelled."""
        await self._cards.aclose()
        await asyncio.gather(*self._cancelling)

    async def _found(self, target: Target) -> bool:
        """Whether the owner lets somebody be called whom the file does not list; raises StorageError."""
        asks = self._ground.found
        return asks is not None and self._peers.strange(target.address) and await asks(str(target))

    def _way(self, peer: Peer, agent: str) -> Way:
        return Way(peer, agent, self._ground.egress, self._ground.sessions)

    def _agent(self, way: Way, card: RemoteCard, outgoing: Outgoing) -> AgentCall:
        binding = Binding(way, card.interface, card.structured, outgoing.timeout)
        return AgentCall(binding, card, outgoing, way.peer.inferred, self._ground.clock, self._cancel)

    def _cancel(self, binding: Binding, task_id: str) -> None:
        """End a task that nobody waits for any more; of very many at once, some are left to themselves."""
        if len(self._cancelling) < _MOST_CANCELLED:
            cancelling = asyncio.create_task(self._cancelled(binding, task_id))
            self._cancelling.add(cancelling)
            cancelling.add_done_callback(self._cancelling.discard)

    async def _cancelled(self, binding: Binding, task_id: str) -> None:
        try:
            async with asyncio.timeout(CANCELLED_SECONDS):
                await binding.ask("CancelTask", {"id": task_id})
        except (MoothallError, TimeoutError) as error:
            _log.info("a task at %s was not cancelled: %s", binding.way.peer.shown, error)

    @asynccontextmanager
    async def _recorded(self, peer: Peer, outgoing: Outgoing) -> AsyncIterator[None]:
        """Write one record of how the call went: where, which, how long, and of a failure what the far side said."""
        begun = self._ground.clock.monotonic()
        outcome, said = InternalError.code, ""
        try:
            yield
            outcome = "ok"
        except UpstreamError as error:
            outcome, said = error.code, _said(error)
            if error.sent:
                raise
            outcome = Unavailable.code
            raise Unavailable("nobody answers", told=error.told) from error
        except MoothallError as error:
            outcome, said = error.code, _said(error)
            raise
        except (asyncio.CancelledError, GeneratorExit):
            outcome = "cancelled"
            raise
        finally:
            seconds = self._ground.clock.monotonic() - begun
            where = {"endpoint": peer.shown, "request_id": outgoing.call_id, "seconds": seconds, "said": said}
            level = _log.info if outcome in {"ok", "cancelled"} else _log.warning
            name = outgoing.target.operation or "-"
            level("%s %s at %s: %s in %.6f s", outgoing.call_id, name, peer.shown, outcome, seconds, extra=where)


def _said(error: MoothallError) -> str:
    return str(error.__cause__) if isinstance(error.__cause__, Said) else ""


async def _in_time(values: AsyncIterator[Any], until: float) -> AsyncIterator[Any]:
    """Values as they come, none after a time of the loop's clock; what their taker does with them counts, too."""
    while True:
        async with _until(until):
            try:
                value = await anext(values)
            except StopAsyncIteration:
                return
        yield value


def _within(seconds: float) -> AbstractAsyncContextManager[None]:
    return _until(asyncio.get_running_loop().time() + seconds)


@asynccontextmanager
async def _until(when: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout_at(when):
            yield
    except CallTimeout:
        raise
    except TimeoutError as error:
        raise CallTimeout("no answer in time", told=Told("egress.silent")) from error
