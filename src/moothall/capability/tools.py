"""The tools that the framework gives a capability: they call others, with the rights of its caller (row LLM-07).

::

    @capability(source="local", expose_to="both")
    async def intelligent_assistant(query: str, tools: dict) -> dict:
        found = await tools["unified_crawler"](action="discover")
        return await tools["unified_caller"](target="auto:…", parameters={"query": query})
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final, Protocol

CALLER: Final = "unified_caller"
CRAWLER: Final = "unified_crawler"
MANAGER: Final = "resource_manager"
ORCHESTRATION: Final = "orchestration"
NAMES: Final = (CALLER, CRAWLER, MANAGER, ORCHESTRATION)
"""The tools of a node, which are capabilities of its own agent."""

Tool = Callable[..., Awaitable[Any]]


class Calls(Protocol):
    """What of a context is needed: it makes calls for the caller of the capability."""

    async def call(self, target: str, params: Mapping[str, Any], /) -> Any:  # noqa: ANN401
        """Call a target and return its value."""
        ...


def tools_of(context: Calls) -> dict[str, Tool]:
    """The tools for one call; each takes its arguments by name, and raises what the call raises."""
    return {name: partial(_use, context, name) for name in NAMES}


async def _use(context: Calls, name: str, /, **arguments: Any) -> Any:  # noqa: ANN401
    return await context.call(f"local:{name}", arguments)
