"""The discovering part: what a caller may find, and how much of that it may reach from here (rows CRW-01, CRW-05)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final, Protocol

from moothall.calls.call import LOCAL
from moothall.calls.plan import FOR_MODELS
from moothall.calls.target import Target
from moothall.capability.registry import Snapshot
from moothall.capability.spec import FACADE
from moothall.directory.intent.choosing import plain
from moothall.directory.listing import Listing
from moothall.directory.searching import Filters, Found, Rights, Search, Visible
from moothall.identity.principal import Principal

NETWORK: Final = "network"
"""The permission to call what is elsewhere through this node, for callers who do not act for its owner."""


class Discovers(Protocol):
    """Finds resources; `ResourceDiscoverer` fills it in, and whoever wants may use another."""

    async def discover(self, query: str, principal: Principal, filters: Filters, limit: int) -> Found:
        """What a caller may find, best first; an empty query lists what the filters leave.

        Raises:
            InvalidInput, StorageError: as `Search.search`.
        """
        ...

    async def get(self, target: str, principal: Principal) -> Listing | None:
        """What a target names; None where the caller may not know of it."""
        ...


class Cached(Protocol):
    """Remembers answers, each for one kind of caller only; `CacheManager` fills it in."""

    async def search(self, query: str, filters: Filters, visible: Visible, *, partition: str, limit: int = 20) -> Found:
        """As `Search.search`; ``partition`` tells callers apart."""
        ...


class ResourceDiscoverer:
    """Searches what this node knows, for callers and their rights.

    Args:
        search: the index.
        rights: who may know of what.
        cache: remembers answers; None: nothing does.
    """

    def __init__(
        self, search: Callable[[], Search], rights: Callable[[], Rights], cache: Callable[[], Cached | None]
    ) -> None:
        self._search = search
        self._rights = rights
        self._cache = cache

    def remembering(self, cache: Cached) -> ResourceDiscoverer:
        """The same with another memory."""
        return ResourceDiscoverer(self._search, self._rights, lambda: cache)

    async def discover(self, query: str, principal: Principal, filters: Filters, limit: int) -> Found:
        """What a caller may find. See `Discovers`.

        Rights are looked up anew for an answer that is remembered: what was taken away is not shown any more.
        """
        visible = await self._visible(principal)
        cache = self._cache()
        if cache is None:
            return await self._search().search(query, filters, visible, limit=limit)
        partition = f"{principal.kind} {principal.id} {','.join(sorted(principal.permissions))}"
        found = await cache.search(query, filters, visible, partition=partition, limit=limit)
        kept = tuple(hit for hit in found.hits if visible(hit.listing))
        return replace(found, hits=kept, total=found.total - len(found.hits) + len(kept))

    async def get(self, target: str, principal: Principal) -> Listing | None:
        """What a target names. See `Discovers`."""
        search = self._search()
        listing = await search.get(target) or await search.get(plain(target))
        if listing is None:
            return None
        return listing if (await self._visible(principal))(listing) else None

    async def _visible(self, principal: Principal) -> Visible:
        """What a caller may know of where models find their tools; the owner, of what is only inside, too."""
        rights = self._rights()
        outside = await rights.visible(principal, FOR_MODELS)
        if not principal.owner:
            return outside
        inside = await rights.visible(principal, LOCAL)
        return lambda listing: inside(listing) or outside(listing)


def door_to(principal: Principal, listing: Listing, snapshot: Snapshot) -> str:
    """Where a request in words comes in: the owner's inside, where that is open, everybody else's where models call."""
    if not listing.local:
        return LOCAL
    target = Target.parse(listing.target)
    entry = snapshot.find(target.address, target.version)
    return LOCAL if principal.owner and entry is not None and LOCAL in entry.spec.exposure else FOR_MODELS


def reaches(principal: Principal, listing: Listing) -> bool:
    """Whether a caller may use this node to call something: a node is no open proxy to what is elsewhere."""
    return listing.local or principal.owner or principal.holds((NETWORK,))


def callable_by(principal: Principal, listing: Listing, own: Collection[str]) -> bool:
    """Whether a request in words may lead there: not to agents, to the node's own housekeeping or back to itself.

    Args:
        principal: the caller.
        listing: what was found.
        own: ids of the capabilities by which the node itself is run.
    """
    if listing.kind != "capability" or listing.standing != "listed" or FACADE in listing.tags:
        return False
    return plain(listing.target).removeprefix("local:") not in own and reaches(principal, listing)
