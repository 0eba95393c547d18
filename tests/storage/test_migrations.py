from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from moothall.events import reading
from moothall.storage import migrate, schema
from moothall.storage.store import Store

INSERT = """
INSERT INTO run (id, kind, parent, meta, created_at)
VALUES (:id, :kind, :parent, :meta, '2026-01-02T03:04:05.678Z')
"""
KIND, PARENT, META = "kind", "parent", "meta"
OLD = {
    "d-00000001": {KIND: "demand", PARENT: None, META: '{"raw_input":"x","requester_id":"ann"}'},
    "d-00000002": {KIND: "demand", PARENT: "d-00000001", META: '{"raw_input":"y","requester_id":"ann"}'},
    "d-00000003": {KIND: "other", PARENT: None, META: '{"requester_id":"ann"}'},
    "d-00000004": {KIND: "demand", PARENT: None, META: "{}"},
    "d-00000005": {KIND: "demand", PARENT: None, META: '{"requester_id":"a\\u0000b"}'},
}


@pytest.fixture
async def migrated(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """A store that the first release filled, opened by this one."""
    monkeypatch.setattr(migrate, "HEAD", "0001")
    first = await Store.open(tmp_path / "node", database_url)
    rows = [{"id": run, **columns} for run, columns in OLD.items()]
    await first.write(lambda connection: connection.execute(sa.text(INSERT), rows))
    await first.close()
    monkeypatch.setattr(migrate, "HEAD", schema.HEAD)
    second = await Store.open(tmp_path / "node", database_url)
    yield second
    await second.close()


async def test_demands_of_the_first_release_get_their_subject_and_nothing_else_changes(migrated: Store) -> None:
    def found(connection: sa.Connection) -> dict[str, str | None]:
        rows = connection.execute(sa.select(schema.run.c.id, schema.run.c.subject)).all()
        return {row.id: row.subject for row in rows}

    assert await migrated.read(migrate.revision) == schema.HEAD
    assert await migrated.read(found) == dict.fromkeys(OLD) | {"d-00000001": "ann"}
    record = await migrated.read(lambda connection: reading.get_run(connection, "d-00000001"))
    assert record is not None
    assert record.created_at == datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    assert (record.erased_at, record.meta["raw_input"]) == (None, "x")


async def test_a_migrated_store_can_go_back_to_the_tables_of_the_first_release(
    migrated: Store,
) -> None:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    def back(connection: sa.Connection) -> set[str]:
        scripts = ScriptDirectory(str(migrate.SCRIPTS))
        with Operations.context(MigrationContext.configure(connection)):
            for script in scripts.iterate_revisions(schema.HEAD, "0001"):
                script.module.downgrade()
        return {column["name"] for column in sa.inspect(connection).get_columns("run")}

    left = await migrated.write(back)
    assert left == {column.name for column in schema.run.c} - {"subject", "erased_at"}
