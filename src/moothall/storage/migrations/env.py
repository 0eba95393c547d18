"""Alembic's entry point: it migrates over the connection that ``storage/migrate.py`` hands in."""

from __future__ import annotations

from alembic import context

from moothall.storage.authority import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the caller holds the one transaction around everything
)
context.run_migrations()
