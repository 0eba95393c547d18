"""A desk at the data directory itself: the node is opened in this process for as long as the command runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from moothall.cli.changes import merged
from moothall.cli.desk import JsonObject, Ticket
from moothall.directory.loading import parse_profile
from moothall.directory.profiles import AgentProfile
from moothall.directory.rows import Origin, Status
from moothall.events.model import Event
from moothall.negotiation.demand.driver import KIND
from moothall.node import Node
from moothall.settings import Settings


@asynccontextmanager
async def local_desk(settings: Settings) -> AsyncIterator[LocalDesk]:
    """Open the node of ``settings`` and close it again.

    Raises:
        StoreLocked, StorageError, SettingsError: it cannot be opened.
    """
    async with Node(settings) as node:
        yield LocalDesk(node)


class LocalDesk:
    """Works on a started node directly."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def submit(self, raw_input: str) -> Ticket:
        """Start a negotiation."""
        done = await self._node.demands.submit(raw_input)
        understanding = done.understanding.model_dump(mode="json")
        return Ticket(done.demand_id, done.channel_id, understanding, done.degraded)

    async def follow(self, demand_id: str) -> AsyncIterator[JsonObject]:
        """The events of a demand, history first, then live, until it has ended."""
        await self._node.demands.record(demand_id)
        async for event in self._node.log.follow(demand_id):
            yield public_form(event)

    async def history(self, demand_id: str) -> Sequence[JsonObject]:
        """The events of a demand so far."""
        await self._node.demands.record(demand_id)
        return [public_form(event) for event in await self._node.log.load(demand_id, public=True)]

    async def newest(self) -> str | None:
        """The id of the newest demand of a person; sub-demands have a parent."""
        runs = await self._node.log.runs(kind=KIND, top_level=True, limit=1)
        return runs[0].id if runs else None

    async def agents(self, text: str, status: Status | None) -> Sequence[JsonObject]:
        """The agents that match."""
        return [record.public() for record in await self._node.registry.list(status, text)]

    async def agent(self, agent_id: str) -> JsonObject:
        """One agent."""
        return (await self._node.registry.get(agent_id)).public()

    async def register(self, profile: AgentProfile) -> JsonObject:
        """Add an agent."""
        return (await self._node.registry.register(profile)).public()

    async def edit(self, agent_id: str, changes: Mapping[str, object]) -> JsonObject:
        """Change some fields of an agent; a reservation that is not named stays."""
        record = await self._node.registry.get(agent_id)
        profile = parse_profile(merged(record.profile.private(), changes))
        return (await self._node.registry.update(profile, revision=record.revision)).public()

    async def load(self, profiles: Sequence[AgentProfile], origin: Origin) -> int:
        """Add or replace agents, all or none."""
        return await self._node.registry.load(profiles, origin=origin)

    async def set_status(self, agent_id: str, status: Status) -> JsonObject:
        """Make an agent active or disabled."""
        return (await self._node.registry.set_status(agent_id, status)).public()


def public_form(event: Event) -> JsonObject:
    """An event as the stream sends it."""
    return {
        "event_id": event.event_id,
        "event_type": event.type,
        "timestamp": event.ts,
        "payload": event.payload,
    }
