"""`ANPLLMToolkit`: everything that a language model needs to use a node, set up in one line (rows LLM-03, LLM-04)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from moothall.identity.principal import OWNER, Principal
from moothall.llm.base import BaseLLM
from moothall.messages import Lang, text
from moothall.node import Node
from moothall.telemetry import configure, logger
from moothall.toolkit import methods
from moothall.toolkit.registry import LLMToolRegistry, Method

if TYPE_CHECKING:
    from moothall.toolkit.server import ANPMCPServer

_log = logger("toolkit")


class ANPLLMToolkit:
    """The tools of a started node for a model.

    Args:
        sdk: the node.
        principal: for whom the model works: it may what that caller may, and the tools reach.
        lang: of what is told to the model.

    Attributes:
        registry: the tools.
        setup_complete: whether `setup` was called.
        mcp_server: with the tools, where it was set up.
        local_methods: the tools as functions, where they were set up.
    """

    def __init__(self, sdk: Node, principal: Principal = OWNER, *, lang: Lang = methods.LANG) -> None:
        self.sdk = sdk
        self.registry = LLMToolRegistry(sdk, principal, lang=lang)
        self.setup_complete = False
        self.mcp_server: ANPMCPServer | None = None
        self.local_methods: dict[str, Method] = {}

    def setup(self, enable_mcp: bool = True, enable_local: bool = True) -> Self:  # noqa: FBT001, FBT002 - as specified
        """Take the tools in, and prepare the ways to them; within a running event loop, where there is an MCP server.

        What was done goes to the log, never to stdout, which belongs to MCP.
        """
        self.registry.register_core_tools()
        if enable_mcp:
            self.mcp_server = self.registry.setup_mcp_server()
            self._tell("tools.server", tools=len(self.registry.tools))
        if enable_local:
            self.local_methods = self.registry.get_local_methods()
            self._tell("tools.methods", methods=len(self.local_methods))
        self.setup_complete = True
        return self

    def get_tool_descriptions(self) -> str:
        """What a model reads of the tools that it may use; for a caller whom the store knows, after `learn`."""
        return "\n".join(f"## {name}\n{tool.description}\n" for name, tool in self.registry.usable().items())

    async def learn(self) -> Self:
        """Ask the store what the caller may use. Raises StorageError."""
        await self.registry.learn()
        return self

    async def call_tool(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Call a tool as a model does; what it reads then, of a failure, too."""
        return await self.registry.call_tool(name, arguments)

    def equip(self, llm: BaseLLM) -> EquippedLLM:
        """A model that can call the tools."""
        return EquippedLLM(llm, self.registry)

    async def aclose(self) -> None:
        """End what the MCP server has open."""
        if self.mcp_server is not None:
            await self.mcp_server.aclose()

    def _tell(self, key: str, **values: int) -> None:
        if not _log.hasHandlers():
            configure()  # nobody said where the log goes: to stderr
        _log.log(logging.INFO, "%s", text(key, self.registry.lang, **values))


class EquippedLLM(BaseLLM):
    """A language model with the tools of a node (row LLM-05)."""

    def __init__(self, llm: BaseLLM, tools: LLMToolRegistry) -> None:
        self._llm = llm
        self._tools = tools

    @property
    def model(self) -> str:
        """The model's name."""
        return self._llm.model

    async def async_generate_response(self, system_prompt: str, user_prompt: str) -> str:
        """The model's answer; raises as `BaseLLM.async_generate_response`."""
        return await self._llm.async_generate_response(system_prompt, user_prompt)

    async def call_tool(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Call a tool; what the model reads then, of a failure, too."""
        return await self._tools.call_tool(name, arguments)

    async def aclose(self) -> None:
        """Let go of what the model has open."""
        await self._llm.aclose()
