"""A served node whose participants follow a script and wait where the test wants to look at the page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moothall.directory.profiles import AgentProfile
from moothall.events.model import Event
from moothall.events.types import TERMINAL_EVENT_TYPES
from moothall.negotiation.demand.participants import OfferAnswer, Participant, ReviewAnswer
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node
from tests.server.door import Door, opened
from tests.support.demand import Script, Scripted, running


class Gates:
    """Where answers wait: ``offer``, ``review``, ``review 2``, each also of one agent (``offer hall``)."""

    def __init__(self, closed: Iterable[str] = ()) -> None:
        self._closed = {name: asyncio.Event() for name in closed}

    def open(self, *names: str) -> None:
        """Let those through who wait, and all who come; all gates without a name."""
        for name in names or tuple(self._closed):
            self._closed[name].set()

    async def passed(self, *names: str) -> None:
        """Return when each of these gates is open."""
        for name in names:
            if name in self._closed:
                await self._closed[name].wait()


class _Waiting:
    """A participant that waits at the gates before it answers."""

    def __init__(self, speaker: Participant, name: str, gates: Gates) -> None:
        self._speaker = speaker
        self._name = name
        self._gates = gates

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        await self._gates.passed("offer", f"offer {self._name}")
        return await self._speaker.offer(invitation, key=key)

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        steps = ("review", f"review {request.round}")
        await self._gates.passed(*steps, *(f"{step} {self._name}" for step in steps))
        return await self._speaker.review(request, key=key)


@dataclass
class Stage:
    """A node that is served, and the gates of its participants."""

    door: Door
    gates: Gates

    @property
    def url(self) -> str:
        """Where the node is."""
        return self.door.address.url

    @property
    def node(self) -> Node:
        """The node."""
        return self.door.node

    async def finished(self, demand: str, **more: Any) -> str:
        """Negotiate a demand to its end; its id."""
        demand_id = await self.door.submit(demand, **more)
        await self.ended(demand_id)
        return demand_id

    async def ended(self, demand_id: str) -> Event:
        """The event that ends a negotiation, as soon as it is there."""
        return [event async for event in self.node.log.follow(demand_id)][-1]

    async def until(self, demand_id: str, kind: str) -> dict[str, Any]:
        """The payload of the first event of a kind (without its prefix), as soon as it is there."""
        async for event in self.node.log.follow(demand_id):
            if event.type == f"towow.{kind}":
                return event.payload
        message = f"{demand_id} ended without {kind}"
        raise AssertionError(message)

    async def public(self, demand_id: str) -> list[Event]:
        """The public events of the log, in order."""
        return await self.node.log.load(demand_id, public=True)

    async def over(self, demand_id: str) -> bool:
        """Whether a negotiation has ended."""
        events = await self.public(demand_id)
        return bool(events) and events[-1].type in TERMINAL_EVENT_TYPES


@asynccontextmanager
async def staged(
    data: Path,
    profiles: Iterable[AgentProfile] = (),
    scripts: Mapping[str, Script] | None = None,
    *,
    closed: Iterable[str] = (),
    recast: Mapping[str, Callable[[Participant], Participant]] | None = None,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """Serve a node with these agents; answers wait at the ``closed`` gates.

    ``recast`` puts another speaker in the place of a persona, by the agent's name.
    """
    gates = Gates(closed)
    by_id = {f"user_agent_{name}": script for name, script in (scripts or {}).items()}

    def speaker(node: Node, of: AgentProfile) -> Participant:
        name = of.agent_id.removeprefix("user_agent_")
        persona = (recast or {}).get(name, lambda found: found)(node.persona(of))
        scripted = Scripted(persona, by_id[of.agent_id]) if of.agent_id in by_id else persona
        return _Waiting(scripted, name, gates)

    async with running(data, profiles, participants=speaker, **settings) as node, opened(node) as door:
        yield Stage(door, gates)
