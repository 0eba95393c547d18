"""Agreed protocols, tested code, generated services."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from moothall.storage.schema import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    _agree()
    _generate()


def _agree() -> None:
    """Protocols and who agreed on them."""
    op.create_table(
        "protocol",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("artifact", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "agreement",
        sa.Column("need", sa.Text, primary_key=True),
        sa.Column("peer", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("agent", sa.Text, primary_key=True),
        sa.Column("protocol", sa.Text, nullable=False),
        sa.Column("transcript", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("agreement_protocol", "agreement", ["protocol"])


def _generate() -> None:
    """Code and services."""
    op.create_table(
        "routine",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("protocol", sa.Text, nullable=False, server_default=""),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("bundle", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False, server_default=""),
        sa.Column("tested_at", Instant),
        sa.Column("created_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("routine_protocol", "routine", ["protocol", "kind"])
    op.create_table(
        "service",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("live", sa.Text, nullable=False, server_default=""),
        sa.Column("canary", sa.Text, nullable=False, server_default=""),
        sa.Column("share", sa.Float, nullable=False, server_default="0"),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("published", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("updated_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "service_version",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("requirement", sa.Text, nullable=False, server_default=""),
        sa.Column("approval", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("service_version", "service", "routine", "agreement", "protocol"):
        op.drop_table(table)
