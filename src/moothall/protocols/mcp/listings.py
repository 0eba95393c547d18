"""Lists in pages, as every ``…/list`` of the Model Context Protocol has them. Pure."""

from __future__ import annotations

from typing import Final

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

from moothall.capability.entry import Entry
from moothall.capability.spec import JsonObject

PAGE: Final = 1000
"""Rows of one page; clients that do not turn pages see this many."""


def page(kind: str, rows: list[JsonObject], cursor: str | None) -> JsonObject:
    """The page that a cursor stands for, which is the name of the last row before it; the first one without.

    Raises:
        MCPError: there is no such row.
    """
    rows = sorted(rows, key=lambda row: str(row["name"]))
    first = 0
    if cursor is not None:
        places = [place for place, row in enumerate(rows) if row["name"] == cursor]
        if not places:
            raise MCPError(INVALID_PARAMS, "Invalid cursor")
        first = places[0] + 1
    listed: JsonObject = {kind: rows[first : first + PAGE]}
    if len(rows) > first + PAGE:
        listed["nextCursor"] = rows[first + PAGE - 1]["name"]
    return listed


def title(entry: Entry) -> str:
    """What people read."""
    return entry.spec.name
