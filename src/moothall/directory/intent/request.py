"""A request in words, what it means, and what may be done about it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from moothall.calls.failures import is_answer, may_pass, unsent
from moothall.canonical import digest
from moothall.clock import rfc3339
from moothall.directory.intent.choosing import Group, named_in, plain
from moothall.directory.intent.denying import outright
from moothall.directory.intent.matcher import By
from moothall.directory.intent.schemas import fields_of
from moothall.directory.listing import Listing
from moothall.errors import Gone, MoothallError, ServiceNotFoundError
from moothall.identity.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request in words.

    Attributes:
        text: the words.
        principal: who asks.
        given: arguments by name.
        confirmed: targets whose effects are agreed to; ``*``: of all.
        without: targets that are not meant.
        later: arguments that are not there yet, and will be.
        model: whether arguments are found by a model alone.
        spoken: the part of the words that may name a target, where the rest is data of somebody else; None: all.
    """

    text: str
    principal: Principal
    given: Mapping[str, Any] = field(default_factory=dict)
    confirmed: Collection[str] = ()
    without: Collection[str] = ()
    later: Collection[str] = ()
    model: bool = False
    spoken: str | None = None

    @property
    def naming(self) -> str:
        """The words that name targets."""
        return self.text if self.spoken is None else self.spoken


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a request means: equal providers, the arguments, who decided."""

    group: Group
    arguments: Mapping[str, Any]
    by: By

    @property
    def listing(self) -> Listing:
        """What stands for them."""
        return self.group.leader


def harmless(listing: Listing) -> bool:
    """Whether it changes nothing, as it says; of what is elsewhere that counts where its description was looked at."""
    return listing.read_only and _believed(listing)


def provenance_of(listing: Listing) -> dict[str, Any]:
    """Where a description comes from, for whoever gets an answer by it."""
    known = listing.provenance
    told = {"source": known.source or "local", "digest": known.digest}
    return {**told, "seen_at": rfc3339(known.seen_at)} if known.seen_at is not None else told


def told_of(group: Group) -> dict[str, Any]:
    """A candidate, for a caller who has to choose."""
    listing = group.leader
    return {
        "target": plain(listing.target),
        "description": listing.description,
        "parameters": [each.name for each in fields_of(listing.input_schema)],
        "fit": round(group.fit, 3),
    }


def request_digest(chosen: Chosen) -> str:
    """What tells one chosen call from another."""
    return digest([plain(chosen.listing.target), dict(chosen.arguments)])


def _believed(listing: Listing) -> bool:
    known = listing.provenance
    return listing.local or bool(known.pinned and known.pinned == known.digest)


def _named(request: Request, listing: Listing) -> bool:
    """Whether the words name it so that this is consent: a caller who writes "do not use" names it, too."""
    if not named_in(request.naming, listing):
        return False
    return request.spoken is not None or outright(request.text, plain(listing.target))


def may_go_on(listing: Listing, error: MoothallError) -> bool:
    """Whether another provider may be asked: this one did nothing, or nothing that may not be done twice (CAL-13)."""
    if isinstance(error, ServiceNotFoundError | Gone) or unsent(error):
        return True
    if is_answer(error) or not may_pass(error):
        return False
    return (listing.read_only or listing.idempotent) and _believed(listing)


def agreed(request: Request, listing: Listing, standing: Sequence[str]) -> bool:
    """Whether a call may be made without asking first: it changes nothing, or it is named, or it was agreed to.

    Args:
        request: what names or agrees to targets.
        listing: what is to be called.
        standing: patterns of targets that the operator agrees to once for all.
    """
    target = plain(listing.target)
    if harmless(listing) or "*" in request.confirmed or _named(request, listing):
        return True
    if target in {plain(each) for each in request.confirmed}:
        return True
    return any(fnmatchcase(target, pattern) for pattern in standing)
