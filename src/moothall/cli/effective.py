"""The effective settings and where each comes from."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from moothall.settings import Settings, variable
from moothall.telemetry import redact

Origin = Literal["option", "environment", "file", "default"]
FILE = "moothall.toml"
_TABLES = frozenset({"mcp", "a2a"})
"""Settings whose tables may hold secrets, such as the environment of a program: only their names are shown."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is shown: secrets blanked; ``source`` names the variable or the file."""

    setting: str
    value: str
    origin: Origin
    source: str


def effective(settings: Settings, given: set[str]) -> list[Setting]:
    """All settings; ``given`` are those that options of the command line set."""
    path, in_file = _file(settings.data)
    rows: list[Setting] = []
    for name in Settings.model_fields:
        value = _shown(name, getattr(settings, name))
        if name in given:
            rows.append(Setting(name, value, "option", f"--{name.replace('_', '-')}"))
        elif _variable(name) in os.environ:
            rows.append(Setting(name, value, "environment", _variable(name)))
        elif name in in_file:
            rows.append(Setting(name, value, "file", str(path)))
        else:
            rows.append(Setting(name, value, "default", ""))
    return rows


def _shown(name: str, given: object) -> str:
    """A value without its secrets; of a setting that is one altogether, only whether it is set."""
    if name in _TABLES and isinstance(given, dict):
        return ", ".join(sorted(given)) or "{}"
    value = str(given)
    if value and not Settings.model_fields[name].repr and "://" not in value:
        return "***"
    return redact(value)


def _variable(name: str) -> str:
    plain = variable(name)
    prefixed = f"MOOTHALL_{name.upper()}"
    return prefixed if plain not in os.environ and prefixed in os.environ else plain


def _file(data: Path) -> tuple[Path, frozenset[str]]:
    path = next((path for path in (data / FILE, Path(FILE)) if path.is_file()), Path(FILE))
    if not path.is_file():
        return path, frozenset()
    names = tomllib.loads(path.read_text(encoding="utf-8"))
    return path, frozenset(name.lower() for name in names)
