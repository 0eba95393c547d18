"""First tables: run, event, inbox, outbox, agent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from moothall.storage.schema import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table of the first release."""
    _run()
    _event()
    _inbox()
    _outbox()
    _agent()


def downgrade() -> None:
    """Drop them again, those that refer to others first."""
    for table in ("agent", "outbox", "inbox", "event", "run"):
        op.drop_table(table)


def _run() -> None:
    is_open = sa.text("status = 'open'")
    op.create_table(
        "run",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="open"),
        sa.Column("parent", sa.Text),
        sa.Column("meta", sa.Text, nullable=False, server_default="{}"),
        sa.Column("owner", sa.Text),
        sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
        sa.Column("lease_until", Instant),
        sa.Column("wake_at", Instant),
        sa.Column("inbox_n", sa.Integer, nullable=False, server_default="0"),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("closed_at", Instant),
        sa.CheckConstraint("status IN ('open', 'closed')", name="run_status"),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index("run_due", "run", ["wake_at"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_index("run_recent", "run", ["created_at", "id"])
    op.create_index("run_parent", "run", ["parent"])


def _event() -> None:
    op.create_table(
        "event",
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("ts", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.UniqueConstraint("run", "key", name="event_key"),
        sqlite_with_rowid=False,
    )


def _inbox() -> None:
    op.create_table(
        "inbox",
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


def _outbox() -> None:
    unsent = sa.text("done_at IS NULL")
    op.create_table(
        "outbox",
        sa.Column("run", sa.Text, sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_at", Instant, nullable=False),
        sa.Column("done_at", Instant),
        sqlite_with_rowid=False,
    )
    op.create_index("outbox_due", "outbox", ["next_at"], sqlite_where=unsent, postgresql_where=unsent)


def _agent() -> None:
    op.create_table(
        "agent",
        sa.Column("agent_id", sa.Text, primary_key=True),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="active"),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("updated_at", Instant, nullable=False),
        sa.CheckConstraint("status IN ('active', 'disabled')", name="agent_status"),
        sa.CheckConstraint("origin IN ('demo', 'user')", name="agent_origin"),
    )
