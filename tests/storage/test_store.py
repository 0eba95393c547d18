from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from moothall.errors import PermissionDeniedError, SettingsError, StorageError, StoreLocked
from moothall.storage import agreed, authority, finding, grouped, migrate, schema, url
from moothall.storage.lock import DirectoryLock, node_id
from moothall.storage.store import Store

EVERY = {module.metadata for module in (schema, agreed, authority, finding, grouped)}
"""One description, to which each of the modules adds its tables when it is imported."""

OPEN_ELSEWHERE = """
import asyncio, sys
from pathlib import Path
from moothall.errors import StoreLocked
from moothall.storage.store import Store
async def main():
    try:
        await Store.open(Path(sys.argv[1]), sys.argv[2])
    except StoreLocked as error:
        sys.stdout.write(f"refused: {error.why}")
asyncio.run(main())
"""


async def test_a_second_process_is_refused_and_told_who_holds_the_directory(database_url: str, tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node", database_url)
    command = [sys.executable, "-c", OPEN_ELSEWHERE, str(tmp_path / "node"), database_url]
    result = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    await store.close()
    assert result.stdout.startswith("refused: process ")
    assert store.node in (tmp_path / "node" / "node_id").read_text()


async def test_a_closed_store_can_be_opened_again_and_is_the_same_node(database_url: str, tmp_path: Path) -> None:
    first = await Store.open(tmp_path / "node", database_url)
    await first.close()
    second = await Store.open(tmp_path / "node", database_url)
    await second.close()
    assert first.node == second.node


async def test_a_failed_start_gives_the_directory_back(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        await Store.open(tmp_path / "node", "postgresql://nobody@127.0.0.1:1/none")
    DirectoryLock(tmp_path / "node").release()


async def test_the_migrations_build_exactly_the_tables_of_the_schema(database_url: str, tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node", database_url)

    def differences(connection: sa.Connection) -> list[object]:
        (metadata,) = EVERY
        names = {table.name for table in metadata.tables.values()}
        context = MigrationContext.configure(
            connection,
            opts={"include_object": lambda _item, name, kind, _reflected, _other: kind != "table" or name in names},
        )
        return list(compare_metadata(context, metadata))

    found = await store.read(differences)
    await store.close()
    assert found == []


def test_the_revision_that_the_code_needs_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


async def test_a_database_of_a_newer_version_is_refused(database_url: str, tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node", database_url)
    await store.write(lambda connection: connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    await store.close()
    with pytest.raises(StorageError, match="does not fit"):
        await Store.open(tmp_path / "node", database_url)


async def test_nodes_that_start_together_on_postgresql_migrate_once(postgres_url: str, tmp_path: Path) -> None:
    fresh = f"{postgres_url}_together"
    stores = await asyncio.gather(*[Store.open(tmp_path / f"node{i}", fresh) for i in range(4)])
    revisions = [await store.read(migrate.revision) for store in stores]
    await stores[0].write(
        lambda connection: connection.execute(sa.schema.DropSchema(str(stores[0].target.schema), cascade=True))
    )
    for store in stores:
        await store.close()
    assert revisions == [schema.HEAD] * 4


async def test_sqlite_keeps_a_write_ahead_log_and_reads_cannot_write(tmp_path: Path) -> None:
    store = await Store.open(tmp_path, synchronous="FULL")
    assert store.writer is not None

    def pragmas(connection: sa.Connection) -> list[object]:
        names = ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names]

    writing, reading = await store.write(pragmas), await store.read(pragmas)
    with pytest.raises(StorageError):
        await store.read(lambda connection: connection.execute(sa.delete(schema.agent)))
    await store.close()
    assert writing == ["wal", 1, 5000, 2]
    assert reading[:3] == ["wal", 1, 5000]
    assert (tmp_path / "moothall.db").exists()


async def test_a_failed_transaction_writes_nothing(database_url: str, tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node", database_url)

    def half(connection: sa.Connection) -> None:
        row = {"agent_id": "a", "profile": "{}", "origin": "user"}
        connection.execute(sa.insert(schema.agent).values(**row, updated_at=sa.func.current_timestamp()))
        connection.execute(sa.text("SELECT nothing FROM nowhere"))

    with pytest.raises(StorageError):
        await store.write(half)
    count = await store.read(
        lambda connection: connection.execute(sa.select(sa.func.count()).select_from(schema.agent)).scalar_one()
    )
    await store.close()
    assert count == 0


async def test_the_words_of_the_database_do_not_reach_the_caller(database_url: str, tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node", database_url)
    with pytest.raises(StorageError) as caught:
        await store.read(lambda connection: connection.execute(sa.text("SELECT secret_column FROM nowhere")))
    await store.close()
    assert "nowhere" not in str(caught.value)


def test_a_directory_lock_is_exclusive_and_leaves_with_release(tmp_path: Path) -> None:
    held = DirectoryLock(tmp_path)
    with pytest.raises(StoreLocked, match="process"):
        DirectoryLock(tmp_path)
    held.release()
    held.release()
    DirectoryLock(tmp_path).release()


def test_a_data_directory_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot use"):
        DirectoryLock(tmp_path / "file" / "data")


def test_an_empty_node_id_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "node_id").write_text("")
    assert node_id(tmp_path) == node_id(tmp_path) != ""


@pytest.mark.parametrize(
    ("text", "dialect", "database", "name"),
    [
        ("", "sqlite", "data/moothall.db", None),
        ("sqlite:///x.db", "sqlite", "x.db", None),
        ("sqlite+aiosqlite:////var/x.db", "sqlite", "/var/x.db", None),
        ("postgresql://me@host/db", "postgresql", "db", None),
        ("postgres://me@host/db", "postgresql", "db", None),
        ("postgresql+asyncpg://me@host:5/db?schema=town", "postgresql", "db", "town"),
    ],
)
def test_a_database_url_says_what_to_open(text: str, dialect: str, database: str, name: str | None) -> None:
    target = url.parse(text, Path("data"))
    assert (target.dialect, target.url.database, target.schema) == (dialect, database, name)
    assert target.url.drivername in {"sqlite+pysqlite", "postgresql+asyncpg"}


@pytest.mark.parametrize(
    "text", ["nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "postgresql://h/d?schema=Bad-Name"]
)
def test_a_database_url_that_means_nothing_to_us_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        url.parse(text, Path("data"))


async def test_a_refusal_inside_a_transaction_stays_itself(database_url: str, tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node", database_url)

    def refuse(connection: sa.Connection) -> None:
        connection.execute(sa.select(schema.agent))
        raise PermissionDeniedError("not yours")

    for way in (store.write, store.read):
        with pytest.raises(PermissionDeniedError):
            await way(refuse)
    assert not store.failing
    await store.close()


@pytest.mark.parametrize(
    "values", [{"agent_id": "a\0b", "profile": "{}"}, {"agent_id": "a", "profile": 7}], ids=["text", "type"]
)
async def test_what_no_database_can_take_does_not_make_the_database_ill(
    postgres_url: str, tmp_path: Path, values: dict[str, object]
) -> None:
    store = await Store.open(tmp_path / "node", postgres_url)
    row = {**values, "origin": "user", "updated_at": sa.func.current_timestamp()}
    with pytest.raises(StorageError):
        await store.write(lambda connection: connection.execute(sa.insert(schema.agent).values(**row)))
    well = not store.failing
    with pytest.raises(StorageError):
        await store.write(lambda connection: connection.execute(sa.text("SELECT nothing FROM nowhere")))
    await store.close()
    assert well
    assert store.failing
