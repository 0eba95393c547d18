"""What holds for the house as a whole: sizes, names, the import order, and what the documents say of it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median

import pytest

from moothall.settings import Settings, variable

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "moothall"
PAGE = ROOT / "web" / "src"
MODULES = sorted(SOURCE.rglob("*.py"))
NO_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "shared"}
TEXTS = {".py", ".md", ".toml", ".json", ".lock", ".txt", ".yml", ".yaml", ".sh", ".cfg", ".ini", ".ts", ".tsx", ""}


@cache
def tracked() -> tuple[Path, ...]:
    """Every text file that git knows, or about to; in an unpacked sdist, which has no git, every text file."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    names = listing.stdout.split("\0") if listing.returncode == 0 else [str(path) for path in ROOT.rglob("*")]
    paths = (ROOT / name for name in names if name)
    made = {".venv", "node_modules"}
    return tuple(path for path in paths if path.is_file() and path.suffix in TEXTS and not made & set(path.parts))


def lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_modules_are_small() -> None:
    sizes = {str(path.relative_to(ROOT)): lines(path) for path in MODULES}
    assert {path: size for path, size in sizes.items() if size > 500} == {}
    assert median(sizes.values()) <= 150


def test_functions_can_be_seen_whole() -> None:
    sizes = {
        f"{path.relative_to(ROOT)}:{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in MODULES
        for function in functions(path)
    }
    assert {name: size for name, size in sizes.items() if size > 60} == {}


def test_modules_are_named_for_what_they_hold() -> None:
    parts = {part for path in MODULES for part in path.relative_to(SOURCE).with_suffix("").parts}
    assert parts & NO_NAMES == set()
    assert {part for part in parts if re.search(r"_v\d+$", part)} == set()


def test_packages_do_nothing_when_imported() -> None:
    for path in SOURCE.rglob("__init__.py"):
        if path.parent not in {SOURCE, SOURCE / "capability"}:  # these two are public, and import lazily
            body = ast.parse(path.read_text(encoding="utf-8")).body
            assert len(body) == 1, path
            assert ast.get_docstring(ast.Module(body, [])), path


def test_the_import_order_is_kept() -> None:
    command = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_import_order_is_that_of_the_architecture() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    drawn = re.search(r"^    error_table < .*?(?=\n\n)", text, re.DOTALL | re.MULTILINE)
    assert drawn, "ARCHITECTURE.md draws no import order"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    enforced = [name.strip(" ()") for layer in reversed(layers) for name in layer.split("|")]
    rooms = list(dict.fromkeys("protocols" if name.startswith("protocols.") else name for name in enforced))
    assert rooms == re.split(r"\s*[<,]\s*", drawn[0].strip())


def test_lock_files_name_no_registry() -> None:
    locks = [path for path in tracked() if path.suffix == ".lock" or path.name == "requirements.txt"]
    assert ROOT / "requirements.lock" in locks
    for path in locks:
        assert not re.search(r"https?://|--(?:extra-)?index-url|--find-links", path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("project", ["web", "tests/protocols/mcp/suite"])
def test_packages_of_node_are_locked_with_hashes_and_without_a_registry(project: str) -> None:
    lock = json.loads((ROOT / project / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert [name for name, entry in packages.items() if "resolved" in entry or not entry.get("integrity")] == []
    wanted = {(name, extra) for name, entry in packages.items() for extra in entry.get("optionalDependencies", {})}
    # `npm ci` refuses a lock that lacks the binary of any platform.
    assert {(name, extra) for name, extra in wanted if not locked(packages, name, extra)} == set()


def locked(packages: dict[str, object], name: str, wanted: str) -> bool:
    return f"node_modules/{wanted}" in packages or f"{name}/node_modules/{wanted}" in packages


def test_sources_of_the_page_are_small_and_named_for_what_they_hold() -> None:
    sources = [path for path in PAGE.rglob("*.ts*") if path.name != "schema.d.ts" and ".test." not in path.name]
    assert sources
    limits = {"pages": 200, "components": 150}
    sizes = {path.relative_to(PAGE): lines(path) for path in sources}
    assert {str(path): size for path, size in sizes.items() if size > limits.get(path.parts[0], 300)} == {}
    assert {part for path in sizes for part in path.with_suffix("").parts} & NO_NAMES == set()


def test_every_locked_package_has_a_hash() -> None:
    pins = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text(encoding="utf-8").strip())
    assert [pin.split(" ")[0] for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []


def test_no_file_names_a_place_on_someones_machine() -> None:
    place = re.compile(r"(?<![\w.~-])/(?:home|Users|root|work)/\w")
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked()
        if path != Path(__file__)
        for match in place.finditer(path.read_text(encoding="utf-8"))
    }
    assert found == set()


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_names_how_to_start_and_how_to_test(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text


@pytest.mark.parametrize("name", ["settings.md", "settings.zh-CN.md"])
def test_a_document_lists_every_setting_with_its_default(name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| `([A-Z0-9_]+)` \| `(.*?)` \|", text, re.MULTILINE))
    assert table == {variable(name): _shown(field.default) for name, field in Settings.model_fields.items()}


def _shown(default: object) -> str:
    if default is None:
        return '""'
    if isinstance(default, float):
        return f"{default:g}"
    if isinstance(default, dict | tuple):
        return json.dumps(default)
    return str(default).lower() if isinstance(default, bool) else str(default) or '""'


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "CONTRIBUTING.md"])
def test_documents_name_only_targets_that_make_has(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", path.read_text(encoding="utf-8"))) <= targets


def test_links_between_documents_lead_somewhere() -> None:
    for path in ROOT.glob("*.md"):
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
