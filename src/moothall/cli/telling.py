"""Printing what a capability of the node gave: JSON, or tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from moothall.cli.desk import JsonObject
from moothall.cli.invocation import Invocation
from moothall.cli.render.clean import clean_line, safe_json
from moothall.cli.render.records import print_record, print_records


def tell_rows(call: Invocation, rows: Sequence[JsonObject], columns: Sequence[str], brief: Sequence[str] = ()) -> int:
    """Print a table of some columns, the first one whole; with --json every row with all it has, one a line.

    Args:
        call: the command.
        rows: what to print.
        columns: the fields of the table.
        brief: those of which the table has two lines only, however long they are.
    """
    if call.as_json:
        for row in rows:
            tell_json(call, row)
    elif rows:
        print_records(rows, columns, call.lang, brief)
    else:
        call.progress(call.text("nothing"))
    return 0


def tell_records(call: Invocation, rows: Sequence[JsonObject], fields: Sequence[str]) -> int:
    """Print some fields of each below each other, for what is too long for a table, such as digests to be copied."""
    if call.as_json or not rows:
        return tell_rows(call, rows, fields)
    for place, row in enumerate(rows):
        if place:
            call.result("")
        print_record({name: row.get(name) for name in fields}, call.lang)
    return 0


def tell(call: Invocation, value: Any, shown: JsonObject | str | None = None) -> int:  # noqa: ANN401 - JSON of any shape
    """Print a value as JSON, or for people what is to be ``shown`` of it, else all: fields and values, or a line."""
    if call.as_json:
        tell_json(call, value)
    elif isinstance(shown, str):
        call.result(clean_line(shown))
    else:
        print_record(value if shown is None else shown, call.lang)
    return 0


def tell_removed(call: Invocation, there: object) -> int:
    """Say whether what was to be removed had been there."""
    return tell(call, {"removed": bool(there)}, call.text("removed" if there else "was_not_there"))


def tell_json(call: Invocation, value: object) -> None:
    """Print a value as one line of JSON."""
    call.result(safe_json(json.dumps(value, ensure_ascii=False)))


def tell_value(call: Invocation, value: object) -> None:
    """Print the value of a call: text as it is, anything else as JSON; with --json always one JSON value a line."""
    if isinstance(value, str) and not call.as_json:
        call.result("\n".join(map(clean_line, value.splitlines())) if value else "")
    else:
        call.result(safe_json(json.dumps(value, ensure_ascii=False, indent=None if call.as_json else 2)))
