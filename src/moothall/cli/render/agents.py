"""Agents of the registry, as tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from moothall.cli.render.clean import clean_all
from moothall.cli.render.lines import word
from moothall.cli.render.shows import WIDTH
from moothall.cli.render.view import JsonObject
from moothall.messages import Lang, text


def _console() -> Console:
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False)


def print_agents(rows: Sequence[JsonObject], lang: Lang) -> None:
    """Write one line for each agent; an id stays whole, to be copied."""
    if not rows:
        return
    grid = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("agent", "name", "city", "status", "tags"):
        grid.add_column(Text(text(f"cli.column.{name}", lang)), overflow="fold", no_wrap=name == "agent")
    comma = text("cli.join", lang)
    for row in clean_all(rows):
        cells = (row["agent_id"], row["user_name"], row["location"], word("state", row["status"], lang))
        grid.add_row(*map(Text, (*cells, comma.join(row["tags"]))))
    _console().print(grid)


def print_agent(row: JsonObject, lang: Lang) -> None:
    """Write everything that may be seen of one agent."""
    told = clean_all(row)
    grid = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name, value in told.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            shown = text("cli.join", lang).join(value)
        grid.add_row(Text(name, style="bold"), Text(shown))
    _console().print(grid)
