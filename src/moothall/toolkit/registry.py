"""The tools of one node for one caller: by name, with what a model reads of them, and called by name (row LLM-03)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from moothall.calls.hub import Hub
from moothall.calls.plan import FOR_MODELS
from moothall.calls.reply import Reply
from moothall.capability.entry import Entry
from moothall.capability.function_schemas import FORMATS, Format
from moothall.capability.narration import told_error, told_value
from moothall.capability.spec import JsonObject
from moothall.capability.tool_names import ToolNames
from moothall.errors import ServiceNotFoundError, Told
from moothall.identity.principal import OWNER, Principal
from moothall.messages import Lang
from moothall.node import Node
from moothall.toolkit import methods
from moothall.toolkit.using import is_tool, use

if TYPE_CHECKING:
    from moothall.toolkit.server import ANPMCPServer

Method = Callable[..., Awaitable[JsonObject]]

LOCAL_METHODS: Final[Mapping[str, Method]] = {
    method.__name__: method
    for method in (
        methods.unified_caller_method,
        methods.unified_crawler_method,
        methods.resource_manager_method,
        methods.orchestration_method,
    )
}
"""The tools as functions of this process."""


@dataclass(frozen=True, slots=True)
class LLMTool:
    """A tool as a model sees it; ``target`` is the capability that it is."""

    name: str
    description: str
    input_schema: JsonObject
    target: str


class LLMToolRegistry:
    """The tools of a node.

    Args:
        sdk: the started node.
        principal: for whom the model works.
        lang: of what is told to the model.

    Attributes:
        tools: by the names that models use; empty before `register_core_tools`.
    """

    def __init__(self, sdk: Node, principal: Principal = OWNER, *, lang: Lang = methods.LANG) -> None:
        self.sdk = sdk
        self.principal = principal
        self.lang = lang
        self.tools: dict[str, LLMTool] = {}

    def register_core_tools(self) -> None:
        """Take in the node's tools, and those that users added, as they are now."""
        snapshot = self.sdk.host.path.snapshot
        names = ToolNames(snapshot)
        self.tools = {names.of(entry): _tool(names.of(entry), entry) for entry in snapshot.newest if is_tool(entry)}

    def setup_mcp_server(self) -> ANPMCPServer:
        """An MCP server with the tools, which can be connected from now on; within a running event loop."""
        from moothall.toolkit.server import ANPMCPServer  # noqa: PLC0415 - the SDK takes more than a second to import

        server = ANPMCPServer(self.sdk, self.principal, lang=self.lang)
        server.start()
        return server

    def get_local_methods(self) -> dict[str, Method]:
        """The tools as functions of this process, by name."""
        return dict(LOCAL_METHODS)

    def usable(self) -> dict[str, LLMTool]:
        """Those of the tools that the caller may use, as far as that is known without asking the store.

        Of a caller that was not asked about lately nothing is known, and nothing is listed: `learn` asks. The operator
        of the node is known, whatever the store says.
        """
        find = self.sdk.host.path.snapshot.find
        found = {name: find(tool.target) for name, tool in self.tools.items()}
        return {name: self.tools[name] for name, entry in found.items() if entry is not None and self._may(entry)}

    def _may(self, entry: Entry) -> bool:
        may = self.sdk.host.path.may(self.principal, entry, FOR_MODELS)
        return entry.state != "disabled" and (self.principal.operator if may is None else may)

    async def learn(self) -> None:
        """Ask the store what the caller may use.

        Raises:
            StorageError: it does not answer.
        """
        await self.sdk.host.path.visible(self.principal, FOR_MODELS)

    async def exported(self, form: Format) -> list[JsonObject]:
        """The tools that the caller may use in the form of a provider or a protocol."""
        path = self.sdk.host.path
        entries = [entry for entry in await path.visible(self.principal, FOR_MODELS) if is_tool(entry)]
        return FORMATS[form](entries, ToolNames(path.snapshot))

    async def call_tool(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Call a tool as a model does; what it reads then, of a failure, too."""
        reply = await self.reply(name, arguments)
        if reply is None:
            unknown = ServiceNotFoundError("no such tool", told=Told("tools.unknown", {"name": name}))
            return told_error(unknown, self.lang)
        return told_error(reply.error, self.lang) if reply.error is not None else told_value(reply.data, self.lang)

    async def reply(self, name: str, arguments: Mapping[str, Any]) -> Reply[Any] | None:
        """The same as the call path answers; None where there is no such tool."""
        tool = self.tools.get(name)
        if tool is None:
            return None
        return await use(Hub(self.sdk.host.path, self.principal), tool.target, arguments)


def _tool(name: str, entry: Entry) -> LLMTool:
    return LLMTool(name, entry.spec.description, entry.input_schema, entry.id)
