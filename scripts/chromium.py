"""Print the path of a Chromium for the browser tests, and install one where that is possible; else say why not.

python scripts/chromium.py

In this order: the variable CHROMIUM; a browser on PATH; Debian's package, where the user may install it; the one that
playwright brings. Nothing is printed where there is none, and the tests that need it are skipped with that reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> None:
    print(found() or from_debian() or from_playwright() or "")


def found() -> str | None:
    """The browser that is there already."""
    return os.environ.get("CHROMIUM") or on_path()


def on_path() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def from_debian() -> str | None:
    if os.name != "posix" or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            say(f"{' '.join(command)} failed: {done.stderr.strip().splitlines()[-1:]}")
            return None
    return on_path()


def from_playwright() -> str | None:
    done = subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        say("playwright could not download a browser")
        return None
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where it is needed

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def say(what: str) -> None:
    print(f"chromium: {what}", file=sys.stderr)


if __name__ == "__main__":
    main()
