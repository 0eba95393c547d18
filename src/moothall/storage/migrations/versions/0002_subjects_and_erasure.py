"""Runs belong to a subject, newest first; a run can be erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from moothall.canonical import loads
from moothall.storage.schema import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PAGE = 1_000
_RUN = sa.table(
    "run",
    sa.column("id", sa.Text),
    sa.column("kind", sa.Text),
    sa.column("parent", sa.Text),
    sa.column("meta", sa.Text),
    sa.column("subject", sa.Text),
    sa.column("created_at"),
)


def upgrade() -> None:
    """Add the columns and say for every demand of a person whose it is."""
    op.add_column("run", sa.Column("subject", sa.Text))
    op.add_column("run", sa.Column("erased_at", Instant))
    _fill()
    if op.get_bind().dialect.name == "postgresql":
        # A cursor holds milliseconds, as SQLite does: the rest would make it skip rows.
        op.execute(sa.update(_RUN).values(created_at=sa.func.date_trunc("milliseconds", _RUN.c.created_at)))
    op.create_index("run_subject", "run", ["subject", "created_at", "id"])
    ended = sa.text("status = 'closed' AND erased_at IS NULL")
    op.create_index("run_ended", "run", ["closed_at"], sqlite_where=ended, postgresql_where=ended)


def downgrade() -> None:
    """Forget both; what was erased stays erased."""
    op.drop_index("run_ended", "run")
    op.drop_index("run_subject", "run")
    op.drop_column("run", "erased_at")
    op.drop_column("run", "subject")


def _fill() -> None:
    """Page by page, in Python: what a person typed may hold an escaped NUL, which PostgreSQL's JSON refuses."""
    bind, last = op.get_bind(), ""
    demands = sa.select(_RUN.c.id, _RUN.c.meta).where(_RUN.c.kind == "demand", _RUN.c.parent.is_(None))
    while page := bind.execute(demands.where(_RUN.c.id > last).order_by(_RUN.c.id).limit(_PAGE)).all():
        last = page[-1].id
        found = [{"run_id": row.id, "whose": _requester(row.meta)} for row in page]
        bind.execute(
            sa.update(_RUN).where(_RUN.c.id == sa.bindparam("run_id")).values(subject=sa.bindparam("whose")), found
        )


def _requester(meta: str) -> str | None:
    found = loads(meta).get("requester_id")
    return found if isinstance(found, str) and "\0" not in found else None
