from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from moothall.errors import StorageError
from moothall.storage import private, schema
from moothall.storage.lock import DirectoryLock, node_id
from moothall.storage.store import Store

FILES = {"lock", "node_id", "moothall.db", "moothall.db-wal", "moothall.db-shm"}


def modes(data: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in data.iterdir()}


@pytest.fixture
def open_directory(tmp_path: Path) -> Path:
    """A directory that everybody may look into, as an installer makes it."""
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)
    return data


@pytest.fixture(autouse=True)
def generous_umask() -> object:
    before = os.umask(0)
    yield None
    os.umask(before)


async def test_every_file_is_its_owners_alone_even_in_a_directory_open_to_others(open_directory: Path) -> None:
    store = await Store.open(open_directory)
    await store.write(lambda connection: connection.execute(sa.delete(schema.agent)))
    await store.read(lambda connection: connection.execute(sa.select(schema.agent)).all())
    found = modes(open_directory)
    await store.close()
    assert found == dict.fromkeys(FILES, 0o600)


async def test_files_that_were_open_to_others_are_closed_to_them(open_directory: Path) -> None:
    await (await Store.open(open_directory)).close()
    for name in FILES:
        (open_directory / name).touch()
        (open_directory / name).chmod(0o644)
    store = await Store.open(open_directory)
    found = modes(open_directory)
    await store.close()
    assert found == dict.fromkeys(FILES, 0o600)


def test_a_directory_that_is_made_is_its_owners_alone(tmp_path: Path) -> None:
    DirectoryLock(tmp_path / "data").release()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["lock", "node_id", "moothall.db"])
async def test_a_link_in_the_place_of_a_file_is_refused_and_its_target_untouched(tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    victim.chmod(0o644)
    data = tmp_path / "data"
    data.mkdir()
    (data / name).symlink_to(victim)
    with pytest.raises(StorageError, match=name):
        await Store.open(data)
    assert (victim.read_text(), victim.stat().st_mode & 0o777) == ("precious", 0o644)


def test_a_link_in_the_place_of_a_half_written_node_id_is_replaced(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "node_id.new").symlink_to(victim)
    assert node_id(tmp_path) == node_id(tmp_path)
    assert victim.read_text() == "precious"


@pytest.mark.parametrize(("name", "use"), [("lock", DirectoryLock), ("node_id", node_id)])
def test_what_is_no_plain_file_is_refused(tmp_path: Path, name: str, use: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(StorageError) as caught:
        use(tmp_path)
    assert "plain file" in caught.value.why


def test_a_directory_of_somebody_else_is_refused_with_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(StorageError, match="belongs to somebody else") as caught:
        DirectoryLock(tmp_path)
    assert "--data" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


async def test_a_database_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await (await Store.open(tmp_path)).close()
    real = Path.lstat

    def foreign(path: Path) -> os.stat_result:
        found = list(real(path))
        return os.stat_result([*found[:4], found[4] + 1, *found[5:]]) if path.name == "moothall.db" else real(path)

    monkeypatch.setattr(Path, "lstat", foreign)
    with pytest.raises(StorageError, match=r"moothall\.db"):
        await Store.open(tmp_path)
    monkeypatch.undo()
    DirectoryLock(tmp_path).release()


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "key"
    private.write(path, b"one")
    private.write(path, b"two")
    assert (path.read_bytes(), modes(tmp_path)) == (b"two", {"key": 0o600})
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        private.write(tmp_path / "folder", b"three")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["folder", "key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_secret_that_others_could_read_stays_refused_and_as_it_is(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    private.write(path, b"one")
    assert private.secret(path, 2, "") == b"on"
    path.chmod(mode)
    for _ in range(2):
        with pytest.raises(StorageError, match="others could read it"):
            private.secret(path, 2, "do this")
    assert path.stat().st_mode & 0o777 == mode
