"""Profiles out of what a person typed, and a node out of a person's own code."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from moothall.cli.changes import gathered, merged
from moothall.cli.invocation import Invocation
from moothall.cli.loading import load_node
from moothall.errors import InvalidInput, SettingsError, UsageError
from moothall.node import Node

CALL = Invocation("en", as_json=False, data=None)


@pytest.fixture(autouse=True)
def _no_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("MOOTHALL_DATA", "MOOTHALL_PORT", "MOOTHALL_HOST", "MOOTHALL_DATABASE_URL"):
        monkeypatch.setenv(name, "")


@pytest.mark.parametrize(
    ("pair", "field"),
    [
        ("location=上海", {"location": "上海"}),
        ("tags=摄影, 修图后期", {"tags": ["摄影", "修图后期"]}),
        ('tags=["a,b"]', {"tags": ["a,b"]}),
        ("availability=a=b, c", {"availability": "a=b, c"}),
        ("capabilities.max_roles=3", {"capabilities.max_roles": 3}),
        ("location=", {"location": ""}),
    ],
)
def test_a_pair_is_json_or_else_text(pair: str, field: dict[str, Any]) -> None:
    assert gathered(CALL, [pair]) == field


def test_files_and_pairs_add_up_and_later_ones_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "agent.json"
    path.write_text('{"user_name": "a", "location": "b", "revision": 7, "status": "active"}', encoding="utf-8")
    assert gathered(CALL, [str(path), "location=c"]) == {"user_name": "a", "location": "c"}
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"user_name": "piped"}'))
    assert gathered(CALL, ["-"]) == {"user_name": "piped"}


def test_what_is_no_profile_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "agent.json"
    for content in ("[1]", "nonsense", '"text"'):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(InvalidInput):
            gathered(CALL, [str(path)])
    for sources in ([], ["missing.json"], ["=x"]):
        with pytest.raises(UsageError):
            gathered(CALL, sources)


def test_a_change_reaches_into_a_profile_and_leaves_the_rest() -> None:
    shown = {"a": 1, "inner": {"x": 1, "y": 2}, "revision": 3}
    assert merged(shown, {"inner.x": 9, "new.z": 0}) == {"a": 1, "inner": {"x": 9, "y": 2}, "new": {"z": 0}}
    assert shown == {"a": 1, "inner": {"x": 1, "y": 2}, "revision": 3}


def written(folder: Path, body: str, name: str = "own_code.py") -> Path:
    path = folder / name
    path.write_text(f"from moothall.node import Node\nfrom moothall.settings import Settings\n{body}", encoding="utf-8")
    return path


def test_the_node_of_a_file_is_found_and_takes_the_options(tmp_path: Path) -> None:
    path = written(tmp_path, "import beside\nnode = Node()\nother = Node(Settings(port=1))\n")
    (tmp_path / "beside.py").write_text("", encoding="utf-8")
    given = {"data": tmp_path / "store", "port": 4321, "host": None}
    node = load_node(CALL, str(path), given)
    assert isinstance(node, Node)
    assert (node.settings.data, node.settings.port) == (tmp_path / "store", 4321)
    assert load_node(CALL, f"{path}:other", {}).settings.port == 1


def test_the_node_of_a_module_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "node = Node()\n", "own_module_of_a_test.py")
    monkeypatch.chdir(tmp_path)
    assert isinstance(load_node(CALL, "own_module_of_a_test", {}), Node)


def test_code_that_contradicts_an_option_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path, "node = Node(Settings(port=1))\n")
    with pytest.raises(SettingsError, match="port"):
        load_node(CALL, str(path), {"port": 2})


def test_code_without_a_node_and_code_that_is_not_there_are_usage_errors(tmp_path: Path) -> None:
    path = written(tmp_path, "node = 1\n")
    for target in (str(path), f"{path}:missing", str(tmp_path / "absent.py"), "no_such_module_at_all", "json"):
        with pytest.raises(UsageError):
            load_node(CALL, target, {})


def test_a_module_that_misses_another_says_so_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needs_more.py").write_text("import a_module_that_is_missing\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="a_module_that_is_missing"):
        load_node(CALL, "needs_more", {})
