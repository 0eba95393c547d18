"""A call path whose capabilities are found by the real index, and called in words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moothall.calls.caller import UnifiedCaller
from moothall.calls.path import CallPath
from moothall.calls.ports import Connector
from moothall.capability.agents import Agent
from moothall.capability.registry import Registry
from moothall.capability.snapshot import Snapshot
from moothall.directory.finding.local import capabilities
from moothall.directory.intent.asking import IntentModel
from moothall.directory.intent.balancing import Balancer
from moothall.directory.intent.connector import AutoConnector
from moothall.directory.intent.discovering import ResourceDiscoverer
from moothall.directory.intent.intents import IntentGround, Intents
from moothall.directory.intent.matcher import IntelligentMatcher
from moothall.directory.intent.understanding import ModelUnderstanding
from moothall.directory.listing import Listing
from moothall.directory.places import load_gazetteer
from moothall.directory.search.engine import SearchIndex
from moothall.directory.search.words_known import load_search_vocabulary
from moothall.directory.searching import Visible
from moothall.errors import MoothallError
from moothall.identity.principal import OWNER, Principal
from moothall.llm.base import BaseLLM
from moothall.policy.engine import PolicyEngine
from tests.support.clock import ManualClock

ALICE = Principal(id="did:wba:a.example:e1_a", kind="did", binding="request")
TODAY = datetime(2026, 11, 22, 12, tzinfo=UTC)


class PathRights:
    """What the call path shows, and of elsewhere what is public."""

    def __init__(self, path: Callable[[], CallPath]) -> None:
        self._path = path

    async def visible(self, principal: Principal, door: str) -> Visible:
        seen = {f"local:{entry.id}" for entry in await self._path().visible(principal, door)}

        def may(listing: Listing) -> bool:
            return listing.target in seen if listing.local else listing.public or principal.owner

        return may


class Hall:
    """Agents, an index of what they offer, and a caller in words."""

    def __init__(
        self, index: SearchIndex, agents: Sequence[Agent], connectors: Sequence[Connector], **more: Any
    ) -> None:
        self.index = index
        self.clock = more.pop("clock", None) or ManualClock(TODAY)
        self.registry = Registry()
        for agent in agents:
            agent.join(self.registry)
        llm: BaseLLM | None = more.pop("llm", None)
        model = IntentModel(llm) if llm is not None else None
        ground = IntentGround(
            discoverer=ResourceDiscoverer(lambda: index, lambda: PathRights(lambda: self.path), lambda: None),
            matcher=IntelligentMatcher(model),
            model=model,
            gazetteer=load_gazetteer(),
            clock=self.clock,
            own=frozenset,
            confirmed=more.pop("confirmed", ()),
            balancer=Balancer(more.pop("balancing", "least_latency")),
        )
        self.intents = Intents(ground)
        self.path = CallPath(
            self.registry,
            PolicyEngine.usual(),
            connectors=[AutoConnector(self.intents), *connectors],
            secret=b"s" * 32,
            clock=self.clock,
        )
        self.path.understanding.by = ModelUnderstanding(model, self.intents.today)
        self.path.parts[Intents] = self.intents
        self.registry.on_change(self._changed)
        self._fresh = True
        self.caller = UnifiedCaller(self.path)

    def _changed(self, _snapshot: Snapshot) -> None:
        self._fresh = False

    async def feed(self, *listings: Listing) -> None:
        """Index what is registered now, and these."""
        known = set(await self.index.targets())
        offered = [*capabilities(self.registry.snapshot, ()), *listings]
        await self.index.put(offered)
        await self.index.remove(known - {each.target for each in offered})

    def by(self, principal: Principal = OWNER) -> UnifiedCaller:
        """A caller."""
        return UnifiedCaller(self.path, principal)


@asynccontextmanager
async def opened(
    folder: Path, *agents: Agent, connectors: Sequence[Connector] = (), listings: Sequence[Listing] = (), **more: Any
) -> AsyncIterator[Hall]:
    """A hall whose index is fed."""
    embedder = more.pop("embedder", None)
    index = SearchIndex(folder / "search", load_search_vocabulary(), load_gazetteer(), embedder=embedder)
    await index.open()
    try:
        hall = Hall(index, agents, connectors, **more)
        await hall.feed(*listings)
        yield hall
    finally:
        await index.aclose()


def arguments_of(reply: Any) -> Mapping[str, Any]:
    """What was filled in."""
    found: Mapping[str, Any] = reply.metadata.chosen["arguments"]
    return found


def candidates(error: MoothallError) -> Sequence[Mapping[str, Any]]:
    """What an ambiguous request may mean."""
    found: Any = error.details["candidates"]
    return list(found)
