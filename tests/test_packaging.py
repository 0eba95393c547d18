"""What a user installs holds everything that is needed, and nothing that is not."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, check=True, capture_output=True
    )
    return folder


def test_the_wheel_holds_every_module_and_all_package_data(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        inside = set(wheel.namelist())
    source = ROOT / "src"
    wanted = {
        path.relative_to(source).as_posix()
        for path in (source / "moothall").rglob("*")
        if path.is_file() and path.suffix != ".pyc" and "web" not in path.relative_to(source).parts
    }
    assert wanted - inside == set()
    assert {name for name in inside if not name.startswith(("moothall/", "moothall-"))} == set()


def test_the_sdist_holds_sources_and_tests_and_nothing_of_this_machine(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        inside = {Path(*Path(name).parts[1:]).as_posix() for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "LICENSE",
        "README.md",
        "Makefile",
        "requirements.lock",
        "src/moothall/py.typed",
    } <= inside
    assert {name for name in inside if name.startswith(".") and name != ".gitignore"} == set()
    assert {name for name in inside if "__pycache__" in name or ".egg-info" in name} == set()
