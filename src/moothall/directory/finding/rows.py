"""The rows of places and listings, and what they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from moothall.canonical import dumps, loads
from moothall.directory.finding.judging import BY_OWNER, CHANGED, Known
from moothall.directory.finding.reading import Tag, heard, said
from moothall.directory.listing import Listing, Provenance
from moothall.errors import StorageError
from moothall.storage.finding import listing, source

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, RowMapping


Change = tuple[int, str]
"""The number of a change, and a target of it: one change may concern many."""

START: Final[Change] = (0, "")

_BY_OWNER: Final = sa.and_(listing.c.state == "refused", listing.c.why == BY_OWNER)
_CHANGED: Final = sa.and_(listing.c.pinned != "", listing.c.pinned != listing.c.digest)


@dataclass(frozen=True, slots=True)
class Source:
    """A place that is read again and again.

    Attributes:
        url: where it is, or ``mcp:NAME``.
        kind: what it is; empty: never read.
        parent: the place that led to it; empty: added by hand.
        tags: of each document that a reading of it took.
        why: the reason why the last reading failed; empty: it went well.
        failures: readings in a row that failed.
        checked_at, next_at: when it was read last, and will be again.
    """

    url: str
    kind: str
    parent: str
    tags: Mapping[str, Tag]
    why: str
    failures: int
    checked_at: datetime | None
    next_at: datetime | None
    created_at: datetime


def sources(connection: Connection, *conditions: sa.ColumnElement[bool], most: int = 10_000) -> list[Source]:
    """Places that meet all conditions, in order of address."""
    rows = connection.execute(sa.select(source).where(*conditions).order_by(source.c.url).limit(most)).mappings()
    return [_source(row) for row in rows]


def listings(connection: Connection, *conditions: sa.ColumnElement[bool], most: int = 100_000) -> list[Listing]:
    """Listings that meet all conditions, in order of target."""
    query = sa.select(listing).where(*conditions).order_by(listing.c.target).limit(most)
    return [_listing(row) for row in connection.execute(query).mappings()]


def changed_since(connection: Connection, after: Change, most: int) -> list[tuple[Change, Listing]]:
    """Listings whose rows were changed after a change, in the order of their changes."""
    seq, target = after
    later = sa.or_(listing.c.seq > seq, sa.and_(listing.c.seq == seq, listing.c.target > target))
    query = sa.select(listing).where(later).order_by(listing.c.seq, listing.c.target).limit(most)
    return [((int(row["seq"]), row["target"]), _listing(row)) for row in connection.execute(query).mappings()]


def stopped_since(connection: Connection, after: int) -> tuple[int, dict[str, str]]:
    """The number of the last change, and why what was changed after one may not be called; at first, all that is so.

    What was approved once and is another now stays so where its place does not list it any more.
    """
    why = sa.case((_BY_OWNER, BY_OWNER), (_CHANGED, CHANGED), else_="")
    some = listing.c.seq > after if after >= 0 else sa.or_(_BY_OWNER, _CHANGED)
    found = {row[0]: row[1] for row in connection.execute(sa.select(listing.c.target, why).where(some))}
    return int(connection.scalar(sa.select(sa.func.max(listing.c.seq))) or 0), found


def may_expire() -> sa.ColumnElement[bool]:
    """What can be gone. A refusal stays: what hides for a while must not come back without it."""
    return sa.and_(listing.c.state != "expired", sa.not_(_BY_OWNER))


def known_of(connection: Connection, targets: Sequence[str]) -> dict[str, Known]:
    """What is kept of targets."""
    found: dict[str, Known] = {}
    columns = (listing.c.target, listing.c.source, listing.c.digest, listing.c.pinned, listing.c.state, listing.c.why)
    for part in _parts(targets):
        for row in connection.execute(sa.select(*columns).where(listing.c.target.in_(part))):
            found[row.target] = Known(row.source, row.digest, row.pinned, row.state, row.why)
    return found


def document(of: Listing) -> str:
    """A listing as the column `document` holds it."""
    return dumps(_plain(said(of))).decode()


def tags_text(tags: Mapping[str, Tag]) -> str:
    """Tags as the column `etag` holds them."""
    kept = {url: [tag.etag, tag.modified] for url, tag in tags.items() if tag}
    return dumps(kept).decode() if kept else ""


def _source(row: RowMapping) -> Source:
    tags = {url: Tag(*each) for url, each in _read(row["etag"] or "{}").items()}
    return Source(
        row["url"],
        row["kind"],
        row["parent"],
        tags,
        row["why"],
        row["failures"],
        row["checked_at"],
        row["next_at"],
        row["created_at"],
    )


def _listing(row: RowMapping) -> Listing:
    try:
        made = heard(_read(row["document"]))
    except (KeyError, TypeError) as error:
        raise StorageError("a stored listing cannot be read", why=f"target {row['target']}") from error
    seen = Provenance(row["source"], row["seen_at"], row["digest"], row["pinned"], row["expires_at"])
    return replace(made, trust=row["trust"], standing=row["state"], why=row["why"], provenance=seen)


def _read(text: str) -> dict[str, Any]:
    try:
        value = loads(text)
    except ValueError as error:
        raise StorageError("what was found elsewhere cannot be read from the store") from error
    return value if isinstance(value, dict) else {}


def _parts(targets: Sequence[str], size: int = 500) -> Iterator[Sequence[str]]:
    for start in range(0, len(targets), size):
        yield targets[start : start + size]


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """JSON without integers that its readers would round: bounds of strangers' schemas may be any."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return float(value) if abs(value) < 2**1000 else None
    return value
