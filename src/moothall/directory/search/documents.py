"""Listings as the index keeps them on disk, and the digest that says whether one was changed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final

from pydantic import TypeAdapter

from moothall.directory.listing import Listing
from moothall.directory.search.meaning import KINDS, STANDINGS, WAYS, Meaning, mark
from moothall.directory.search.tables import Row

_LISTING: Final = TypeAdapter(Listing)


def to_document(listing: Listing) -> str:
    """What it says beyond what every listing says, as JSON."""
    return _LISTING.dump_json(listing, exclude_defaults=True).decode()


def from_document(document: str) -> Listing:
    """What `to_document` was given.

    Raises:
        ValueError: it is not one of ours.
    """
    return _LISTING.validate_json(document)


def digest_of(listing: Listing) -> str:
    """Equal for listings that differ only in when they were seen."""
    seen = replace(listing, provenance=replace(listing.provenance, seen_at=None))
    return hashlib.sha256(_LISTING.dump_json(seen, exclude_defaults=True)).hexdigest()[:32]


def row_of(listing: Listing, read: Meaning) -> Row:
    """A listing that was read, as the tables hold it."""
    expires = listing.provenance.expires_at
    source = listing.provenance.source
    numbers = (
        read.place,
        mark(listing.owner) if listing.owner else 0,
        mark(listing.agent) if listing.agent else 0,
        mark(source) if source else 0,
        int(expires.timestamp()) if expires else 0,
        read.first,
        read.last,
        KINDS.index(listing.kind),
        WAYS.index(listing.way),
        max(0, min(10, listing.trust)),
        STANDINGS.index(listing.standing),
        int(listing.public),
        read.breadth,
    )
    return Row(listing.target, digest_of(listing), to_document(listing), numbers, read.held)
