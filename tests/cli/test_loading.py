"""A node out of a person's own code, and what is said when that code is broken."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from moothall.cli.invocation import Invocation
from moothall.cli.loading import load_node
from moothall.errors import SettingsError, UsageError
from moothall.node import Node

CALL = Invocation("en", as_json=False, data=None)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("broken_code", "good_code"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.parametrize("target", ["broken_code.py", "broken_code"])
@pytest.mark.parametrize(
    ("code", "line", "parts"),
    [
        ("x = 1\ndef f(:\n", 2, ("def f(:", "SyntaxError")),
        ("x = 1\ny = x / 0\n", 2, ("y = x / 0", "ZeroDivisionError: division by zero")),
        ("import sys\n\nsys.exit('not today')\n", 3, ("sys.exit", "SystemExit: not today")),
        ("import no_such_module_of_anybody\n", 1, ("import", "no_such_module_of_anybody")),
    ],
)
def test_broken_code_is_told_by_file_line_and_text(target: str, code: str, line: int, parts: tuple[str, ...]) -> None:
    Path("broken_code.py").write_text(code, encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be run") as caught:
        load_node(CALL, target, {})
    for part in (f"broken_code.py:{line}", *parts):
        assert part in caught.value.why


def test_an_error_of_ours_in_their_code_stays_what_it_is() -> None:
    Path("broken_code.py").write_text(
        "from moothall.settings import load_settings\nload_settings(port=-1)\n", encoding="utf-8"
    )
    with pytest.raises(SettingsError, match="port"):
        load_node(CALL, "broken_code.py", {})


def test_what_is_not_there_is_told_as_that() -> None:
    for target in ("nowhere.py", "nowhere_at_all"):
        with pytest.raises(UsageError, match="nowhere"):
            load_node(CALL, target, {})
    Path("good_code.py").write_text("from moothall.node import Node\nother = Node()\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no Node named node"):
        load_node(CALL, "good_code.py", {})
    assert isinstance(load_node(CALL, "good_code.py:other", {}), Node)
