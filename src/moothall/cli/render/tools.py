"""Capabilities, as tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from moothall.cli.render.clean import clean_all
from moothall.cli.render.shows import WIDTH
from moothall.cli.render.view import JsonObject
from moothall.messages import Lang, text


def print_tools(rows: Sequence[JsonObject], lang: Lang) -> None:
    """Write one line for each capability; its name stays whole, to be copied."""
    grid = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("capability", "arguments", "access", "description"):
        grid.add_column(Text(text(f"cli.column.{name}", lang)), overflow="fold", no_wrap=name == "capability")
    for row in clean_all(rows):
        access = ", ".join(row["permissions"]) or text(f"cli.access.{row['access']}", lang)
        grid.add_row(*map(Text, (row["id"], ", ".join(_arguments(row)), access, row["description"])))
    _console().print(grid)


def print_tool(row: JsonObject, lang: Lang) -> None:
    """Write everything about one capability."""
    grid = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name, value in clean_all(row).items():
        if value in (None, [], ""):
            continue
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            shown = text("cli.join", lang).join(value)
        grid.add_row(Text(name, style="bold"), Text(shown))
    _console().print(grid)


def _arguments(row: JsonObject) -> list[str]:
    """The names of the arguments; what may be left out ends with a question mark."""
    schema = row["input_schema"]
    required = set(schema.get("required", ()))
    return [name if name in required else f"{name}?" for name in schema.get("properties", {})]


def _console() -> Console:
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False)
