"""The tools of the server: what is listed to whom, and what a name means."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.inbound import find_invalid_x_mcp_header, x_mcp_header_map
from mcp_types import PaginatedRequestParams

from moothall.calls.target import Target
from moothall.capability.deciding import decides
from moothall.capability.entry import Entry
from moothall.capability.function_schemas import TAGS
from moothall.capability.narration import SCHEMA
from moothall.capability.snapshot import Snapshot
from moothall.capability.spec import FACADE, JsonObject
from moothall.capability.tool_names import ToolNames
from moothall.protocols.mcp.ground import DOOR, Ground
from moothall.protocols.mcp.listings import page, title
from moothall.protocols.mcp.schemas import input_schema, output_schema
from moothall.protocols.mcp.visits import visit_of

_PLAIN: Final = frozenset({"_meta"})
_KEPT: Final = 64
"""Listings that are kept ready; readers who may call the same things share one."""

_LONGEST: Final = 256
"""Characters of a name; a longer one is nobody's, and is not compared with those that there are."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A capability as a tool.

    Attributes:
        entry: the capability.
        target: what a call of it names.
        schema: of its arguments.
        wrapped: whether its value stands under ``result``, because its schema says no object; None: the value decides.
        narrated: whether its results are sentences, for it tells of what others gave (`capability.narration`).
        mirrored: whether arguments are repeated in headers (``x-mcp-header``), which must agree.
        row: its place in the listing.
    """

    entry: Entry
    target: Target
    schema: JsonObject
    wrapped: bool | None
    narrated: bool
    mirrored: bool
    row: JsonObject

    @classmethod
    def of(cls, name: str, entry: Entry) -> Tool:
        """The tool of that name."""
        arguments = input_schema(entry)
        result, wrapped = (None, False) if entry.blocks else output_schema(entry)
        if narrated := FACADE in entry.spec.tags:
            result, wrapped = SCHEMA, True
        mirrored = find_invalid_x_mcp_header(arguments) is None and bool(x_mcp_header_map(arguments))
        row = _row(name, entry, arguments, result)
        known = None if result is None else wrapped
        return cls(entry, Target("local", entry.id), arguments, known, narrated, mirrored, row)


class Tools:
    """The tools of a node, read anew whenever its capabilities change."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._snapshot: Snapshot | None = None
        self._names = ToolNames(Snapshot())
        self._tools: dict[str, Tool] = {}
        self._ready: OrderedDict[tuple[str, tuple[Entry, ...]], HandlerResult] = OrderedDict()

    async def listed(self, ctx: ServerRequestContext[Any, Any], params: PaginatedRequestParams) -> JsonObject:
        """Answer ``tools/list`` with what the reader may call."""
        rows = [self._row(entry) for entry in await self._visible(ctx) if entry.spec.kind == "tool"]
        return page("tools", rows, params.cursor)

    async def ready(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """A layer of the server: a listing that was checked and shaped once is not checked and shaped again.

        It is another one for each version of the protocol, and for those who may call other things.
        """
        if ctx.method != "tools/list" or (ctx.params or {}).keys() - _PLAIN:
            return await call_next(ctx)
        key = ctx.protocol_version, await self._visible(ctx)
        if key in self._ready:
            self._ready.move_to_end(key)
            return self._ready[key]
        made = self._ready[key] = await call_next(ctx)
        if len(self._ready) > _KEPT:
            self._ready.popitem(last=False)
        return made

    def find(self, name: str) -> Tool | None:
        """The tool of a name: the listed one, or the capability's id."""
        snapshot = self._ground.gateway().snapshot
        if snapshot is not self._snapshot:
            self._refresh(snapshot)
        found = self._tools.get(name)
        if found is None and len(name) <= _LONGEST:
            entry = self._names.find(name) or snapshot.find(name)
            if entry is not None:
                found = self._tools[name] = Tool.of(name, entry)
        return found

    def _refresh(self, snapshot: Snapshot) -> None:
        self._names = ToolNames(snapshot)
        self._tools.clear()
        self._ready.clear()
        self._snapshot = snapshot

    async def _visible(self, ctx: ServerRequestContext[Any, Any]) -> tuple[Entry, ...]:
        gateway = self._ground.gateway()
        if gateway.snapshot is not self._snapshot:
            self._refresh(gateway.snapshot)
        visit = visit_of(ctx)
        found = await gateway.visible(visit.principal, DOOR)
        return found if visit.deciding else tuple(entry for entry in found if not decides(entry))

    def _row(self, entry: Entry) -> JsonObject:
        name = self._names.of(entry)
        tool = self._tools.get(name)
        if tool is None:
            tool = self._tools[name] = Tool.of(name, entry)
        return tool.row


def _row(name: str, entry: Entry, arguments: JsonObject, result: JsonObject | None) -> JsonObject:
    spec, effects = entry.spec, entry.spec.annotations
    row: JsonObject = {
        "name": name,
        "title": title(entry),
        "description": spec.description,
        "inputSchema": arguments,
        "annotations": {
            "title": title(entry),
            "readOnlyHint": effects.read_only,
            "destructiveHint": effects.destructive,
            "idempotentHint": spec.idempotent,
            "openWorldHint": effects.open_world,
        },
    }
    if result is not None:
        row["outputSchema"] = result
    if spec.tags:
        row["_meta"] = {TAGS: list(spec.tags)}
    return row
