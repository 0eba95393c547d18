"""``@mcp_tool``: a function of one's own as a tool for language models (row MCP-06).

::

    @mcp_tool("forecast")
    async def forecast(city: str, **parameters: Any) -> dict: ...

    node.include(forecast)

It is a `capability` for models and for this process. What the specification collects with ``**`` is one argument,
``parameters``, an object: models read schemas, and a schema names what it takes.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Final, TypeVar, Unpack, cast

from moothall.capability.decorators import CapabilityDecorator
from moothall.capability.options import OptionError, ServiceOptions

F = TypeVar("F", bound=Callable[..., Any])

TOOL: Final = "tool"
"""The tag of tools that users add to those of the node."""

PARAMETERS: Final = "parameters"
_EMPTY: Final[dict[str, Any]] = {}


class MCPToolDecorator(CapabilityDecorator):
    """What ``mcp_tool(...)`` returns."""

    what = "mcp_tool()"

    def __call__(self, function: F) -> F:
        """Decorate a function. Raises as `capability`."""
        return super().__call__(_named(function))


def mcp_tool(name: str, /, **options: Unpack[ServiceOptions]) -> Callable[[F], F]:
    """`capability` that language models find as a tool of this name.

    Raises:
        OptionError: an option makes no sense here; where the function is decorated: it cannot be a capability.
    """
    if fixed := sorted({"name", "expose_to", "scope"} & options.keys()):
        raise OptionError(f"mcp_tool() has no option {fixed[0]!r}: that is fixed")
    tags = (*options.get("tags", ()), TOOL)
    whole: ServiceOptions = {**options, "name": name, "expose_to": ("local", "llm"), "tags": tags}
    return MCPToolDecorator(**whole)


def _named(function: F) -> F:
    """The function with one argument in place of those that it collects; itself where it collects none."""
    signature = inspect.signature(function)
    kinds = inspect.Parameter
    collected = next((item for item in signature.parameters.values() if item.kind is kinds.VAR_KEYWORD), None)
    if collected is None:
        return function
    if PARAMETERS in signature.parameters and collected.name != PARAMETERS:
        raise OptionError(f"{function.__name__}: it collects arguments, and has one called {PARAMETERS!r} as well")

    @functools.wraps(function)
    def named(*given: object, parameters: dict[str, Any] = _EMPTY, **own: object) -> object:
        return function(*given, **own, **parameters)

    others = [item for item in signature.parameters.values() if item is not collected]
    taken = kinds(PARAMETERS, kinds.KEYWORD_ONLY, default=_EMPTY, annotation=dict[str, Any])
    own = {name: hint for name, hint in function.__annotations__.items() if name != collected.name}
    named.__signature__ = signature.replace(parameters=[*others, taken])  # type: ignore[attr-defined]
    named.__annotations__ = {**own, PARAMETERS: dict[str, Any]}
    return cast("F", named)
