"""The tables, once for both databases.

Migrations build them (``storage/migrations``); a test proves that both descriptions agree.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from moothall.clock import parse_rfc3339, rfc3339

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

HEAD = "0008"
"""Revision that this code needs; equal to the newest migration (a test says so)."""


class Instant(sa.types.TypeDecorator[datetime]):
    """A moment in UTC: ``timestamptz`` on PostgreSQL, RFC 3339 text on SQLite, where text order is time order."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime] | TypeEngine[str]:
        """Pick the column type of the database at hand."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        """Python to database."""
        return value if value is None or dialect.name == "postgresql" else rfc3339(value)

    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> datetime | None:
        """Database to Python."""
        del dialect
        return parse_rfc3339(value) if isinstance(value, str) else value


OPEN_TOP_LEVEL = sa.text("status = 'open' AND parent IS NULL")
"""What an index holds whose size is the number of open runs; a query must say the very same to use it."""

metadata = sa.MetaData()

run = sa.Table(
    "run",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="open"),
    sa.Column("parent", sa.Text),
    sa.Column("meta", sa.Text, nullable=False, server_default="{}"),
    sa.Column("owner", sa.Text),
    sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_until", Instant),
    # NULL means "has work now": no clock is involved when a posting wakes a run.
    sa.Column("wake_at", Instant),
    # Number of postings ever made: parking compares it, so that a wake-up cannot be lost.
    sa.Column("inbox_n", sa.Integer, nullable=False, server_default="0"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("closed_at", Instant),
    # Whose run it is; lists by subject are newest first.
    sa.Column("subject", sa.Text),
    # Set: the payloads are blank, and nothing is written any more.
    sa.Column("erased_at", Instant),
    sa.CheckConstraint("status IN ('open', 'closed')", name="run_status"),
    sa.Index(
        "run_due", "wake_at", sqlite_where=sa.text("status = 'open'"), postgresql_where=sa.text("status = 'open'")
    ),
    sa.Index("run_open", "kind", "subject", sqlite_where=OPEN_TOP_LEVEL, postgresql_where=OPEN_TOP_LEVEL),
    sa.Index("run_recent", "created_at", "id"),
    sa.Index("run_parent", "parent"),
    sa.Index("run_subject", "subject", "created_at", "id"),
    sa.Index(
        "run_ended",
        "closed_at",
        sqlite_where=sa.text("status = 'closed' AND erased_at IS NULL"),
        postgresql_where=sa.text("status = 'closed' AND erased_at IS NULL"),
    ),
    # Leases rewrite these rows all the time; the free space keeps the updates in their page.
    postgresql_with={"fillfactor": 80},
)

# No foreign key to run: the fenced append proves already that the run exists.
event = sa.Table(
    "event",
    metadata,
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("ts", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.UniqueConstraint("run", "key", name="event_key"),
    sqlite_with_rowid=False,
)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("run", sa.Text, sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.UniqueConstraint("run", "key", name="inbox_key"),
    sqlite_with_rowid=False,
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("run", sa.Text, sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_at", Instant, nullable=False),
    sa.Column("done_at", Instant),
    sa.Index(
        "outbox_due", "next_at", sqlite_where=sa.text("done_at IS NULL"), postgresql_where=sa.text("done_at IS NULL")
    ),
    sqlite_with_rowid=False,
)

agent = sa.Table(
    "agent",
    metadata,
    sa.Column("agent_id", sa.Text, primary_key=True),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default="active"),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    sa.Column("updated_at", Instant, nullable=False),
    sa.CheckConstraint("status IN ('active', 'disabled')", name="agent_status"),
    sa.CheckConstraint("origin IN ('demo', 'user', 'remote')", name="agent_origin"),
)

# Signatures that were accepted, until nobody would accept them again. A digest begins with the time when that is (Unix
# seconds, 4 bytes) and goes on with 12 bytes of a hash over key and nonce: rows come in order, and go in order.
nonce = sa.Table(
    "nonce",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("expires", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Access tokens that count no more: one by its id, those of a DID, or all, as far as they are older than `since`.
revocation = sa.Table(
    "revocation",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.BigInteger),
    sqlite_with_rowid=False,
)

# Calls with an Idempotency-Key: NULL in `reply` while `holder`, one start of a node, is at work on it.
idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("caller", sa.Text, primary_key=True),
    sa.Column("capability", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("reply", sa.Text),
    sa.Column("expires", sa.BigInteger, nullable=False),
    sa.Index("idempotency_expires", "expires"),
    sqlite_with_rowid=False,
)

# Tasks of the A2A protocol. `updated`: milliseconds since 1970, of the status. `message`: what the status says, JSON.
# `holder`: the node at work on it, empty while nobody is. `wish`: what another process wants of the holder.
a2a_task = sa.Table(
    "a2a_task",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("context", sa.Text, nullable=False),
    sa.Column("skill", sa.Text, nullable=False),
    sa.Column("lang", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("updated", sa.BigInteger, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    # How many rows of a2a_part belong to it; a result that came as a whole is in its body.
    sa.Column("parts", sa.Integer, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("wish", sa.Text, nullable=False, server_default=""),
    sa.Index("a2a_task_owner", "owner", "agent", "tenant", "updated", "id"),
    sa.Index("a2a_task_updated", "updated"),
    sa.Index(
        "a2a_task_asking",
        "updated",
        sqlite_where=sa.text("state = 'TASK_STATE_INPUT_REQUIRED'"),
        postgresql_where=sa.text("state = 'TASK_STATE_INPUT_REQUIRED'"),
    ),
    sa.Index("a2a_task_held", "holder", sqlite_where=sa.text("holder <> ''"), postgresql_where=sa.text("holder <> ''")),
    sqlite_with_rowid=False,
)

# When each node that shares the database last said that it lives.
a2a_holder = sa.Table(
    "a2a_holder",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("beat", sa.DateTime(timezone=True), nullable=False),
    sqlite_with_rowid=False,
)

# Values of a task that come one by one, so that writing one more does not write all again.
a2a_part = sa.Table(
    "a2a_part",
    metadata,
    sa.Column("task", sa.Text, sa.ForeignKey("a2a_task.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("part", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

# Where a task's client wants to be told of it.
a2a_push = sa.Table(
    "a2a_push",
    metadata,
    sa.Column("task", sa.Text, sa.ForeignKey("a2a_task.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("config", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
