"""Finding at one node: places elsewhere and what they list, one search over that and its own, and who may see what."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from moothall.calls.target import Target
from moothall.capability.life import run_all
from moothall.capability.spec import JsonObject
from moothall.directory.concepts import Vocabulary
from moothall.directory.finding.capabilities import FindingCapabilities, SearchCapability
from moothall.directory.finding.crawling import Report
from moothall.directory.finding.desk import DeskGround, FindingDesk
from moothall.directory.finding.feeding import FeedGround, Feeding, Index
from moothall.directory.finding.limits import Limits
from moothall.directory.finding.local import house as house_names
from moothall.directory.finding.reading import Discoverer
from moothall.directory.finding.rights import HouseRights
from moothall.directory.finding.stops import Stops
from moothall.directory.finding.store import FindingStore
from moothall.directory.places import load_gazetteer
from moothall.directory.searching import Rights, Search
from moothall.directory.vocabulary_capabilities import VocabularyCapabilities
from moothall.directory.vocabulary_store import VocabularyStore
from moothall.errors import MoothallError
from moothall.hosting.house import House
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.llm.embeddings import configured_embeddings
from moothall.protocols.a2a.finding import A2aCards
from moothall.protocols.anp.finding import AnpDescriptions, AnpLists
from moothall.protocols.catalogue.finding import Catalogues
from moothall.protocols.mcp.finding import McpCards, McpServers
from moothall.protocols.mcp.remote.servers import servers_of
from moothall.telemetry import logger

FOLDER: Final = "search"
"""Where the index is, below the data directory; it can be taken away any time."""

_LOOK: Final = 1.0
"""Seconds between two looks at what other processes have changed, and at places whose time has come."""

_log = logger("finding")


class Finding:
    """The room of finding.

    Attributes:
        store: places and listings.
        desk: adds, reads and removes places.
        search: finds by meaning, here and elsewhere.
        rights: what a caller may know of.
        stops: what may not be called, whoever names it.
        vocabulary: the words that the search knows.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self.store = FindingStore(house.store)
        self.vocabulary = VocabularyStore(house.store, house.clock, _vocabulary)
        self._feeding = Feeding(
            FeedGround(
                opened=self._opened,
                registry=house.registry,
                own=house.own,
                dids=house.agents,
                profiles=house.profiles,
                store=self.store,
            )
        )
        self.search: Search = self._feeding
        self.rights: Rights = HouseRights(house.path, house.agents)
        settings = house.settings
        self._embeddings = configured_embeddings(settings, house.clock.monotonic)
        self.stops = Stops(self.store, self._house_names, _aliases(settings.a2a))
        self.desk = FindingDesk(
            DeskGround(
                egress=house.office.egress,
                store=self.store,
                discoverers=self._discoverers(),
                clock=house.clock,
                limits=Limits(
                    depth=settings.crawl_depth,
                    documents=settings.crawl_documents,
                    bytes=settings.crawl_bytes,
                    seconds=settings.crawl_seconds,
                ),
                interval=settings.refresh_interval,
                changed=self._changed,
            )
        )
        self.capabilities: Sequence[object] = (
            FindingCapabilities(self.desk),
            SearchCapability(self.search, self.rights),
            VocabularyCapabilities(self.vocabulary),
        )
        self._shared = house.store.writer is None
        self._tasks: list[asyncio.Task[None]] = []

    async def crawl(self, place: str) -> Report:
        """Look around at a place elsewhere as the owner, and remember it; see `FindingDesk.add`."""
        return await self.desk.add(place)

    async def refresh(self) -> list[Report]:
        """Read every place whose time has come, and take in whatever has changed.

        Raises:
            StorageError: the store or the index fails.
        """
        reports = await self.desk.refresh_due()
        await self._feeding.feed()
        return reports

    async def describe(self, target: Target, agent: str) -> JsonObject:
        """What an MCP server of the file offers; raises as `CallPath.describe`."""
        return await self._house.path().describe(target, agent)

    async def start(self) -> None:
        """Begin to look at places when their time comes."""
        loops = (("moothall-refresh", self._refresh_due), ("moothall-feed", self._feed))
        self._tasks = [asyncio.create_task(self._again(work), name=name) for name, work in loops]

    async def rest(self) -> None:
        """Look at nothing any more; while the call path still runs."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks = []

    async def aclose(self) -> None:
        """Close the index."""
        more = [self._embeddings.aclose] if self._embeddings is not None else []
        await run_all([self.rest, self._feeding.aclose, *more])

    async def _again(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - logged; the next look may succeed
                known = isinstance(error, MoothallError)
                _log.warning("what is offered elsewhere was not looked at: %s", error, exc_info=not known)

    async def _refresh_due(self) -> None:
        await self.desk.refresh_due()

    async def _feed(self) -> None:
        """Take in what other processes have changed, once somebody has searched; before that there is nothing to do."""
        if self._shared and self.stops.in_use:
            await self.stops.look()
        if self._feeding.opened:
            await self.vocabulary.look()
            await self._feeding.feed()

    def _changed(self) -> None:
        self._feeding.touch()
        self.stops.touch()

    def _house_names(self) -> frozenset[str]:
        return house_names(self._house.registry.snapshot, self._house.own())

    async def _opened(self) -> Index:
        """The index; its packages are large, so that a node that never searches does not load them."""
        engine = await asyncio.to_thread(import_module, "moothall.directory.search.engine")
        folder = self._house.settings.data / FOLDER
        await asyncio.to_thread(_vocabulary)  # it is large, and kept from here on
        known = await self.vocabulary.current()
        index = engine.SearchIndex(folder, known, load_gazetteer(), embedder=self._embeddings)
        await index.open()
        self.vocabulary.on_change(index.relearn)
        if (now := await self.vocabulary.current()) is not known:  # changed while the index was being opened
            await index.relearn(now)
        opened: Index = index
        return opened

    def _discoverers(self) -> Sequence[Discoverer]:
        house, office = self._house, self._house.office
        servers = servers_of(house.settings.mcp)
        return (
            McpServers(servers, self, DEFAULT_AGENT),
            AnpLists(),
            AnpDescriptions(office.resolver, office.is_own),
            A2aCards(office.resolver),
            McpCards(servers),
            Catalogues(),
        )


def _vocabulary() -> Vocabulary:
    known: Vocabulary = import_module("moothall.directory.search.words_known").load_search_vocabulary()
    return known


def _aliases(tables: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """The addresses of A2A agents under the names that the file has for them."""
    return {("a2a", name): str(table.get("url", "")) for name, table in tables.items()}
