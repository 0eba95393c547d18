"""The specification's rows and the tests that prove them agree, both ways."""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
ROWS = tomllib.loads((TESTS / "requirements.toml").read_text(encoding="utf-8"))["requirement"]


def _ids(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.requirement"):
            yield from (ast.literal_eval(argument) for argument in node.args)


def _proven() -> dict[str, set[str]]:
    """Row id -> the files with a test that bears it."""
    found: dict[str, set[str]] = {}
    for path in TESTS.rglob("test_*.py"):
        for name in _ids(path.read_text(encoding="utf-8")):
            found.setdefault(name, set()).add(path.relative_to(TESTS).as_posix())
    return found


def test_every_row_that_is_done_has_a_test() -> None:
    proven = _proven()
    assert [row["id"] for row in ROWS if row["status"] == "done" and row["id"] not in proven] == []


def test_every_id_on_a_test_is_a_row() -> None:
    known = {row["id"] for row in ROWS}
    assert {name: files for name, files in _proven().items() if name not in known} == {}


def test_rows_are_complete_and_unique() -> None:
    assert [name for name, number in Counter(row["id"] for row in ROWS).items() if number > 1] == []
    for row in ROWS:
        assert row.keys() == {"id", "title", "source", "exact", "check", "status"}, row["id"]
        assert row["status"] in {"done", "open"}, row["id"]


def test_ids_are_read_from_every_form_of_the_marker() -> None:
    source = (
        "pytestmark = pytest.mark.requirement('A-1')\n"
        "@pytest.mark.requirement('A-2', 'A-3')\n"
        "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.requirement('A-4'))])\n"
        "def test_it(x): ...\n"
    )
    assert set(_ids(source)) == {"A-1", "A-2", "A-3", "A-4"}
