"""Tasks of the A2A protocol, what they gave, who works on them, and who wants to be told of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "a2a_task",
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
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("wish", sa.Text, nullable=False, server_default=""),
        sqlite_with_rowid=False,
    )
    held = sa.text("holder <> ''")
    op.create_index("a2a_task_owner", "a2a_task", ["owner", "agent", "tenant", "updated", "id"])
    op.create_index("a2a_task_updated", "a2a_task", ["updated"])
    op.create_index("a2a_task_held", "a2a_task", ["holder"], sqlite_where=held, postgresql_where=held)
    op.create_table(
        "a2a_holder",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("beat", sa.DateTime(timezone=True), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "a2a_part",
        sa.Column("task", sa.Text, sa.ForeignKey("a2a_task.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("part", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "a2a_push",
        sa.Column("task", sa.Text, sa.ForeignKey("a2a_task.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("config", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop them, those that refer to others first."""
    for table in ("a2a_push", "a2a_part", "a2a_holder", "a2a_task"):
        op.drop_table(table)
