"""What a listing may be used for: whether it was looked at, is another by now, or is refused. Pure.

A description counts as looked at where the owner named its place (`looked`), or approved it. One that is changed later
has to be looked at again, whatever the place: what was approved is the text, not its author.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from moothall.directory.listing import Listing, Standing

UNSEEN: Final = "finding.unseen"
"""Nobody has looked at it."""

CHANGED: Final = "finding.changed"
GONE: Final = "finding.gone"
"""Its place does not list it any more."""

STALE: Final = "finding.stale"
"""Its place has not answered for too long."""

BY_OWNER: Final = "finding.refused"
TAKEN: Final = "finding.taken"
"""Another place lists that target already."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of a listing."""

    source: str
    digest: str
    pinned: str
    state: Standing
    why: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """Its standing from now on, and the digest of the description that may be used."""

    state: Standing
    why: str
    pinned: str


def judged(listing: Listing, digest: str, known: Known | None, *, looked: bool) -> Judgement:
    """The standing of what a place lists now."""
    pinned = known.pinned if known is not None else ""
    if known is not None and known.state == "refused" and known.why == BY_OWNER:
        return Judgement("refused", BY_OWNER, pinned)
    if listing.standing == "refused":
        return Judgement("refused", listing.why, pinned)
    if not pinned and looked:
        pinned = digest
    if pinned == digest:
        return Judgement("listed", "", pinned)
    return Judgement("changed", CHANGED if pinned else UNSEEN, pinned)


def belongs_elsewhere(source: str, known: Known | None) -> bool:
    """Whether a target is listed by another place already, which goes on to have it."""
    return known is not None and known.source != source and known.state != "expired"
