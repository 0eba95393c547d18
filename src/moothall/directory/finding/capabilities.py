"""Finding as capabilities of the node: ``search`` for everybody who is somebody, the rest for the owner.

``search`` shows what its caller may know, and nothing about the rest, not even how much there is.
"""

from __future__ import annotations

from typing import Annotated, Final, Protocol

from pydantic import Field

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.directory.finding.crawling import Report
from moothall.directory.finding.store import FindingStore, Removed
from moothall.directory.finding.views import (
    FoundView,
    ListingView,
    RemovedView,
    ReportView,
    SourceView,
    found_view,
    listing_view,
    report_view,
    source_view,
)
from moothall.directory.finding.views import Listings as ListingsView
from moothall.directory.listing import Kind, Listing, Standing, Way
from moothall.directory.searching import LONGEST, MOST, Filters, Rights, Search
from moothall.errors import ServiceNotFoundError, Told
from moothall.identity.principal import Principal

PERMISSION: Final = ("finding",)
CRAWLING_SECONDS: Final = 120.0
_PAGE: Final = 100
_LOCAL: Final = "local"

Text = Annotated[str, Field(max_length=2048)]
Some = Annotated[int, Field(ge=1, le=MOST)]
Trust = Annotated[int, Field(ge=0, le=10)]


class Desk(Protocol):
    """Who does what these capabilities ask for."""

    @property
    def store(self) -> FindingStore:
        """What is remembered."""
        ...

    async def add(self, place: str) -> Report:
        """Remember a place and read it."""
        ...

    async def refresh(self, url: str) -> Report:
        """Read a place again."""
        ...

    async def remove(self, url: str) -> Removed:
        """Forget a place."""
        ...

    async def approve(self, target: str, digest: str, trust: int | None) -> Listing:
        """Let a description be used."""
        ...

    async def refuse(self, target: str) -> Listing:
        """Let it never be used."""
        ...


class FindingCapabilities:
    """The capabilities ``sources.*`` and ``listings.*`` of a node."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @capability(
        name="sources.add",
        permissions=PERMISSION,
        binding="request",
        timeout=CRAWLING_SECONDS,
        open_world=True,
        idempotent=True,
    )
    async def add(self, place: Text) -> ReportView:
        """Look around at a place elsewhere, remember it and what it offers, and look again from time to time.

        Args:
            place: a host, the address of a document, or mcp:NAME of a server in the node's file
        """
        return report_view(await self._desk.add(place))

    @capability(name="sources.list", permissions=PERMISSION, read_only=True, idempotent=True)
    async def list(self, all: bool = False) -> list[SourceView]:  # noqa: A002, FBT001, FBT002 - its name for callers
        """The places that are read again and again, and how it went last time.

        Args:
            all: also those that others led to
        """
        return [source_view(each) for each in await self._desk.store.places(roots=not all)]

    @capability(
        name="sources.refresh", permissions=PERMISSION, binding="request", timeout=CRAWLING_SECONDS, idempotent=True
    )
    async def refresh(self, url: Text) -> ReportView:
        """Read a place again now, also where it has failed lately.

        Args:
            url: its address, as sources.list has it
        """
        return report_view(await self._desk.refresh(url))

    @capability(name="sources.remove", permissions=PERMISSION, binding="request", destructive=True, idempotent=True)
    async def remove(self, url: Text) -> RemovedView:
        """Forget a place, what it led to, and what those offer.

        Args:
            url: its address, as sources.list has it
        """
        removed = await self._desk.remove(url)
        return RemovedView(places=removed.places, listings=removed.listings)

    @capability(name="listings.list", permissions=PERMISSION, read_only=True, idempotent=True)
    async def listings(
        self, standing: Standing | None = None, source: Text = "", after: Text = "", limit: Some = _PAGE
    ) -> ListingsView:
        """What was found elsewhere, in order of target.

        Args:
            standing: only such: listed, changed (somebody has to look at it again), refused or expired
            source: only what this place lists
            after: only what comes after this target
            limit: so many at most
        """
        found = await self._desk.store.listings(standing=standing, under=source, after=after, most=limit)
        following = found[-1].target if len(found) == limit else ""
        return ListingsView(listings=[listing_view(each) for each in found], next=following)

    @capability(name="listings.show", permissions=PERMISSION, read_only=True, idempotent=True)
    async def show(self, target: Text) -> ListingView:
        """One of them, whatever its standing."""
        found = await self._desk.store.get(target)
        if found is None:
            raise ServiceNotFoundError("no such listing", told=Told("finding.no_listing"))
        return listing_view(found)

    @capability(name="listings.approve", permissions=PERMISSION, binding="request", idempotent=True)
    async def approve(
        self, ctx: CallContext, target: Text, digest: Text = "", trust: Trust | None = None
    ) -> ListingView:
        """Let a description be used as it is now; until it changes.

        Args:
            ctx: the call, made by the call path
            target: what it calls
            digest: only if this is still its digest
            trust: how far this node trusts it from now on
        """
        ctx.firsthand()
        return listing_view(await self._desk.approve(target, digest, trust))

    @capability(name="listings.refuse", permissions=PERMISSION, binding="request", idempotent=True)
    async def refuse(self, ctx: CallContext, target: Text) -> ListingView:
        """Let it never be used, however it is described, until it is approved."""
        ctx.firsthand()
        return listing_view(await self._desk.refuse(target))


class SearchCapability:
    """The capability ``search`` of a node."""

    def __init__(self, search: Search, rights: Rights) -> None:
        self._search = search
        self._rights = rights

    @capability(
        name="search", access="authenticated", read_only=True, idempotent=True, expose_to=("local", "net", "llm")
    )
    async def search(  # noqa: PLR0913, PLR0917 - what can be asked for
        self,
        ctx: CallContext,
        query: Annotated[str, Field(max_length=LONGEST)] = "",
        kinds: list[Kind] | None = None,
        ways: list[Way] | None = None,
        tags: list[str] | None = None,
        owner: Text = "",
        agent: Text = "",
        place: Text = "",
        day: Text = "",
        source: Text = "",
        min_trust: Trust = 0,
        usable: bool = True,  # noqa: FBT001, FBT002 - its name for callers
        limit: Some = 20,
    ) -> FoundView:
        """Find what can be called, here and elsewhere, by what it does, in Chinese or English.

        Args:
            ctx: the call, made by the call path
            query: what is looked for; empty: whatever the rest leaves
            kinds: capability, agent or resource
            ways: how it is called: local, http, mcp, a2a or anp
            tags: all of these, in any language
            owner: whose it is
            agent: of this agent
            place: in this city
            day: there on this day, YYYY-MM-DD
            source: listed by this place; local: of this node
            min_trust: trusted so far at least
            usable: only what may be called
            limit: so many at most
        """
        filters = Filters(
            kinds=frozenset(kinds or ()),
            ways=frozenset(ways or ()),
            tags=frozenset(tags or ()),
            owner=owner,
            agent=agent,
            place=place,
            day=day,
            source=source,
            min_trust=min_trust,
            standing=usable,
        )
        visible = await self._rights.visible(ctx.principal, _door(ctx.principal, ctx.door))
        found = await self._search.search(query, filters, visible, limit=limit)
        return found_view(found, [hit.listing.name for hit in found.hits if hit.listing.local])


def _door(principal: Principal, door: str) -> str:
    """Where the caller's own calls are made: the owner's in this process (`Relay` does so too)."""
    return _LOCAL if principal.owner else door
