"""What a user installs holds everything that is needed, and nothing that is not."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.environment import bare_environment
from tests.support.required import absence

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "src" / "moothall" / "web"

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, check=True, capture_output=True
    )
    return folder


@pytest.fixture(scope="module")
def page() -> list[str]:
    """The files of the built page, by their names in the package."""
    if not (PAGE / "index.html").is_file():
        raise absence("page", "the page is not built; make web builds it")
    return [path.relative_to(ROOT / "src").as_posix() for path in PAGE.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def from_sdist(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built from the sdist alone, as whoever packages it again does."""
    folder = tmp_path_factory.mktemp("from_sdist")
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    (unpacked,) = folder.iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=unpacked, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(from_sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which ``moothall`` is the installed wheel, and all else comes from where the tests run."""
    target = tmp_path_factory.mktemp("installed")
    quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *quiet, str(from_sdist)], check=True, capture_output=True)
    return bare_environment() | {"PYTHONPATH": str(target), "PATH": f"{target / 'bin'}{os.pathsep}{os.environ['PATH']}"}


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


def test_the_sdist_holds_the_sources_of_the_page(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        inside = {Path(*Path(name).parts[1:]).as_posix() for name in archive.getnames()}
    assert {"web/package.json", "web/package-lock.json", "web/index.html", "web/src/api/openapi.json"} <= inside
    assert {name for name in inside if "node_modules" in name or name == "web/src/api/schema.d.ts"} == set()


def test_the_wheel_of_the_sdist_holds_the_page(from_sdist: Path, page: list[str]) -> None:
    with zipfile.ZipFile(from_sdist) as wheel:
        inside = set(wheel.namelist())
    assert set(page) - inside == set()
    assert any(name.startswith("moothall/web/assets/") and name.endswith(".js") for name in inside)


def test_the_installed_wheel_is_not_the_checkout(installed: Mapping[str, str], tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import moothall; print(moothall.__file__)"],
        cwd=tmp_path,
        env=dict(installed),
        check=True,
        capture_output=True,
        text=True,
    )
    assert Path(told.stdout.strip()).is_relative_to(installed["PYTHONPATH"])


def test_the_installed_wheel_shows_the_page(installed: Mapping[str, str], page: list[str], tmp_path: Path) -> None:
    with demonstration(installed, tmp_path) as url, httpx.Client(base_url=url, trust_env=False) as client:
        shown = client.get("/", headers={"Accept": "text/html"})
        assert shown.status_code == 200
        (script,) = re.findall(r'<script[^>]* src="([^"]+)"', shown.text)
        loaded = client.get(script)
        assert loaded.status_code == 200
        assert loaded.headers["content-type"].startswith("text/javascript")
        for name in page:
            if not name.endswith("index.html"):
                assert client.get(name.removeprefix("moothall/web")).status_code == 200, name


@contextmanager
def demonstration(environment: Mapping[str, str], folder: Path) -> Iterator[str]:
    """``moot demo`` of the installed wheel, run outside the checkout; the URL that it prints."""
    command = ["moot", "demo", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=dict(environment), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = (re.search(r"http://[\w.:\[\]]+", line) for line in process.stdout)
        try:
            yield next(match[0] for match in found if match)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
    assert process.returncode == 0
