"""Files of the operator: what is no plain file of a sensible size is refused at once, and nobody waits for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from moothall.errors import SettingsError
from moothall.people.plain_files import MOST, read_plain
from moothall.policy.named.reader import read
from moothall.policy.store import PolicyStore


def test_a_plain_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("你好\n", encoding="utf-8")
    assert read_plain(tmp_path / "f") == "你好\n"


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "large"])
def test_policies_are_read_from_nothing_that_never_ends(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.cedar"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"/" * (MOST + 1))
    with pytest.raises(SettingsError) as refused:
        PolicyStore(tmp_path, read)
    assert "x.cedar" in str(refused.value)
