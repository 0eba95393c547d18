"""The examples of spec B §2, §3, §8 and §10 against the package and `docs/names.md`: names, signatures, a test for each."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from inspect import Parameter
from pathlib import Path
from typing import Any

import pytest

from tests.support.printed import FOLDER, printed

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "names.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `@?([\w.]+)` \| [a-z ]+ \| `([\w.]+):([\w.]+)` \|$", TEXT, re.MULTILINE)
TESTED = re.findall(r"^\| ([\d.]+[abc]?) \| `(\w+)`: `(\w+)` \| \S", TEXT, re.MULTILINE)
OTHERWISE = set(
    re.findall(r"^\| `([\w.]+(?:\(\))?)` \|", TEXT.partition("otherwise than it is drawn")[2], re.MULTILINE)
)
SECTIONS = sorted(file.stem for file in FOLDER.glob("*.txt"))
UNTYPED = {"2.1", "3.1", "8.4a", "8.4b", "8.4c"}
"""Drawings, whose lines are no Python."""

OF_THE_EXAMPLE = {"intelligent_assistant"}


def places(name: str) -> list[tuple[str, str]]:
    return [(place, attribute) for row, place, attribute in ROWS if name in {row, attribute}]


def found(name: str) -> Any:
    place, attribute = places(name)[0]
    return reduce(getattr, attribute.split("."), import_module(place))


def drawn() -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every class and function that is defined in an example."""
    for section in SECTIONS:
        if section not in UNTYPED:
            tree = ast.parse(printed(section))
            yield from (each for each in tree.body if isinstance(each, ast.ClassDef | ast.AsyncFunctionDef))


def methods(of: ast.ClassDef) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    return {each.name: each for each in of.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


def fits(ours: Any, theirs: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a call that is written for the drawn function is one of ours: same names, same order, nothing more."""
    wanted = [each.arg for each in theirs.args.args if each.arg != "self"]
    given = [each for each in inspect.signature(ours).parameters.values() if each.name != "self"]
    plain = [each.name for each in given if each.kind in {Parameter.POSITIONAL_OR_KEYWORD, Parameter.POSITIONAL_ONLY}]
    variadic = {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD}
    needed = {each.name for each in given if each.default is Parameter.empty and each.kind not in variadic}
    return plain[: len(wanted)] == wanted and needed <= set(wanted)


def test_every_example_has_a_row_and_the_test_that_it_names() -> None:
    assert [section for section, _, _ in TESTED] == sorted(SECTIONS, key=lambda name: [*map(whole, name.split("."))])
    for _, module, test in TESTED:
        assert callable(getattr(import_module(f"tests.test_spec_examples_{module}"), test)), test


def whole(text: str) -> tuple[int, str]:
    digits = text.rstrip("abc")
    return int(digits), text.removeprefix(digits)


def test_every_class_and_function_that_is_drawn_can_be_imported() -> None:
    for each in drawn():
        if each.name not in OF_THE_EXAMPLE:
            assert places(each.name), each.name
            assert found(each.name) is not None


def test_what_is_made_or_called_otherwise_is_exactly_what_the_table_says() -> None:
    otherwise: set[str] = set()
    for each in drawn():
        if not isinstance(each, ast.ClassDef):
            continue
        ours = found(each.name)
        for name, theirs in methods(each).items():
            if name == "__init__":
                if not fits(ours, theirs):
                    otherwise.add(f"{each.name}()")
            elif not name.startswith("_"):
                function = getattr(ours, name)
                awaited = inspect.iscoroutinefunction(function) == isinstance(theirs, ast.AsyncFunctionDef)
                if not (fits(function, theirs) and awaited):
                    otherwise.add(f"{each.name}.{name}")
    assert otherwise == OTHERWISE


def test_every_public_method_that_a_drawn_class_calls_on_itself_is_there() -> None:
    for each in drawn():
        if not isinstance(each, ast.ClassDef):
            continue
        calls = [one.func for one in ast.walk(each) if isinstance(one, ast.Call)]
        called = {
            one.attr
            for one in calls
            if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "self"
        }
        for name in sorted(name for name in called if not name.startswith("_")):
            assert hasattr(found(each.name), name) or places(name), (each.name, name)


NAMED = (
    "MCPClient",
    "ClientSession",
    "ClientTimeout",
    "TextContent",
    "Server",
    "LLMService",
    "EventRecorder",
    "trigger_mock_negotiation",
    "agent.set_status",
)


@pytest.mark.requirement("NFR-06")
@pytest.mark.parametrize("name", NAMED)
def test_names_that_have_no_class_of_their_own_have_a_place_all_the_same(name: str) -> None:
    assert places(name)
    assert found(name) is not None
