"""What of a row matters for the chain, whether it comes from the database or from an export. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from moothall.audit.row import Row, canonical_form, digest_of
from moothall.canonical import loads
from moothall.clock import rfc3339
from moothall.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Link:
    """A row, as a link.

    Attributes:
        node, seq, hash: of the row.
        digest: of its body.
        left_out: whether only the digest of the body is there.
        trouble: what can be seen to be wrong of the row alone.
    """

    node: str
    seq: int
    digest: str
    hash: str
    left_out: bool = False
    trouble: Literal["content", "columns"] | None = None


def link_of(row: Row) -> Link:
    """The link that a row of the database is."""
    body = row.body.encode("utf-8", "surrogatepass")
    said = content(body)
    trouble: Literal["content", "columns"] | None = None
    if said is None:
        trouble = "content"
    elif _place(said) != (row.node, row.seq) or _columns(said) != (row.kind, row.actor, rfc3339(row.at)):
        trouble = "columns"
    return Link(row.node, row.seq, digest_of(body), row.hash, trouble=trouble)


def content(body: bytes) -> dict[str, Any] | None:
    """What a body says; None: it is not the canonical JSON of an object."""
    try:
        said = loads(body)
        sound = isinstance(said, dict) and canonical_form(said) == body
    except (InvalidInput, ValueError):
        return None
    return said if sound else None


def _place(said: dict[str, Any]) -> tuple[Any, Any]:
    return said.get("node"), said.get("seq")


def _columns(said: dict[str, Any]) -> tuple[Any, Any, Any]:
    return said.get("kind"), said.get("actor"), said.get("time")
