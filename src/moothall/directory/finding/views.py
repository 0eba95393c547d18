"""What the capabilities of finding show: places, listings and hits, as JSON. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from moothall.clock import rfc3339
from moothall.directory.finding.crawling import Report
from moothall.directory.finding.likeness import alike, last_part, skeleton
from moothall.directory.finding.places import host_of
from moothall.directory.finding.rows import Source
from moothall.directory.listing import Listing
from moothall.directory.searching import Found, Hit


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class SourceView(_View):
    """A place that is read again and again; ``why`` says why the last reading failed."""

    url: str
    kind: str
    parent: str
    why: str
    failures: int
    checked_at: str
    next_at: str


class Reason(_View):
    """A target or a place, and why it is not used."""

    what: str
    why: str


class ReportView(_View):
    """What came of looking around."""

    url: str
    end: str
    documents: int
    bytes: int
    listed: list[str]
    changed: list[Reason]
    refused: list[Reason]
    gone: int
    failures: list[Reason]


class RemovedView(_View):
    """What went with a place."""

    places: int
    listings: int


class ProvenanceView(_View):
    """Where a description comes from."""

    source: str
    seen_at: str
    digest: str
    pinned: str
    expires_at: str


class ListingView(_View):
    """A listing with its provenance; ``origin`` is whose it is: a host, or empty for this node."""

    target: str
    kind: str
    way: str
    name: str
    description: str
    tags: list[str]
    agent: str
    owner: str
    place: str
    offers_from: str
    offers_until: str
    languages: list[str]
    version: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    read_only: bool
    idempotent: bool
    destructive: bool
    streams: bool
    public: bool
    trust: int
    standing: str
    why: str
    origin: str
    provenance: ProvenanceView


class BreakdownView(_View):
    """What a score is made of, each part from 0 to 1."""

    concept: float
    text: float
    dense: float
    trust: float


class HitView(ListingView):
    """A listing that was found; ``looks_like`` names others of another origin with a name that looks the same."""

    score: float
    breakdown: BreakdownView
    looks_like: list[str]


class FoundView(_View):
    """Hits, best first; ``total``: of all that the caller may see."""

    hits: list[HitView]
    total: int
    concepts: list[str]
    version: str


class Listings(_View):
    """A page of listings; ``next`` is given as ``after`` for the page after it, empty: it is the last."""

    listings: list[ListingView]
    next: str


def source_view(of: Source) -> SourceView:
    """A place."""
    return SourceView(
        url=of.url,
        kind=of.kind,
        parent=of.parent,
        why=of.why,
        failures=of.failures,
        checked_at=_when(of.checked_at),
        next_at=_when(of.next_at),
    )


def report_view(of: Report) -> ReportView:
    """What came of looking around."""
    return ReportView(
        url=of.url,
        end=of.end,
        documents=of.documents,
        bytes=of.bytes,
        listed=sorted(of.listed),
        changed=[Reason(what=target, why=why) for target, why in sorted(of.changed.items())],
        refused=[Reason(what=target, why=why) for target, why in sorted(of.refused.items())],
        gone=of.gone,
        failures=[Reason(what=each.url, why=each.why) for each in of.failures],
    )


def listing_view(of: Listing) -> ListingView:
    """A listing."""
    return ListingView(**_shown(of))


def found_view(found: Found, local: Iterable[str]) -> FoundView:
    """Hits; ``local`` are the names of this node's own that this caller may know, for those that look like them."""
    own = {skeleton(last_part(name)): name for name in local} | {skeleton(name): name for name in local}
    hits = [_hit(hit, found.hits, own.get) for hit in found.hits]
    return FoundView(hits=hits, total=found.total, concepts=list(found.concepts), version=found.version)


def _hit(hit: Hit, hits: Sequence[Hit], own: Callable[[str], str | None]) -> HitView:
    listing, mine = hit.listing, _origin(hit.listing)
    others = {
        f"{other.listing.name} ({_origin(other.listing) or 'local'})"
        for other in hits
        if _origin(other.listing) != mine and alike(listing.name, [other.listing.name])
    }
    likes = own(skeleton(listing.name)) or own(skeleton(last_part(listing.name)))
    if not listing.local and likes:
        others.add(f"{likes} (local)")
    parts = hit.breakdown
    return HitView(
        **_shown(listing),
        score=round(hit.score, 6),
        breakdown=BreakdownView(
            concept=round(parts.concept, 6),
            text=round(parts.text, 6),
            dense=round(parts.dense, 6),
            trust=round(parts.trust, 6),
        ),
        looks_like=sorted(others),
    )


def _origin(listing: Listing) -> str:
    return "" if listing.local else host_of(listing.provenance.source)


def _shown(of: Listing) -> dict[str, Any]:
    seen = of.provenance
    return {
        "target": of.target,
        "kind": of.kind,
        "way": of.way,
        "name": of.name,
        "description": of.description,
        "tags": list(of.tags),
        "agent": of.agent,
        "owner": of.owner,
        "place": of.place,
        "offers_from": of.offers_from,
        "offers_until": of.offers_until,
        "languages": list(of.languages),
        "version": of.version,
        "input_schema": dict(of.input_schema),
        "output_schema": dict(of.output_schema),
        "read_only": of.read_only,
        "idempotent": of.idempotent,
        "destructive": of.destructive,
        "streams": of.streams,
        "public": of.public,
        "trust": of.trust,
        "standing": of.standing,
        "why": of.why,
        "origin": _origin(of),
        "provenance": ProvenanceView(
            source=seen.source,
            seen_at=_when(seen.seen_at),
            digest=seen.digest,
            pinned=seen.pinned,
            expires_at=_when(seen.expires_at),
        ),
    }


def _when(moment: datetime | None) -> str:
    return "" if moment is None else rfc3339(moment)
