"""Reading the registry's own tables out of the package data."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def read_rows(name: str) -> list[dict[str, Any]]:
    """The rows of a JSON list in `moothall/data`; a broken file there is a fault of ours and raises."""
    rows: list[dict[str, Any]] = json.loads(files("moothall").joinpath("data", name).read_text(encoding="utf-8"))
    return rows
