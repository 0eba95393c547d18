"""People, units, delegations, quotas, the audit trail, and the numbers of their changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from moothall.storage.schema import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    _count_changes()
    _know_people()
    _know_units()
    _delegate_and_count()
    _audit()
    asking = sa.text("state = 'TASK_STATE_INPUT_REQUIRED'")
    op.create_index("a2a_task_asking", "a2a_task", ["updated"], sqlite_where=asking, postgresql_where=asking)


def _count_changes() -> None:
    """The numbers of changes."""
    op.create_table(
        "revision",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("n", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _know_people() -> None:
    """People, their agents, and how they stand to others."""
    op.create_table(
        "person",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("display_name", sa.Text, nullable=False, server_default=""),
        sa.Column("email", sa.Text, nullable=False, server_default=""),
        sa.Column("phone", sa.Text, nullable=False, server_default=""),
        sa.Column("preferences", sa.Text, nullable=False, server_default="{}"),
        sa.Column("trust", sa.Integer, nullable=False, server_default="5"),
        sa.Column("verification", sa.Text, nullable=False, server_default="unverified"),
        sa.Column("policy", sa.Text, nullable=False, server_default="{}"),
        sa.Column("origin", sa.Text, nullable=False, server_default="api"),
        sa.Column("created_at", Instant, nullable=False),
    )
    op.create_table(
        "person_agent",
        sa.Column("did", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("environment", sa.Text, nullable=False, server_default=""),
        sa.Column("clearance", sa.Integer, nullable=False, server_default="0"),
        sa.Column("status", sa.Text, nullable=False, server_default="active"),
        sa.Column("origin", sa.Text, nullable=False, server_default="api"),
        sa.Column("created_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("person_agent_person", "person_agent", ["person", "created_at", "did"])
    op.create_table(
        "person_relation",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("level", sa.Integer, nullable=False, server_default="0"),
        sa.Column("created_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("person_relation_subject", "person_relation", ["subject", "kind"])


def _know_units() -> None:
    """Units, who belongs to them, and what they agreed on."""
    op.create_table(
        "unit",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("parent", sa.Text),
        sa.Column("name", sa.Text, nullable=False, server_default=""),
        sa.Column("config", sa.Text, nullable=False, server_default="{}"),
        sa.Column("origin", sa.Text, nullable=False, server_default="api"),
        sa.Column("created_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("unit_parent", "unit", ["parent"])
    op.create_table(
        "membership",
        sa.Column("unit", sa.Text, primary_key=True),
        sa.Column("member", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("origin", sa.Text, nullable=False, server_default="api"),
        sa.Column("created_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("membership_member", "membership", ["member"])
    op.create_table(
        "collaboration",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("guest", sa.Text, nullable=False),
        sa.Column("actions", sa.Text, nullable=False),
        sa.Column("capabilities", sa.Text, nullable=False, server_default="[]"),
        sa.Column("project", sa.Text, nullable=False, server_default=""),
        sa.Column("expires", sa.BigInteger),
        sa.Column("host_agreed", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("guest_agreed", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("created_at", Instant, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("collaboration_host", "collaboration", ["host"])
    op.create_index("collaboration_guest", "collaboration", ["guest"])


def _delegate_and_count() -> None:
    """Delegations and quotas."""
    op.create_table(
        "delegation",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("parent", sa.Text),
        sa.Column("delegator", sa.Text, nullable=False),
        sa.Column("delegate", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False, server_default="jws"),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("revoked_at", Instant),
        sqlite_with_rowid=False,
    )
    op.create_index("delegation_delegate", "delegation", ["delegate", "expires"])
    op.create_index("delegation_delegator", "delegation", ["delegator", "expires"])
    op.create_index("delegation_parent", "delegation", ["parent"])
    op.create_table(
        "quota",
        sa.Column("caller", sa.Text, primary_key=True),
        sa.Column("capability", sa.Text, primary_key=True),
        sa.Column("since", sa.BigInteger, primary_key=True),
        sa.Column("used", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("quota_expires", "quota", ["expires"])


def _audit() -> None:
    """The audit trail."""
    op.create_table(
        "audit_record",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("audit_record_at", "audit_record", ["at"])
    op.create_index("audit_record_actor", "audit_record", ["actor", "at"])
    op.create_table(
        "audit_anchor",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("token", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("a2a_task_asking", "a2a_task")
    for table in (
        "audit_anchor",
        "audit_record",
        "quota",
        "delegation",
        "collaboration",
        "membership",
        "unit",
        "person_relation",
        "person_agent",
        "person",
        "revision",
    ):
        op.drop_table(table)
