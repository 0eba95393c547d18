"""What a caller may know of the effects of a call, in the words of MCP, wherever a capability is described. Pure."""

from __future__ import annotations

from moothall.capability.entry import Entry
from moothall.capability.spec import JsonObject


def effects(entry: Entry) -> JsonObject:
    """The hints that hold; empty where nothing is said."""
    spec, said = entry.spec, entry.spec.annotations
    hints = {
        "readOnlyHint": said.read_only,
        "destructiveHint": said.destructive,
        "idempotentHint": spec.idempotent,
        "openWorldHint": said.open_world,
    }
    return {name: True for name, holds in hints.items() if holds}
