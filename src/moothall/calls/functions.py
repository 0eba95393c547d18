"""What a node offers callers who put its capabilities before a language model (row DEC-39)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from moothall.calls.plan import FOR_MODELS
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.entry import Entry
from moothall.capability.function_schemas import FORMATS
from moothall.capability.snapshot import Snapshot
from moothall.capability.spec import JsonObject
from moothall.capability.tool_names import ToolNames
from moothall.identity.principal import Principal


class FunctionSchemas:
    """The capability ``relay.functions`` of the node itself.

    Args:
        snapshot: the capabilities as they are now.
        visible: finds what a principal may call at a door.
    """

    def __init__(
        self, snapshot: Callable[[], Snapshot], visible: Callable[[Principal, str], tuple[Entry, ...]]
    ) -> None:
        self._snapshot = snapshot
        self._visible = visible

    @capability(name="relay.functions", read_only=True, access="authenticated")
    async def functions(self, ctx: CallContext, form: Literal["openai", "anthropic"]) -> list[JsonObject]:
        """List the tools that the caller may give a language model, as providers of models read them.

        Args:
            ctx: the call, made by the call path
            form: whose providers read them
        """
        tools = [entry for entry in self._visible(ctx.principal, FOR_MODELS) if entry.spec.kind == "tool"]
        return FORMATS[form](tools, ToolNames(self._snapshot()))
