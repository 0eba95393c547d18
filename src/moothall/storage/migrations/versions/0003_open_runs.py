"""Open runs that belong to no other can be counted, by subject too, without looking at the rest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    found = sa.text("status = 'open' AND parent IS NULL")
    op.create_index("run_open", "run", ["kind", "subject"], sqlite_where=found, postgresql_where=found)


def downgrade() -> None:
    """Drop it."""
    op.drop_index("run_open", "run")
