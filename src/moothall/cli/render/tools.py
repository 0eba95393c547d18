"""Capabilities, as tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from moothall.calls.reply import Progress
from moothall.cli.render.clean import clean_all, clean_line
from moothall.cli.render.shows import WIDTH
from moothall.cli.render.view import JsonObject
from moothall.messages import Lang, text

LISTS = ("tools", "skills", "operations")
"""What an MCP server, an A2A agent and an ANP agent call the things that they can be asked for."""


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
        shown = value if isinstance(value, str) else _json(value)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            shown = text("cli.join", lang).join(value)
        grid.add_row(Text(name, style="bold"), Text(shown))
    _console().print(grid)


def print_elsewhere(found: JsonObject, lang: Lang) -> None:
    """Write what there is at a target: what is said of it, then a line for each thing that can be called."""
    shown = clean_all([found])[0]
    rows = [row for name in LISTS for row in shown.pop(name, ())]
    head = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name, value in shown.items():
        if value not in (None, [], {}, ""):
            head.add_row(Text(name, style="bold"), Text(value if isinstance(value, str) else _json(value)))
    grid = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("capability", "arguments", "description"):
        grid.add_column(Text(text(f"cli.column.{name}", lang)), overflow="fold", no_wrap=name == "capability")
    for row in rows:
        grid.add_row(*map(Text, (str(row["name"]), ", ".join(_arguments(row)), str(row.get("description", "")))))
    console = _console()
    console.print(head)
    if rows:
        console.print()
        console.print(grid)


def progress_line(told: Progress) -> str:
    """How far the work is, as a line."""
    share = f"{told.done:g}" if told.total is None else f"{told.done:g}/{told.total:g}"
    return clean_line(f"{share} {told.message}".rstrip())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _arguments(row: JsonObject) -> list[str]:
    """The names of the arguments; what may be left out ends with a question mark."""
    schema = row.get("input_schema") or {}
    required = set(schema.get("required", ()))
    return [name if name in required else f"{name}?" for name in schema.get("properties", {})]


def _console() -> Console:
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False)
