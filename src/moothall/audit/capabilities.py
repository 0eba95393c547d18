"""The audit trail, for the node's operator and for agents that audit, the same through every door (row UID-03)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Final

import sqlalchemy as sa
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from moothall.audit.listing import MOST, Wanted, page
from moothall.audit.reading import nodes
from moothall.audit.record import Kind
from moothall.audit.row import FIRST
from moothall.audit.trail import AuditTrail
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.clock import parse_rfc3339
from moothall.errors import InvalidInput, Told
from moothall.identity.principal import Principal
from moothall.storage.authority import audit_anchor, audit_record
from moothall.storage.store import Store

PERMISSION: Final = ("audit",)
READS_LOG: Final = frozenset({"audit.list", "audit.head"})
"""Names of the capabilities of the node itself that are, for policies, the resource ``Log::"audit"``."""

Scope = Callable[[Principal], Awaitable[frozenset[str] | None]]
"""Of whom a caller sees the records: ids of actors and subjects; None: of everybody."""


class Records(BaseModel):
    """Records, newest first; `cursor` asks for the next page, empty at the end."""

    records: list[dict[str, Any]]
    cursor: str = ""


class Head(BaseModel):
    """Where a node's chain ends, and the number of the last record that was signed."""

    node: str
    seq: int
    hash: str
    anchored: int
    anchor: str


class Heads(BaseModel):
    """The ends of the chains."""

    heads: list[Head]


class AuditCapabilities:
    """The capabilities ``audit.*`` of a node."""

    def __init__(self, store: Store, trail: AuditTrail, scope: Scope) -> None:
        self._store, self._trail, self._scope = store, trail, scope

    @capability(
        name="audit.list", expose_to="both", permissions=PERMISSION, action="read", idempotent=True, read_only=True
    )
    async def list(
        self,
        ctx: CallContext,
        since: str = "",
        until: str = "",
        actor: str = "",
        kind: Kind | None = None,
        limit: Annotated[int, Field(ge=1, le=MOST)] = 50,
        cursor: str = "",
    ) -> Records:
        """List what was decided and done, newest first.

        Args:
            ctx: who calls.
            since: from this time on (RFC 3339).
            until: before this time.
            actor: by this principal only.
            kind: of this kind only.
            limit: at most so many.
            cursor: of the page before.
        """
        whose = await self._scope(ctx.principal)
        wanted = Wanted(
            since=_time(since),
            until=_time(until),
            actor=actor,
            kind=kind or "",
            whose=whose,
            cursor=cursor,
            limit=limit,
        )
        await self._trail.flush()
        found = await self._store.read(lambda connection: page(connection, wanted))
        return Records(records=found.records, cursor=found.cursor)

    @capability(
        name="audit.head", expose_to="both", permissions=PERMISSION, action="read", idempotent=True, read_only=True
    )
    async def head(self) -> Heads:
        """Where the chains end, with the newest signed statement of each, to be kept somewhere else."""
        await self._trail.flush()
        return Heads(heads=await self._store.read(heads))


def heads(connection: Connection) -> list[Head]:
    """The ends of all chains of a store."""
    return [_head(connection, node) for node in nodes(connection)]


def _head(connection: Connection, node: str) -> Head:
    row, said = audit_record.c, audit_anchor.c
    newest = sa.select(row.seq, row.hash).where(row.node == node).order_by(row.seq.desc()).limit(1)
    signed = sa.select(said.seq, said.token).where(said.node == node).order_by(said.seq.desc()).limit(1)
    seq, hashed = connection.execute(newest).one_or_none() or FIRST
    anchored, token = connection.execute(signed).one_or_none() or (0, "")
    return Head(node=node, seq=seq, hash=hashed, anchored=anchored, anchor=token)


def _time(text: str) -> datetime | None:
    try:
        return parse_rfc3339(text) if text else None
    except ValueError as error:
        raise InvalidInput("not a time", told=Told("audit.time", {"text": text})) from error
