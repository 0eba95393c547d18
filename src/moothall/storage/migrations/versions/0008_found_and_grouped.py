"""What was found elsewhere; groups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from moothall.storage.schema import Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; agents may come from other nodes."""
    _find()
    _know()
    _group()
    _origins("'demo', 'user', 'remote'")


def _find() -> None:
    """Places, and what they list."""
    op.create_table(
        "source",
        sa.Column("url", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("parent", sa.Text, nullable=False, server_default=""),
        sa.Column("etag", sa.Text, nullable=False, server_default=""),
        sa.Column("modified", sa.Text, nullable=False, server_default=""),
        sa.Column("digest", sa.Text, nullable=False, server_default=""),
        sa.Column("why", sa.Text, nullable=False, server_default=""),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("checked_at", Instant),
        sa.Column("next_at", Instant),
        sa.Column("created_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("source_next", "source", ["next_at"])
    op.create_index("source_parent", "source", ["parent"])
    op.create_table(
        "listing",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("pinned", sa.Text, nullable=False, server_default=""),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False, server_default=""),
        sa.Column("trust", sa.Integer, nullable=False, server_default="0"),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("seen_at", Instant, nullable=False),
        sa.Column("expires_at", Instant),
        sa.Column("created_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("listing_source", "listing", ["source"])
    op.create_index("listing_seq", "listing", ["seq"])
    op.create_index("listing_expires", "listing", ["expires_at"])


def _know() -> None:
    """Concepts, and registered services."""
    op.create_table(
        "concept",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False, server_default=""),
        sa.Column("updated_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "participant",
        sa.Column("agent_id", sa.Text, primary_key=True),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("offer", sa.Text, nullable=False),
        sa.Column("review", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False, server_default=""),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("added_by", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "registered_service",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("seen_at", Instant, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("registered_service_agent", "registered_service", ["agent"])


def _group() -> None:
    """Groups, members, links."""
    op.create_table(
        "agent_group",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False, server_default=""),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False, server_default="{}"),
        sa.Column("secondary", sa.Text, nullable=False, server_default="{}"),
        sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("agent_group_owner", "agent_group", ["owner"])
    op.create_table(
        "group_member",
        sa.Column("group_id", sa.Text, primary_key=True),
        sa.Column("member", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False, server_default="member"),
        sa.Column("state", sa.Text, nullable=False, server_default="active"),
        sa.Column("joined_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("group_member_member", "group_member", ["member"])
    op.create_table(
        "group_link",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("first", sa.Text, nullable=False),
        sa.Column("second", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False, server_default="both"),
        sa.Column("hops", sa.Integer, nullable=False, server_default="3"),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("first_consent", sa.Text, nullable=False, server_default=""),
        sa.Column("second_consent", sa.Text, nullable=False, server_default=""),
        sa.Column("policy", sa.Text, nullable=False, server_default="{}"),
        sa.Column("expires_at", Instant),
        sa.Column("closed_at", Instant),
        sa.Column("created_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("group_link_first", "group_link", ["first"])
    op.create_index("group_link_second", "group_link", ["second"])


def downgrade() -> None:
    """Drop them, and the agents of other nodes."""
    op.execute("DELETE FROM agent WHERE origin = 'remote'")
    _origins("'demo', 'user'")
    for table in ("group_link", "group_member", "agent_group", "registered_service", "participant"):
        op.drop_table(table)
    for table in ("concept", "listing", "source"):
        op.drop_table(table)


def _origins(known: str) -> None:
    """Let agents be of these origins; SQLite has no way to change what a table checks but to make it anew."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("agent_origin", "agent")
        op.create_check_constraint("agent_origin", "agent", f"origin IN ({known})")
        return
    op.rename_table("agent", "agent_before")
    op.create_table(
        "agent",
        sa.Column("agent_id", sa.Text, primary_key=True),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="active"),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("updated_at", Instant, nullable=False),
        sa.CheckConstraint("status IN ('active', 'disabled')", name="agent_status"),
        sa.CheckConstraint(f"origin IN ({known})", name="agent_origin"),
    )
    op.execute("INSERT INTO agent SELECT agent_id, profile, status, origin, revision, updated_at FROM agent_before")
    op.drop_table("agent_before")
