"""Records of the node, such as delegations and approvals, as tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from moothall.cli.render.clean import clean, clean_all
from moothall.cli.render.shows import WIDTH
from moothall.cli.render.view import JsonObject
from moothall.messages import Lang, catalogue, text

_SHORT = 40
"""Characters of an id that is not broken over several lines."""

_LINES = 2
"""Lines that a table has for what somebody says about something."""

_CUT = "…"


class _Brief:
    """A long text in a cell of a table: its first lines, however wide the column comes out."""

    def __init__(self, words: str) -> None:
        self._text = Text(" ".join(words.split()))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._text)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = self._text.wrap(console, options.max_width, overflow="fold")
        if len(lines) > _LINES:
            last = lines[_LINES - 1]
            last.truncate(options.max_width - len(_CUT))
            last.rstrip()
            last.append(_CUT)
        yield Text("\n").join(lines[:_LINES])


def print_records(rows: Sequence[JsonObject], columns: Sequence[str], lang: Lang, brief: Sequence[str] = ()) -> None:
    """Write one line for each, or a few; short ids, which stand in the first column, stay whole, to be copied.

    Args:
        rows: what to write.
        columns: the fields to write of each.
        lang: of the labels.
        brief: columns that may be long, of which the beginning is written.
    """
    cells = [[_shown(row.get(name), lang) for name in columns] for row in clean_all(rows)]
    grid = Table(box=None, padding=(0, 2, 0, 0))
    for place, name in enumerate(columns):
        whole = not place and all(len(row[place]) <= _SHORT for row in cells)
        grid.add_column(Text(_label(name, lang)), overflow="fold", no_wrap=whole)
    for row in cells:
        grid.add_row(*(_Brief(cell) if name in brief else Text(cell) for name, cell in zip(columns, row, strict=True)))
    _console().print(grid)


def print_record(row: JsonObject, lang: Lang) -> None:
    """Write everything that there is of one; a text may have several lines."""
    grid = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in row.items():
        if value not in (None, "", [], {}):
            shown = clean(value) if isinstance(value, str) else _shown(clean_all(value), lang)
            grid.add_row(Text(_label(name, lang), style="bold"), Text(shown))
    _console().print(grid)


def _label(name: str, lang: Lang) -> str:
    """What people call a field; one that a capability added stays as it is called there."""
    return catalogue("cli", lang).get(f"column.{name}", name)


def _shown(value: Any, lang: Lang) -> str:  # noqa: ANN401 - JSON of any shape
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return text("cli.yes" if value else "cli.no", lang)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return text("cli.join", lang).join(value)
    return json.dumps(value, ensure_ascii=False)


def _console() -> Console:
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False)
