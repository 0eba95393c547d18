"""The public names: each is where the table says, and importing the package costs next to nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import moothall

SOURCE = Path(moothall.__file__)


def test_every_public_name_resolves() -> None:
    for name in moothall.__all__:
        assert getattr(moothall, name) is not None, name


def test_type_checkers_see_the_same_names_in_the_same_places() -> None:
    seen = {
        (node.module, alias.asname)
        for node in ast.walk(ast.parse(SOURCE.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("moothall")
        for alias in node.names
    }
    assert seen == {(module, name) for module, names in moothall._EXPORTS.items() for name in names}


def test_no_public_name_stands_twice() -> None:
    assert sum(len(names) for names in moothall._EXPORTS.values()) == len(set(moothall.__all__))


def test_dir_shows_the_public_names() -> None:
    assert {*moothall.__all__, "__version__"} <= set(dir(moothall))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nobody"):
        moothall.nobody  # noqa: B018 - the access is the test


def test_importing_the_package_imports_none_of_its_rooms() -> None:
    program = "import sys, moothall; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    rooms = {name for name in loaded if name.startswith("moothall.")}
    heavy = {"sqlalchemy", "pydantic", "fastapi", "starlette", "httpx", "highspy", "numpy", "orjson", "asyncio"}
    assert rooms | heavy.intersection(loaded) == set()


def test_the_version_is_that_of_the_project() -> None:
    assert moothall.__version__.count(".") == 2


@pytest.mark.parametrize("first", ["", "import moothall.capability.registry", "from moothall import Node"])
def test_the_decorator_is_one_whatever_was_imported_before(first: str) -> None:
    program = f"""{first}
from moothall import capability
from moothall.capability import anp_service, capability as same
import moothall.capability.registry as registry
@capability
def one(): "One."
@capability(access="public")
def two(): "Two."
@same
def three(): "Three."
print(one.__capability__ is not None, two.__doc__, three.__name__, registry.Registry.__name__)"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["True", "Two.", "three", "Registry"]
