"""The permissions in moothall.toml follow the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from moothall.policy.file import PolicyFile
from moothall.settings import load_settings

ALICE = "did:wba:a.example:e1_a"


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, file: PolicyFile) -> None:
        """Two looks, a second apart: what has changed counts then."""
        for _ in range(2):
            self.now += 1.0
            assert file.rules


@pytest.fixture
def time() -> Time:
    return Time()


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def test_a_change_of_the_file_counts_at_the_second_look(tmp_path: Path, time: Time) -> None:
    path = tmp_path / "moothall.toml"
    write(path, f'suspended = ["x"]\n[permissions]\n"{ALICE}" = ["read", "pay"]\n')
    file = PolicyFile(path, monotonic=time)
    assert file.granted(ALICE) == {"read", "pay"}
    assert file.suspended == {"x"}
    write(path, f'[permissions]\n"{ALICE}" = ["read"]\n')
    assert file.granted(ALICE) == {"read", "pay"}
    time.pass_by(file)
    assert file.granted(ALICE) == {"read"}
    assert file.suspended == frozenset()
    assert file.granted("somebody") == frozenset()


def test_the_file_is_looked_at_once_a_second_at_most(
    tmp_path: Path, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "moothall.toml"
    write(path, "")
    file = PolicyFile(path, monotonic=time)
    looks = []
    real = Path.stat
    monkeypatch.setattr(Path, "stat", lambda path: looks.append(path) or real(path))
    for tick in range(40):
        time.now = 1 + tick / 10
        file.granted(ALICE)
        assert file.suspended == frozenset()
    assert len(looks) == 4


@pytest.mark.parametrize(
    "broken",
    ["permissions = [", '[permissions]\n"a" = 3\n', "suspended = true", b"\xff", "a = " + "[" * 5000],
    ids=range(5),
)
def test_a_broken_file_changes_nothing_and_is_told_once(
    tmp_path: Path, time: Time, broken: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "moothall.toml"
    write(path, f'suspended = ["x"]\n[permissions]\n"{ALICE}" = ["read"]\n')
    file = PolicyFile(path, monotonic=time)
    path.write_bytes(broken if isinstance(broken, bytes) else broken.encode())
    for second in range(1, 5):
        time.now = float(second)
        assert file.granted(ALICE) == {"read"}
        assert file.suspended == {"x"}
    assert len([record for record in caplog.records if "moothall.toml" in record.message]) == 1
    write(path, f'[permissions]\n"{ALICE}" = ["pay"]\n')
    time.pass_by(file)
    assert file.granted(ALICE) == {"pay"}


def test_a_file_that_cannot_be_read_for_a_while_is_told_once_and_counts_when_it_can(
    tmp_path: Path, time: Time, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "moothall.toml"
    write(path, "")
    file = PolicyFile(path, monotonic=time)

    def unread(path: Path) -> str:
        raise OSError(24, "Too many open files")

    write(path, 'suspended = ["x"]')
    with monkeypatch.context() as patched:
        patched.setattr("moothall.policy.file.read_plain", unread)
        for _ in range(3):
            time.pass_by(file)
    assert file.suspended == frozenset()
    assert len([record for record in caplog.records if "Too many open files" in record.message]) == 1
    time.pass_by(file)
    assert file.suspended == {"x"}, "nobody has touched the file since"


def test_a_file_that_goes_takes_nothing_with_it_and_a_new_one_counts(tmp_path: Path, time: Time) -> None:
    path = tmp_path / "moothall.toml"
    write(path, 'suspended = ["x"]')
    file = PolicyFile(path, monotonic=time)
    path.unlink()
    time.pass_by(file)
    assert file.suspended == {"x"}
    write(path, 'suspended = ["y"]')
    time.pass_by(file)
    assert file.suspended == {"y"}


def test_a_file_that_comes_later_counts(tmp_path: Path, time: Time) -> None:
    path = tmp_path / "moothall.toml"
    file = PolicyFile(path, monotonic=time)
    assert file.suspended == frozenset()
    write(path, 'suspended = ["y"]')
    time.pass_by(file)
    assert file.suspended == {"y"}


def test_the_moment_in_which_an_editor_has_emptied_the_file_counts_for_nothing(tmp_path: Path, time: Time) -> None:
    path = tmp_path / "moothall.toml"
    write(path, 'suspended = ["x"]')
    file = PolicyFile(path, monotonic=time)
    write(path, "")
    time.now += 1.0
    assert file.suspended == {"x"}
    write(path, 'suspended = ["x", "y"]')
    time.now += 1.0
    assert file.suspended == {"x"}
    time.now += 1.0
    assert file.suspended == {"x", "y"}


def test_settings_that_did_not_come_from_the_file_stand(tmp_path: Path, time: Time) -> None:
    path = tmp_path / "moothall.toml"
    write(path, f'suspended = ["x"]\n[permissions]\n"{ALICE}" = ["read"]\n')
    file = PolicyFile.of(load_settings(data=tmp_path, suspended=["z"]), time)
    assert file.suspended == {"z"}
    assert file.granted(ALICE) == {"read"}
    write(path, f'suspended = ["y"]\n[permissions]\n"{ALICE}" = ["pay"]\n')
    time.pass_by(file)
    assert file.suspended == {"z"}
    assert file.granted(ALICE) == {"pay"}
